// SPDX-License-Identifier: Apache-2.0
//
// Retry: calls again what failed, with a growing pause in between and a budget
// for all calls together.
//
//   class Shop : public trolley::Actor {
//    public:
//     explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
//     Task<absl::StatusOr<int>> On(Buy m) {
//       const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
//       co_return co_await retry_.Run(pay);
//     }
//    private:
//     const Ref<Bank> bank_;
//     Retry retry_{{.attempts = 3}};
//   };
//
// A failure may come after the partner has done what it was asked to do: then a
// retry does it twice. Retry what may be done twice, or give it a key
// (actors/patterns/idempotency.h).
//
// The pause before retry n is first_pause * growth^(n-1), at most
// longest_pause. It is shortened by a random part, so that many callers do not
// return at the same time.
//
// The budget keeps retries from multiplying the load of a partner that is down.
// A call puts budget_per_call into it, and a retry takes 1 out. If there is not
// 1 in it, the failure is the result. So in any time there are at most
//   budget_at_most + budget_per_call * calls
// retries.
//
// Ownership: a member of an actor. It must outlive its calls.
// Threads:   loop thread only.
// Bounds:    RetryOptions::attempts, and the budget.
// Ends:      Run() resolves to the first success, or to the last failure. If
//            its coroutine is destroyed, so is the attempt. A retry that does
//            not happen because of that goes back into the budget.

#ifndef TROLLEY_ACTORS_PATTERNS_RETRY_H_
#define TROLLEY_ACTORS_PATTERNS_RETRY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/task.h"

namespace trolley {

struct RetryOptions {
  static constexpr uint32_t kMostAttempts = 1000;

  // Attempts of one call, the first included, 1 to kMostAttempts; a count. 4:
  // with the pauses below, a partner that needs half a second to restart is
  // back for the last one.
  uint32_t attempts = 4;
  // The pause before the first retry. 100 ms: far longer than an ask takes.
  absl::Duration first_pause = absl::Milliseconds(100);
  // No pause is longer. 10 s: a person still waits for that.
  absl::Duration longest_pause = absl::Seconds(10);
  // The factor from one pause to the next, 1 to 100.
  double growth = 2;
  // The largest part of a pause that is left out at random, 0 to 1. 0.5: no two
  // callers agree, and no pause is much too short. 1: "full jitter".
  double jitter = 0.5;
  // What a call puts into the budget, and the most that is in it, which is also
  // what it begins with; both 0 to 10^6. 0.1 and 10: when all calls fail, one
  // in ten is retried.
  double budget_per_call = 0.1;
  double budget_at_most = 10;
  // True: a failure that is worth another attempt. Null: Unavailable and
  // ResourceExhausted, such as a link that is down or a full mailbox.
  std::function<bool(const absl::Status&)> retriable = nullptr;
  // Of the randomness. 0: different for each run of the program.
  uint64_t jitter_seed = 0;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateRetryOptions(const RetryOptions& options);

// calls = succeeded + failed + cancelled + those under way.
struct RetryStats {
  uint64_t calls = 0;
  uint64_t retries = 0;  // attempts after the first
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;  // destroyed, or the work threw
  uint64_t not_worth = 0;  // of `failed`: no retriable failure
  uint64_t no_budget = 0;  // of `failed`: the budget was empty
};

class Retry {
 public:
  explicit Retry(RetryOptions options = {});
  Retry(const Retry&) = delete;
  Retry& operator=(const Retry&) = delete;

  // Calls work() and awaits what it returns: a Task, an ask or the like, that
  // resolves to an absl::Status or an absl::StatusOr. Errors: those of `work`;
  // InvalidArgument: the options are not valid, and `work` was not called.
  template <typename F>
  Task<internal::WorkResult<F>> Run(F&& work) {
    internal::CheckTemporaries<F>();
    return RunAttempts<std::decay_t<F>>(std::forward<F>(work));
  }

  const RetryStats& stats() const { return stats_; }
  // What is in the budget now.
  double budget() const { return static_cast<double>(budget_) / kOne; }

 private:
  static constexpr int64_t kOne = 1'000'000;

  // The attempts of one call. Gives back a retry that it has reserved and that
  // does not begin.
  class Attempts {
   public:
    explicit Attempts(Retry& retry);
    ~Attempts();
    Attempts(const Attempts&) = delete;
    Attempts& operator=(const Attempts&) = delete;

    // False: `failure` is the result.
    bool ReserveRetry(const absl::Status& failure);
    void BeginRetry();
    // The pause before the retry.
    absl::Duration NextPause();

   private:
    Retry& retry_;
    uint32_t count_ = 1;
    absl::Duration pause_;
    bool reserved_ = false;
  };

  template <typename F>
  Task<internal::WorkResult<F>> RunAttempts(F work) {
    using R = internal::WorkResult<F>;
    static_assert(internal::kIsStatus<R>,
                  "what is retried resolves to an absl::Status or StatusOr");
    internal::CountedCall call(stats_);
    if (!valid_.ok()) co_return call.End(stats_.failed, valid_);
    Attempts attempts(*this);
    for (;;) {
      std::optional<R> result;
      {
        auto operation = work();
        result.emplace(co_await internal::AwaitNamed(operation));
      }
      const absl::Status& status = internal::StatusOf(*result);
      if (status.ok()) {
        co_return call.End(stats_.succeeded, *std::move(result));
      }
      if (!attempts.ReserveRetry(status)) {
        co_return call.End(stats_.failed, *std::move(result));
      }
      co_await internal::PauseFor(attempts.NextPause());
      attempts.BeginRetry();
    }
  }

  bool IsRetriable(const absl::Status& failure) const;
  void AddToBudget(double retries);

  const RetryOptions options_;
  const absl::Status valid_;
  int64_t budget_;  // in millionths of a retry, so that tenths are exact
  std::minstd_rand random_;
  bool seeded_ = false;
  RetryStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_RETRY_H_
