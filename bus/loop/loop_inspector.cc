// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/loop_inspector.h"

#include "trolley/bus/loop/info_of.h"

namespace trolley::internal {
LoopInfo LoopInspector::Loop() const {
  const LoopInbox& inbox = router_.inbox();
  return {.index = inbox.index,
          .poller = poller_,
          .passed_over = inbox.passed_over,
          .actors = inbox.cells.in_use(),
          .pending_asks = static_cast<uint32_t>(router_.reply_slots().used()),
          .suspended_messages = coroutines_.suspended_messages(),
          .turns = inbox.stats.turns.Read(),
          .waits = inbox.stats.waits.Read(),
          .wakes = inbox.stats.wakes.Read(),
          .ledger = inbox.ledger.Read()};
}

std::optional<ActorInfo> LoopInspector::Actor(ActorId id) const {
  const Cell* cell = router_.inbox().cells.FindLive(id);
  if (cell == nullptr || cell->state() == Cell::State::kReserved) {
    return std::nullopt;
  }
  return InfoOf(*cell, router_.inbox());
}

}  // namespace trolley::internal
