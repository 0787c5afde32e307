// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/mailbox/credit_waiters.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/mailbox/credit_requests.h"

namespace trolley::internal {

void CreditWaiters::GiveBackSlowly(Cell& cell) {
  // mutant: P10_ADrainingActorTakesMessages
  if (cell.state() != Cell::State::kRunning && !cell.seat) return;  // it ends
  // The reserve is full again before the senders that wait get credits.
  // mutant: P6_WaitingSendersGetTheReserve
  const bool reserve = cell.credits.free() < cell.credits.reserve();
  if (cell.waiting_senders == nullptr || reserve) {
    credits_.GiveBack(cell);
  } else {
    // mutant: P6_ASenderThatWaitsIsNotTold
    Reserve(cell, 1);
  }
}

void CreditWaiters::Wait(Cell& cell, Envelope* request) {
  const bool first = cell.waiting_senders == nullptr;
  if (first) cell.waiting_senders = std::make_unique<WaitingSenders>();
  cell.waiting_senders->requests.Push(request);
  ++cell.waiting_senders->count;
  cell.UpdateKeptCredits();
  // There may be room by now.
  if (first) Reserve(cell, credits_.TakeAll(cell));
}

void CreditWaiters::Reserve(Cell& cell, uint32_t credits) {
  WaitingSenders& senders = *cell.waiting_senders;
  senders.reserved += credits;
  if (!cell.actor_state.runnable()) {
    Grant(cell, senders.count);
    // mutant: P6_EachCreditThatComesFreeWakesASender
  } else if (senders.reserved >= cell.capacity / 4) {
    Grant(cell, (senders.count + 3) / 4);
  }
}

bool CreditWaiters::HasRoomFor(Cell& cell, uint64_t before, uint64_t bytes) {
  ByteBudget* budget = budgets_.Find(cell.slot);
  if (budget == nullptr || !budget->bounded()) return true;
  // mutant: P6_ASenderThatWaitsForBytesIsForgotten
  if (!budget->HasRoomFor(before, bytes)) budget->SetWaiting();
  return budget->HasRoomFor(before, bytes);
}

// Each sender gets one credit. The credits that are left go to the pool.
void CreditWaiters::Grant(Cell& cell, uint32_t most) {
  WaitingSenders& senders = *cell.waiting_senders;
  uint64_t granted = 0;  // bytes that the senders will take
  for (; most > 0 && senders.reserved > 0; --most) {
    const uint64_t bytes =
        senders.requests.front().payload<CreditRequest>().bytes;
    // mutant: P6_WhatHasNoRoomIsGranted
    if (!HasRoomFor(cell, granted, bytes)) break;
    granted += bytes;
    --senders.reserved;
    --senders.count;
    Envelope* request = senders.requests.Pop();
    request->ops->drop(request);
    request->ops->answer(request, absl::OkStatus());
    send_reply_(request);
  }
  if (senders.reserved > 0) {
    cell.credits.Return(cell.self.generation(),
                        std::exchange(senders.reserved, 0));
  }
  if (senders.count == 0) cell.waiting_senders = nullptr;
  cell.UpdateKeptCredits();
  CheckCredits(cell);
}

}  // namespace trolley::internal
