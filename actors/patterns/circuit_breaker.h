// SPDX-License-Identifier: Apache-2.0
//
// CircuitBreaker: stops calling a partner that fails, and tries it again later.
//
//   class Shop : public trolley::Actor {
//    public:
//     explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
//     Task<absl::StatusOr<int>> On(Buy m) {
//       const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
//       co_return co_await breaker_.Run(pay);
//     }
//    private:
//     const Ref<Bank> bank_;
//     CircuitBreaker breaker_{{.failures = 3, .open_for = absl::Seconds(2)}};
//   };
//
//   state      a call                  goes to
//   closed     runs                    open, at failure number `failures` in a
//                                      row
//   open       is refused              half open, at the first call after
//                                      open_for
//   half open  one runs, the probe;    closed, after `probes` successes in a
//              others are refused      row; open, if a probe fails
//
// A refused call resolves to Unavailable; its text says how long that lasts and
// shows the last failure. A call counts when it ends, in the state in which it
// began: if the state has changed since then, its result counts as nothing.
//
// A call that is destroyed counts as nothing, too. If it was the probe, the
// next call is the probe. A probe that takes longer than longest_probe counts
// as failed at the next call. So the breaker is not half open for ever.
//
// Ownership: a member of an actor, one for each partner. It must outlive its
//            calls.
// Threads:   loop thread only.
// Bounds:    it keeps no calls. Of the last failure it keeps 200 bytes.
// Ends:      with its actor. A new one is closed.

#ifndef TROLLEY_ACTORS_PATTERNS_CIRCUIT_BREAKER_H_
#define TROLLEY_ACTORS_PATTERNS_CIRCUIT_BREAKER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/task.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct CircuitBreakerOptions {
  static constexpr uint32_t kMost = 1u << 20;

  // Failures in a row that open it, 1 to kMost; a count. 5: a partner that
  // answers four of five calls stays in use.
  uint32_t failures = 5;
  // How long it refuses all calls. 5 s: a process can restart in this time.
  absl::Duration open_for = absl::Seconds(5);
  // Probes in a row that must succeed to close it, 1 to kMost; a count.
  uint32_t probes = 1;
  // A probe that takes longer counts as failed. 30 s: longer than the timeout
  // of an ask.
  absl::Duration longest_probe = absl::Seconds(30);
  // True: the status counts as a failure. Null: Unavailable, DeadlineExceeded,
  // ResourceExhausted and Internal. An ask of an actor that has ended resolves
  // to NotFound; count it too if the partner itself never answers that.
  std::function<bool(const absl::Status&)> is_failure = nullptr;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateCircuitBreakerOptions(const CircuitBreakerOptions& o);

// calls = refused + succeeded + failed + cancelled + those under way.
struct CircuitBreakerStats {
  uint64_t calls = 0;
  uint64_t refused = 0;
  uint64_t succeeded = 0;  // ended without a failure
  uint64_t failed = 0;
  uint64_t cancelled = 0;  // destroyed, or the work threw
  uint64_t opened = 0;     // how often it went to open
};

class CircuitBreaker {
 public:
  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };

  explicit CircuitBreaker(CircuitBreakerOptions options = {});
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  // Calls work() and awaits what it returns: a Task, an ask or the like, that
  // resolves to an absl::Status or an absl::StatusOr. Errors: those of `work`.
  // In these cases `work` is not called:
  //   Unavailable      it is open, or half open and this is not the probe
  //   InvalidArgument  the options are not valid
  template <typename F>
  Task<internal::WorkResult<F>> Run(F&& work) {
    internal::CheckTemporaries<F>();
    return RunGuarded<std::decay_t<F>>(std::forward<F>(work));
  }

  // Kept until the next call: kOpen may have been for longer than open_for.
  State state() const { return state_; }
  const CircuitBreakerStats& stats() const { return stats_; }

 private:
  // A call that runs. Destroyed before it has ended, it was no probe.
  struct Running {
    explicit Running(CircuitBreaker& of) : breaker(of), epoch(of.epoch_) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      // mutant: P23_AProbeThatIsCancelledKeepsItsPlace
      if (!ended && epoch == breaker.epoch_) breaker.probing_ = false;
    }

    CircuitBreaker& breaker;
    const uint64_t epoch;  // in which it began
    bool ended = false;
  };

  template <typename F>
  Task<internal::WorkResult<F>> RunGuarded(F work) {
    using R = internal::WorkResult<F>;
    static_assert(internal::kIsStatus<R>,
                  "what is guarded resolves to an absl::Status or StatusOr");
    internal::CountedCall call(stats_);
    if (absl::Status admitted = Admit(); !admitted.ok()) {
      co_return call.End(stats_.refused, std::move(admitted));
    }
    Running running(*this);
    auto operation = work();
    R result = co_await internal::AwaitNamed(operation);
    const bool failed = End(running, internal::StatusOf(result));
    co_return call.End(failed ? stats_.failed : stats_.succeeded,
                       std::move(result));
  }

  // Moves to open or half open if it is time. OK: the call may run.
  absl::Status Admit();
  // Counts the result in the state in which the call began. True: it failed.
  bool End(Running& running, const absl::Status& result);
  absl::Status Refusal() const;
  void Succeeded();
  void Failed(const absl::Status& why);
  void Enter(State state);
  bool IsFailure(const absl::Status& result) const;

  const CircuitBreakerOptions options_;
  const absl::Status valid_;
  State state_ = State::kClosed;
  // How often the state, or the probe, has changed.
  uint64_t epoch_ = 0;
  uint32_t in_a_row_ = 0;  // failures if closed, successes if half open
  bool probing_ = false;
  Instant until_;  // open: when it ends; a probe: when it counts as failed
  std::string last_failure_;
  CircuitBreakerStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_CIRCUIT_BREAKER_H_
