// SPDX-License-Identifier: Apache-2.0
//
// RateLimiter: at most so many calls in a time, with a burst. Further ones
// wait, and at most so many wait.
//
//   class Shop : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
//     Task<absl::StatusOr<int>> On(Buy m) {
//       const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
//       co_return co_await pays_.Run(pay);
//     }
//    private:
//     const Ref<Bank> bank_;
//     RateLimiter pays_{{.permits = 10, .per = absl::Seconds(1)}};
//   };
//
// It is a token bucket of `burst` tokens, filled with `permits` tokens in each
// `per`. In any length of time t, at most burst + t * permits / per calls go
// on. Calls get their permits in the order in which they came.
//
// It keeps one time instead of a number of tokens: the Generic Cell Rate
// Algorithm of ITU-T Recommendation I.371, "Traffic control and congestion
// control in B-ISDN", in the form of its virtual scheduling algorithm.
//
// Ownership: a member of an actor. It must outlive its calls.
// Threads:   loop thread only.
// Bounds:    RateLimiterOptions::waiting.
// Ends:      a call that is destroyed leaves the line. A permit that it was
//            given and did not use goes back.

#ifndef TROLLEY_ACTORS_PATTERNS_RATE_LIMITER_H_
#define TROLLEY_ACTORS_PATTERNS_RATE_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/actors/task.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct RateLimiterOptions {
  static constexpr uint32_t kMost = 1u << 20;
  static constexpr absl::Duration kLongest = absl::Hours(24 * 365);

  // So many permits in each `per`; a count, 1 to kMost.
  uint32_t permits = 100;
  // At most kLongest; longer is InvalidArgument. Negative or 0: no limit. The
  // time from one permit to the next is rounded up to whole nanoseconds.
  absl::Duration per = absl::Seconds(1);
  // Permits that may go at once after a rest, 1 to kMost; a count. 10: a tenth
  // of a second's.
  uint32_t burst = 10;
  // Calls that wait for a permit, 0 to kMost; a count. 100: the last one waits
  // for a second.
  uint32_t waiting = 100;
  // How long a call waits for a permit. Infinite: its handler has a deadline.
  absl::Duration longest_wait = absl::InfiniteDuration();
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateRateLimiterOptions(const RateLimiterOptions& options);

// calls = refused + timed_out + permitted + cancelled + those that wait.
struct RateLimiterStats {
  uint64_t calls = 0;
  uint64_t refused = 0;    // there were enough that waited, or TryAcquire()
  uint64_t timed_out = 0;  // longest_wait
  uint64_t permitted = 0;
  uint64_t cancelled = 0;  // destroyed before they went on
};

class RateLimiter : private Timer {
 public:
  explicit RateLimiter(RateLimiterOptions options = {});

  // Takes a permit if there is one and no call waits. Does not wait.
  //   OK                 taken
  //   ResourceExhausted  there is none now
  //   InvalidArgument    the options are not valid
  absl::Status TryAcquire();

  // Resolves to OK when there is a permit for the caller. Errors:
  //   ResourceExhausted  RateLimiterOptions::waiting or longest_wait; the text
  //                      says which
  //   InvalidArgument    the options are not valid
  Task<absl::Status> Acquire();

  // When there is a permit, calls work() and awaits what it returns: a Task, an
  // ask or the like, that resolves to an absl::Status or an absl::StatusOr.
  // Errors: those of `work`; those of Acquire(), and `work` was not called.
  template <typename F>
  Task<internal::WorkResult<F>> Run(F&& work) {
    internal::CheckTemporaries<F>();
    return RunPermitted<std::decay_t<F>>(std::forward<F>(work));
  }

  // How many calls wait.
  size_t waiting() const { return line_.size(); }
  const RateLimiterStats& stats() const { return stats_; }

 private:
  // A permit, or a place in the line for one. Gives back what is not used.
  struct Permit {
    explicit Permit(RateLimiter& of) : limiter(of) {}
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    ~Permit() {
      // mutant: P23_APermitThatWasNotUsedIsLost
      if (place.given() && !used) limiter.GiveBack();
    }

    RateLimiter& limiter;
    internal::WaitingLine::Place place;
    bool used = false;
  };

  template <typename F>
  Task<internal::WorkResult<F>> RunPermitted(F work) {
    static_assert(internal::kIsStatus<internal::WorkResult<F>>,
                  "what it runs resolves to an absl::Status or StatusOr");
    absl::Status permitted = co_await Acquire();
    if (!permitted.ok()) co_return permitted;
    auto operation = work();
    co_return co_await internal::AwaitNamed(operation);
  }

  // Takes a permit if there is one now.
  bool Take();
  void GiveBack();
  void Arm();
  void OnTimer() override;
  absl::Status NoPermit(absl::string_view why) const;

  const RateLimiterOptions options_;
  const absl::Status valid_;
  const absl::Duration step_;   // from one permit to the next
  const absl::Duration ahead_;  // how far next_ may be in the future
  // The theoretical arrival time: when a permit would be next if they came one
  // by one.
  Instant next_;
  internal::WaitingLine line_;
  RateLimiterStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_RATE_LIMITER_H_
