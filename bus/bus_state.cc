// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/bus_state.h"

#include <cstdio>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/loop.h"

namespace trolley {

namespace {

uint64_t RandomId() {
  std::random_device random;
  const uint64_t id = (uint64_t{random()} << 32) | random();
  return id != 0 ? id : 1;
}

}  // namespace

BusState::BusState(BusOptions options)
    : options_(std::move(options)),
      sys_(options_.sys != nullptr ? *options_.sys : RealSys()),
      clock_(options_.clock != nullptr ? *options_.clock : MonotonicClock()),
      instance_id_(options_.instance_id != 0 ? options_.instance_id
                                             : RandomId()) {
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

void BusState::Log(absl::string_view line) const {
  if (options_.log != nullptr) {
    options_.log(line);
    return;
  }
  const std::string text = absl::StrCat("trolley: ", line, "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace trolley
