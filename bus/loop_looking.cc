// SPDX-License-Identifier: Apache-2.0
//
// What a loop tells of its actors, while they live and when they have ended. No
// call here looks at more than one of them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trolley/bus/loop.h"

namespace trolley {

std::string Loop::NameOf(const Cell& cell) const {
  return cell.name != nullptr ? *cell.name : cell.self.ToString();
}

LoopInfo Loop::Inspect() const {
  return {.index = index(),
          .poller = std::string(capabilities().name),
          .passed_over = port_.passed_over,
          .actors = port_.cells.in_use(),
          .pending_asks = static_cast<uint32_t>(reply_slots_.used()),
          .suspended_messages = suspended_messages_,
          .turns = port_.stats.turns.Read(),
          .waits = port_.stats.waits.Read(),
          .wakes = port_.stats.wakes.Read(),
          .ledger = port_.ledger.Read()};
}

// The places of its mailbox that messages hold, those of suspended handlers
// included.
uint32_t Loop::HeldBy(const Cell& cell) {
  uint32_t held = cell.data_queued;
  for (const SuspendedHandler* h = cell.suspended; h != nullptr; h = h->next) {
    held += h->envelope != nullptr && h->envelope->has(Envelope::kHoldsCredit);
  }
  return held;
}

ActorInfo Loop::InfoOf(const Cell& cell) const {
  absl::string_view state = "running";
  if (cell.state() == Cell::State::kStarting) {
    state = "starting";
  } else if (cell.state() != Cell::State::kRunning) {
    state = "draining";
  } else if (cell.standing.busy()) {
    state = "suspended";
  }
  return {.id = cell.self,
          .name = NameOf(cell),
          .class_name = std::string(cell.actor_class->name()),
          .state = std::string(state),
          .depth = HeldBy(cell),
          .capacity = cell.capacity,
          .handled = cell.handled,
          .start_sequence = cell.actor != nullptr ? cell.start_sequence() : 0,
          .actor_class = cell.actor_class};
}

std::optional<ActorInfo> Loop::InspectActor(ActorId id) {
  const Cell* cell = Find(id);
  if (cell == nullptr || cell->state() == Cell::State::kReserved) {
    return std::nullopt;
  }
  return InfoOf(*cell);
}

ExitReason::Kind Loop::ExitKind(const Cell& cell) {
  using Kind = ExitReason::Kind;
  const Kind known = cell.exit_of(cell.self.generation());
  if (known == Kind::kFailed) return known;
  return cell.state() == Cell::State::kStopping   ? Kind::kStopped
         : cell.state() == Cell::State::kDraining ? Kind::kDrained
                                                  : Kind::kBusEnded;
}

void Loop::WhenEnded(ActorId id, Command done, ActorId by) {
  if (Find(id) == nullptr) return done(*this);
  watchers_.Add(id, by, std::move(done));
}

}  // namespace trolley
