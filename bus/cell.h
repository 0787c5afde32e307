// SPDX-License-Identifier: Apache-2.0
//
// Cell: the place where one actor lives: its mailbox, its state and its
// credits. Cells are recycled and never freed while the bus's state lives, so
// an address can always look at one and see by the generation whether it still
// means its actor.
//
// Ownership: CellTable owns all cells of a loop.
// Threads:   loop thread only, but for `credits`, `interleaved` and exit_of(),
//            which anyone may use. Allocate() is thread-safe, Free() loop
//            thread only.
// Bounds:    LoopOptions::max_actors.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_CELL_H_
#define TROLLEY_BUS_CELL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_base.h"
#include "trolley/bus/actor_class.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/credits.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/mailbox.h"
#include "trolley/bus/standing.h"
#include "trolley/bus/suspended_handler.h"

namespace trolley {

struct alignas(64) Cell {
  using State = Standing::State;

  // Loop thread only, but for `interleaved` and `exit`.
  ActorBase* actor = nullptr;
  EnvelopeQueue data;             // the mailbox's data lane
  uint32_t data_queued = 0;       // messages in it
  uint32_t local_places = 0;      // credits its own loop holds
  Cell* next_runnable = nullptr;  // in the run queue
  ActorId self;                   // whoever lives here; nobody
  uint64_t handled = 0;           // messages
  Standing standing;
  // How many places its loop holds before it gives some to others. 0: each goes
  // the slow way.
  uint8_t kept_places = 0;
  bool places_listed : 1 = false;   // in the loop's list of places to give back
  bool started : 1 = false;         // OnStart has returned
  bool expiry_watched : 1 = false;  // in the list of bus/expiry.h
  // SpawnOptions::interleaved. Any thread may look, to explain a cycle of asks.
  std::atomic<bool> interleaved{false};
  std::atomic<uint8_t> exit{0};  // as set_exit() packs it
  // Asks whose handlers wait, of an actor that takes messages meanwhile.
  uint16_t suspended_asks = 0;

  alignas(64) Credits credits;  // thread-safe
  uint32_t capacity = 0;        // immutable while an actor lives here
  uint32_t slot = 0;            // immutable
  // Loop thread only, and seldom touched.
  UrgentLanes urgent;                     // the mailbox's other lanes
  SuspendedHandler* suspended = nullptr;  // list
  SmallEnvelopeQueue room_requests;       // senders that wait for room
  const ActorClass* actor_class = nullptr;
  std::unique_ptr<std::string> name;  // null: none

  State state() const { return standing.state(); }
  // The order of starting, over all loops; an actor lives here.
  uint64_t start_sequence() const { return actor->start_sequence_; }
  // How many places move between it and its senders at a time.
  uint32_t places_batch() const {
    return std::clamp<uint32_t>(capacity / 8, 1, 64);
  }
  // After a change of what it depends on.
  void UpdateKeptPlaces() {
    const bool simple =
        state() == State::kRunning && places_listed && room_requests.empty();
    kept_places = simple ? places_batch() : 0;
  }
  // How many of them there may be: what else comes is to find places.
  uint32_t most_suspended_asks() const {
    return std::clamp<uint32_t>(capacity / 2, 1, UINT16_MAX);
  }
  // Whether a handler of a message waits in it.
  bool handles_something() const {
    const SuspendedHandler* h = suspended;
    while (h != nullptr && h->envelope == nullptr) h = h->next;
    return h != nullptr;
  }
  // Thread-safe.
  bool is_interleaved() const {
    return interleaved.load(std::memory_order_relaxed);
  }
  // How the actor of that generation ends; kept until the next one has ended
  // here. Five bits of the generation tell which of the two it is.
  void set_exit(uint32_t generation, ExitReason::Kind kind) {
    exit.store((generation & 31) << 3 | static_cast<uint8_t>(kind),
               std::memory_order_relaxed);
  }
  // Thread-safe. kUnknown also if another actor has ended here since.
  ExitReason::Kind exit_of(uint32_t generation) const {
    const uint32_t before = credits.generation();
    const uint8_t packed = exit.load(std::memory_order_relaxed);
    // What a later one has left is within reach of the bits, or not taken.
    const bool theirs = packed >> 3 == (generation & 31) &&
                        before - generation < 31 &&
                        credits.generation() - generation < 31;
    return theirs ? static_cast<ExitReason::Kind>(packed & 7)
                  : ExitReason::Kind::kUnknown;
  }
  // Whether a slice would find something to do.
  bool has_work() const {
    return !urgent.control.empty() ||
           (!standing.busy() && (!urgent.reply.empty() || !data.empty()));
  }
};

static_assert(sizeof(Cell) == 128);

class CellTable {
 public:
  explicit CellTable(uint32_t max_cells);
  CellTable(const CellTable&) = delete;
  CellTable& operator=(const CellTable&) = delete;

  // A free cell with a new generation opened; null if all are in use.
  Cell* Allocate(uint32_t* generation);
  // The same for the loop's own thread, without a lock most of the time.
  Cell* AllocateLocal(uint32_t* generation);

  // Any thread. Gives back a cell just allocated that nobody has heard of.
  void Abandon(Cell* cell);

  // Loop thread only. Frees a cell that `generation` lived in.
  void Free(Cell* cell, uint32_t generation);

  // All slots are below it.
  uint32_t max_slots() const { return max_made_; }

  // Any slot taken from an ActorId that this bus handed out.
  Cell* Find(uint32_t slot) const {
    return chunks_[slot / kChunk].load(std::memory_order_acquire) +
           slot % kChunk;
  }

  // The cell in which `id` lives; null if its actor has ended. Loop thread
  // only.
  Cell* FindLive(ActorId id) const {
    Cell* cell = Find(id.slot());
    const bool lives = cell->self == id && cell->state() != Cell::State::kFree;
    return lives ? cell : nullptr;
  }

  // Thread-safe. Cells ever used: those with a slot below.
  uint32_t used() const { return used_.load(std::memory_order_acquire); }
  // Thread-safe. Actors now; those that are being spawned count.
  uint32_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kChunk = 1024;
  static constexpr uint32_t kBatch = 64;  // cells moved between the lists

  // Counts one more in use; false if all are.
  bool CountOneMore();
  Cell* TakeShared() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t max_cells_;  // in use at one time
  const uint32_t max_made_;   // with those that wait in the local list
  std::atomic<uint32_t> in_use_{0};
  std::unique_ptr<std::atomic<Cell*>[]> chunks_;
  std::atomic<uint32_t> used_{0};

  Cell* local_free_ = nullptr;  // loop thread only, by next_runnable
  uint32_t local_count_ = 0;

  absl::Mutex mutex_;
  Cell* shared_free_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<std::unique_ptr<Cell[]>> owned_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley

#endif  // TROLLEY_BUS_CELL_H_
