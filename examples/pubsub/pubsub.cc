// SPDX-License-Identifier: Apache-2.0
//
// Publishes 1000 temperatures. A fast reader gets all of them. A slow one, with
// a mailbox for 8, gets some of them and the number of the others.

#include <cstdint>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/bus/latch.h"
#include "trolley/examples/output/output.h"

constexpr uint64_t kValues = 1000;

struct Temperature {
  double celsius;
};

// Counts what it gets and what it has missed, and opens the latch when that is
// all that was published.
class Reader : public trolley::Actor {
 public:
  Reader(trolley::Topics topics, absl::Duration pause, trolley::Latch* all)
      : topics_(std::move(topics)), pause_(pause), all_(all) {}

  trolley::Task<absl::Status> On(trolley::Published<Temperature>) {
    ++got_;
    LookForTheEnd();
    co_await Sleep(pause_);
    co_return absl::OkStatus();
  }
  void On(const trolley::Gap& gap) {
    missed_ += gap.missed;
    LookForTheEnd();
  }
  // No newer value may come, so it asks for the gap now and then.
  struct Flush {};
  void On(const Flush&) {
    (void)topics_.FlushGap(subscription_);  // full: the next Flush tries again
    if (got_ + missed_ < kValues) {
      TellAfter(this, absl::Milliseconds(5), Flush{});
    }
  }
  struct Counts {
    uint64_t got;
    uint64_t missed;
  };
  struct GetCounts {};
  Counts On(const GetCounts&) { return {got_, missed_}; }

 protected:
  void OnStart() override {
    absl::StatusOr<trolley::SubscriptionId> subscribed =
        topics_.Subscribe<Temperature>("room.*", Self(this));
    if (subscribed.ok()) subscription_ = *subscribed;
    TellAfter(this, absl::ZeroDuration(), Flush{});
  }

 private:
  void LookForTheEnd() {
    if (got_ + missed_ == kValues) all_->Open();
  }

  const trolley::Topics topics_;
  const absl::Duration pause_;
  trolley::Latch* const all_;
  trolley::SubscriptionId subscription_;
  uint64_t got_ = 0;
  uint64_t missed_ = 0;
};

int main() {
  examples::BeginOutput();
  trolley::Topics topics;
  trolley::Latch fast_has_all;
  trolley::Latch slow_has_all;
  auto bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const auto fast =
      bus.Spawn<Reader>({.name = "fast", .loop = 0, .mailbox_capacity = 2000},
                        topics, absl::ZeroDuration(), &fast_has_all);
  const auto slow =
      bus.Spawn<Reader>({.name = "slow", .loop = 1, .mailbox_capacity = 8},
                        topics, absl::Milliseconds(1), &slow_has_all);
  if (!fast.ok() || !slow.ok()) return 1;
  // An ask comes back after OnStart(): both have subscribed.
  const absl::Duration timeout = absl::Minutes(1);
  (void)fast->AskAndWait(Reader::GetCounts{}, timeout);
  (void)slow->AskAndWait(Reader::GetCounts{}, timeout);

  for (uint64_t i = 0; i < kValues; ++i) {
    (void)topics.Publish<Temperature>("room.kitchen", 20.0 + i % 5);
  }
  fast_has_all.Wait();
  slow_has_all.Wait();
  const auto all = fast->AskAndWait(Reader::GetCounts{}, timeout);
  const auto some = slow->AskAndWait(Reader::GetCounts{}, timeout);
  if (!all.ok() || !some.ok()) return 1;
  std::cout << "fast: got " << all->got << ", missed " << all->missed << "\n"
            << "slow: got some: " << (some->got < kValues ? "yes" : "no")
            << ", with the missed ones " << some->got + some->missed << "\n";
  const trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
  std::cout << (report.clean ? "clean" : "not clean") << "\n";
  return examples::EndOutput("pubsub", report.clean ? 0 : 1);
}
