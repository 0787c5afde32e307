// SPDX-License-Identifier: Apache-2.0
//
// BusReferences: how many hold a bus's state. Its loops count apart, each with
// a plain add on its own thread: actors copy and drop addresses all the time,
// and one counter for all would move between their CPUs each time.
//
// What a loop has counted may be negative, as others drop what its actors made,
// and tells nothing by itself. It joins the common count when the loop ends;
// until then the loop keeps the common count up by more than it can ever lack.
// (Linux counts references so: lib/percpu-refcount.c.)
//
// Ownership: part of BusState.
// Threads:   thread-safe, but what a loop counts apart is its thread's.
// Bounds:    255 loops; 2^54 references dropped elsewhere for each, which takes
//            fifty years at ten million a second.
// Ends:      Drop() is true once.

#ifndef TROLLEY_BUS_BUS_REFERENCES_H_
#define TROLLEY_BUS_BUS_REFERENCES_H_

#include <atomic>
#include <cstdint>
#include <utility>

namespace trolley {

class BusReferences {
 public:
  // `apart` is the count of the loop whose thread this is; null: of none.
  void Add(int64_t* apart) {
    if (apart != nullptr) {
      ++*apart;
    } else {
      common_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  // True: it was the last, and everything that others did before they dropped
  // theirs has happened.
  [[nodiscard]] bool Drop(int64_t* apart) {
    if (apart != nullptr) {
      --*apart;
      return false;  // the loop itself holds one in the common count
    }
    return common_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  // A loop begins to count apart; it holds a reference that it does not count.
  void BeginApart() { common_.fetch_add(kKept, std::memory_order_relaxed); }

  // It stops: its thread has ended, or will count here no more. It still holds
  // that reference.
  void EndApart(int64_t& apart) {
    common_.fetch_add(std::exchange(apart, 0) - kKept,
                      std::memory_order_acq_rel);
  }

 private:
  static constexpr int64_t kKept = int64_t{1} << 54;

  std::atomic<int64_t> common_{1};
};

}  // namespace trolley

#endif  // TROLLEY_BUS_BUS_REFERENCES_H_
