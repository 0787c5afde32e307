// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/bus_state.h"

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trolley {

BusState::BusState(BusOptions options)
    : options_(std::move(options)),
      sys_(options_.sys != nullptr ? *options_.sys : RealSys()),
      clock_(options_.clock != nullptr ? *options_.clock : MonotonicClock()) {
  for (const LoopOptions& loop : options_.loops) {
    ports_.push_back(
        std::make_unique<LoopPort>(ports_.size(), loop.max_actors));
  }
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
