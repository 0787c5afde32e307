// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/bus_state.h"

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/address.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/printable.h"

namespace trolley {

namespace {

uint64_t RandomId() {
  uint64_t id = 0;
  try {
    std::random_device random;
    id = (uint64_t{random()} << 32) | random();
  } catch (const std::exception&) {
    // No descriptor for /dev/urandom is left, or there is none. The time since
    // the machine started and where memory was placed tell runs apart, too.
    id = absl::HashOf(MonotonicClock().Now().nanos(), RealSys().Getpid(), &id);
  }
  return id != 0 ? id : 1;
}

}  // namespace

BusState::BusState(BusOptions options)
    : log_(options.log_limits, std::exchange(options.log, nullptr),
           !options.single_threaded   ? nullptr
           : options.clock != nullptr ? options.clock
                                      : &MonotonicClock()),
      options_(std::move(options)),
      sys_(options_.sys != nullptr ? *options_.sys : RealSys()),
      clock_(options_.clock != nullptr ? *options_.clock : MonotonicClock()),
      instance_id_(options_.instance_id != 0 ? options_.instance_id
                                             : RandomId()),
      obituaries_(options_.ended_actors_kept) {
  sigemptyset(&mains_signals_);  // what a Sys without signals leaves it at
  sys_.Sigmask(SIG_BLOCK, nullptr, &mains_signals_);
  for (const LoopOptions& loop : options_.loops) {
    ports_.push_back(
        std::make_unique<LoopPort>(ports_.size(), loop.max_actors));
  }
}

namespace {

int64_t* CountedApartHere(const BusState* bus) {
  Loop* loop = Loop::Current();
  return loop != nullptr && &loop->bus() == bus ? &loop->port().references
                                                : nullptr;
}

}  // namespace

void BusState::AddReference() { references_.Add(CountedApartHere(this)); }

bool BusState::DropReference() {
  return references_.Drop(CountedApartHere(this));
}

Delivery BusState::Admit(ActorId target) {
  outside_.attempted.Increment();
  Delivery delivery = Delivery::kAccepted;
  if (draining()) {
    delivery = Delivery::kDraining;
  } else {
    const Credits::Lease lease = port(target.loop())
                                     .cells.Find(target.slot())
                                     ->credits.TakeOne(target.generation());
    if (lease.gone) {
      delivery = Delivery::kGone;
    } else if (lease.places == 0) {
      delivery = Delivery::kFull;
    }
  }
  if (delivery != Delivery::kAccepted) outside_.refused.Increment();
  return delivery;
}

namespace {

// Where the messages of an actor lead that was given a link which names nobody.
constexpr ActorId kNowhere = ActorId::FromWord(~uint64_t{0});

}  // namespace

void BusState::LeadOver(ActorId actor, const Address& link) {
  ActorId line = link ? link.id() : kNowhere;
  if (link && link.bus() != this) line = ActorId();  // unknown here
  port(actor.loop()).lines.Set(actor.slot(), line);
}

void BusState::SetConnected(ActorId link, bool connected) {
  port(link.loop()).lines.Set(link.slot(), connected ? ActorId() : link);
}

bool BusState::IsConnected(ActorId actor) {
  const auto lives = [this](ActorId id) {
    return port(id.loop()).cells.Find(id.slot())->credits.generation() ==
           id.generation();
  };
  const ActorId link = port(actor.loop()).lines.Get(actor.slot());
  const bool connected =
      !link || (link != kNowhere && lives(link) &&
                port(link.loop()).lines.Get(link.slot()) != link);
  // What was read is another's if the actor has ended.
  return connected || !lives(actor);
}

Delivery BusState::SendAdmitted(Envelope* envelope) {
  // Counted first: once it is pushed it may be handled at any time, and more
  // must never seem to have been handled than accepted.
  outside_.accepted.Increment();
  if (port(envelope->target.loop()).Deliver(envelope, envelope)) {
    return Delivery::kAccepted;
  }
  outside_.accepted.Increment(-1);
  outside_.refused.Increment();
  return Delivery::kGone;
}

Ledger BusState::ReadLedger() const {
  Ledger sum = outside_.Read();
  for (const auto& port : ports_) sum += port->ledger.Read();
  return sum;
}

uint64_t BusState::CountActors() const {
  uint64_t sum = 0;
  for (const auto& port : ports_) sum += port->cells.in_use();
  return sum;
}

// --- What people read ------------------------------------------------------

std::string BusState::Describe(ActorId id) const {
  if (!id) return "nobody";
  std::string name = names_.NameOf(id);
  if (name.empty()) {
    if (auto obituary = obituaries_.Find(id)) name = obituary->name;
  }
  return name.empty() ? id.ToString() : name;
}

ExitReason BusState::ExitOf(ActorId id) const {
  if (!id) return {};
  if (auto obituary = obituaries_.Find(id)) return obituary->reason;
  const Cell& cell = *ports_[id.loop()]->cells.Find(id.slot());
  ExitReason reason{.kind = cell.exit_of(id.generation())};
  // What was on its way to a loop that has ended began no life.
  if (reason.kind == ExitReason::Kind::kUnknown && draining() &&
      cell.credits.generation() == id.generation()) {
    reason.kind = ExitReason::Kind::kBusEnded;
  }
  return reason;
}

std::string BusState::DescribeEnd(ActorId id) const {
  if (!id) return "the address names nobody";
  const std::string why = ExitOf(id).ToString();
  return absl::StrCat(Describe(id), " has ended", why.empty() ? "" : ": ", why);
}

absl::Status BusState::NoSuchActor(absl::string_view name) const {
  const auto last = obituaries_.FindName(name);
  return absl::NotFoundError(absl::StrCat(
      "no actor named \"", Printable(name, Names::kMaxBytes), "\" is running",
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
  // What people read, to the microsecond at most.
  time =
      std::max(absl::Trunc(time, absl::Microseconds(1)), absl::ZeroDuration());
  return absl::DeadlineExceededError(absl::StrCat(
      Describe(target), " did not reply within ", absl::FormatDuration(time)));
}

}  // namespace trolley
