// SPDX-License-Identifier: Apache-2.0
//
// Cell: what a loop keeps of one actor: its mailbox, its state, its credits. A
// cell is used again for other actors, and is not freed before the bus's state
// is. So an address may look at its cell at any time; the generation tells
// whether its actor still lives there.
//
// Ownership: CellTable owns the cells of a loop.
// Threads:   loop thread only, except `credits`, `interleaved`, `exit` and what
//            says that it is thread-safe.
// Bounds:    LoopOptions::max_actors.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_MAILBOX_CELL_H_
#define TROLLEY_BUS_MAILBOX_CELL_H_

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/actor_class.h"
#include "trolley/bus/mailbox/actor_state.h"
#include "trolley/bus/mailbox/credit_pool.h"
#include "trolley/bus/mailbox/mailbox.h"
#include "trolley/bus/mailbox/suspended_handler.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

// The senders that wait for room in one mailbox, oldest first.
struct WaitingSenders {
  SmallEnvelopeQueue requests;  // one CreditRequest of each sender
  uint32_t count = 0;           // of senders
  uint32_t reserved = 0;        // credits that are reserved for them
};

struct alignas(64) Cell : ActorSlot {
  using State = ActorState::State;

  // Loop thread only, but for `interleaved` and `exit`.
  ActorBase* actor = nullptr;
  EnvelopeQueue data;             // the mailbox's data lane
  uint32_t data_queued = 0;       // messages in it
  uint32_t local_credits = 0;     // credits that its own loop holds in advance
  Cell* next_runnable = nullptr;  // in the run queue
  uint64_t handled = 0;           // messages
  ActorState actor_state;
  // Its loop keeps up to so many credits; it returns further ones. 0:
  // CreditWaiters handles each credit.
  uint8_t kept_credits = 0;
  bool credits_listed : 1 = false;  // in the list of LocalCredits
  bool started : 1 = false;         // OnStart has returned
  bool drained : 1 = false;         // OnDrain was called
  bool told_last : 1 = false;       // Actor::TellLast was called
  bool expiry_watched : 1 = false;  // in the list of bus/loop/expiry.h
  bool seat : 1 = false;            // bus/loop/seat_record.h
  bool vacant : 1 = false;          // a seat without an object
  // ActorClass::interleaved. Other threads read it to find cycles of asks.
  std::atomic<bool> interleaved{false};
  std::atomic<uint8_t> exit{0};  // packed by set_exit()
  // Of an interleaved actor: asks in suspended handlers.
  uint16_t suspended_asks = 0;

  alignas(64) CreditPool credits;  // thread-safe
  uint32_t capacity = 0;           // credits; immutable while an actor is here
  uint32_t slot = 0;               // immutable
  // Loop thread only, and seldom used.
  LanesBeforeData lanes;                  // the mailbox's other lanes
  SuspendedHandler* suspended = nullptr;  // list
  const ActorClass* actor_class = nullptr;
  std::unique_ptr<WaitingSenders> waiting_senders;  // null: none
  std::unique_ptr<std::string> name;                // null: none

  State state() const { return actor_state.state(); }
  // Orders the actors of all loops by their start. An actor must live here.
  uint64_t start_sequence() const {
    return ActorAccess::start_sequence(*actor);
  }
  // The limit of data_queued for an actor that trims.
  uint32_t most_queued() const {
    return capacity - SpawnOptions::kMostOnTheWay;
  }
  // Call it after a change of state, of credits_listed or of waiting_senders.
  void UpdateKeptCredits() {
    const bool simple = state() == State::kRunning && credits_listed &&
                        waiting_senders == nullptr && credits.reserve() == 0;
    kept_credits = simple ? MostKeptCredits(capacity) : 0;
  }
  // The limit of suspended_asks: other messages need the rest of the credits.
  uint32_t most_suspended_asks() const {
    // mutant: P6_AsksThatWaitMayTakeEveryCredit
    return std::clamp<uint32_t>(capacity / 2, 1, UINT16_MAX);
  }
  // True: a handler of a message is suspended. Background tasks do not count.
  bool handles_something() const {
    const SuspendedHandler* h = suspended;
    while (h != nullptr && h->envelope == nullptr) h = h->next;
    return h != nullptr;
  }
  // Thread-safe.
  bool is_interleaved() const {
    return interleaved.load(std::memory_order_relaxed);
  }
  // Loop thread only.
  void set_interleaved(bool is) {
    interleaved.store(is, std::memory_order_relaxed);
  }
  // How the actor of that generation has ended; kept until the next one ends
  // here. Five bits of the generation tell which of the two it is of.
  void set_exit(uint32_t generation, ExitReason::Kind kind) {
    exit.store((generation & 31) << 3 | static_cast<uint8_t>(kind),
               std::memory_order_relaxed);
  }
  // Thread-safe. kUnknown: it has not ended, or another actor has ended here
  // since.
  ExitReason::Kind exit_of(uint32_t generation) const {
    const uint32_t before = credits.generation();
    const uint8_t packed = exit.load(std::memory_order_relaxed);
    // Five bits repeat after 32 generations; one that is so old is not known.
    // mutant: P8_AReasonIsTakenForThatOfAnother
    const bool theirs = packed >> 3 == (generation & 31) &&
                        before - generation < 31 &&
                        credits.generation() - generation < 31;
    return theirs ? static_cast<ExitReason::Kind>(packed & 7)
                  : ExitReason::Kind::kUnknown;
  }
  // True: a slice would find something to do.
  bool has_work() const {
    return !lanes.control.empty() ||
           (!actor_state.busy() && (!lanes.urgent.empty() || !data.empty()));
  }
};

static_assert(sizeof(Cell) == 128);

// The cell of an actor; null until its loop has it.
inline Cell* CellOf(const ActorBase& actor) {
  return static_cast<Cell*>(ActorAccess::slot(actor));
}

// The credits of an actor with these options.
inline uint32_t CreditsFor(const SpawnOptions& options) {
  return options.overflow == Overflow::kDropOldest
             ? options.mailbox_capacity + SpawnOptions::kMostOnTheWay
             : options.mailbox_capacity;
}

// Its name for people: SpawnOptions::name, or "#loop.slot.generation".
inline std::string NameOf(const Cell& cell) {
  return cell.name != nullptr ? *cell.name : cell.self.ToString();
}

// Asserts the part of the invariant of credit_pool.h that the actor's own loop
// can see: the credits that are free, held here and reserved for waiting
// senders are not more than there are. Does nothing in an optimized build.
inline void CheckCredits(const Cell& cell) {
#ifndef NDEBUG
  // The capacity is still that of an earlier actor.
  if (cell.state() == Cell::State::kReserved) return;
  const uint64_t here =
      uint64_t{cell.local_credits} +
      (cell.waiting_senders != nullptr ? cell.waiting_senders->reserved : 0);
  const bool ours = cell.credits.generation() == cell.self.generation();
  assert(here + (ours ? cell.credits.free() : 0) <= cell.capacity);
#else
  (void)cell;
#endif
}

class CellTable {
 public:
  explicit CellTable(uint32_t max_cells);
  CellTable(const CellTable&) = delete;
  CellTable& operator=(const CellTable&) = delete;

  // Thread-safe. Takes a free cell and opens a new generation; null: all are in
  // use.
  Cell* Allocate(uint32_t* generation);
  // Loop thread only. The same, mostly without a lock.
  Cell* AllocateLocal(uint32_t* generation);

  // Thread-safe. Gives back a cell that was just allocated. No other code may
  // know its id yet.
  void Abandon(Cell* cell);

  // Thread-safe. Ends a generation that never came to its loop, which has
  // ended. The cell is not used again.
  void Discard(Cell* cell, uint32_t generation);

  // Loop thread only. Frees a cell that `generation` lived in.
  void Free(Cell* cell, uint32_t generation);

  // Above the highest slot that there may be.
  uint32_t max_slots() const { return max_made_; }

  // Thread-safe. The cell of a slot that is in an ActorId of this bus.
  Cell* Find(uint32_t slot) const {
    return chunks_[slot / kChunk].load(std::memory_order_acquire) +
           slot % kChunk;
  }

  // Loop thread only. The cell in which `id` lives; null: its actor has ended.
  Cell* FindLive(ActorId id) const {
    Cell* cell = Find(id.slot());
    const bool lives = cell->self == id && cell->state() != Cell::State::kFree;
    return lives ? cell : nullptr;
  }

  // Thread-safe. Cells that were ever used: they have the slots below this.
  uint32_t used() const { return used_.load(std::memory_order_acquire); }
  // Thread-safe. The number of actors, those that are being spawned included.
  uint32_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kChunk = 1024;
  static constexpr uint32_t kBatch = 64;  // cells moved between the lists

  // Counts one more cell in use. False: all are in use.
  bool CountOneMore();
  void CountOneLess();
  Cell* TakeShared() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t max_cells_;  // in use at one time
  const uint32_t max_made_;   // in use, or in the local list
  std::atomic<uint32_t> in_use_{0};
  std::unique_ptr<std::atomic<Cell*>[]> chunks_;
  std::atomic<uint32_t> used_{0};

  Cell* local_free_ = nullptr;  // a list by next_runnable; loop thread only
  uint32_t local_count_ = 0;

  absl::Mutex mutex_;
  Cell* shared_free_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<std::unique_ptr<Cell[]>> owned_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_CELL_H_
