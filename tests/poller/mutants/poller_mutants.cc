// SPDX-License-Identifier: Apache-2.0
//
// The subjects of poller_mutants_test: a copy of EpollPoller, and completions
// on top of it. They make the mistakes of poller_table.py, one at a time. The
// conformance suite must catch each in the case that the table names.
//
// Where a mistake is a small change of a statement, its mark is in the copy.
// The others are marked here: five spoil a result that is right, and four need
// a memory of their own, which no statement of the copy has.

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "trolley/poller/backend/epoll_poller.h"
#include "trolley/tests/mutants/mutant.h"
#include "trolley/tests/poller/conformance.h"
#include "trolley/tests/poller/emulated_completions.h"

namespace trolley::internal {
namespace {

using Result = absl::StatusOr<WaitResult>;
using Events = absl::Span<Event>;

// Passes everything on. In a mutant, a wait that would last for ever fails
// after a while: most mutants lose something, and the suite waits for it.
class BoundedPoller final : public Poller {
 public:
  BoundedPoller(Sys& sys, const Clock& clock, std::unique_ptr<Poller> inner)
      : sys_(sys), clock_(clock), inner_(std::move(inner)) {}

  absl::Status Add(int fd, Token token, Interest interest) override {
    absl::Status added = inner_->Add(fd, token, interest);
    if (added.ok()) watched_[fd] = token;
    return added;
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    return inner_->Modify(fd, token, interest);
  }
  absl::Status Remove(int fd, Token token) override {
    watched_.erase(fd);
    return inner_->Remove(fd, token);
  }
  Result Wait(Events events, Instant deadline) override {
    // mutant: P16_AStaleTokenIsReported, P16_AClosedDescriptorSpins
    // mutant: P16_AClosedDescriptorIsReportedForEver
    return Bounded(events, deadline);
  }
  void Wake() override { inner_->Wake(); }
  const Capabilities& capabilities() const override {
    return inner_->capabilities();
  }

 private:
  Result Bounded(Events events, Instant deadline) {
    // Without a mistake nothing is lost, and the wait needs no limit.
    const Instant limit = IsMutant(0) ? Instant::Infinite()
                                      : clock_.Now() + absl::Milliseconds(700);
    Result result =
        inner_->Wait(events, deadline.is_infinite() ? limit : deadline);
    if (!result.ok()) return result;
    if (deadline.is_infinite() && result->events == 0 && !result->woken) {
      return absl::InternalError("a wait without end");
    }
    // mutant: P16_AWakeIsReportedTwice, P16_EventsStarveAWake
    // mutant: P16_AWakeHidesEvents, P16_OneIsReportedTwice
    // mutant: P16_ReadableIsSaidWithoutCause
    return result;
  }

  // Takes events from the kernel in advance, and forgets to look whether their
  // registration is still there when it hands them out.
  Result HandsOutWhatIsStale(Events events, Instant deadline) {
    WaitResult result;
    if (taken_.empty()) {
      std::vector<Event> many(64);
      Result inner = Bounded(absl::MakeSpan(many), deadline);
      if (!inner.ok()) return inner;
      result.woken = inner->woken;
      taken_.insert(taken_.end(), many.begin(), many.begin() + inner->events);
    }
    while (result.events < events.size() && !taken_.empty()) {
      events[result.events++] = taken_.front();
      taken_.pop_front();
    }
    return result;
  }

  // As over poll(2), where a closed descriptor ends each call.
  Result SpinsOnWhatIsClosed(Events events, Instant deadline) {
    while (Closed().has_value()) {
      Result result = inner_->Wait(events, Instant());
      if (!result.ok() || result->events > 0 || result->woken ||
          clock_.Now() >= deadline) {
        return result;
      }
    }
    return Bounded(events, deadline);
  }

  Result ReportsWhatIsClosed(Events events, Instant deadline) {
    const std::optional<Token> closed = Closed();
    if (!closed.has_value()) return Bounded(events, deadline);
    Result result = Bounded(events, Instant());
    if (result.ok() && result->events < events.size()) {
      events[result->events++] = {*closed, Ready::kError};
    }
    return result;
  }

  std::optional<Token> Closed() {
    for (const auto& [fd, token] : watched_) {
      if (sys_.Fcntl(fd, F_GETFD) == -EBADF) return token;
    }
    return std::nullopt;
  }

  Sys& sys_;
  const Clock& clock_;
  const std::unique_ptr<Poller> inner_;
  std::map<int, Token> watched_;
  std::deque<Event> taken_;
};

class GhostlyCompletions final : public EmulatedCompletions {
 public:
  using EmulatedCompletions::EmulatedCompletions;
  void Cancel(Operation& operation) override {
    // mutant: P16_ABufferIsTouchedAfterCancel
    EmulatedCompletions::Cancel(operation);
  }
  Result Wait(Events events, Instant deadline) override {
    for (const Operation::Request& ghost : ghosts_) Try(ghost);
    return EmulatedCompletions::Wait(events, deadline);
  }

 private:
  // Reads that go on as if they had not been cancelled.
  std::vector<Operation::Request> ghosts_;
};

absl::StatusOr<std::unique_ptr<Poller>> NewPoller(Sys& sys,
                                                  const Clock& clock) {
  auto inner = EpollPoller::Create(sys, clock);
  if (!inner.ok()) return inner.status();
  return std::make_unique<BoundedPoller>(sys, clock, *std::move(inner));
}

absl::StatusOr<std::unique_ptr<Poller>> NewCompletions(Sys& sys,
                                                       const Clock& clock) {
  auto inner = NewPoller(sys, clock);
  if (!inner.ok()) return inner.status();
  return std::make_unique<GhostlyCompletions>(sys, *std::move(inner));
}

INSTANTIATE_TEST_SUITE_P(Copy, PollerConformance,
                         testing::Values(OnKernel("epoll", NewPoller),
                                         OnKernel("completions",
                                                  NewCompletions)),
                         SubjectName);

}  // namespace
}  // namespace trolley::internal
