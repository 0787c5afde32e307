// SPDX-License-Identifier: Apache-2.0
//
// BlockingPool: threads for what would stop a loop: a library that waits, a
// file, a long computation. A coroutine handler runs a function there and waits
// for its result; its loop goes on meanwhile.
//
//   class Store : public trolley::Actor {
//    public:
//     explicit Store(trolley::Blocking blocking)
//         : blocking_(std::move(blocking)) {}
//     trolley::Task<absl::StatusOr<Row>> On(Find m) {
//       auto run = blocking_.Run([sql = m.sql] { return Query(sql); });
//       co_return co_await run;
//     }
//    private:
//     trolley::Blocking blocking_;
//   };
//
//   auto pool = trolley::BlockingPool::Create(*bus, {.threads = 8});
//   bus->Spawn<Store>({.name = "store"}, (*pool)->blocking());
//
// The function runs from Run() on, also before the co_await. It may go on when
// its coroutine is gone. So capture values, and no references. The function,
// with what it has captured, is destroyed on the thread that ran it. A function
// that no thread has begun is destroyed on the loop of the pool's actor, or by
// the pool's destructor.
//
//   the function returns       co_await gives
//   a T, absl::StatusOr<T>     absl::StatusOr<T>
//   void, absl::Status         absl::Status
//
//   code                 when
//   ResourceExhausted    threads and max_waiting functions are there, or
//                        LoopOptions::max_pending_asks
//   DeadlineExceeded     not done by the deadline: `timeout`, or that of the
//                        message in hand
//   Internal             the function threw; the text says what
//   NotFound             the pool has ended
//   Unavailable          the pool ends just now
//   FailedPrecondition   not called by an actor; or awaited twice
//   any                  the function returned it
//
// If the coroutine is destroyed, or its deadline passes, a function that waits
// does not run. One that runs goes on, and its result is dropped. The function
// must not wait for the actor that waits for it.
//
// A shutdown of the bus waits for functions as for asks: at most half of its
// deadline. The bus's log and ledger call the pool's actor BlockingGate.
//
// An actor that blocks in most of its handlers needs no pool, but a loop of its
// own. Give all other actors their loops by number: kAnyLoop may be this one.
//
//   BusOptions{.loops = {{}, {.thread_name = "codec"}}}
//   bus->Spawn<Codec>({.name = "codec", .loop = 1});
//
// Ownership: main owns the pool. Declare it after the bus: the bus outlives it.
//            Actors keep a Blocking, which never dangles.
// Threads:   the pool: the thread that made it. Blocking: thread-safe; Run()
//            in an actor's coroutine.
// Bounds:    BlockingPoolOptions; an actor, and a thread each.
// Ends:      the destructor drops the functions that wait, and waits until
//            those that run have returned.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_H_
#define TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/behaviour/blocking_options.h"
#include "trolley/actors/behaviour/internal/blocking_gate.h"
#include "trolley/actors/behaviour/internal/blocking_job.h"
#include "trolley/actors/behaviour/internal/blocking_threads.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/ref.h"

namespace trolley {

// What an actor keeps of a pool.
class Blocking {
 public:
  Blocking() = default;  // of no pool: co_await is NotFound
  // False: of no pool.
  explicit operator bool() const { return static_cast<bool>(gate_); }

  // Runs `function` on a thread of the pool. co_await gives its result or an
  // error: see above. Without a `timeout` there is no deadline but that of the
  // message in hand.
  //
  // With g++ 12 and older, a lambda that has captured something like a string
  // does not compile within the co_await. Give the Run() a name, as above.
  template <typename F>
  auto Run(F&& function,
           absl::Duration timeout = absl::InfiniteDuration()) const {
    using Result = std::invoke_result_t<std::decay_t<F>&>;
    static_assert(!std::is_reference_v<Result>,
                  "the function returns a reference; return a value or a "
                  "pointer");
    return gate_.Ask<internal::BlockingCall<Result>>(timeout,
                                                     std::forward<F>(function));
  }

 private:
  friend class BlockingPool;
  explicit Blocking(Ref<internal::BlockingGate> gate)
      : gate_(std::move(gate)) {}

  Ref<internal::BlockingGate> gate_;
};

class BlockingPool {
 public:
  // Starts the threads, and an actor on `bus`.
  //
  //   InvalidArgument     an option is out of its range; the text names it
  //   ResourceExhausted   no thread is left
  //   other               of Bus::Spawn
  static absl::StatusOr<std::unique_ptr<BlockingPool>> Create(
      Bus& bus, const BlockingPoolOptions& options);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  const Blocking& blocking() const { return blocking_; }

 private:
  BlockingPool(std::shared_ptr<internal::BlockingThreads> threads,
               Blocking blocking)
      : threads_(std::move(threads)), blocking_(std::move(blocking)) {}

  const std::shared_ptr<internal::BlockingThreads> threads_;
  const Blocking blocking_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_H_
