// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: a loop's timers, ordered by deadline and then by the order they
// were set in (P17). A 4-ary heap of intrusive timers: setting and cancelling
// allocate nothing beyond the heap's own array.
//
// Ownership: borrows its timers; a Timer cancels itself when destroyed.
// Threads:   loop thread only.
// Bounds:    one entry for each armed timer.
// Ends:      armed timers outliving the queue are an error of the loop's.

#ifndef TROLLEY_BUS_TIMER_QUEUE_H_
#define TROLLEY_BUS_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trolley/poller/instant.h"

namespace trolley {

class TimerQueue;

// Something to do at a point in time. Derive, and own it where it is used.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { Cancel(); }

  // Called once, at or after the deadline, disarmed. May set or cancel any
  // timer, this one included, and may destroy this one.
  virtual void OnTimer() = 0;

  bool armed() const { return queue_ != nullptr; }

  // After it returns OnTimer is not called. Not armed: does nothing.
  void Cancel();

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  size_t position_ = 0;  // in the heap
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // Arms `timer`, or moves it if it is armed. An infinite deadline disarms.
  void Set(Timer& timer, Instant deadline);

  // Fires the timers due at `now`, in order, but at most as many as were armed
  // when it was called: a timer that re-arms itself at once cannot keep the
  // loop here. False if none was due.
  bool FireDue(Instant now);

  // The earliest deadline; infinite if none is armed.
  Instant next() const {
    return heap_.empty() ? Instant::Infinite() : heap_.front().deadline;
  }
  size_t size() const { return heap_.size(); }
  bool empty() const { return heap_.empty(); }

 private:
  friend class Timer;
  static constexpr size_t kArity = 4;

  struct Entry {
    Instant deadline;
    uint64_t sequence;
    Timer* timer;

    bool Before(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline
                                        : sequence < other.sequence;
    }
  };

  void Remove(size_t position);
  void SiftUp(size_t position, Entry entry);
  void SiftDown(size_t position, Entry entry);
  void Place(size_t position, const Entry& entry) {
    heap_[position] = entry;
    entry.timer->position_ = position;
  }

  std::vector<Entry> heap_;
  uint64_t next_sequence_ = 0;
};

inline void Timer::Cancel() {
  if (queue_ != nullptr) queue_->Remove(position_);
}

}  // namespace trolley

#endif  // TROLLEY_BUS_TIMER_QUEUE_H_
