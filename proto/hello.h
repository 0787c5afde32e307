// SPDX-License-Identifier: Apache-2.0
//
// Hello: the 32 bytes each side of a link sends at once, before anything else,
// and what two of them agree on.
//
// Values and pure functions: any thread, no I/O, no bound beyond the 32 bytes.
// No frame follows before the peer's Hello has been read: a sender needs its
// limits first. The deadline for the whole Hello is the link's.

#ifndef TROLLEY_PROTO_HELLO_H_
#define TROLLEY_PROTO_HELLO_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace trolley::wire {

inline constexpr size_t kHelloBytes = 32;

// Begins with letters, so that a dump shows what it is; CR LF, Ctrl-Z and NUL
// show at once when something on the way converts text.
inline constexpr std::string_view kHelloMagic("TRLY\r\n\x1a\0", 8);

inline constexpr uint16_t kProtocolVersion = 1;

// Bits of Hello::features. A feature is on if both sides offer it; unknown bits
// are ignored, so that offering a new one breaks nobody.
inline constexpr uint32_t kFeaturePayloadCrc = 0x1;  // for files and pipes

// The range of max_frame_bytes. The lower end leaves room for every control
// frame, the upper one for the credit rule below in 31 bits.
inline constexpr uint32_t kLeastMaxFrameBytes = 1024;
inline constexpr uint32_t kMostMaxFrameBytes = 512u * 1024 * 1024;
inline constexpr uint32_t kMostCreditBytes = 0x7FFFFFFF;

struct Hello {
  uint16_t min_version = kProtocolVersion;
  uint16_t max_version = kProtocolVersion;
  uint32_t features = 0;  // kFeature...

  // The longest payload I accept, in bytes. 1 MiB: far above any message that
  // belongs in a mailbox, and 1000 connections still fit in memory.
  uint32_t max_frame_bytes = 1024 * 1024;

  // What may be sent to me before I grant more, in bytes; each DATA frame costs
  // its payload plus 24. At least 2 * (max_frame_bytes + 24), so that a
  // receiver which grants at half never stops a frame it accepts.
  uint32_t initial_credit_bytes = 4 * 1024 * 1024;

  // Differs each time the program starts: a peer that was restarted is another
  // peer. Random and not 0.
  uint64_t instance_id = 0;

  friend bool operator==(const Hello&, const Hello&) = default;
};

// OK if the fields obey the rules above, else kBadHello naming the field, its
// value and the limit. Check the own Hello with it when configuring.
absl::Status ValidateHello(const Hello& hello);

// Writes exactly kHelloBytes.
void EncodeHello(const Hello& hello, char* out);

// Reads kHelloBytes.
// kBadMagic: this is no Hello (or `bytes` has another size). kBadHello: see
// ValidateHello.
absl::StatusOr<Hello> DecodeHello(std::string_view bytes);

// What two Hellos fix for the life of the connection.
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

// The highest version both speak, the features both offer, the limits of each
// direction. Both sides reach the same version and features on their own.
// kNoCommonVersion: the ranges do not meet; the text has both ranges and says
// which side is the older. kBadHello: either breaks ValidateHello.
absl::StatusOr<Agreement> Negotiate(const Hello& ours, const Hello& theirs);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_HELLO_H_
