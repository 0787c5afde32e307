// SPDX-License-Identifier: Apache-2.0
//
// BusState: what the loops of a bus and all addresses share. It outlives the
// Bus as long as there is an Address of one of its actors.
//
// Ownership: reference counted (bus/crossing/bus_references.h).
// Threads:   thread-safe. The list of inboxes and the options are immutable
//            after construction.
// Bounds:    BusOptions.
// Ends:      with the last reference, after the loops have ended.

#ifndef TROLLEY_BUS_CROSSING_BUS_STATE_H_
#define TROLLEY_BUS_CROSSING_BUS_STATE_H_

#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/crossing/bus_references.h"
#include "trolley/bus/crossing/loop_inbox.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/log/log.h"
#include "trolley/bus/mailbox/cell_directory.h"
#include "trolley/bus/options.h"
#include "trolley/bus/ref_counted.h"
#include "trolley/bus/registry/exit_records.h"
#include "trolley/bus/registry/name_registry.h"

namespace trolley::internal {

class BusState {
 public:
  using Ptr = RefPtr<BusState>;

  // Starts with one reference, which Ptr::Adopt takes over.
  explicit BusState(BusOptions options);
  BusState(const BusState&) = delete;
  BusState& operator=(const BusState&) = delete;

  // Ptr calls these.
  void AddReference();
  [[nodiscard]] bool DropReference();
  BusReferences& references() { return references_; }

  const BusOptions& options() const { return options_; }
  Sys& sys() const { return sys_; }
  const Clock& clock() const { return clock_; }
  LoopInbox& inbox(uint32_t loop) { return *inboxes_[loop]; }
  const CellDirectory& cells() const { return cells_; }
  uint32_t loops() const { return inboxes_.size(); }
  NameRegistry& names() { return names_; }
  ExitRecords& exit_records() { return exit_records_; }

  // As Address::ToString().
  std::string Describe(ActorId id) const;
  // Why it has ended. kUnknown: it has not, or the reason is no longer kept.
  ExitReason ExitOf(ActorId id) const;
  // "bank/slow has ended: its handler of Boom threw: disk full".
  std::string DescribeEnd(ActorId id) const;
  // NotFound: no actor of that name runs. The text says why the last one has
  // ended.
  absl::Status NoSuchActor(absl::string_view name) const;
  // As Address::Explain().
  absl::Status Explain(Delivery delivery, ActorId target) const;
  // DeadlineExceeded: `target` did not reply within `time`.
  absl::Status NoReplyWithin(ActorId target, absl::Duration time) const;

  // The signal mask of the thread that created the bus, at that time.
  const sigset_t& mains_signals() const { return mains_signals_; }

  bool draining() const { return draining_.load(); }
  void BeginDraining() { draining_.store(true); }

  // Null: the loops have threads of their own. Borrowed until it is set to
  // null.
  BusDriver* driver() const { return driver_; }
  void SetDriver(BusDriver* driver) { driver_ = driver; }

  // TestOptions::instance_id; never 0.
  uint64_t instance_id() const { return instance_id_; }

  uint64_t NextStartSequence() { return next_start_.fetch_add(1) + 1; }
  // The loop for the next actor with SpawnOptions::kAnyLoop: one after the
  // other, without those that have ended.
  uint32_t NextLoop();

  // --- Sending from a thread that is not a loop of this bus ---
  // Takes a credit of `target`: kAccepted, kFull, kGone or kDraining. Counts
  // nothing.
  Delivery TakeCredit(ActorId target, bool urgent);
  // Thread-safe. Null: the bytes of this mailbox have no bound.
  ByteBudget* BudgetOf(ActorId actor) {
    ByteBudget* budget = inbox(actor.loop()).byte_budgets.Find(actor.slot());
    return budget != nullptr && budget->bounded() ? budget : nullptr;
  }
  // Queues an envelope that has its credit or needs none, and counts it as
  // accepted. False: the loop has ended; the caller still owns the envelope,
  // and nothing is counted.
  bool Post(Envelope* envelope);
  // Counts one send of a plain thread.
  void CountSend(bool was_accepted) { outside_.CountSend(was_accepted); }

  // --- Actors that do not come to their loop ---
  // Why an actor ends that its loop ends.
  ExitReason::Kind EndOfLoop() const {
    return draining() ? ExitReason::Kind::kBusEnded
                      : ExitReason::Kind::kLoopEnded;
  }
  // Frees the name of `id`, if it has one, and keeps it for later errors.
  void FreeName(ActorId id, ExitReason reason);
  // Frees the name and the cell of `id`, which has not come to its loop. The
  // loop has ended.
  void GiveUp(ActorId id);

  // --- Actors whose messages leave the process ---
  // Messages to `actor` leave the process by that link. Call it before a sender
  // knows the id of `actor`.
  void LeadOver(ActorId actor, const LeavesBy& by);
  // For an actor of which LeadOver() will be said: it counts as connected until
  // then. Forgets what was said of an earlier actor of its slot.
  void ClearLink(ActorId actor) {
    LinkStates& states = inbox(actor.loop()).link_states;
    if (states.Get(actor.slot())) states.Set(actor.slot(), ActorId());
  }
  // Says whether `link` takes messages from now on. A new link takes messages.
  // Call it on the loop of `link`.
  void SetConnected(ActorId link, bool connected);
  // False: messages to `actor` leave the process, and its link takes none or
  // has ended. True if `actor` itself has ended: TakeCredit() tells that.
  bool IsConnected(ActorId actor);

  // The sum over all loops and plain threads. Exact when all are idle.
  Ledger ReadLedger() const;

  // The number of actors, those that are being spawned included.
  uint64_t CountActors() const;

  // Logs a line. `source`: what caused it, for the limits of LogOptions. Never
  // blocks (bus/log/log.h).
  void Log(absl::string_view line, absl::string_view source = "",
           LogKind kind = LogKind::Here()) {
    log_.Write(line, source, kind);
  }
  BusLog& log() { return log_; }

 private:
  int64_t* CountedApartHere();

  BusLog log_;
  const BusOptions options_;  // but for `log`
  Sys& sys_;
  const Clock& clock_;
  const uint64_t instance_id_;
  BusDriver* driver_ = nullptr;
  sigset_t mains_signals_;
  std::atomic<bool> draining_{false};
  std::vector<std::unique_ptr<LoopInbox>> inboxes_;
  CellDirectory cells_;
  BusReferences references_;
  NameRegistry names_;
  ExitRecords exit_records_;
  LedgerCounters<SharedCounter> outside_;  // the sends of plain threads
  // Each spawn writes these. What all loops read has cache lines of its own.
  alignas(64) std::atomic<uint64_t> next_start_{0};
  std::atomic<uint32_t> next_loop_{0};
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_CROSSING_BUS_STATE_H_
