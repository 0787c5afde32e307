// SPDX-License-Identifier: Apache-2.0
//
// Handoff: one atomic word, through which other threads give messages to a loop
// and learn whether they must wake it. In LoopInbox::Deliver() and Loop:
//
//   if (handoff.Push(e, e) == Pushed::kQueuedMustWake) {       // any thread
//     poller->Wake();
//     handoff.WakeDone();
//   }
//   if (handoff.Arm()) poller->Wait(...);                      // the loop
//   Envelope* oldest = handoff.Take();
//
// Ownership: part of a LoopInbox, which the loop and all addresses share. A
//            pushed node belongs to the Handoff until Take() or Close().
// Threads:   Push and WakeDone are thread-safe. Take, Arm, HasWork and Close
//            are for one thread, the consumer. A pusher keeps its reference
//            until WakeDone() has returned.
// Bounds:    mailboxes bound what is pushed. It allocates nothing.
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
// Each arrow is one read-modify-write of word_. So of a Push() and an Arm() one
// is first, and the second one sees it: no wake is lost (P3). In one sleep of
// the consumer at most one push must wake it. A push to an awake consumer never
// must wake it (P4). A push does not read the node that it replaces, so a
// recycled address (ABA) does no harm.
//
// A wake uses the consumer's poller, which is destroyed when its loop ends. A
// pusher may then be between its Push() and its Wake(). So each push that must
// wake promises one Poller::Wake() and then one WakeDone(). The consumer counts
// the promises: one each time that it has armed and then finds a list. Close()
// waits until as many wakes are done. After Close() no thread uses the poller,
// although threads still have addresses (P5).
//
// Memory ordering:
//   before Push()       happens before the Take() or Close() with its nodes
//   before Arm()        happens before the Wake() of the pusher that must wake
//   before WakeDone()   happens before Close() returns
// tests/model/handoff.pml is the proof, with store buffers.

#ifndef TROLLEY_BUS_CROSSING_HANDOFF_H_
#define TROLLEY_BUS_CROSSING_HANDOFF_H_

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace trolley::internal {

// Node has a member `Node* next`. Tests replace Atomic to control each step.
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
  // Memory ordering: release hands over the nodes. Later pushes are
  // read-modify-writes, so they continue this release: the consumer acquires
  // only the last one. Acquire pairs with Arm(): the consumer has emptied its
  // wake descriptor before this pusher writes to it, so the wake is not lost.
  Pushed Push(Node* newest, Node* oldest) {
    static_assert(alignof(Node) > kClosed, "states and addresses overlap");
    // Guesses kEmpty. A load would fetch the cache line to read it, and the
    // exchange would fetch it again to write it. A wrong guess costs a retry.
    uintptr_t seen = kEmpty;
    do {
      oldest->next = IsList(seen) ? ToNode(seen) : nullptr;
      if (seen == kClosed) return Pushed::kClosed;
    } while (!word_.compare_exchange_weak(seen, ToWord(newest),
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return seen == kArmed ? Pushed::kQueuedMustWake : Pushed::kQueued;
  }

  // The pusher that got kQueuedMustWake calls it once, after Poller::Wake() has
  // returned. It makes a system call only if Close() waits for it.
  //
  // Memory ordering: release, so that the wake is over before Close() returns.
  // kClosing is in the same word as the count: either Close() sees this wake,
  // or this call sees that Close() waits.
  void WakeDone() {
    uint32_t before =
        wakes_done_.fetch_add(kOneWake, std::memory_order_release);
    if ((before & kClosing) != 0) wakes_done_.notify_one();
  }

  // Consumer. All that is queued, oldest first; null: nothing. It is not armed
  // afterwards, so call it after each sleep.
  //
  // Memory ordering: acquire, for the nodes. The first load may be relaxed: a
  // pusher's wake orders its push before the end of the sleep.
  Node* Take() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    if (seen == kEmpty || seen == kClosed) return nullptr;
    seen = word_.exchange(kEmpty, std::memory_order_acquire);
    Disarm(seen);
    return OldestFirst(seen);
  }

  // Consumer. True: nothing is queued, and the next Push must wake it, so it
  // may sleep. False: something is queued, or it is closed; it must not sleep.
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

  // Consumer, when it spins. True: Take() would return something.
  bool HasWork() const { return IsList(word_.load(std::memory_order_relaxed)); }

  // Consumer, once, before it destroys its poller. Returns what was queued,
  // oldest first, when all promised wakes are done. It sleeps meanwhile: the
  // pusher may be preempted, and may have a lower real-time priority.
  //
  // Memory ordering: acquires the nodes and all finished wakes.
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

  // The counts of wakes are above this bit; they may wrap.
  static constexpr uint32_t kClosing = 1;
  static constexpr uint32_t kOneWake = 2;
  static constexpr size_t kLine = 64;

  static bool IsList(uintptr_t word) { return word > kClosed; }
  static Node* ToNode(uintptr_t word) { return reinterpret_cast<Node*>(word); }
  static uintptr_t ToWord(Node* node) {
    return reinterpret_cast<uintptr_t>(node);
  }

  // `left`: the word that the consumer has replaced. If it was armed and `left`
  // is not kArmed, a pusher has replaced the arm and has promised a wake.
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

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_CROSSING_HANDOFF_H_
