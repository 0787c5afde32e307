// SPDX-License-Identifier: Apache-2.0
//
// BlockingJob: one function of BlockingPool::Run() on its way: it waits for a
// thread, runs there, and its result waits for the coroutine.
//
// Ownership: shared by the handler that waits for it and by the pool's queue or
//            thread.
// Threads:   Run(): one thread of the pool, once. The rest: the loop of the
//            pool's actor. The hand-over in between is a mutex, or a command
//            for the loop.
// Bounds:    BlockingPoolOptions.
// Ends:      with the last of its owners.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_JOB_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_JOB_H_

#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/async_condition.h"

namespace trolley::internal {

// The message of a Run(): a function that gives an R.
template <typename R>
struct BlockingCall {
  absl::AnyInvocable<R()> function;
};

// What a Run() of a function that returns an R gives.
template <typename R>
struct BlockingResultOf {
  using Type = absl::StatusOr<R>;
};
template <>
struct BlockingResultOf<void> {
  using Type = absl::Status;
};
template <>
struct BlockingResultOf<absl::Status> {
  using Type = absl::Status;
};
template <typename T>
struct BlockingResultOf<absl::StatusOr<T>> {
  using Type = absl::StatusOr<T>;
};
template <typename R>
using BlockingResult = typename BlockingResultOf<R>::Type;

// For a catch block: Internal, with the text of the exception.
absl::Status BlockingFunctionThrew();

class BlockingJob {
 public:
  virtual ~BlockingJob() = default;

  // Runs the function, destroys it and keeps the result. Throws nothing.
  virtual void Run() = 0;

  // On the loop: the result is there.
  void Finish() {
    finished_ = true;
    finishing_.Notify();
  }
  bool finished() const { return finished_; }
  AsyncCondition& finishing() { return finishing_; }

 private:
  bool finished_ = false;
  AsyncCondition finishing_;
};

template <typename R>
class BlockingJobOf final : public BlockingJob {
 public:
  explicit BlockingJobOf(BlockingCall<R> call) : call_(std::move(call)) {}

  void Run() override {
    try {
      if constexpr (std::is_void_v<R>) {
        call_.function();
        result_.emplace();
      } else {
        result_.emplace(call_.function());
      }
      call_.function = nullptr;
    } catch (...) {
      result_.reset();
      result_.emplace(BlockingFunctionThrew());
      call_.function = nullptr;
    }
  }

  BlockingResult<R> TakeResult() { return *std::move(result_); }

 private:
  BlockingCall<R> call_;
  std::optional<BlockingResult<R>> result_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_JOB_H_
