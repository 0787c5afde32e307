// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/ledger.h"

#include "absl/strings/str_cat.h"

namespace trolley {

Ledger& Ledger::operator+=(const Ledger& other) {
  attempted += other.attempted;
  accepted += other.accepted;
  refused += other.refused;
  handled += other.handled;
  failed += other.failed;
  expired += other.expired;
  dead_lettered += other.dead_lettered;
  dropped += other.dropped;
  return *this;
}

bool Ledger::Balances() const {
  return attempted == accepted + refused &&
         accepted == handled + failed + expired + dead_lettered + dropped;
}

std::string Ledger::ToString() const {
  return absl::StrCat("attempted=", attempted, " accepted=", accepted,
                      " refused=", refused, " handled=", handled,
                      " failed=", failed, " expired=", expired,
                      " dead_lettered=", dead_lettered, " dropped=", dropped,
                      " queued=", queued());
}

}  // namespace trolley
