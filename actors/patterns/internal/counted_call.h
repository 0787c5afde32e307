// SPDX-License-Identifier: Apache-2.0
//
// CountedCall: counts one call of a pattern in its figures. A call whose
// coroutine is destroyed before End() counts as cancelled.
//
//   CountedCall call(stats_);
//   ...
//   co_return call.End(stats_.refused, status);
//
// Ownership: a local of the coroutine; borrows the figures.
// Threads:   loop thread only.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_COUNTED_CALL_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_COUNTED_CALL_H_

#include <cstdint>
#include <utility>

namespace trolley::internal {

template <typename Stats>
class CountedCall {
 public:
  explicit CountedCall(Stats& stats) : stats_(stats) { ++stats_.calls; }
  CountedCall(const CountedCall&) = delete;
  CountedCall& operator=(const CountedCall&) = delete;
  ~CountedCall() {
    if (!ended_) ++stats_.cancelled;
  }

  // Counts the end in `counter`, a field of the figures. Returns `result`.
  template <typename R>
  R End(uint64_t& counter, R result) {
    ++counter;
    ended_ = true;
    return result;
  }

 private:
  Stats& stats_;
  bool ended_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_COUNTED_CALL_H_
