// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/turn_trace.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace trolley::internal {

void TurnTrace::NoteChanges(const Bus& bus, absl::string_view who) {
  const Ledger now = bus.ReadLedger();
  std::vector<std::string> changes;
  const auto count = [&](uint64_t Ledger::*counter, absl::string_view name) {
    const uint64_t more = now.*counter - ledger_.*counter;
    if (more > 0) changes.push_back(absl::StrCat(more, " ", name));
  };
  count(&Ledger::handled, "handled");
  count(&Ledger::failed, "failed");
  count(&Ledger::expired, "expired");
  count(&Ledger::dead_lettered, "dead-lettered");
  count(&Ledger::dropped, "dropped");
  count(&Ledger::accepted, "accepted");
  count(&Ledger::refused, "refused");
  const uint64_t actors = bus.CountActors();
  if (actors != actors_) {
    const uint64_t by = actors > actors_ ? actors - actors_ : actors_ - actors;
    changes.push_back(absl::StrCat(by, by == 1 ? " actor " : " actors ",
                                   actors > actors_ ? "more" : "fewer"));
  }
  ledger_ = now;
  actors_ = actors;
  if (changes.empty()) return;
  Note(absl::StrCat(who, ": ", absl::StrJoin(changes, ", ")));
}

}  // namespace trolley::internal
