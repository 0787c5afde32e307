// SPDX-License-Identifier: Apache-2.0
//
// The control messages of mailbox credit. Values; any thread.

#ifndef TROLLEY_BUS_MAILBOX_CREDIT_REQUESTS_H_
#define TROLLEY_BUS_MAILBOX_CREDIT_REQUESTS_H_

#include <cstdint>

#include "trolley/bus/message/control_envelope.h"

namespace trolley::internal {

// An ask for one credit of a full mailbox, for a message of `bytes`. The reply
// is an absl::Status; OK hands the credit to the asker, and says that there was
// room for the bytes. The asker has to take them.
struct CreditRequest {
  uint64_t bytes;
};

// A sender took bytes, gave them back, and a sender waits for some.
struct RoomCameFree {};

// Gives back a credit that was not used.
struct ReturnedCredit {};

template <>
inline constexpr MessageOps kControlMessage<CreditRequest> = {
    .deliver = nullptr,
    .drop = [](Envelope*) {},
    .answer = &AnswerWithStatus,
    .name = [] { return absl::string_view("credit request"); },
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_CREDIT_REQUESTS_H_
