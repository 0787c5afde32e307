// SPDX-License-Identifier: Apache-2.0
//
// WireError: what a peer did wrong, as a number. The same number travels in an
// ERROR frame, so both ends of a link name a fault alike. A Status carries it
// beside its code and text; WireErrorOf() gets it back.
//
// Values, any thread. Numbers are never reused; add new ones at the end.

#ifndef TROLLEY_PROTO_WIRE_ERROR_H_
#define TROLLEY_PROTO_WIRE_ERROR_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace trolley::wire {

enum class WireError : uint16_t {
  kNone = 0,  // the Status carries no WireError

  // The start of a connection.
  kBadMagic = 1,          // the first bytes are not a Hello
  kBadHello = 2,          // a Hello whose fields contradict each other
  kNoCommonVersion = 3,   // the version ranges do not meet
  kFrameBeforeHello = 4,  // a good frame, but the Hello did not come first
  kDuplicateHello = 5,    // a second Hello

  // Frames.
  kBadHeaderCrc = 6,     // torn, interleaved or damaged; the stream is lost
  kReservedBits = 7,     // a bit that this version keeps zero is set
  kUnknownType = 8,      // unknown type without OPTIONAL
  kFrameTooLong = 9,     // longer than the receiver's max_frame_bytes
  kBadLength = 10,       // a length its type does not have
  kTooManyFds = 11,      // more descriptors than the receiver allows
  kUnknownStream = 12,   // a stream that was never opened
  kBadSequence = 13,     // DATA frames are not numbered 1, 2, 3...
  kBadPayloadCrc = 14,   // the payload changed on its way
  kCreditOverflow = 15,  // granted credit adds up to more than 2^31 - 1 bytes
  kCreditOverrun = 16,   // more was sent than was granted
  kTorn = 17,            // the stream ended inside a frame or a Hello

  // What a link says to its peer in an ERROR frame; decoders never do.
  kBadEnvelope = 18,         // a DATA payload is not a link.v1.Envelope
  kHandshakeTimeout = 19,    // no whole Hello within the deadline
  kNotPermitted = 20,        // the peer's user may not connect
  kTooManyConnections = 21,  // a connection limit is reached

  // Pipes: lines.h and delimited.h. Never on a link.
  kLineTooLong = 22,     // a line longer than max_line_bytes
  kMessageTooLong = 23,  // a message longer than max_message_bytes
  kBadVarint = 24,       // a length prefix that is no 32-bit varint
};

// "BAD_MAGIC"; "WIRE_ERROR_4711" for a number this version does not know (a
// newer peer's). Stable: scripts and logs may match on it. The others print it,
// as those of bus/delivery.h do.
std::string WireErrorName(WireError error);
std::ostream& operator<<(std::ostream& to, WireError error);
template <typename Sink>
void AbslStringify(Sink& sink, WireError error) {
  sink.Append(WireErrorName(error));
}

// A Status that carries `error`; its text begins with the error's name. The
// code follows from the error: InvalidArgument for bytes that break a rule,
// ResourceExhausted for a limit, FailedPrecondition for what a configuration
// change cures, DataLoss for kTorn and checksums, Unimplemented for
// kUnknownType, and so on.
absl::Status MakeWireError(WireError error, std::string_view text);

// The error MakeWireError put in, or kNone.
WireError WireErrorOf(const absl::Status& status);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_WIRE_ERROR_H_
