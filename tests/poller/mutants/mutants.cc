// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/mutants/mutants.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "absl/time/time.h"
#include "trolley/poller/epoll_poller.h"
#include "trolley/poller/sys.h"
#include "trolley/tests/poller/emulated_completions.h"

namespace trolley {
namespace {

// Passes everything on to a poller that works. A wait that would last for ever
// fails after a while instead: most mutants lose something, and the suite waits
// for it.
class Mutant : public Poller {
 public:
  Mutant(Sys& sys, const Clock& clock, std::unique_ptr<Poller> inner)
      : sys_(sys), clock_(clock), inner_(std::move(inner)) {}

  absl::Status Add(int fd, Token token, Interest interest) override {
    return inner_->Add(fd, token, interest);
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    return inner_->Modify(fd, token, interest);
  }
  absl::Status Remove(int fd, Token token) override {
    return inner_->Remove(fd, token);
  }
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override {
    return Bounded(events, deadline);
  }
  void Wake() override { inner_->Wake(); }
  const Capabilities& capabilities() const override {
    return inner_->capabilities();
  }

 protected:
  absl::StatusOr<WaitResult> Bounded(absl::Span<Event> events,
                                     Instant deadline) {
    const Instant limit = clock_.Now() + absl::Milliseconds(700);
    auto result = inner_->Wait(events, std::min(deadline, limit));
    if (result.ok() && result->events == 0 && !result->woken &&
        limit < deadline) {
      return absl::InternalError("a wait without end");
    }
    return result;
  }

  // For mutants that get the result right and then spoil it.
  template <typename Spoil>
  absl::StatusOr<WaitResult> Spoiled(absl::Span<Event> events, Instant deadline,
                                     Spoil spoil) {
    auto result = Bounded(events, deadline);
    if (result.ok()) spoil(*result, events);
    return result;
  }

  Sys& sys_;
  const Clock& clock_;
  const std::unique_ptr<Poller> inner_;
};

using Result = absl::StatusOr<WaitResult>;
using Events = absl::Span<Event>;

class ForgetsWakes final : public Mutant {
 public:
  using Mutant::Mutant;
  void Wake() override {}
};

class ForgetsWakesBeforeTheWait final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    waiting_ = true;
    Result result = Bounded(events, deadline);
    waiting_ = false;
    return result;
  }
  void Wake() override {
    if (waiting_) inner_->Wake();
  }

 private:
  std::atomic<bool> waiting_{false};
};

class WakesOnlyOnce final : public Mutant {
 public:
  using Mutant::Mutant;
  void Wake() override {
    if (!woken_.exchange(true)) inner_->Wake();
  }

 private:
  std::atomic<bool> woken_{false};
};

class ForgetsEveryHundredthWake final : public Mutant {
 public:
  using Mutant::Mutant;
  void Wake() override {
    if (++wakes_ % 100 != 0) inner_->Wake();
  }

 private:
  std::atomic<int> wakes_{0};
};

class ReportsAWakeTwice final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    return Spoiled(events, deadline, [this](WaitResult& r, Events) {
      const bool again = std::exchange(woken_, r.woken);
      r.woken = r.woken || again;
    });
  }

 private:
  bool woken_ = false;
};

class LetsEventsStarveAWake final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    return Spoiled(events, deadline, [this](WaitResult& r, Events to) {
      woken_ = woken_ || r.woken;
      r.woken = r.events < to.size() && std::exchange(woken_, false);
    });
  }

 private:
  bool woken_ = false;
};

class LetsAWakeHideEvents final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    return Spoiled(events, deadline, [this](WaitResult& r, Events) {
      hide_ = hide_ > 0 ? hide_ - 1 : 0;
      if (r.woken) hide_ = 8;
      if (hide_ > 0) r.events = 0;
    });
  }

 private:
  int hide_ = 0;
};

class IsEarly final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    if (deadline.is_infinite()) return Bounded(events, deadline);
    return Bounded(events, deadline + -absl::Milliseconds(1));
  }
};

class RoundsUpToMilliseconds final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    const Instant now = clock_.Now();
    if (deadline.is_infinite() || deadline <= now) {
      return Bounded(events, deadline);
    }
    return Bounded(events,
                   now + absl::Ceil(deadline - now, absl::Milliseconds(1)));
  }
};

class WrapsFarDeadlinesAround final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    const Instant now = clock_.Now();
    if (deadline.is_infinite() || deadline <= now) {
      return Bounded(events, deadline);
    }
    const auto millis =
        static_cast<int32_t>((deadline.nanos() - now.nanos()) / 1'000'000 + 1);
    // A negative number of milliseconds is over before it has begun.
    if (millis < 0) return WaitResult{};
    return Bounded(events, deadline);
  }
};

// Every interruption starts the whole time over.
class RestartingSys final : public Sys {
 public:
  explicit RestartingSys(Sys& under) : under_(under) {}
  intptr_t Call(SysCall call, Args args) override {
    intptr_t result = under_.Call(call, args);
    while (call == SysCall::kEpollPwait2 && result == -EINTR) {
      result = under_.Call(call, args);
    }
    return result;
  }

 private:
  Sys& under_;
};

class StartsOverAfterSignals final : public Mutant {
 public:
  using Mutant::Mutant;
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock) {
    auto restarting = std::make_unique<RestartingSys>(sys);
    auto inner = EpollPoller::Create(*restarting, clock);
    if (!inner.ok()) return inner.status();
    auto made =
        std::make_unique<StartsOverAfterSignals>(sys, clock, *std::move(inner));
    made->restarting_ = std::move(restarting);
    return std::unique_ptr<Poller>(std::move(made));
  }
  ~StartsOverAfterSignals() override {
    const_cast<std::unique_ptr<Poller>&>(inner_).reset();
  }

 private:
  std::unique_ptr<Sys> restarting_;
};

class LooksOnAndOn final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    for (;;) {
      Result result = inner_->Wait(events, Instant());
      if (!result.ok() || result->events > 0 || result->woken) return result;
      if (clock_.Now() >= deadline) return result;
    }
  }
};

class SpinsOnAHangupNobodyWaitsFor final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    absl::Status added = inner_->Add(fd, token, interest);
    if (added.ok()) Note(fd, interest);
    return added;
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    Note(fd, interest);
    return inner_->Modify(fd, token, interest);
  }
  absl::Status Remove(int fd, Token token) override {
    unwanted_.erase(fd);
    return inner_->Remove(fd, token);
  }
  Result Wait(Events events, Instant deadline) override {
    for (;;) {
      bool hung_up = false;
      for (const int fd : unwanted_) {
        pollfd item = {.fd = fd, .events = 0, .revents = 0};
        const timespec now = {};
        hung_up |= sys_.Ppoll({&item, 1}, &now) > 0;
      }
      if (!hung_up) return Bounded(events, deadline);
      Result result = inner_->Wait(events, Instant());
      if (!result.ok() || result->events > 0 || result->woken ||
          clock_.Now() >= deadline) {
        return result;
      }
    }
  }

 private:
  void Note(int fd, Interest interest) {
    if (interest.ready == Ready::kNone) {
      unwanted_.insert(fd);
    } else {
      unwanted_.erase(fd);
    }
  }
  std::set<int> unwanted_;
};

// Knows what was closed without Remove.
class NoticesClosed : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) final {
    absl::Status added = inner_->Add(fd, token, interest);
    if (added.ok()) watched_[fd] = token;
    return added;
  }
  absl::Status Remove(int fd, Token token) final {
    watched_.erase(fd);
    return inner_->Remove(fd, token);
  }

 protected:
  std::optional<Token> Closed() {
    for (const auto& [fd, token] : watched_) {
      if (sys_.Fcntl(fd, F_GETFD) == -EBADF) return token;
    }
    return std::nullopt;
  }

 private:
  std::map<int, Token> watched_;
};

class SpinsOnAClosedDescriptor final : public NoticesClosed {
 public:
  using NoticesClosed::NoticesClosed;
  Result Wait(Events events, Instant deadline) override {
    while (Closed().has_value()) {
      Result result = inner_->Wait(events, Instant());
      if (!result.ok() || result->events > 0 || result->woken ||
          clock_.Now() >= deadline) {
        return result;
      }
    }
    return Bounded(events, deadline);
  }
};

class ReportsAClosedDescriptorForEver final : public NoticesClosed {
 public:
  using NoticesClosed::NoticesClosed;
  Result Wait(Events events, Instant deadline) override {
    const std::optional<Token> closed = Closed();
    return Spoiled(events, closed.has_value() ? Instant() : deadline,
                   [&](WaitResult& r, Events to) {
                     if (!closed.has_value() || r.events == to.size()) return;
                     to[r.events++] = {*closed, Ready::kError};
                   });
  }
};

class ReportsForAnEmptyInterest final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Modify(int fd, Token token, Interest interest) override {
    if (interest.ready == Ready::kNone) return absl::OkStatus();
    return inner_->Modify(fd, token, interest);
  }
};

// Takes events from the kernel in advance and forgets to look whether their
// registration is still there when it hands them out.
class ReportsStaleTokens final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    WaitResult result;
    if (queue_.empty()) {
      std::vector<Event> many(64);
      Result inner = Bounded(absl::MakeSpan(many), deadline);
      if (!inner.ok()) return inner;
      result.woken = inner->woken;
      queue_.insert(queue_.end(), many.begin(), many.begin() + inner->events);
    }
    while (result.events < events.size() && !queue_.empty()) {
      events[result.events++] = queue_.front();
      queue_.pop_front();
    }
    return result;
  }

 private:
  std::deque<Event> queue_;
};

class ForgetsToRemove final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Remove(int fd, Token token) override {
    return inner_->Modify(fd, token, {Ready::kReadable});
  }
};

class DropsWhatDidNotFit final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    std::vector<Event> many(64);
    Result result = Bounded(absl::MakeSpan(many), deadline);
    if (!result.ok()) return result;
    result->events = std::min(result->events, events.size());
    std::copy_n(many.begin(), result->events, events.begin());
    return result;
  }
};

class PrefersSomeForEver final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    std::vector<Event> many(64);
    Result result = Bounded(absl::MakeSpan(many), deadline);
    if (!result.ok()) return result;
    std::sort(many.begin(), many.begin() + result->events,
              [](const Event& a, const Event& b) {
                return a.token.slot < b.token.slot;
              });
    result->events = std::min(result->events, events.size());
    std::copy_n(many.begin(), result->events, events.begin());
    return result;
  }
};

class ReportsOneTwice final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    return Spoiled(events, deadline, [](WaitResult& r, Events to) {
      if (r.events == 0 || r.events == to.size()) return;
      to[r.events] = to[0];
      ++r.events;
    });
  }
};

class SaysReadableWithoutCause final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    last_ = token;
    return inner_->Add(fd, token, interest);
  }
  Result Wait(Events events, Instant deadline) override {
    return Spoiled(events, deadline, [this](WaitResult& r, Events to) {
      if (r.events == 0) to[r.events++] = {last_, Ready::kReadable};
    });
  }

 private:
  Token last_;
};

// Replaces bits in everything that is reported.
class SpoilsBits : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) final {
    return Spoiled(events, deadline, [this](WaitResult& r, Events to) {
      for (size_t i = 0; i < r.events; ++i) to[i] = Spoil(to[i]);
    });
  }
  virtual Event Spoil(Event event) = 0;

 protected:
  static Ready Without(Ready from, Ready bits) {
    return static_cast<Ready>(static_cast<uint8_t>(from) &
                              ~static_cast<uint8_t>(bits));
  }
};

class AlwaysAddsWritable final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    return {e.token, e.ready | Ready::kWritable};
  }
};

class HidesHangups final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    return {e.token, Without(e.ready, Ready::kHangup)};
  }
};

class HangsUpWithoutReadable final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    if (!Any(e.ready & Ready::kHangup)) return e;
    return {e.token, Without(e.ready, Ready::kReadable)};
  }
};

class HidesErrors final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    return {e.token, Without(e.ready, Ready::kError)};
  }
};

class ForgetsHalfClose final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    return {e.token, Without(e.ready, Ready::kReadHangup)};
  }
};

class TakesHalfCloseForHangup final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    if (!Any(e.ready & Ready::kReadHangup)) return e;
    return {e.token, e.ready | Ready::kHangup};
  }
};

class CutsTokensShort final : public SpoilsBits {
 public:
  using SpoilsBits::SpoilsBits;
  Event Spoil(Event e) override {
    return {{e.token.slot, e.token.generation & 0xffff}, e.ready};
  }
};

template <Trigger kFrom, Trigger kTo>
class TakesOneTriggerForAnother final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    return inner_->Add(fd, token, Change(interest));
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    return inner_->Modify(fd, token, Change(interest));
  }

 private:
  static Interest Change(Interest interest) {
    if (interest.trigger == kFrom) interest.trigger = kTo;
    return interest;
  }
};

// "Nothing has changed, so there is nothing to do."
class SkipsAModifyThatChangesNothing final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    last_ = interest;
    return inner_->Add(fd, token, interest);
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    if (interest == last_) return absl::OkStatus();
    last_ = interest;
    return inner_->Modify(fd, token, interest);
  }

 private:
  Interest last_;
};

class IgnoresASecondAdd final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    absl::Status added = inner_->Add(fd, token, interest);
    return absl::IsAlreadyExists(added) ? absl::OkStatus() : added;
  }
};

class BelievesEveryAdd final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    inner_->Add(fd, token, interest).IgnoreError();
    return absl::OkStatus();
  }
};

class IgnoresAFailedAdd final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    absl::Status added = inner_->Add(fd, token, interest);
    return absl::IsResourceExhausted(added) ? absl::OkStatus() : added;
  }
};

class ForgivesUnknownRegistrations final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Remove(int fd, Token token) override {
    inner_->Remove(fd, token).IgnoreError();
    return absl::OkStatus();
  }
};

class ClaimsRegularFiles final : public Mutant {
 public:
  ClaimsRegularFiles(Sys& sys, const Clock& clock,
                     std::unique_ptr<Poller> inner)
      : Mutant(sys, clock, std::move(inner)), claims_(inner_->capabilities()) {
    claims_.any_fd = true;
  }
  const Capabilities& capabilities() const override { return claims_; }

 private:
  Capabilities claims_;
};

class KeepsDuplicates final : public Mutant {
 public:
  using Mutant::Mutant;
  absl::Status Add(int fd, Token token, Interest interest) override {
    duplicates_.emplace_back(sys_, sys_.Dup(fd));
    return inner_->Add(fd, token, interest);
  }

 private:
  std::vector<ScopedFd> duplicates_;
};

class LeaksADescriptor final : public Mutant {
 public:
  using Mutant::Mutant;
  ~LeaksADescriptor() override { sys_.Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
};

class LetsChildrenInherit final : public Mutant {
 public:
  using Mutant::Mutant;

 private:
  const ScopedFd inherited_{sys_, sys_.Eventfd(0, EFD_NONBLOCK)};
};

class AcceptsNoRoom final : public Mutant {
 public:
  using Mutant::Mutant;
  Result Wait(Events events, Instant deadline) override {
    if (events.empty()) return WaitResult{};
    return Bounded(events, deadline);
  }
};

// --- Of poller/completions.h -----------------------------------------------

// As Mutant, over completions that work.
class CompletingMutant : public EmulatedCompletions {
 public:
  CompletingMutant(Sys& sys, const Clock& clock, std::unique_ptr<Poller> inner)
      : EmulatedCompletions(
            sys, std::make_unique<Mutant>(sys, clock, std::move(inner))) {}
};

// As a kernel does whose request outlives its operation.
class TouchesTheBufferAfterCancel final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  void Cancel(Operation& operation) override {
    if (waiting_.Has(operation) &&
        operation.request.kind == Operation::Kind::kRead) {
      ghosts_.push_back(operation.request);
    }
    CompletingMutant::Cancel(operation);
  }
  Result Wait(Events events, Instant deadline) override {
    for (const Operation::Request& ghost : ghosts_) Try(ghost);
    return CompletingMutant::Wait(events, deadline);
  }

 private:
  std::vector<Operation::Request> ghosts_;
};

class CompletesTwice final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  Operation* TakeCompleted() override {
    if (last_ != nullptr) return std::exchange(last_, nullptr);
    return last_ = CompletingMutant::TakeCompleted();
  }

 private:
  Operation* last_ = nullptr;
};

// A queue of 256 places, and nobody looks whether one is free.
class LosesAnOperationWhenTheQueueIsFull final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  void Start(Operation& operation) override {
    CompletingMutant::Start(operation);
    if (waiting_.size() <= 256) return;
    waiting_.Remove(operation);
    lost_.Add(operation);
  }
  void Cancel(Operation& operation) override {
    if (lost_.Has(operation)) {
      lost_.Remove(operation);
      waiting_.Add(operation);
    }
    CompletingMutant::Cancel(operation);
  }

 private:
  OperationQueue lost_;
};

class CancelLosesAConnection final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  void Cancel(Operation& operation) override {
    CompletingMutant::Cancel(operation);
    if (operation.result() >= 0) operation.SetResult(-ECANCELED);
  }
};

class ReportsWhatWasCancelled final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  void Cancel(Operation& operation) override {
    CompletingMutant::Cancel(operation);
    cancelled_ = &operation;
  }
  Operation* TakeCompleted() override {
    if (cancelled_ != nullptr) return std::exchange(cancelled_, nullptr);
    return CompletingMutant::TakeCompleted();
  }

 private:
  Operation* cancelled_ = nullptr;
};

class SleepsOnACompletion final : public CompletingMutant {
 public:
  using CompletingMutant::CompletingMutant;
  Result Wait(Events events, Instant deadline) override {
    Result result = CompletingMutant::Wait(events, deadline);
    if (result.ok() && !std::exchange(told_, result->completed)) return result;
    if (result.ok()) result->completed = false;
    return result;
  }

 private:
  bool told_ = false;
};

template <typename M>
absl::StatusOr<std::unique_ptr<Poller>> Make(Sys& sys, const Clock& clock) {
  auto inner = EpollPoller::Create(sys, clock);
  if (!inner.ok()) return inner.status();
  return std::make_unique<M>(sys, clock, *std::move(inner));
}

}  // namespace

std::vector<NamedMutant> AllMutants() {
  using EdgeForLevel =
      TakesOneTriggerForAnother<Trigger::kLevel, Trigger::kEdge>;
  using LevelForEdge =
      TakesOneTriggerForAnother<Trigger::kEdge, Trigger::kLevel>;
  using LevelForOneshot =
      TakesOneTriggerForAnother<Trigger::kOneshot, Trigger::kLevel>;
  using OneshotForEdge =
      TakesOneTriggerForAnother<Trigger::kEdge, Trigger::kOneshot>;
  return {
      {"nothing", "", Make<Mutant>},
      {"forgets_wakes", "Pitfall30_AWakeDuringTheWaitEndsIt",
       Make<ForgetsWakes>},
      {"forgets_wakes_before_the_wait", "Pitfall30_AWakeBeforeTheWaitIsNotLost",
       Make<ForgetsWakesBeforeTheWait>},
      {"forgets_wakes_of_its_own_thread",
       "Pitfall32_AWakeByTheLoopsOwnThreadIsNotLost",
       Make<ForgetsWakesBeforeTheWait>},
      {"wakes_only_once", "Pitfall18_AThousandWakesOneAfterTheOther",
       Make<WakesOnlyOnce>},
      {"forgets_every_hundredth_wake",
       "Pitfall30_ManyThreadsWakeAndNoneIsForgotten",
       Make<ForgetsEveryHundredthWake>},
      {"reports_a_wake_twice", "AWakeIsReportedOnceAndSeveralAreOne",
       Make<ReportsAWakeTwice>},
      {"lets_events_starve_a_wake", "AWakeIsNotStarvedByReadyDescriptors",
       Make<LetsEventsStarveAWake>},
      {"lets_a_wake_hide_events", "AWakeDoesNotHideEvents",
       Make<LetsAWakeHideEvents>},
      {"is_early", "NeverBeforeTheDeadline", Make<IsEarly>},
      {"rounds_up_to_milliseconds",
       "SubMillisecondDeadlinesAreKeptWhereClaimed",
       Make<RoundsUpToMilliseconds>},
      {"wraps_far_deadlines_around", "Pitfall25_FarDeadlinesDoNotWrapAround",
       Make<WrapsFarDeadlinesAround>},
      {"starts_over_after_signals",
       "Pitfall24_SignalsNeitherEndNorProlongAWait",
       StartsOverAfterSignals::Create},
      {"looks_on_and_on", "Pitfall25_WaitingCostsNoProcessorTime",
       Make<LooksOnAndOn>},
      {"spins_on_a_hangup_nobody_waits_for",
       "Pitfall12_HangupWithEmptyInterestDoesNotSpin",
       Make<SpinsOnAHangupNobodyWaitsFor>},
      {"spins_on_a_closed_descriptor",
       "Pitfall22_ADescriptorClosedTooEarlyDoesNotSpin",
       Make<SpinsOnAClosedDescriptor>},
      {"reports_a_closed_descriptor_for_ever",
       "Pitfall22_ABadDescriptorDoesNotSilenceTheOthers",
       Make<ReportsAClosedDescriptorForEver>},
      {"reports_for_an_empty_interest", "AnEmptyInterestIsSilentUntilItChanges",
       Make<ReportsForAnEmptyInterest>},
      {"reports_stale_tokens",
       "Pitfall1_ANumberUsedAgainInABatchKeepsItsEvents",
       Make<ReportsStaleTokens>},
      {"forgets_to_remove", "Pitfall8_NoEventAfterRemoveHoweverItRaces",
       Make<ForgetsToRemove>},
      {"forgets_to_remove_and_a_duplicate_lives",
       "Pitfall2_ADuplicateDoesNotReportAfterRemove", Make<ForgetsToRemove>},
      {"forgets_to_remove_and_the_number_comes_back",
       "Pitfall3_RemoveCloseReopenBeforeTheNextWait", Make<ForgetsToRemove>},
      {"drops_what_did_not_fit", "WhatDidNotFitComesWithTheNextWait",
       Make<DropsWhatDidNotFit>},
      {"prefers_some_for_ever",
       "Pitfall16_NoReadyDescriptorIsPassedOverForEver",
       Make<PrefersSomeForEver>},
      {"reports_one_twice", "DataIsReportedWithTheToken",
       Make<ReportsOneTwice>},
      {"says_readable_without_cause", "NothingReadyReportsNothing",
       Make<SaysReadableWithoutCause>},
      {"always_adds_writable", "OnlyWhatWasAskedForIsReported",
       Make<AlwaysAddsWritable>},
      {"hides_hangups", "Pitfall11_FullCloseIsHangup", Make<HidesHangups>},
      {"hangs_up_without_readable", "Pitfall10_EndOfAPipeIsReadableAndHangup",
       Make<HangsUpWithoutReadable>},
      {"hides_errors", "APipeWithoutReaderIsInError", Make<HidesErrors>},
      {"forgets_half_close", "Pitfall11_HalfCloseIsReadableAndNoHangup",
       Make<ForgetsHalfClose>},
      {"takes_half_close_for_hangup",
       "Pitfall11_HalfCloseIsReadableAndNoHangup",
       Make<TakesHalfCloseForHangup>},
      {"cuts_tokens_short", "TheWholeTokenComesBack", Make<CutsTokensShort>},
      {"takes_level_for_edge", "LevelIsReportedOnEveryWaitWhileItLasts",
       Make<EdgeForLevel>},
      {"takes_edge_for_level",
       "Pitfall13_EdgeDoesNotRepeatARemainderButModifyDoes",
       Make<LevelForEdge>},
      {"takes_edge_for_oneshot", "Pitfall14_EdgeReportsEachChangeAfterADrain",
       Make<OneshotForEdge>},
      {"takes_oneshot_for_level",
       "Pitfall17_OneshotDisarmsBothDirectionsUntilModify",
       Make<LevelForOneshot>},
      {"repeats_a_oneshot_hangup", "OneshotReportsAHangupOnceOnly",
       Make<LevelForOneshot>},
      {"skips_a_modify_that_changes_nothing",
       "AConditionThatHoldsAtModifyIsReportedAgain",
       Make<SkipsAModifyThatChangesNothing>},
      {"ignores_a_second_add", "RegisteringTwiceIsRefusedAndHarmless",
       Make<IgnoresASecondAdd>},
      {"believes_every_add", "ADescriptorThatIsNotOpenIsInvalid",
       Make<BelievesEveryAdd>},
      {"ignores_a_failed_add", "P13_EverySystemCallMayFail",
       Make<IgnoresAFailedAdd>},
      {"forgives_unknown_registrations", "WhatIsNotRegisteredIsNotFound",
       Make<ForgivesUnknownRegistrations>},
      {"claims_regular_files", "Pitfall19_ARegularFileIsAlwaysReadyOrRefused",
       Make<ClaimsRegularFiles>},
      {"keeps_duplicates", "Pitfall7_AfterRemoveCloseReachesThePeerAtOnce",
       Make<KeepsDuplicates>},
      {"leaks_a_descriptor", "EndsCleanlyWithRegistrationsAndAWakeLeft",
       Make<LeaksADescriptor>},
      {"lets_children_inherit", "P11_ItsDescriptorsAreClosedOnExec",
       Make<LetsChildrenInherit>},
      {"accepts_no_room", "NoRoomForAnEventIsAnError", Make<AcceptsNoRoom>},
      {"touches_the_buffer_after_cancel", "NobodyTouchesTheBufferAfterCancel",
       Make<TouchesTheBufferAfterCancel>},
      {"completes_twice", "AReadWaitsForItsBytes", Make<CompletesTwice>},
      {"loses_an_operation_when_the_queue_is_full",
       "Pitfall45_AnyNumberAtOnceAndEachEndsOnce",
       Make<LosesAnOperationWhenTheQueueIsFull>},
      {"cancel_loses_a_connection", "P11_ACancelledAcceptLosesNoConnection",
       Make<CancelLosesAConnection>},
      {"reports_what_was_cancelled", "NobodyTouchesTheBufferAfterCancel",
       Make<ReportsWhatWasCancelled>},
      {"sleeps_on_a_completion", "AnEndedOperationDoesNotLetTheWaitSleep",
       Make<SleepsOnACompletion>},
  };
}

}  // namespace trolley
