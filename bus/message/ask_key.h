// SPDX-License-Identifier: Apache-2.0
//
// AskKey: names an ask at the actor that was asked: by the asker and its reply
// slot, or by the object that waits outside of the bus (ExternalAsk).
//
// AskCancelled: the control message "the asker no longer waits". It keeps a
// reference to the ExternalAsk, and so does the loop as long as it compares
// asks with the key. So no other ask gets the same address in that time.
//
// Values; any thread.

#ifndef TROLLEY_BUS_MESSAGE_ASK_KEY_H_
#define TROLLEY_BUS_MESSAGE_ASK_KEY_H_

#include <compare>
#include <cstdint>

#include "trolley/bus/message/envelope.h"
#include "trolley/bus/message/external_ask.h"

namespace trolley::internal {

struct AskKey {
  uint64_t asker = 0;
  uint64_t ask_id = 0;  // 0: `asker` is the address of an ExternalAsk

  static AskKey Of(const ExternalAsk* external) {
    return {.asker = reinterpret_cast<uintptr_t>(external)};
  }
  // `e` is an ask.
  static AskKey Of(const Envelope& e) {
    if (e.has(Envelope::kAskedExternally)) return Of(e.external);
    return {.asker = e.sender.word(), .ask_id = e.ask_id()};
  }

  friend auto operator<=>(const AskKey&, const AskKey&) = default;
};

// A control message.
struct AskCancelled {
  AskKey key;
  RefPtr<ExternalAsk> external;  // null: an actor asked
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_ASK_KEY_H_
