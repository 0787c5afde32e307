// SPDX-License-Identifier: Apache-2.0
//
// FlagHandoff: a hand-off that loses wakes. The queue is one word, "the
// consumer sleeps" is another word, with release and acquire but without a
// fence. Only for the litmus test, which compares it with
// bus/crossing/handoff.h.

#ifndef TROLLEY_TESTS_LITMUS_FLAG_HANDOFF_H_
#define TROLLEY_TESTS_LITMUS_FLAG_HANDOFF_H_

#include <atomic>

namespace trolley {

template <class Node>
class FlagHandoff {
 public:
  enum class Pushed { kQueued, kQueuedMustWake, kClosed };

  Pushed Push(Node* newest, Node* oldest) {
    oldest->next = head_.load(std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(oldest->next, newest,
                                        std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
    }
    return sleeping_.load(std::memory_order_acquire) ? Pushed::kQueuedMustWake
                                                     : Pushed::kQueued;
  }
  void WakeDone() {}

  // The mistake: this store may still be in the store buffer when the load
  // below finds nothing.
  bool Arm() {
    sleeping_.store(true, std::memory_order_release);
    if (head_.load(std::memory_order_acquire) == nullptr) return true;
    sleeping_.store(false, std::memory_order_release);
    return false;
  }

  Node* Take() {
    sleeping_.store(false, std::memory_order_release);
    return head_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  alignas(64) std::atomic<Node*> head_ = nullptr;
  alignas(64) std::atomic<bool> sleeping_ = false;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_LITMUS_FLAG_HANDOFF_H_
