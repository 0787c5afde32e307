// SPDX-License-Identifier: Apache-2.0
//
// Hello: the first 32 bytes that each side of a link sends, and the agreement
// that follows from two of them.
//
//   EncodeHello(ours, out);                     // then send it
//   absl::StatusOr<Hello> theirs = DecodeHello(bytes);
//   absl::StatusOr<Agreement> agreement = Negotiate(ours, *theirs);
//
// Both sides send it at once. No frame is sent before the peer's Hello has been
// read, because the sender needs the limits in it. The link sets the deadline
// for the whole Hello.
//
// Values and pure functions: any thread, no I/O.

#ifndef TROLLEY_PROTO_HELLO_H_
#define TROLLEY_PROTO_HELLO_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace trolley::wire {

inline constexpr size_t kHelloBytes = 32;

// The letters identify it in a dump. A program on the way that converts text
// would change CR LF, Ctrl-Z or NUL, and is so detected at once.
inline constexpr std::string_view kHelloMagic("TRLY\r\n\x1a\0", 8);

inline constexpr uint16_t kProtocolVersion = 1;

// Bits of Hello::features. A feature is used if both sides offer it. Unknown
// bits are ignored, so that a newer peer can offer new ones.
inline constexpr uint32_t kFeaturePayloadCrc = 0x1;  // for files and pipes

// The range of max_frame_bytes. The lower end is large enough for every control
// frame. With the upper end, initial_credit_bytes still fits into 31 bits.
inline constexpr uint32_t kLeastMaxFrameBytes = 1024;
inline constexpr uint32_t kMostMaxFrameBytes = 512u * 1024 * 1024;
inline constexpr uint32_t kMostCreditBytes = 0x7FFFFFFF;

struct Hello {
  uint16_t min_version = kProtocolVersion;
  uint16_t max_version = kProtocolVersion;
  uint32_t features = 0;  // kFeature...

  // The longest payload that this side accepts, in bytes. 1 MiB: far more than
  // a message in a mailbox should have, and 1000 connections still fit in
  // memory.
  uint32_t max_frame_bytes = 1024 * 1024;

  // How much the peer may send before this side grants more, in bytes. Each
  // DATA frame with a Message costs its payload plus 24. At least 2 *
  // (max_frame_bytes + 24); credit.h says why.
  uint32_t initial_credit_bytes = 4 * 1024 * 1024;

  // A random number that is not 0 and differs each time the program starts, so
  // that a restarted peer is recognized as a new one.
  uint64_t instance_id = 0;

  friend bool operator==(const Hello&, const Hello&) = default;
};

// OK if the fields obey the rules above. Check our own Hello with it, too.
//
//   kBadHello  a field breaks a rule; the text has its name, value and limit
absl::Status ValidateHello(const Hello& hello);

// Writes exactly kHelloBytes bytes.
void EncodeHello(const Hello& hello, char* out);

// Reads a Hello.
//
//   kBadMagic  `bytes` is not a Hello, or its size is not kHelloBytes
//   kBadHello  see ValidateHello()
absl::StatusOr<Hello> DecodeHello(std::string_view bytes);

// The result of two Hellos, valid for the life of the connection.
struct Agreement {
  uint16_t version = kProtocolVersion;
  uint32_t features = 0;
  uint32_t send_max_frame_bytes = 0;     // the peer's max_frame_bytes
  uint32_t receive_max_frame_bytes = 0;  // ours
  uint32_t send_credit_bytes = 0;        // the peer's initial_credit_bytes
  uint32_t receive_credit_bytes = 0;     // ours
  uint64_t peer_instance_id = 0;

  bool payload_crc() const { return (features & kFeaturePayloadCrc) != 0; }
  friend bool operator==(const Agreement&, const Agreement&) = default;
};

// Finds the highest version that both sides speak, the features that both offer
// and the limits of each direction. Both sides call it and get the same version
// and features.
//
//   kNoCommonVersion  there is no common version; the text has both ranges and
//                     says which side is older
//   kBadHello         one of the two breaks ValidateHello()
absl::StatusOr<Agreement> Negotiate(const Hello& ours, const Hello& theirs);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_HELLO_H_
