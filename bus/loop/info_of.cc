// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/info_of.h"

#include "absl/strings/string_view.h"

namespace trolley::internal {
namespace {

// How many messages of the actor hold a credit, those with suspended handlers
// included.
uint32_t HeldBy(const Cell& cell) {
  uint32_t held = cell.data_queued + cell.lanes.urgent.CountCredits();
  for (const SuspendedHandler* h = cell.suspended; h != nullptr; h = h->next) {
    held += h->envelope != nullptr && h->envelope->has(Envelope::kHoldsCredit);
  }
  return held;
}

absl::string_view StateOf(const Cell& cell) {
  if (cell.vacant) return "empty";
  switch (cell.state()) {
    case Cell::State::kStarting:
      return "starting";
    case Cell::State::kRunning:
      return cell.actor_state.busy() ? "suspended" : "running";
    default:
      return "draining";
  }
}

}  // namespace

ActorInfo InfoOf(const Cell& cell, const LoopInbox& inbox) {
  const ByteBudget* budget = inbox.byte_budgets.Find(cell.slot);
  const bool bounded = budget != nullptr && budget->bounded();
  return {
      .id = cell.self,
      .name = NameOf(cell),
      .class_name = std::string(cell.actor_class->name()),
      .state = std::string(StateOf(cell)),
      .depth = HeldBy(cell),
      .capacity = cell.actor_state.trims() ? cell.most_queued() : cell.capacity,
      .bytes = bounded ? budget->used() : 0,
      .most_bytes = bounded ? budget->most() : 0,
      .handled = cell.handled,
      .start_sequence = cell.actor != nullptr ? cell.start_sequence() : 0,
      .actor_class = cell.actor_class};
}

}  // namespace trolley::internal
