// SPDX-License-Identifier: Apache-2.0
//
// Delivery: the result of a send. The sender has it when the send returns.
//
//   if (ref.Tell(Deposit{25}) == trolley::Delivery::kFull) ...
//
// A sender may ignore it: the ledger counts each refused message
// (bus/ledger.h). kAccepted does not say that the message was handled: the
// actor may end first. An Ask tells.
//
// A value; any thread.

#ifndef TROLLEY_BUS_DELIVERY_H_
#define TROLLEY_BUS_DELIVERY_H_

#include <cstdint>
#include <iosfwd>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

enum class Delivery : uint8_t {
  kAccepted,  // the message is in the mailbox, or on its way there
  kFull,      // the mailbox is full: no credit is free
  kGone,      // the actor has ended, or the address names none
  kDraining,  // the bus is shutting down, and the sender is not its actor
  // The actor is in another process. The link to that process is down, or the
  // actor that is the link has ended.
  kNotConnected,
};

// "accepted", "full", "gone", "draining" or "not connected": the words of all
// tools. operator<< is for streams and GoogleTest, AbslStringify for
// absl::StrCat and absl::StrFormat of Abseil 2023 and later.
absl::string_view DeliveryName(Delivery delivery);
std::ostream& operator<<(std::ostream& to, Delivery delivery);
template <typename Sink>
void AbslStringify(Sink& sink, Delivery delivery) {
  sink.Append(DeliveryName(delivery));
}

// The same as a status; `to` names the actor in its text. Address::Explain()
// also says why an actor has ended.
//
//   kAccepted       OK
//   kFull           ResourceExhausted
//   kGone           NotFound
//   kDraining       Unavailable
//   kNotConnected   Unavailable
absl::Status DeliveryStatus(Delivery delivery, absl::string_view to);

// The side that answered an ask: the handler, or the loop in its place.
// Code that has to tell these apart reads this, not the code of the status: a
// handler may return the same code.
enum class NoAnswer : uint8_t {
  kNone,     // the handler answered, perhaps with an error
  kExpired,  // the loop: the deadline passed before the handler had finished
  kGone,     // the loop: the actor ended before the handler had finished
};

// "none", "expired" or "gone"; the operators are as above.
absl::string_view NoAnswerName(NoAnswer reason);
std::ostream& operator<<(std::ostream& to, NoAnswer reason);
template <typename Sink>
void AbslStringify(Sink& sink, NoAnswer reason) {
  sink.Append(NoAnswerName(reason));
}

}  // namespace trolley

#endif  // TROLLEY_BUS_DELIVERY_H_
