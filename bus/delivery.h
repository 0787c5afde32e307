// SPDX-License-Identifier: Apache-2.0
//
// Delivery: what became of a send, known at once. Safe to ignore: whatever is
// refused is counted in the ledger. A value; any thread.

#ifndef TROLLEY_BUS_DELIVERY_H_
#define TROLLEY_BUS_DELIVERY_H_

#include <cstdint>
#include <iosfwd>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

enum class Delivery : uint8_t {
  kAccepted,  // in the mailbox, or on its way there with its place reserved
  kFull,      // the actor's data lane is at its bound
  kGone,      // the actor has ended, or the address never named one
  kDraining,  // the bus is shutting down and takes no new work
  // The link to the actor's process is down, or takes no more messages.
  kNotConnected,
};

// "full", "gone" and so on: the words of the ledger and of every tool. The
// second prints it to a stream, and in GoogleTest; the third in absl::StrCat
// and absl::StrFormat, with an Abseil that asks for it (2023 and later).
absl::string_view DeliveryName(Delivery delivery);
std::ostream& operator<<(std::ostream& to, Delivery delivery);
template <typename Sink>
void AbslStringify(Sink& sink, Delivery delivery) {
  sink.Append(DeliveryName(delivery));
}

// OK for kAccepted; else ResourceExhausted, NotFound, Unavailable, Unavailable
// in the order above. `to` names the actor in the message. Address::Explain()
// says more: why an actor has ended.
absl::Status DeliveryStatus(Delivery delivery, absl::string_view to);

// Whether an ask was answered by the loop, for a handler that did not. Stands
// in the envelope of the reply (Envelope::no_answer()), so that the status is
// one for people and nothing else.
enum class NoAnswer : uint8_t {
  kNone,     // the handler answered, with an error perhaps
  kExpired,  // the deadline passed while the message waited
  kGone,     // the actor ended first
};

// "none", "expired" or "gone"; the others as above.
absl::string_view NoAnswerName(NoAnswer reason);
std::ostream& operator<<(std::ostream& to, NoAnswer reason);
template <typename Sink>
void AbslStringify(Sink& sink, NoAnswer reason) {
  sink.Append(NoAnswerName(reason));
}

}  // namespace trolley

#endif  // TROLLEY_BUS_DELIVERY_H_
