// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/turn_trace.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace trolley::internal {
namespace {

absl::string_view WordFor(RunObserver::What what) {
  switch (what) {
    case RunObserver::What::kStarted:
      return "starts";
    case RunObserver::What::kEnded:
      return "ends";
    case RunObserver::What::kHandled:
      return "handled";
    case RunObserver::What::kFailed:
      return "failed at";
    case RunObserver::What::kWaits:
      return "waits in";
    case RunObserver::What::kExpired:
      return "was too late for";
    case RunObserver::What::kDeadLettered:
      return "never took";
    case RunObserver::What::kDropped:
      return "dropped";
  }
  return "did something with";
}

}  // namespace

// "loop 1: bank handled Withdraw of teller".
void TurnTrace::Saw(What what, ActorId actor, ActorId sender,
                    absl::string_view message) {
  Note(absl::StrCat("loop ", actor.loop(), ": ", name_of_(actor), " ",
                    WordFor(what), message.empty() ? "" : " ", message,
                    sender ? " of " : "",
                    sender ? name_of_(sender) : std::string()));
}

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
