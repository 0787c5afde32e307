// SPDX-License-Identifier: Apache-2.0
//
// BusReferences: counts the references to a bus's state. Actors copy and drop
// addresses all the time, so each loop has a count of its own, with plain adds
// on its thread. One atomic count for all would move between their CPUs at each
// copy. All other threads share the common count.
//
// A thread may drop a reference that another thread has made. So the count of a
// loop may be negative, and only the sum of all counts has a meaning. A loop
// that begins adds kKept to the common count. So the common count does not
// reach 0 while the loop runs. A loop that ends subtracts kKept and adds its
// own count. (Linux does the same: lib/percpu-refcount.c.)
//
// Ownership: part of BusState.
// Threads:   thread-safe. The count of a loop belongs to the loop's thread.
// Bounds:    255 loops. Other threads may drop at most 2^54 references that one
//            loop has made: ten million a second for fifty years.
// Ends:      Drop() is true once.

#ifndef TROLLEY_BUS_CROSSING_BUS_REFERENCES_H_
#define TROLLEY_BUS_CROSSING_BUS_REFERENCES_H_

#include <atomic>
#include <cstdint>
#include <utility>

namespace trolley::internal {

class BusReferences {
 public:
  // `apart`: the count of the loop whose thread this is. Null: it is no loop's.
  void Add(int64_t* apart) {
    if (apart != nullptr) {
      ++*apart;
    } else {
      common_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  // True: it was the last reference. What other threads did before they dropped
  // theirs happens before this returns.
  [[nodiscard]] bool Drop(int64_t* apart) {
    if (apart != nullptr) {
      --*apart;
      return false;  // the loop itself holds one in the common count
    }
    return common_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  // A loop begins to count by itself. It has one reference in the common count.
  void BeginApart() { common_.fetch_add(kKept, std::memory_order_relaxed); }

  // A loop stops to count by itself. It still has the reference in the common
  // count.
  void EndApart(int64_t& apart) {
    common_.fetch_add(std::exchange(apart, 0) - kKept,
                      std::memory_order_acq_rel);
  }

 private:
  static constexpr int64_t kKept = int64_t{1} << 54;

  std::atomic<int64_t> common_{1};
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_CROSSING_BUS_REFERENCES_H_
