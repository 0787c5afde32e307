// SPDX-License-Identifier: Apache-2.0
//
// Ways to get messages from one loop to another, small but whole: every message
// carries its type, target, sender, deadline and context beside 8 bytes of
// payload; storage is recycled and bounded; the receiver may sleep in epoll.
//
// A way is a Port (receiver) and a Sender (one for each sending loop):
//   Sender::Put(payload)   adds one message to the open batch
//   Sender::Flush()        hands the batch over; wakes a receiver that sleeps
//   Port::Drain(actor)     delivers all that is there, gives the storage back
//   Port::HasWork(), Arm() as in bus/crossing/handoff.h
// For benchmarks only.
//
// Ownership: a Port is its receiver's and outlives the Senders on it.
// Threads:   a Sender's methods by one sending loop, a Port's by the receiver.
// Bounds:    each sender's storage, as many messages as its pool holds.
// Ends:      Senders first, and when nothing is on its way.

#ifndef TROLLEY_TESTS_BENCH_HANDOFF_CANDIDATES_H_
#define TROLLEY_TESTS_BENCH_HANDOFF_CANDIDATES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "trolley/bus/crossing/handoff.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {

inline int window = 4096;         // messages a sender has in flight, at most
inline bool outnumbered = false;  // more threads than CPUs: do not spin

inline void Backoff() {
  if (outnumbered) {
    std::this_thread::yield();
  } else {
    Pause();
  }
}

struct Actor {
  uint64_t handled = 0;
  uint64_t sum = 0;
  uint64_t expired = 0;
  int64_t now = 1;

  template <class Message>
  void Deliver(const Message& message) {
    if (message.deadline < now) {
      ++expired;
    } else {
      message.type->deliver(*this, message.payload);
    }
  }
};

struct Type {
  void (*deliver)(Actor& actor, uint64_t payload);
};
// Out of line, so that a delivery is an indirect call.
[[gnu::noinline]] inline void Add(Actor& actor, uint64_t payload) {
  ++actor.handled;
  actor.sum += payload;
}
inline const Type kAdd = {&Add};

// The hand-off's word and the poller behind it.
template <class Node>
struct Inbox {
  internal::Handoff<Node> handoff;
  EpollPoller poller;

  void Send(Node* newest, Node* oldest) {
    if (handoff.Push(newest, oldest) ==
        internal::Handoff<Node>::Pushed::kQueuedMustWake) {
      poller.Wake();
      handoff.WakeDone();
    }
  }
};

// Where a sender's storage comes back: any pusher, one taker of everything.
template <class Node>
class alignas(64) ReturnStack {
 public:
  void Push(Node* first, Node* last) {
    last->next = head_.load(std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(last->next, first,
                                        std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }
  Node* TakeAll() {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return head_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  std::atomic<Node*> head_ = nullptr;
};

// Recycled nodes of one sender; never more than `window` messages' worth.
template <class Node>
class Pool {
 public:
  explicit Pool(int nodes) : nodes_(new Node[nodes]) {
    for (int i = nodes; i-- > 0;) {
      nodes_[i].next = free_;
      free_ = &nodes_[i];
    }
  }
  Node* Get() {
    while (free_ == nullptr) {
      free_ = returned_.TakeAll();
      if (free_ == nullptr) Backoff();
    }
    Node* node = free_;
    free_ = node->next;
    return node;
  }
  bool Empty() {
    if (free_ == nullptr) free_ = returned_.TakeAll();
    return free_ == nullptr;
  }
  ReturnStack<Node>& returned() { return returned_; }

 private:
  std::unique_ptr<Node[]> nodes_;
  Node* free_ = nullptr;
  ReturnStack<Node> returned_;
};

// (a) Linked envelopes -------------------------------------------------------

struct alignas(64) Envelope {
  Envelope* next;
  const Type* type;
  uint64_t target;
  int64_t deadline;
  uint64_t sender;
  const void* context;
  ReturnStack<Envelope>* home;
  uint64_t payload;
};
static_assert(sizeof(Envelope) == 64);

struct Linked {
  struct Port : Inbox<Envelope> {
    bool Drain(Actor& actor) {
      Envelope* list = handoff.Take();
      if (list == nullptr) return false;
      while (list != nullptr) {
        // One chain back for each run of envelopes of one sender.
        ReturnStack<Envelope>* home = list->home;
        Envelope* first = list;
        Envelope* last;
        int count = 0;
        do {
          last = list;
          actor.Deliver(*list);
          list = list->next;
        } while (list != nullptr && list->home == home && ++count < kBatch);
        home->Push(first, last);
      }
      return true;
    }
    bool HasWork() const { return handoff.HasWork(); }
    bool Arm() { return handoff.Arm(); }
    ~Port() { handoff.Close(); }
  };

  class Sender {
   public:
    explicit Sender(Port& port) : port_(port), pool_(window) {}
    void Put(uint64_t payload) {
      if (pool_.Empty()) Flush();
      Envelope* e = pool_.Get();
      e->type = &kAdd;
      e->target = 1;
      e->deadline = INT64_MAX;
      e->sender = 2;
      e->context = nullptr;
      e->home = &pool_.returned();
      e->payload = payload;
      e->next = newest_;
      if (newest_ == nullptr) oldest_ = e;
      newest_ = e;
    }
    void Flush() {
      if (newest_ == nullptr) return;
      port_.Send(newest_, oldest_);
      newest_ = nullptr;
    }

   private:
    Port& port_;
    Pool<Envelope> pool_;
    Envelope* newest_ = nullptr;
    Envelope* oldest_ = nullptr;
  };
};

// As Linked, but a chain is linked oldest first and hangs on a small node of
// its own: the receiver reverses chains, not envelopes, and writes to no
// envelope but the last of each chain.
struct Chained {
  struct alignas(64) Link {
    Link* next;
    Envelope* oldest;
    Envelope* newest;
    ReturnStack<Link>* home;
  };
  struct Port {
    Inbox<Link> inbox;
    bool Drain(Actor& actor) {
      Link* link = inbox.handoff.Take();
      if (link == nullptr) return false;
      while (link != nullptr) {
        Link* next = link->next;
        Envelope* e = link->oldest;
        ReturnStack<Envelope>* home = e->home;
        for (;; e = e->next) {
          actor.Deliver(*e);
          if (e == link->newest) break;
        }
        home->Push(link->oldest, link->newest);
        link->home->Push(link, link);
        link = next;
      }
      return true;
    }
    bool HasWork() const { return inbox.handoff.HasWork(); }
    bool Arm() { return inbox.handoff.Arm(); }
    ~Port() { inbox.handoff.Close(); }
  };
  class Sender {
   public:
    explicit Sender(Port& port) : port_(port), pool_(window), links_(window) {}
    void Put(uint64_t payload) {
      if (pool_.Empty()) Flush();
      Envelope* e = pool_.Get();
      e->type = &kAdd;
      e->target = 1;
      e->deadline = INT64_MAX;
      e->sender = 2;
      e->context = nullptr;
      e->home = &pool_.returned();
      e->payload = payload;
      e->next = nullptr;
      if (oldest_ == nullptr) {
        oldest_ = e;
      } else {
        newest_->next = e;
      }
      newest_ = e;
    }
    void Flush() {
      if (oldest_ == nullptr) return;
      Link* link = links_.Get();
      link->oldest = oldest_;
      link->newest = newest_;
      link->home = &links_.returned();
      port_.inbox.Send(link, link);
      oldest_ = nullptr;
    }

   private:
    Port& port_;
    Pool<Envelope> pool_;
    Pool<Link> links_;
    Envelope* oldest_ = nullptr;
    Envelope* newest_ = nullptr;
  };
};

// As Chained, but a chain travels behind its first envelope: two links in each
// envelope, paid for with 32-bit target and sender, and no context.
struct Headed {
  struct alignas(64) Twin {
    Twin* next;   // to the next chain
    Twin* after;  // to the next newer envelope of this chain
    Twin* newest;
    const Type* type;
    uint32_t target;
    uint32_t sender;
    int64_t deadline;
    ReturnStack<Twin>* home;
    uint64_t payload;
  };
  static_assert(sizeof(Twin) == 64);

  struct Port : Inbox<Twin> {
    bool Drain(Actor& actor) {
      Twin* chain = handoff.Take();
      if (chain == nullptr) return false;
      while (chain != nullptr) {
        Twin* next = chain->next;
        Twin* const newest = chain->newest;
        for (Twin* e = chain;; e = e->after) {
          actor.Deliver(*e);
          if (e == newest) break;
        }
        chain->home->Push(chain, chain);
        chain = next;
      }
      return true;
    }
    bool HasWork() const { return handoff.HasWork(); }
    bool Arm() { return handoff.Arm(); }
    ~Port() { handoff.Close(); }
  };

  class Sender {
   public:
    explicit Sender(Port& port) : port_(port), envelopes_(new Twin[window]) {
      for (int i = 0; i < window; ++i) {
        envelopes_[i].after = &envelopes_[i] + 1;
      }
      free_ = &envelopes_[0];
      free_last_ = &envelopes_[window - 1];
    }
    void Put(uint64_t payload) {
      if (free_ == nullptr) Reclaim();
      Twin* e = free_;
      free_ = e == free_last_ ? nullptr : e->after;
      // The receiver only read these lines: what costs is to own them again.
      // A guess, as neighbours are mostly adjacent; a wrong one is harmless.
      constexpr uintptr_t kAhead = 24 * sizeof(Twin);
      __builtin_prefetch(reinterpret_cast<const void*>(
                             reinterpret_cast<uintptr_t>(e) + kAhead),
                         1);
      e->type = &kAdd;
      e->target = 1;
      e->sender = 2;
      e->deadline = INT64_MAX;
      e->payload = payload;
      if (oldest_ == nullptr) {
        oldest_ = e;
        e->home = &returned_;
      } else {
        newest_->after = e;
      }
      newest_ = e;
    }
    void Flush() {
      if (oldest_ == nullptr) return;
      oldest_->newest = newest_;
      port_.Send(oldest_, oldest_);
      oldest_ = nullptr;
    }

   private:
    void Reclaim() {
      while (chains_ == nullptr) {
        chains_ = returned_.TakeAll();
        if (chains_ != nullptr) break;
        Flush();
        Backoff();
      }
      free_ = chains_;
      free_last_ = chains_->newest;
      chains_ = chains_->next;
    }
    Port& port_;
    std::unique_ptr<Twin[]> envelopes_;
    Twin* free_;  // along `after`, up to free_last_
    Twin* free_last_;
    Twin* chains_ = nullptr;  // more of them, along `next`
    ReturnStack<Twin> returned_;
    Twin* oldest_ = nullptr;
    Twin* newest_ = nullptr;
  };
};

// As Linked, but the batch is an array of pointers to its envelopes, so that
// the receiver can ask for several at a time.
struct Pointers {
  struct alignas(64) Array {
    Array* next;
    ReturnStack<Array>* home;
    int count;
    Envelope* envelopes[kBatch];
  };
  struct Port : Inbox<Array> {
    bool Drain(Actor& actor) {
      Array* array = handoff.Take();
      if (array == nullptr) return false;
      while (array != nullptr) {
        constexpr int kAhead = 12;
        Array* next = array->next;
        const int count = array->count;
        for (int i = 0; i < count && i < kAhead; ++i) {
          __builtin_prefetch(array->envelopes[i]);
        }
        for (int i = 0; i < count; ++i) {
          if (i + kAhead < count) {
            __builtin_prefetch(array->envelopes[i + kAhead]);
          }
          actor.Deliver(*array->envelopes[i]);
        }
        array->home->Push(array, array);  // with its envelopes
        array = next;
      }
      return true;
    }
    bool HasWork() const { return handoff.HasWork(); }
    bool Arm() { return handoff.Arm(); }
    ~Port() { handoff.Close(); }
  };

  class Sender {
   public:
    explicit Sender(Port& port)
        : port_(port),
          envelopes_(new Envelope[window]),
          arrays_(new Array[window]) {
      // Each array comes back with the envelopes it left with.
      for (int i = 0; i < window; ++i) free_.push_back(&envelopes_[i]);
      for (int i = 0; i < window; ++i) free_arrays_.push_back(&arrays_[i]);
    }
    void Put(uint64_t payload) {
      while (free_.empty()) {
        Flush();
        Reclaim();
        if (free_.empty()) Backoff();
      }
      Envelope* e = free_.back();
      free_.pop_back();
      e->type = &kAdd;
      e->target = 1;
      e->deadline = INT64_MAX;
      e->sender = 2;
      e->context = nullptr;
      e->home = nullptr;
      e->payload = payload;
      if (open_ == nullptr) {
        open_ = free_arrays_.back();
        free_arrays_.pop_back();
        open_->home = &returned_;
        open_->count = 0;
      }
      open_->envelopes[open_->count++] = e;
      if (open_->count == kBatch) Flush();
    }
    void Flush() {
      if (open_ == nullptr) return;
      port_.Send(open_, open_);
      open_ = nullptr;
    }

   private:
    void Reclaim() {
      Array* array = returned_.TakeAll();
      while (array != nullptr) {
        for (int i = array->count; i-- > 0;) {
          free_.push_back(array->envelopes[i]);
        }
        free_arrays_.push_back(array);
        array = array->next;
      }
    }
    Port& port_;
    std::unique_ptr<Envelope[]> envelopes_;
    std::unique_ptr<Array[]> arrays_;
    std::vector<Envelope*> free_;
    std::vector<Array*> free_arrays_;
    ReturnStack<Array> returned_;
    Array* open_ = nullptr;
  };
};

// What rings and blocks hold. The compact one leaves out context and has
// 32-bit target and sender.
struct alignas(64) Slot64 {
  const Type* type;
  uint64_t target;
  int64_t deadline;
  uint64_t sender;
  const void* context;
  uint64_t payload;

  void Fill(uint64_t p) { *this = {&kAdd, 1, INT64_MAX, 2, nullptr, p}; }
};
struct alignas(32) Slot32 {
  const Type* type;
  int64_t deadline;
  uint32_t target;
  uint32_t sender;
  uint64_t payload;

  void Fill(uint64_t p) { *this = {&kAdd, INT64_MAX, 1, 2, p}; }
};
static_assert(sizeof(Slot64) == 64 && sizeof(Slot32) == 32);

// (b) One ring for each pair of loops, one doorbell for each receiver ---------

template <class Slot>
struct Rings {
  struct Ring {
    explicit Ring(int slots) : slots_(new Slot[slots]), mask_(slots - 1) {}
    std::unique_ptr<Slot[]> slots_;
    uint64_t mask_;
    alignas(64) std::atomic<uint64_t> tail_ = 0;  // written by the sender
    alignas(64) std::atomic<uint64_t> head_ = 0;  // written by the receiver
    alignas(64) uint64_t sender_tail_ = 0;        // sender only
    uint64_t sender_head_ = 0;
    alignas(64) uint64_t receiver_head_ = 0;  // receiver only
  };

  // The doorbell: which rings have something, or that the receiver may sleep.
  class Port {
   public:
    bool Drain(Actor& actor) {
      if (bell_.load(std::memory_order_relaxed) == 0) return false;
      uint64_t rung = bell_.exchange(0, std::memory_order_acquire) & ~kArmed;
      if (rung == 0) return false;
      for (; rung != 0; rung &= rung - 1) {
        Ring& ring = *rings_[__builtin_ctzll(rung)];
        uint64_t head = ring.receiver_head_;
        uint64_t tail = ring.tail_.load(std::memory_order_acquire);
        while (head != tail) {
          // Give room back as often as a linked one does.
          uint64_t stop = tail - head > kBatch ? head + kBatch : tail;
          for (; head != stop; ++head) {
            actor.Deliver(ring.slots_[head & ring.mask_]);
          }
          ring.head_.store(head, std::memory_order_release);
        }
        ring.receiver_head_ = head;
      }
      return true;
    }
    bool HasWork() const {
      return (bell_.load(std::memory_order_relaxed) & ~kArmed) != 0;
    }
    bool Arm() {
      uint64_t none = 0;
      return bell_.compare_exchange_strong(
          none, kArmed, std::memory_order_release, std::memory_order_relaxed);
    }
    void RingBell(int number) {
      uint64_t old = bell_.load(std::memory_order_relaxed);
      while (!bell_.compare_exchange_weak(
          old, (old & ~kArmed) | (uint64_t{1} << number),
          std::memory_order_acq_rel, std::memory_order_relaxed)) {
      }
      if (old == kArmed) poller.Wake();
    }
    Ring* AddRing() {
      rings_.push_back(std::make_unique<Ring>(window));
      return rings_.back().get();
    }
    int size() const { return static_cast<int>(rings_.size()); }

    EpollPoller poller;

   private:
    static constexpr uint64_t kArmed = uint64_t{1} << 63;
    alignas(64) std::atomic<uint64_t> bell_ = 0;
    alignas(64) std::vector<std::unique_ptr<Ring>> rings_;
  };

  class Sender {
   public:
    explicit Sender(Port& port)
        : port_(port), number_(port.size()), ring_(*port.AddRing()) {}
    void Put(uint64_t payload) {
      if (ring_.sender_tail_ - ring_.sender_head_ > ring_.mask_) Room();
      ring_.slots_[ring_.sender_tail_++ & ring_.mask_].Fill(payload);
    }
    void Flush() {
      if (ring_.tail_.load(std::memory_order_relaxed) == ring_.sender_tail_) {
        return;
      }
      ring_.tail_.store(ring_.sender_tail_, std::memory_order_release);
      port_.RingBell(number_);
    }

   private:
    void Room() {
      Flush();
      for (;;) {
        ring_.sender_head_ = ring_.head_.load(std::memory_order_acquire);
        if (ring_.sender_tail_ - ring_.sender_head_ <= ring_.mask_) return;
        Backoff();
      }
    }
    Port& port_;
    int number_;
    Ring& ring_;
  };
};

// (c) Messages written one after another into blocks of 4 KiB, which are handed
// over as one node ------------------------------------------------------------

template <class Slot>
struct Blocks {
  struct alignas(64) Block {
    static constexpr int kSlots = (4096 - 64) / sizeof(Slot);
    Block* next;
    ReturnStack<Block>* home;
    int count;
    alignas(64) Slot slots[kSlots];
  };
  static_assert(sizeof(Block) == 4096);

  struct Port : Inbox<Block> {
    bool Drain(Actor& actor) {
      Block* block = this->handoff.Take();
      if (block == nullptr) return false;
      while (block != nullptr) {
        Block* next = block->next;
        const int count = block->count;
        for (int i = 0; i < count; ++i) actor.Deliver(block->slots[i]);
        block->home->Push(block, block);
        block = next;
      }
      return true;
    }
    bool HasWork() const { return this->handoff.HasWork(); }
    bool Arm() { return this->handoff.Arm(); }
    ~Port() { this->handoff.Close(); }
  };

  class Sender {
   public:
    explicit Sender(Port& port)
        : port_(port), pool_(window / Block::kSlots + 1) {}
    void Put(uint64_t payload) {
      if (open_ == nullptr) {
        open_ = pool_.Get();
        open_->home = &pool_.returned();
        open_->count = 0;
      }
      open_->slots[open_->count++].Fill(payload);
      if (open_->count == Block::kSlots) Flush();
    }
    void Flush() {
      if (open_ == nullptr) return;
      port_.Send(open_, open_);
      open_ = nullptr;
    }

   private:
    Port& port_;
    Pool<Block> pool_;
    Block* open_ = nullptr;
  };
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_HANDOFF_CANDIDATES_H_
