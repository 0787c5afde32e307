// SPDX-License-Identifier: Apache-2.0
//
// The mechanisms underneath, bare: no envelope, no bound, no sleep but where
// the sleep is what is measured. For benchmarks only.
//
// Ownership: the case that measures one owns it; each owns its descriptors.
// Threads:   one that gives and one that gets, unless it says more.
// Bounds:    one in flight, or as each says.
// Ends:      with the case, after its threads.

#ifndef TROLLEY_TESTS_BENCH_LIB_RAW_H_
#define TROLLEY_TESTS_BENCH_LIB_RAW_H_

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {

// How many messages a stream hands over at once, at most.
inline constexpr int kBatch = 64;

class EpollPoller {
 public:
  EpollPoller()
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event = {};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) != 0) std::abort();
  }
  ~EpollPoller() {
    close(epoll_);
    close(event_);
  }
  void Wake() {
    const uint64_t one = 1;
    if (write(event_, &one, sizeof(one)) != sizeof(one)) std::abort();
  }
  void Wait() {
    epoll_event event;
    while (epoll_wait(epoll_, &event, 1, -1) != 1) {
    }
    uint64_t count;
    if (read(event_, &count, sizeof(count)) != sizeof(count)) std::abort();
  }

 private:
  int epoll_;
  int event_;
};

// Signals for one in flight: Give() by one thread, Get() by another.

class SpinningLine {
 public:
  void Give() { full_.store(true, std::memory_order_release); }
  void Get() {
    while (!full_.load(std::memory_order_acquire)) Pause();
    full_.store(false, std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<bool> full_ = false;
};

// A mailbox of one word that is spun on: push and take are exchanges.
class SpinningMailbox {
 public:
  void Give() {
    node_.payload = 1;
    word_.exchange(&node_, std::memory_order_acq_rel);
  }
  void Get() {
    while (word_.load(std::memory_order_relaxed) == nullptr) Pause();
    word_.exchange(nullptr, std::memory_order_acq_rel);
  }

 private:
  struct alignas(64) Node {
    uint64_t payload;
  };
  alignas(64) std::atomic<Node*> word_ = nullptr;
  Node node_ = {};
};

class Futex {
 public:
  void Give() {
    word_.store(1, std::memory_order_release);
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  void Get() {
    while (word_.load(std::memory_order_acquire) == 0) {
      syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    }
    word_.store(0, std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<int> word_ = 0;
};

class EventFdAndEpoll {
 public:
  void Give() { poller_.Wake(); }
  void Get() { poller_.Wait(); }

 private:
  EpollPoller poller_;
};

// Streams: Put() by one or more threads, Get() by one, false if none.

// One producer, one consumer; published every kBatch.
template <class Value>
class BareRing {
 public:
  void Put(uint64_t payload) {
    while (tail_ - seen_head_ == kSlots) {
      Flush();
      seen_head_ = head_.load(std::memory_order_acquire);
    }
    slots_[tail_++ % kSlots].payload = payload;
    if (tail_ % kBatch == 0) Flush();
  }
  void Flush() { published_.store(tail_, std::memory_order_release); }
  bool Get(uint64_t* sum, uint64_t* count) {
    const uint64_t end = published_.load(std::memory_order_acquire);
    if (end == taken_) return false;
    *count += end - taken_;
    for (; taken_ != end; ++taken_) *sum += slots_[taken_ % kSlots].payload;
    head_.store(taken_, std::memory_order_release);
    return true;
  }

 private:
  static constexpr uint64_t kSlots = 4096;
  std::unique_ptr<Value[]> slots_{new Value[kSlots]};
  alignas(64) std::atomic<uint64_t> published_ = 0;
  alignas(64) std::atomic<uint64_t> head_ = 0;
  alignas(64) uint64_t tail_ = 0;
  uint64_t seen_head_ = 0;
  alignas(64) uint64_t taken_ = 0;
};
struct Value8 {
  uint64_t payload;
};

// A linked queue of many producers and one consumer: an exchange per message,
// and an envelope that one thread allocates and another frees.
class MallocQueue {
 public:
  MallocQueue() : newest_(new Node), oldest_(newest_.load()) {}
  ~MallocQueue() { delete oldest_; }
  void Put(uint64_t payload) {
    Node* node = new Node;
    node->payload = payload;
    Node* before = newest_.exchange(node, std::memory_order_acq_rel);
    before->next.store(node, std::memory_order_release);
  }
  void Flush() {}
  bool Get(uint64_t* sum, uint64_t* count) {
    Node* next = oldest_->next.load(std::memory_order_acquire);
    if (next == nullptr) return false;
    *sum += next->payload;
    ++*count;
    delete oldest_;
    oldest_ = next;
    return true;
  }

 private:
  struct Node {
    std::atomic<Node*> next = nullptr;
    uint64_t payload = 0;
    char rest[48];
  };
  alignas(64) std::atomic<Node*> newest_;
  alignas(64) Node* oldest_;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_RAW_H_
