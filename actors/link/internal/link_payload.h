// SPDX-License-Identifier: Apache-2.0
//
// LinkPayload: what a DATA frame of a link holds: a Message, a Reply, a Refusal
// or a Cancel (proto/link.proto). On the wire it is called an Envelope; in C++
// that word means an envelope of the bus.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_

#include "absl/strings/string_view.h"
#include "trolley/proto/link.pb.h"

namespace trolley::internal {

using LinkPayload = link::v1::Envelope;

// The types of the asks that the receiving link answers itself, and of their
// answers.
inline constexpr absl::string_view kOwnTypes = "trolley.link.v1.";  // all
inline constexpr absl::string_view kWatchType = "trolley.link.v1.Watch";
inline constexpr absl::string_view kEndedType = "trolley.link.v1.Ended";
inline constexpr absl::string_view kLookupType = "trolley.link.v1.Lookup";
inline constexpr absl::string_view kFoundType = "trolley.link.v1.Found";

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_PAYLOAD_H_
