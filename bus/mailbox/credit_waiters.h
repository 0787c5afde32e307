// SPDX-License-Identifier: Apache-2.0
//
// CreditWaiters: decides where the credit of a handled message goes. If senders
// wait for room (Ref::Send), it goes to them, in the order in which they asked.
// Otherwise it goes to LocalCredits. See bus/mailbox/credit_pool.h for mailbox
// credit as a whole.
//
// To wake a sender for each credit would cost more than the messages. So
// credits are reserved for the senders that wait until they are a quarter of
// the mailbox, or until the actor has nothing left to do. In the first case
// only a quarter of the senders are woken. They fill the mailbox again while
// the actor handles the messages that are still queued.
//
// A sender that waits for bytes (bus/message/byte_budget.h) waits in the same
// line. If there is no room for the message of the first sender, the others
// wait, too. The actor tries again when it has nothing left to do, and when the
// reserved credits are a quarter of the mailbox.
//
// Ownership: part of a loop. The requests that wait are in the cells
//            (Cell::waiting_senders).
// Threads:   loop thread only.
// Bounds:    one request for each sender that waits; each suspends its handler.
// Ends:      the loop answers the requests that still wait when the actor ends.

#ifndef TROLLEY_BUS_MAILBOX_CREDIT_WAITERS_H_
#define TROLLEY_BUS_MAILBOX_CREDIT_WAITERS_H_

#include <cstdint>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/functional/any_invocable.h"
#include "trolley/bus/mailbox/cell.h"
#include "trolley/bus/mailbox/local_credits.h"
#include "trolley/bus/message/byte_budget.h"
#include "trolley/bus/registry/slot_table.h"

namespace trolley::internal {

class CreditWaiters {
 public:
  // `send_reply` sends an envelope that holds a reply.
  CreditWaiters(LocalCredits& credits, SlotTable<ByteBudget>& budgets,
                absl::AnyInvocable<void(Envelope*)> send_reply)
      : credits_(credits),
        budgets_(budgets),
        send_reply_(std::move(send_reply)) {}

  // Takes back the credit of a message that `cell` has handled. The payload,
  // and with it the lease of its bytes, must be destroyed by then.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void GiveBack(Cell& cell) {
    if (cell.local_credits + 1 <= cell.kept_credits) [[likely]] {
      ++cell.local_credits;
    } else {
      GiveBackSlowly(cell);
    }
  }

  // Takes the CreditRequest of a sender; answers it when there is room.
  void Wait(Cell& cell, Envelope* request);

  // `cell` has nothing left to do and its loop keeps no credits for it: gives
  // what is free to the senders that wait.
  void GiveAll(Cell& cell) {
    if (cell.waiting_senders != nullptr) {
      Reserve(cell, credits_.TakeAll(cell));
    }
  }

 private:
  void GiveBackSlowly(Cell& cell);
  void Reserve(Cell& cell, uint32_t credits);
  void Grant(Cell& cell, uint32_t most);
  bool HasRoomFor(Cell& cell, uint64_t before, uint64_t bytes);

  LocalCredits& credits_;
  SlotTable<ByteBudget>& budgets_;
  absl::AnyInvocable<void(Envelope*)> send_reply_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_CREDIT_WAITERS_H_
