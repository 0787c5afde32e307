// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/crossing/bus_state.h"

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

namespace {

uint64_t RandomId() {
  uint64_t id = 0;
  try {
    std::random_device random;
    id = (uint64_t{random()} << 32) | random();
  } catch (const std::exception&) {
    // There is no /dev/urandom, or no descriptor is left for it. The monotonic
    // time and the addresses of this run differ from those of others, too.
    id = absl::HashOf(MonotonicClock().Now().nanos(), RealSys().Getpid(), &id);
  }
  return id != 0 ? id : 1;
}

}  // namespace

thread_local constinit LoopInbox* LoopInbox::current = nullptr;

BusState::BusState(BusOptions options)
    : log_(options.log_limits, std::exchange(options.log, nullptr),
           !options.for_tests.single_threaded   ? nullptr
           : options.for_tests.clock != nullptr ? options.for_tests.clock
                                                : &MonotonicClock()),
      options_(std::move(options)),
      sys_(options_.for_tests.sys != nullptr ? *options_.for_tests.sys
                                             : RealSys()),
      clock_(options_.for_tests.clock != nullptr ? *options_.for_tests.clock
                                                 : MonotonicClock()),
      instance_id_(options_.for_tests.instance_id != 0
                       ? options_.for_tests.instance_id
                       : RandomId()),
      exit_records_(options_.ended_actors_kept) {
  sigemptyset(&mains_signals_);  // a simulated Sys does not set it
  sys_.Sigmask(SIG_BLOCK, nullptr, &mains_signals_);
  for (const LoopOptions& loop : options_.loops) {
    inboxes_.push_back(
        std::make_unique<LoopInbox>(inboxes_.size(), loop.max_actors));
    cells_.Add(inboxes_.back()->cells);
  }
}

// The count of this thread's loop, if it is one of this bus; else null.
int64_t* BusState::CountedApartHere() {
  LoopInbox* here = LoopInbox::current;
  const bool ours = here != nullptr && here->index < inboxes_.size() &&
                    inboxes_[here->index].get() == here;
  return ours ? &here->references : nullptr;
}

void BusState::AddReference() { references_.Add(CountedApartHere()); }

bool BusState::DropReference() { return references_.Drop(CountedApartHere()); }

uint32_t BusState::NextLoop() {
  uint32_t loop = next_loop_.fetch_add(1) % loops();
  for (uint32_t i = 1; i < loops() && inboxes_[loop]->ended(); ++i) {
    loop = (loop + 1) % loops();
  }
  return loop;
}

Delivery BusState::TakeCredit(ActorId target, bool urgent) {
  if (draining()) return Delivery::kDraining;
  CreditPool& credits = cells_.Find(target).credits;
  const CreditPool::Taken taken = urgent
                                      ? credits.TakeUrgent(target.generation())
                                      : credits.TakeOne(target.generation());
  if (taken.gone) return Delivery::kGone;
  return taken.credits > 0 ? Delivery::kAccepted : Delivery::kFull;
}

void BusState::FreeName(ActorId id, ExitReason reason) {
  const std::string name = names_.NameOf(id);
  if (name.empty()) return;
  exit_records_.Add(id, name, std::move(reason));
  names_.Remove(name, id);
}

void BusState::GiveUp(ActorId id) {
  const ExitReason::Kind why = EndOfLoop();
  FreeName(id, {.kind = why, .error = {}});
  CellTable& cells = inbox(id.loop()).cells;
  Cell& cell = *cells.Find(id.slot());
  if (cell.credits.generation() != id.generation()) return;
  if (cell.exit_of(id.generation()) == ExitReason::Kind::kUnknown) {
    cell.set_exit(id.generation(), why);
  }
  cells.Discard(&cell, id.generation());
}

namespace {

// The link entry of an actor that was given an empty Ref as its link.
constexpr ActorId kNoLink = ActorId::FromWord(~uint64_t{0});

}  // namespace

void BusState::LeadOver(ActorId actor, const LeavesBy& by) {
  ActorId entry = by.link ? by.link : kNoLink;
  if (by.link && by.bus != this) entry = ActorId();  // a link of another bus
  inbox(actor.loop()).link_states.Set(actor.slot(), entry);
}

void BusState::SetConnected(ActorId link, bool connected) {
  inbox(link.loop()).link_states.Set(link.slot(), connected ? ActorId() : link);
}

bool BusState::IsConnected(ActorId actor) {
  const auto lives = [this](ActorId id) {
    return cells_.Find(id).credits.generation() == id.generation();
  };
  const ActorId link = inbox(actor.loop()).link_states.Get(actor.slot());
  const bool connected =
      !link || (link != kNoLink && lives(link) &&
                inbox(link.loop()).link_states.Get(link.slot()) != link);
  // If the actor has ended, the entry may be of a later actor of its slot.
  return connected || !lives(actor);
}

bool BusState::Post(Envelope* envelope) {
  // Counts first: after Deliver() it may be handled at any time, and `handled`
  // must not be larger than `accepted`.
  // mutant: P2_AnAttemptIsNotCounted
  outside_.attempted.Increment();
  outside_.accepted.Increment();
  if (inbox(envelope->target.loop()).Deliver(envelope, envelope)) return true;
  outside_.accepted.Increment(-1);
  outside_.attempted.Increment(-1);
  return false;
}

Ledger BusState::ReadLedger() const {
  Ledger sum = outside_.Read();
  for (const auto& inbox : inboxes_) sum += inbox->ledger.Read();
  return sum;
}

uint64_t BusState::CountActors() const {
  uint64_t sum = 0;
  for (const auto& inbox : inboxes_) sum += inbox->cells.in_use();
  return sum;
}

// --- Texts for people ------------------------------------------------------

std::string BusState::Describe(ActorId id) const {
  if (!id) return "no actor";
  std::string name = names_.NameOf(id);
  if (name.empty()) {
    if (auto record = exit_records_.Find(id)) name = record->name;
  }
  return name.empty() ? id.ToString() : name;
}

ExitReason BusState::ExitOf(ActorId id) const {
  if (!id) return {};
  if (auto record = exit_records_.Find(id)) return record->reason;
  const Cell& cell = cells_.Find(id);
  ExitReason reason{.kind = cell.exit_of(id.generation())};
  // It was on its way to its loop when the loop ended, so it never started.
  if (reason.kind == ExitReason::Kind::kUnknown &&
      inboxes_[id.loop()]->ended() &&
      cell.credits.generation() == id.generation()) {
    reason.kind = EndOfLoop();
  }
  return reason;
}

std::string BusState::DescribeEnd(ActorId id) const {
  if (!id) return "the address names no actor";
  const std::string why = ExitOf(id).ToString();
  return absl::StrCat(Describe(id), " has ended", why.empty() ? "" : ": ", why);
}

absl::Status BusState::NoSuchActor(absl::string_view name) const {
  const auto last = exit_records_.FindName(name);
  return absl::NotFoundError(absl::StrCat(
      "no actor named \"", Printable(name, SpawnOptions::kMostNameBytes),
      "\" is running",
      last.has_value()
          ? absl::StrCat("; the last one has ended: ", last->reason.ToString())
          : ""));
}

absl::Status BusState::Explain(Delivery delivery, ActorId target) const {
  return delivery == Delivery::kGone
             ? absl::NotFoundError(DescribeEnd(target))
             : DeliveryStatus(delivery, Describe(target));
}

absl::Status BusState::NoReplyWithin(ActorId target,
                                     absl::Duration time) const {
  // For people: no digits below a microsecond.
  time =
      std::max(absl::Trunc(time, absl::Microseconds(1)), absl::ZeroDuration());
  return absl::DeadlineExceededError(absl::StrCat(
      Describe(target), " did not reply within ", absl::FormatDuration(time)));
}

}  // namespace trolley::internal
