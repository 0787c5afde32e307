// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/wake_cost.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace trolley::tools {
namespace {

class PingPong {
 public:
  PingPong(Poller& near, Poller& far, const Clock& clock, absl::Duration limit)
      : near_(near), far_(far), clock_(clock), limit_(limit) {}

  // Each side has a thread of its own, because a poller may be thread_bound.
  absl::StatusOr<WakeCost> Run() {
    absl::Status near_status;
    absl::Status far_status;
    std::thread far_side([&] { far_status = Answer(); });
    std::thread near_side([&] { near_status = Ask(); });
    near_side.join();
    far_side.join();
    if (!far_status.ok()) return far_status;
    if (!near_status.ok()) return near_status;
    const auto middle = trips_.begin() + trips_.size() / 2;
    std::nth_element(trips_.begin(), middle, trips_.end());
    return WakeCost{.median = *middle / 2,
                    .least = *std::min_element(trips_.begin(), middle + 1) / 2,
                    .wakes = 2 * trips_.size()};
  }

 private:
  absl::Status AwaitWake(Poller& poller) {
    const Instant last = clock_.Now() + kGiveUp;
    Event events[1];
    for (;;) {
      const absl::StatusOr<WaitResult> result =
          poller.Wait(absl::MakeSpan(events), last);
      if (!result.ok()) return result.status();
      if (result->woken) return absl::OkStatus();
      if (clock_.Now() >= last) {
        return absl::DeadlineExceededError(absl::StrCat(
            "a wake did not arrive within ", absl::FormatDuration(kGiveUp)));
      }
    }
  }

  absl::Status Ask() {
    absl::Status status;
    const Instant end = clock_.Now() + limit_;
    do {
      const Instant start = clock_.Now();
      far_.Wake();
      status = AwaitWake(near_);
      if (status.ok()) trips_.push_back(clock_.Now() - start);
    } while (status.ok() && trips_.size() < kMostRounds && clock_.Now() < end);
    done_.store(true);
    far_.Wake();
    return status;
  }

  absl::Status Answer() {
    for (;;) {
      const absl::Status status = AwaitWake(far_);
      if (done_.load()) return absl::OkStatus();
      if (!status.ok()) return status;
      near_.Wake();
    }
  }

  Poller& near_;
  Poller& far_;
  const Clock& clock_;
  const absl::Duration limit_;
  std::atomic<bool> done_{false};
  std::vector<absl::Duration> trips_;
};

}  // namespace

absl::StatusOr<WakeCost> MeasureWakeCost(const PollerFactory& create, Sys& sys,
                                         const Clock& clock,
                                         absl::Duration limit) {
  const absl::StatusOr<std::unique_ptr<Poller>> near = create(sys, clock);
  if (!near.ok()) return near.status();
  const absl::StatusOr<std::unique_ptr<Poller>> far = create(sys, clock);
  if (!far.ok()) return far.status();
  return PingPong(**near, **far, clock, limit).Run();
}

}  // namespace trolley::tools
