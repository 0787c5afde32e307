// SPDX-License-Identifier: Apache-2.0
//
// RefAccess: what the library does with a Ref and users do not.

#ifndef TROLLEY_ACTORS_INTERNAL_REF_ACCESS_H_
#define TROLLEY_ACTORS_INTERNAL_REF_ACCESS_H_

#include <utility>

#include "trolley/actors/ref.h"

namespace trolley::internal {

struct RefAccess {
  // Thread-safe. Sends `message` to a full mailbox, too. For a message that
  // comes once and must not be refused, such as the end of an input.
  template <typename A, typename M>
  static Delivery TellLast(const Ref<A>& ref, M message) {
    if (!ref.address()) return Delivery::kGone;
    BusState& bus = *ref.address().bus();
    OutgoingMessage out(bus, LoopOf(&bus), ref.id());
    out.WithoutCredit();
    out.Build<M>(ref.template OpsOf<M>(), Envelope::BytesFor<M>(),
                 Instant::Infinite(), std::move(message));
    return out.Post();
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_REF_ACCESS_H_
