// SPDX-License-Identifier: Apache-2.0
//
// LinkPayload: what a DATA frame of a link holds: a Message, a Reply or a
// Refusal (proto/link.proto). On the wire it is called an Envelope; in C++ that
// word means an envelope of the bus.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_

#include "trolley/proto/link.pb.h"

namespace trolley::internal {

using LinkPayload = link::v1::Envelope;

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_
