// SPDX-License-Identifier: Apache-2.0
//
// Handoff: the one word through which other threads give a loop its messages
// and learn whether they have to wake it.
//
// Ownership: shared by the loop and everyone who holds an address on it, kept
//            alive by reference counts. Borrows nodes: a pushed node belongs to
//            the Handoff until Take() or Close() returns it.
// Threads:   Push and WakeDone are thread-safe. Take, Arm, HasWork and Close
//            are for one thread, the consumer. A pusher holds its reference
//            until WakeDone() has returned.
// Bounds:    none of its own: mailboxes bound what is pushed. No allocation.
// Ends:      Close(), once. Later pushes are refused, later takes find nothing.
// States:    of word_; a list is the address of its newest node.
//
//               .------------- Take -------------.
//               v                                |
//             empty ----------- Push ---------> list <--- Push ---.
//             |   ^                              ^ '--------------'
//            Arm Take                            |
//             v   |                              |
//             armed ------ Push, must wake ------'     any: Close -> closed
//
//               Push               Take           Arm           Close
//      empty    list               nothing        armed, true   closed
//      armed    list, must wake    empty          armed, true   closed
//      list     longer list        empty + list   list, false   closed + list
//      closed   refused            nothing        false         -
//
// Each arrow is one read-modify-write of word_: "may it sleep?" and "is
// something there?" cannot disagree, and no wake is lost (P3). A sleep ends
// with at most one must-wake, an awake consumer causes none (P4). A push never
// follows the address it replaces, so a recycled one (ABA) is harmless.
//
// The wake goes through the consumer's poller, which dies when its loop ends,
// while a pusher may be anywhere between its Push and its write to the wake
// descriptor. So each armed -> list step promises one Poller::Wake() followed
// by one WakeDone(). The consumer counts the promises: an arm that it finds
// replaced by a list was taken by a pusher. Close() waits until as many wakes
// are done. After it no thread is in the poller or will enter it, whoever still
// holds an address (P5).
//
// Memory ordering: what a thread did before Push() is visible after the Take()
// or Close() that returns its nodes; what the consumer did before Arm(), to the
// pusher that must wake it; what a pusher did before WakeDone(), after Close().
// tests/model/handoff.pml is the proof under store buffers.

#ifndef TROLLEY_BUS_HANDOFF_H_
#define TROLLEY_BUS_HANDOFF_H_

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace trolley {

// Node has a member `Node* next`. Atomic is a parameter so that tests can see
// and steer every step; it needs what Handoff uses of std::atomic.
template <class Node, template <class> class Atomic = std::atomic>
class Handoff {
 public:
  enum class Pushed {
    kQueued,          // done
    kQueuedMustWake,  // done; now call Poller::Wake(), then WakeDone()
    kClosed,          // refused; the chain is still the caller's
  };

  Handoff() = default;
  Handoff(const Handoff&) = delete;
  Handoff& operator=(const Handoff&) = delete;
  ~Handoff() { assert(!IsList(word_.load(std::memory_order_relaxed))); }

  // Any thread. Hands over a chain linked newest -> ... -> oldest (one node:
  // the same pointer twice); overwrites oldest->next.
  //
  // Memory ordering: release hands over the nodes. The successful pushes that
  // follow are read-modify-writes, so they carry this release on, and the
  // consumer need only acquire the last one. Acquire pairs with Arm(): a wake
  // descriptor that the consumer emptied before Arm() was emptied before this
  // pusher writes to it, and so the wake that was earned cannot be swallowed.
  Pushed Push(Node* newest, Node* oldest) {
    static_assert(alignof(Node) > kClosed, "states and addresses overlap");
    // A guess that the first exchange corrects: to look would fetch the line
    // once to read and then again to write.
    uintptr_t seen = kEmpty;
    do {
      oldest->next = IsList(seen) ? ToNode(seen) : nullptr;
      if (seen == kClosed) return Pushed::kClosed;
    } while (!word_.compare_exchange_weak(seen, ToWord(newest),
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return seen == kArmed ? Pushed::kQueuedMustWake : Pushed::kQueued;
  }

  // The pusher that got kQueuedMustWake, once, after Poller::Wake() returned.
  // No system call unless Close() is waiting for it.
  //
  // Memory ordering: release, so that the wake is over before Close() returns.
  // kClosing sits in the same word as the count: either Close() sees this wake
  // or this wake sees that Close() waits.
  void WakeDone() {
    uint32_t before =
        wakes_done_.fetch_add(kOneWake, std::memory_order_release);
    if ((before & kClosing) != 0) wakes_done_.notify_one();
  }

  // Consumer. Everything queued, oldest first, or null. Afterwards it is not
  // armed: call it after every sleep, whatever ended the sleep.
  //
  // Memory ordering: acquire, for the nodes. The first look is free to be
  // relaxed: a pusher's wake orders its push before the end of the sleep.
  Node* Take() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    if (seen == kEmpty || seen == kClosed) return nullptr;
    seen = word_.exchange(kEmpty, std::memory_order_acquire);
    Disarm(seen);
    return OldestFirst(seen);
  }

  // Consumer. True: nothing is queued, and the next Push will wake it, so it
  // may sleep. False: something is queued (or closed), so it must not.
  //
  // Memory ordering: release, see Push(); also when it is armed already.
  bool Arm() {
    uintptr_t seen = armed_ ? kArmed : kEmpty;
    if (!word_.compare_exchange_strong(seen, kArmed, std::memory_order_release,
                                       std::memory_order_relaxed)) {
      return false;
    }
    armed_ = true;
    return true;
  }

  // Consumer. A peek for spinning: would Take() return something?
  bool HasWork() const { return IsList(word_.load(std::memory_order_relaxed)); }

  // Consumer, once, before it destroys its poller. What was queued, oldest
  // first; returns when no wake is in flight any more. Waits asleep, as the
  // pusher it waits for may be preempted, and of a lower real-time priority.
  //
  // Memory ordering: acquire of the nodes and of every finished wake.
  Node* Close() {
    uintptr_t seen = word_.exchange(kClosed, std::memory_order_acquire);
    assert(seen != kClosed);
    Disarm(seen);
    const uint32_t all_done = wakes_promised_ | kClosing;
    uint32_t done =
        kClosing | wakes_done_.fetch_or(kClosing, std::memory_order_acquire);
    while (done != all_done) {
      wakes_done_.wait(done, std::memory_order_relaxed);
      done = wakes_done_.load(std::memory_order_acquire);
    }
    return OldestFirst(seen);
  }

 private:
  static constexpr uintptr_t kEmpty = 0;
  static constexpr uintptr_t kArmed = 1;
  static constexpr uintptr_t kClosed = 2;

  // Wakes are counted above this bit; the counts may wrap.
  static constexpr uint32_t kClosing = 1;
  static constexpr uint32_t kOneWake = 2;
  static constexpr size_t kLine = 64;

  static bool IsList(uintptr_t word) { return word > kClosed; }
  static Node* ToNode(uintptr_t word) { return reinterpret_cast<Node*>(word); }
  static uintptr_t ToWord(Node* node) {
    return reinterpret_cast<uintptr_t>(node);
  }

  // `left` is what the consumer replaced: anything but its own arm means that a
  // pusher took that arm, and with it promised a wake.
  void Disarm(uintptr_t left) {
    if (armed_ && left != kArmed) wakes_promised_ += kOneWake;
    armed_ = false;
  }

  static Node* OldestFirst(uintptr_t word) {
    Node* oldest = nullptr;
    for (Node* node = IsList(word) ? ToNode(word) : nullptr; node != nullptr;) {
      Node* next = node->next;
      node->next = oldest;
      oldest = node;
      node = next;
    }
    return oldest;
  }

  alignas(kLine) Atomic<uintptr_t> word_ = kEmpty;
  alignas(kLine) Atomic<uint32_t> wakes_done_ = 0;  // written by pushers

  // Consumer only.
  alignas(kLine) bool armed_ = false;
  uint32_t wakes_promised_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_HANDOFF_H_
