// SPDX-License-Identifier: Apache-2.0
//
// BusState: what a bus's loops and addresses share. It outlives the Bus object
// for as long as anyone holds an address.
//
// Ownership: reference counted (bus/bus_references.h).
// Threads:   thread-safe; `ports` and the options are immutable after
//            construction.
// Ends:      with the last reference; the loops have ended long before.

#ifndef TROLLEY_BUS_BUS_STATE_H_
#define TROLLEY_BUS_BUS_STATE_H_

#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/bus_references.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/log.h"
#include "trolley/bus/loop_port.h"
#include "trolley/bus/names.h"
#include "trolley/bus/obituaries.h"
#include "trolley/bus/options.h"
#include "trolley/bus/ref_counted.h"

namespace trolley {

class Address;

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
  LoopPort& port(uint32_t loop) { return *ports_[loop]; }
  uint32_t loops() const { return ports_.size(); }
  Names& names() { return names_; }
  Obituaries& obituaries() { return obituaries_; }

  // What people call an actor: its name, also when it has ended, or
  // "#loop.slot.generation" if it has none or that is not kept any longer.
  std::string Describe(ActorId id) const;
  // Why it has ended; kUnknown: it has not, or that is not kept any longer.
  ExitReason ExitOf(ActorId id) const;
  // "bank/slow has ended: its handler of Boom threw: disk full".
  std::string DescribeEnd(ActorId id) const;
  // NotFound: no actor of that name runs; why the last one has ended.
  absl::Status NoSuchActor(absl::string_view name) const;
  // As DeliveryStatus (bus/delivery.h), and for kGone why it has ended.
  absl::Status Explain(Delivery delivery, ActorId target) const;
  // DeadlineExceeded: it did not reply within that time.
  absl::Status NoReplyWithin(ActorId target, absl::Duration time) const;

  // The mask of the thread that created the bus, then.
  const sigset_t& mains_signals() const { return mains_signals_; }

  bool draining() const { return draining_.load(); }
  void BeginDraining() { draining_.store(true); }

  // Tells this run of the program from every other one; random, not 0.
  uint64_t instance_id() const { return instance_id_; }

  uint64_t NextStartSequence() { return next_start_.fetch_add(1) + 1; }
  // The loop for the next actor that does not care.
  uint32_t NextLoop() { return next_loop_.fetch_add(1) % loops(); }

  // Sending from a thread that is not a loop of this bus, in two steps: Admit
  // takes the place, SendAdmitted queues the envelope in it. Both count.
  // Admit: kFull, kGone or kDraining if there is no place.
  Delivery Admit(ActorId target);
  // kGone if the loop has ended meanwhile; the envelope is then still the
  // caller's, its payload too.
  Delivery SendAdmitted(Envelope* envelope);
  // Instead of Admit, for a message that needs no place.
  void CountAttempt() { outside_.attempted.Increment(); }
  // The message was not made for which Admit took the place; the caller gives
  // the place back.
  void CountUnmade() { outside_.refused.Increment(); }

  // --- Actors whose messages leave the process ---
  // What is told to `actor` leaves by `link`. Called before the id of `actor`
  // is known to anybody.
  void LeadOver(ActorId actor, const Address& link);
  // `link` takes messages that leave, or takes none, from now on. On the loop
  // of `link`, which takes some when it starts.
  void SetConnected(ActorId link, bool connected);
  // False: what is told to `actor`, which leads over a link, would go nowhere,
  // because the link takes none or has ended. True of an `actor` that has
  // ended: Admit tells.
  bool IsConnected(ActorId actor);
  // A send from a thread that is not a loop of this bus ended with that.
  void CountNotConnected() { outside_.CountSend(false); }

  // As it stands now; loops write theirs meanwhile. Exact when they are idle.
  Ledger ReadLedger() const;

  // Actors now; those that are being spawned count.
  uint64_t CountActors() const;

  // Logs one line; `source` is what caused it, for the limits of LogOptions.
  // Never blocks (bus/log.h).
  void Log(absl::string_view line, absl::string_view source = "",
           LogKind kind = LogKind::Here()) {
    log_.Write(line, source, kind);
  }
  BusLog& log() { return log_; }

 private:
  BusLog log_;
  const BusOptions options_;  // but for `log`
  Sys& sys_;
  const Clock& clock_;
  const uint64_t instance_id_;
  sigset_t mains_signals_;
  std::vector<std::unique_ptr<LoopPort>> ports_;
  BusReferences references_;
  Names names_;
  Obituaries obituaries_;
  LedgerCounters<SharedCounter> outside_;  // the sends of plain threads
  std::atomic<bool> draining_{false};
  std::atomic<uint64_t> next_start_{0};
  std::atomic<uint32_t> next_loop_{0};
};

}  // namespace trolley

#endif  // TROLLEY_BUS_BUS_STATE_H_
