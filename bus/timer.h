// SPDX-License-Identifier: Apache-2.0
//
// Timer: a call at a point in time. Derive from it privately:
//
//   class Handshake : private trolley::Timer {
//     void Begin(trolley::ActorContext context) {
//       context.SetTimer(*this, context.Now() + absl::Seconds(2));
//     }
//     void OnTimer() override { ... }   // too late
//   };
//
// An actor that only wants a message at a later time uses Actor::TellAfter.
//
// Ownership: the user owns it. The loop borrows it while it is armed.
// Threads:   loop thread only.
// Ends:      it fires once, or it is cancelled. Its destructor cancels it. The
//            end of the loop disarms it.

#ifndef TROLLEY_BUS_TIMER_H_
#define TROLLEY_BUS_TIMER_H_

#include <cstddef>
#include <cstdint>

namespace trolley {

namespace internal {
class TimerQueue;
}  // namespace internal

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { Cancel(); }

  // Called once, at the deadline or later, never before. The timer is disarmed
  // by then. OnTimer() may set and cancel all timers, this one included, and
  // may destroy this one. It must not throw.
  virtual void OnTimer() = 0;

  bool armed() const { return queue_ != nullptr; }

  // After it returns, OnTimer is not called. Not armed: does nothing.
  void Cancel() {
    if (queue_ != nullptr) CancelIn(*queue_);
  }

 private:
  friend class internal::TimerQueue;
  void CancelIn(internal::TimerQueue& queue);

  uint64_t sequence_ = 0;  // of the call that armed it
  // Cancel() reads these two, so they are next to each other.
  internal::TimerQueue* queue_ = nullptr;
  size_t position_ = 0;  // in the queue's heap
};

}  // namespace trolley

#endif  // TROLLEY_BUS_TIMER_H_
