// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/timer_queue.h"

#include <algorithm>

namespace trolley {

TimerQueue::~TimerQueue() {
  for (Entry& entry : heap_) entry.timer->queue_ = nullptr;
}

void TimerQueue::Set(Timer& timer, Instant deadline) {
  timer.Cancel();
  if (deadline.is_infinite()) return;
  timer.queue_ = this;
  heap_.emplace_back();
  SiftUp(heap_.size() - 1,
         {.deadline = deadline, .sequence = next_sequence_++, .timer = &timer});
}

bool TimerQueue::FireDue(Instant now) {
  bool fired = false;
  for (size_t budget = heap_.size();
       budget > 0 && !heap_.empty() && heap_.front().deadline <= now;
       --budget) {
    Timer* due = heap_.front().timer;
    Remove(0);
    fired = true;
    due->OnTimer();
  }
  return fired;
}

void TimerQueue::Remove(size_t position) {
  heap_[position].timer->queue_ = nullptr;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  if (position > 0 && last.Before(heap_[(position - 1) / kArity])) {
    SiftUp(position, last);
  } else {
    SiftDown(position, last);
  }
}

void TimerQueue::SiftUp(size_t position, Entry entry) {
  while (position > 0) {
    const size_t parent = (position - 1) / kArity;
    if (!entry.Before(heap_[parent])) break;
    Place(position, heap_[parent]);
    position = parent;
  }
  Place(position, entry);
}

void TimerQueue::SiftDown(size_t position, Entry entry) {
  for (;;) {
    const size_t first = position * kArity + 1;
    if (first >= heap_.size()) break;
    const size_t end = std::min(first + kArity, heap_.size());
    size_t least = first;
    for (size_t child = first + 1; child < end; ++child) {
      if (heap_[child].Before(heap_[least])) least = child;
    }
    if (!heap_[least].Before(entry)) break;
    Place(position, heap_[least]);
    position = least;
  }
  Place(position, entry);
}

}  // namespace trolley
