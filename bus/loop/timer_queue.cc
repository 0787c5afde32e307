// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/timer_queue.h"

#include <algorithm>

namespace trolley {

void Timer::CancelIn(internal::TimerQueue& queue) { queue.Cancel(*this); }

namespace internal {

TimerQueue::~TimerQueue() {
  for (size_t i = kRoot; i < end_; ++i) {
    if (Timer* timer = heap()[i].timer()) timer->queue_ = nullptr;
  }
}

void TimerQueue::Set(Timer& timer, Instant deadline) {
  thread_.Check();
  timer.Cancel();
  // mutant: P17_WhatNeverComesIsDueAtOnce
  if (deadline.is_infinite()) return;
  if (end_ >= siblings_.size() * kArity) siblings_.emplace_back();
  timer.queue_ = this;
  timer.sequence_ = next_sequence_++;
  SiftUp(end_++, Entry(deadline, timer));
}

bool TimerQueue::FireDue(Instant now) {
  bool fired = false;
  size_t budget = size();
  while (budget > 0 && end_ > kRoot && heap()[kRoot].deadline() <= now) {
    Timer* due = TakeFirst();
    if (due == nullptr) continue;
    --budget;
    fired = true;
    due->OnTimer();
  }
  return fired;
}

Instant TimerQueue::next() {
  while (end_ > kRoot && heap()[kRoot].dead()) TakeFirst();
  return end_ == kRoot ? Instant::Infinite() : heap()[kRoot].deadline();
}

// A large heap does not write the entry before Fill(): it may be a cache miss.
void TimerQueue::Cancel(Timer& timer) {
  thread_.Check();
  if (large()) {
    timer.queue_ = nullptr;
    return Fill(timer.position_);
  }
  heap()[timer.position_].Die();
  timer.queue_ = nullptr;
  ++dead_;
  if (dead_ > kFewDead && dead_ > size()) Sweep();
}

// Removes the first entry. Null: it was dead.
Timer* TimerQueue::TakeFirst() {
  Timer* const timer = heap()[kRoot].timer();
  Fill(kRoot);
  if (timer == nullptr) {
    --dead_;
  } else {
    timer->queue_ = nullptr;
  }
  return timer;
}

void TimerQueue::Sweep() {
  Entry* const end =
      std::remove_if(heap() + kRoot, heap() + end_,
                     [](const Entry& entry) { return entry.dead(); });
  end_ = static_cast<size_t>(end - heap());
  dead_ = 0;
  for (size_t i = end_; i > kRoot; --i) SiftDown(i - 1, heap()[i - 1]);
}

// Removes the entry at `position`, by moving the last one there.
void TimerQueue::Fill(size_t position) {
  const Entry last = heap()[--end_];
  if (position == end_) return;
  // mutant: P17_WhatFillsAPlaceNeverRises
  if (position > kRoot && last.Before(heap()[ParentOf(position)])) {
    SiftUp(position, last);
  } else {
    SiftDown(position, last);
  }
}

void TimerQueue::SiftUp(size_t position, Entry entry) {
  Entry* const heap = this->heap();
  while (position > kRoot) {
    const size_t parent = ParentOf(position);
    if (!entry.Before(heap[parent])) break;
    Place(heap, position, heap[parent]);
    position = parent;
  }
  Place(heap, position, entry);
}

void TimerQueue::SiftDown(size_t position, Entry entry) {
  Entry* const heap = this->heap();
  const size_t end = end_;
  for (size_t first; (first = FirstChildOf(position)) < end;) {
    size_t least = first;
    for (size_t i = first + 1; i < std::min(first + kArity, end); ++i) {
      if (heap[i].Before(heap[least])) least = i;
    }
    if (!heap[least].Before(entry)) break;
    Place(heap, position, heap[least]);
    position = least;
  }
  Place(heap, position, entry);
}

}  // namespace internal
}  // namespace trolley
