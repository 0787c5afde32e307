// SPDX-License-Identifier: Apache-2.0
//
// WireError: a number for each rule that a peer can break. An ERROR frame
// carries the same number, so both ends of a link have the same name for a
// fault. A Status carries it beside its code and its text.
//
//   absl::Status s = MakeWireError(WireError::kTorn, "after 7 of 24 bytes");
//   if (WireErrorOf(s) == WireError::kTorn) ...
//
// Values; any thread. Numbers are never reused; add new ones at the end.

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
  kBadHello = 2,          // a field of the Hello breaks a rule
  kNoCommonVersion = 3,   // the two sides have no version in common
  kFrameBeforeHello = 4,  // a valid frame came before the Hello
  kDuplicateHello = 5,    // a second Hello

  // Frames.
  kBadHeaderCrc = 6,     // the header is torn, interleaved or damaged
  kReservedBits = 7,     // a bit that must be 0 in this version is 1
  kUnknownType = 8,      // an unknown type without OPTIONAL
  kFrameTooLong = 9,     // longer than the receiver's max_frame_bytes
  kBadLength = 10,       // a length that this type cannot have
  kTooManyFds = 11,      // more descriptors than the receiver allows
  kUnknownStream = 12,   // a stream that was never opened
  kBadSequence = 13,     // DATA frames are not numbered 1, 2, 3...
  kBadPayloadCrc = 14,   // the payload changed on its way
  kCreditOverflow = 15,  // more than 2^31 - 1 bytes of credit in all
  kCreditOverrun = 16,   // the peer sent more than it was granted
  kTorn = 17,            // the stream ended inside a frame or a Hello

  // Found by a link, never by a decoder.
  kBadEnvelope = 18,         // a DATA payload is not a link.v1.Envelope
  kHandshakeTimeout = 19,    // no whole Hello within the deadline
  kNotPermitted = 20,        // the peer's user may not connect
  kTooManyConnections = 21,  // a connection limit is reached

  // Found in pipes (lines.h and delimited.h), never on a link.
  kLineTooLong = 22,     // a line longer than max_line_bytes
  kMessageTooLong = 23,  // a message longer than max_message_bytes
  kBadVarint = 24,       // a length prefix that is not a 32-bit varint
};

// The name, such as "BAD_MAGIC". For a number of a newer peer that this version
// does not know, such as "WIRE_ERROR_4711". Names do not change, so scripts may
// compare them. The other two functions print the name to a stream, and with
// absl::StrCat.
std::string WireErrorName(WireError error);
std::ostream& operator<<(std::ostream& to, WireError error);
template <typename Sink>
void AbslStringify(Sink& sink, WireError error) {
  sink.Append(WireErrorName(error));
}

// Makes a Status with `error`. Its text begins with the name of the error. The
// error determines the code:
//
//   ResourceExhausted   kFrameTooLong kTooManyFds kCreditOverrun
//                       kTooManyConnections kLineTooLong kMessageTooLong
//   DataLoss            kTorn kBadHeaderCrc kBadPayloadCrc
//   FailedPrecondition  kNoCommonVersion
//   Unimplemented       kUnknownType
//   OutOfRange          kCreditOverflow
//   DeadlineExceeded    kHandshakeTimeout
//   PermissionDenied    kNotPermitted
//   Unknown             a number that this version does not know
//   InvalidArgument     all others
absl::Status MakeWireError(WireError error, std::string_view text);

// The error that MakeWireError() put into `status`, or kNone.
WireError WireErrorOf(const absl::Status& status);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_WIRE_ERROR_H_
