// SPDX-License-Identifier: Apache-2.0
//
// Bulkhead: at most so many calls of one kind at the same time. Further ones
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
//     Bulkhead pays_{{.at_once = 4, .waiting = 16}};
//   };
//
// So a slow partner does not take all the suspended handlers of this actor, and
// is not flooded by it. Calls get their slots in the order in which they came.
// An actor whose handlers do not run at the same time needs none, except for
// its background tasks and for branches such as those of WhenAll().
//
// Ownership: a member of an actor. It must outlive its calls.
// Threads:   loop thread only.
// Bounds:    BulkheadOptions::at_once and waiting.
// Ends:      a call that is destroyed gives its slot to the next one, or leaves
//            the line.

#ifndef TROLLEY_ACTORS_PATTERNS_BULKHEAD_H_
#define TROLLEY_ACTORS_PATTERNS_BULKHEAD_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/actors/task.h"

namespace trolley {

struct BulkheadOptions {
  static constexpr uint32_t kMost = 1u << 20;

  // Calls that run at the same time, 1 to kMost; a count. 16: enough to keep a
  // partner of the same machine busy.
  uint32_t at_once = 16;
  // Calls that wait for a slot, 0 to kMost; a count. 64: at 1 ms a call and 16
  // at once, the last one waits for 4 ms.
  uint32_t waiting = 64;
  // How long a call waits for a slot. Infinite: its handler has a deadline.
  absl::Duration longest_wait = absl::InfiniteDuration();
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateBulkheadOptions(const BulkheadOptions& options);

// calls = refused + timed_out + finished + cancelled + those that run or wait.
struct BulkheadStats {
  uint64_t calls = 0;
  uint64_t refused = 0;    // there were enough that waited
  uint64_t timed_out = 0;  // longest_wait
  uint64_t finished = 0;
  uint64_t cancelled = 0;  // destroyed, or the work threw
};

class Bulkhead {
 public:
  explicit Bulkhead(BulkheadOptions options = {});
  Bulkhead(const Bulkhead&) = delete;
  Bulkhead& operator=(const Bulkhead&) = delete;

  // When there is a slot, calls work() and awaits what it returns: a Task, an
  // ask or the like, that resolves to an absl::Status or an absl::StatusOr.
  // Errors: those of `work`. In these cases `work` is not called:
  //   ResourceExhausted  BulkheadOptions::waiting or longest_wait; the text
  //                      says which
  //   InvalidArgument    the options are not valid
  template <typename F>
  Task<internal::WorkResult<F>> Run(F&& work) {
    internal::CheckTemporaries<F>();
    return RunInSlot<std::decay_t<F>>(std::forward<F>(work));
  }

  // How many calls run, or have a slot and are about to; how many wait.
  size_t running() const { return running_; }
  size_t waiting() const { return line_.size(); }
  const BulkheadStats& stats() const { return stats_; }

 private:
  // A slot, or a place in the line for one.
  struct Slot {
    explicit Slot(Bulkhead& of) : bulkhead(of) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() {
      // mutant: P23_ASlotThatWasGivenIsLost
      if (taken()) bulkhead.Release();
    }
    bool taken() const { return taken_at_once || place.given(); }

    Bulkhead& bulkhead;
    internal::WaitingLine::Place place;
    bool taken_at_once = false;
  };

  template <typename F>
  Task<internal::WorkResult<F>> RunInSlot(F work) {
    using R = internal::WorkResult<F>;
    static_assert(internal::kIsStatus<R>,
                  "what it runs resolves to an absl::Status or StatusOr");
    internal::CountedCall call(stats_);
    Slot slot(*this);
    if (absl::Status status = Enter(slot); !status.ok()) {
      co_return call.End(stats_.refused, std::move(status));
    }
    if (!slot.taken()) {
      co_await slot.place.Wait(internal::Now() + options_.longest_wait);
    }
    if (!slot.taken()) co_return call.End(stats_.timed_out, TimedOut());
    auto operation = work();
    R result = co_await internal::AwaitNamed(operation);
    co_return call.End(stats_.finished, std::move(result));
  }

  // Takes the slot, or stands in the line.
  absl::Status Enter(Slot& slot);
  void Release();
  absl::Status TimedOut() const;

  const BulkheadOptions options_;
  const absl::Status valid_;
  size_t running_ = 0;
  internal::WaitingLine line_;
  BulkheadStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_BULKHEAD_H_
