// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/chaos_poller.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "trolley/poller/poll_bits.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/sim/sim_random.h"

namespace trolley {
namespace {

// Random numbers for several threads: the n-th number is fixed, but any thread
// may draw it.
class SharedRandom {
 public:
  explicit SharedRandom(uint64_t seed)
      : seed_(internal::SimRandom::Mix(seed)) {}

  bool Chance(int per_mille) {
    return internal::SimRandom(seed_ + drawn_.fetch_add(1)).Chance(per_mille);
  }

 private:
  const uint64_t seed_;
  std::atomic<uint64_t> drawn_{0};
};

void LetOthersRun() { ::sched_yield(); }

// Signals come while a call waits; the other calls that pollers make do not
// wait.
class InterruptedSys final : public Sys {
 public:
  InterruptedSys(Sys& under, uint64_t seed, int chance)
      : under_(under), random_(seed), chance_(chance) {}

  intptr_t Call(SysCall call, Args args) override {
    // First what the call is: other threads call here when they wake the loop.
    if (Waits(call, args) && left_ > 0 && random_.Chance(chance_)) {
      --left_;
      return -EINTR;
    }
    return under_.Call(call, args);
  }

  // A Wait begins. It ends, although a poller tries again when interrupted.
  void BeginWait() { left_ = kMostInWait; }

 private:
  static constexpr int kMostInWait = 8;

  static bool Waits(SysCall call, const Args& args) {
    switch (call) {
      case SysCall::kEpollWait:
      case SysCall::kEpollPwait2:
      case SysCall::kPpoll:
      case SysCall::kPselect6:
        return true;
      case SysCall::kSigtimedwait: {
        // One without time to wait cannot be interrupted; the others can.
        const auto* limit = reinterpret_cast<const timespec*>(args[2]);
        return limit == nullptr || limit->tv_sec > 0 || limit->tv_nsec > 0;
      }
      case SysCall::kIoUringEnter:
        // One that submits says how many it took, signal or not.
        return args[1] == 0;
      default:
        return false;
    }
  }

  Sys& under_;
  SharedRandom random_;
  const int chance_;
  int left_ = 0;  // interruptions of this wait; only the loop's thread waits
};

class ChaosPoller final : public Poller {
 public:
  static absl::StatusOr<std::unique_ptr<Poller>> Create(
      const PollerFactory& under, const ChaosOptions& options, Sys& sys,
      const Clock& clock) {
    auto interrupted = std::make_unique<InterruptedSys>(sys, options.seed,
                                                        options.interruptions);
    absl::StatusOr<std::unique_ptr<Poller>> inner = under(*interrupted, clock);
    if (!inner.ok()) return inner.status();
    return std::unique_ptr<Poller>(
        new ChaosPoller(options, std::move(interrupted), *std::move(inner)));
  }

  absl::Status Add(int fd, Token token, Interest interest) override {
    absl::Status added = inner_->Add(fd, token, interest);
    if (added.ok())
      watched_.insert_or_assign(fd, Registration{token, interest});
    return added;
  }

  absl::Status Modify(int fd, Token token, Interest interest) override {
    absl::Status modified = inner_->Modify(fd, token, interest);
    if (modified.ok())
      watched_.insert_or_assign(fd, Registration{token, interest});
    return modified;
  }

  absl::Status Remove(int fd, Token token) override {
    absl::Status removed = inner_->Remove(fd, token);
    const auto at = watched_.find(fd);
    if (at != watched_.end() && at->second.token == token) watched_.erase(at);
    return removed;
  }

  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override {
    sys_->BeginWait();
    const bool wake_again =
        std::exchange(woken_, false) && random_.Chance(options_.repeated_wakes);
    const Registration* const untrue = DrawUntrue();
    size_t room = events.size();
    if (room > 1 && random_.Chance(options_.short_batches)) {
      room = 1 + random_.Below(std::min<size_t>(room - 1, 4));
    }
    // With an event of its own to report, it does not wait.
    absl::StatusOr<WaitResult> result =
        inner_->Wait(events.first(room),
                     wake_again || untrue != nullptr ? Instant() : deadline);
    if (!result.ok()) return result;
    if (untrue != nullptr) AddUntrue(*untrue, events, *result);
    if (random_.Chance(options_.reordering)) {
      random_.Shuffle(events.first(result->events));
    }
    if (result->woken && random_.Chance(options_.late_wakes)) LetOthersRun();
    woken_ = result->woken;
    result->woken |= wake_again;
    return result;
  }

  void Wake() override {
    if (wakes_.Chance(options_.late_wakes)) LetOthersRun();
    inner_->Wake();
    if (!wakes_.Chance(options_.double_wakes)) return;
    LetOthersRun();
    inner_->Wake();
  }

  const Capabilities& capabilities() const override {
    return inner_->capabilities();
  }
  Completions* completions() override { return inner_->completions(); }

 private:
  ChaosPoller(const ChaosOptions& options, std::unique_ptr<InterruptedSys> sys,
              std::unique_ptr<Poller> inner)
      : options_(options),
        random_(options.seed),
        wakes_(options.seed + 1),
        sys_(std::move(sys)),
        inner_(std::move(inner)) {}

  // One that could be ready; mostly none. Oneshots are left alone: an event
  // would have to disarm them.
  const Registration* DrawUntrue() {
    if (watched_.empty() || !random_.Chance(options_.untrue_events)) {
      return nullptr;
    }
    auto at = watched_.begin();
    std::advance(at, random_.Below(watched_.size()));
    const Interest interest = at->second.interest;
    const bool could =
        WantsAnything(interest) && interest.trigger != Trigger::kOneshot;
    return could ? &at->second : nullptr;
  }

  // Unless it is among the true ones, or there is no room.
  static void AddUntrue(const Registration& untrue, absl::Span<Event> events,
                        WaitResult& result) {
    if (result.events == events.size()) return;
    for (const Event& event : events.first(result.events)) {
      if (event.token == untrue.token) return;
    }
    events[result.events++] = {untrue.token, untrue.interest.ready};
  }

  const ChaosOptions options_;
  internal::SimRandom random_;
  SharedRandom wakes_;
  const std::unique_ptr<InterruptedSys> sys_;
  const std::unique_ptr<Poller> inner_;
  std::map<int, Registration> watched_;  // ordered, for the sake of replay
  bool woken_ = false;                   // by the wait before
};

}  // namespace

PollerFactory Chaos(PollerFactory under, const ChaosOptions& options) {
  // The count is shared by the copies that are made of a factory.
  return [under = std::move(under), options,
          made = std::make_shared<std::atomic<uint64_t>>(0)](
             Sys& sys, const Clock& clock) {
    ChaosOptions drawn = options;
    drawn.seed = internal::SimRandom(options.seed + made->fetch_add(1)).Next();
    return ChaosPoller::Create(under, drawn, sys, clock);
  };
}

}  // namespace trolley
