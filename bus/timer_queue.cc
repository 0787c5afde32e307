// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/timer_queue.h"

#include <algorithm>

namespace trolley {

TimerQueue::~TimerQueue() {
  for (Entry& entry : heap_) {
    if (entry.timer != nullptr) entry.timer->queue_ = nullptr;
  }
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
  size_t budget = size();
  while (budget > 0 && !heap_.empty() && heap_.front().deadline <= now) {
    Timer* due = heap_.front().timer;
    Remove(0);
    if (due == nullptr) continue;
    --budget;
    fired = true;
    due->OnTimer();
  }
  return fired;
}

Instant TimerQueue::next() {
  while (!heap_.empty() && heap_.front().timer == nullptr) Remove(0);
  return heap_.empty() ? Instant::Infinite() : heap_.front().deadline;
}

void TimerQueue::Cancel(Timer& timer) {
  if (heap_.size() > 2 * kMostDead) return Remove(timer.position_);
  timer.queue_ = nullptr;
  heap_[timer.position_].timer = nullptr;
  ++dead_;
  if (dead_ > kFewDead && dead_ * 2 > heap_.size()) Sweep();
}

void TimerQueue::Sweep() {
  heap_.erase(std::remove_if(heap_.begin(), heap_.end(),
                             [](const Entry& e) { return e.timer == nullptr; }),
              heap_.end());
  dead_ = 0;
  for (size_t i = heap_.size(); i > 0; --i) SiftDown(i - 1, heap_[i - 1]);
}

void TimerQueue::Remove(size_t position) {
  if (Timer* timer = heap_[position].timer) {
    timer->queue_ = nullptr;
  } else {
    --dead_;
  }
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
