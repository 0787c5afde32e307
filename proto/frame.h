// SPDX-License-Identifier: Apache-2.0
//
// Frame: the unit of a link ("TBW1"). A frame is a header of 24 bytes with its
// own checksum, and then the payload. proto/README.md has the table of bytes
// and the rules for compatibility. This file writes frames and reads the
// payloads of control frames; frame_decoder.h reads frames.
//
//   FrameEncoder encoder(agreement);
//   absl::StatusOr<uint64_t> sequence = encoder.AppendData(payload, &out);
//   encoder.AppendCredit(bytes, &out);
//
// Values and pure functions: any thread, no I/O. They append the payload plus
// 24 bytes, or plus 28 bytes with a payload checksum.

#ifndef TROLLEY_PROTO_FRAME_H_
#define TROLLEY_PROTO_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

inline constexpr size_t kFrameHeaderBytes = 24;
inline constexpr size_t kPayloadCrcBytes = 4;  // if both sides agreed on it
inline constexpr size_t kMaxControlTextBytes = 512;

// A number is never reused. Version 1 uses the types marked (1). The others are
// reserved for later versions, and a receiver of version 1 does not know them.
enum class FrameType : uint8_t {
  kHello = 1,   // reserved: a Hello is 32 bytes without a frame (hello.h)
  kData = 2,    // (1) one link.v1.Envelope
  kCredit = 3,  // (1) the sender may send more (credit.h)
  kPing = 4,    // (1) the answer is kPong with the same 8 bytes
  kPong = 5,    // (1)
  kBind = 6,    // would give a name a stream number; now names are sent in full
  kUnbind = 7,  // would end a kBind
  kGap = 8,     // would say which range was lost; no link loses frames now
  kGoAway = 9,  // (1) no frame after `last_sequence` will be handled
  kError = 10,  // (1) the connection ends; with the reason
};

// The name, such as "DATA"; for an unknown type, such as "type 77".
std::string FrameTypeName(FrameType type);

// A receiver that does not know the type of a frame with this flag skips it.
// Without the flag it ends the connection.
inline constexpr uint8_t kFlagOptional = 0x01;

struct FrameHeader {
  uint32_t length = 0;  // payload bytes, without a payload checksum
  FrameType type = FrameType::kData;
  uint8_t flags = 0;      // kFlagOptional; other bits are reserved
  uint8_t fd_count = 0;   // descriptors that come with this frame
  uint32_t stream = 0;    // 0 in version 1
  uint64_t sequence = 0;  // kData: 1, 2, 3... in each direction; others: 0

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// Writes exactly kFrameHeaderBytes bytes, with the checksum.
void EncodeFrameHeader(const FrameHeader& header, char* out);

// FrameEncoder: writes the frames of one direction of one connection, after the
// handshake, and numbers its DATA frames.
//
// Ownership: the link owns it. It appends to buffers of the caller.
// Threads:   one at a time.
// Bounds:    refuses payloads above the peer's max_frame_bytes. The caller must
//            bound the size of its buffers, for example by Credit.
class FrameEncoder {
 public:
  explicit FrameEncoder(const Agreement& agreement) : agreement_(agreement) {}

  // Appends one DATA frame and returns its sequence number.
  //
  //   kFrameTooLong  the payload is longer than the peer accepts; the text has
  //                  both sizes. Nothing was appended and no number was used.
  //                  (ResourceExhausted)
  absl::StatusOr<uint64_t> AppendData(std::string_view payload,
                                      std::string* out);
  // Appends the header only. The caller appends exactly `payload_bytes` bytes
  // and, if payload checksums were agreed on, their checksum.
  absl::StatusOr<uint64_t> AppendDataHeader(size_t payload_bytes,
                                            std::string* out);

  // `bytes` comes from CreditReceiver::TakeGrant() (credit.h) and is not 0.
  void AppendCredit(uint32_t bytes, std::string* out) const;
  void AppendPing(uint64_t token, std::string* out) const;
  void AppendPong(uint64_t token, std::string* out) const;

  // `last_sequence` is the last DATA frame of the peer that will be handled.
  // `text` is the reason, for people; it is cut at kMaxControlTextBytes.
  void AppendGoAway(uint64_t last_sequence, std::string_view text,
                    std::string* out) const;

  // The sequence number of the last DATA frame; 0 before the first one.
  uint64_t last_sequence() const { return last_sequence_; }

 private:
  absl::StatusOr<FrameHeader> NextData(size_t payload_bytes);
  void AppendControl(FrameType type, std::string_view payload,
                     std::string* out) const;

  const Agreement agreement_;
  uint64_t last_sequence_ = 0;
};

// Appends an ERROR frame. Allowed at any time after our own Hello, even if the
// versions do not match: every version has the same layout for it, and it never
// has a payload checksum. `text` is cut at kMaxControlTextBytes.
void AppendErrorFrame(WireError error, std::string_view text, std::string* out);

// Appends an ERROR frame for a `status` with a WireError. If it has none,
// returns false and appends nothing.
bool AppendErrorFrame(const absl::Status& status, std::string* out);

// These read the payloads of control frames.
//
//   kBadLength  the payload has not the size of its type; not possible after
//               FrameDecoder, which checks that
absl::StatusOr<uint32_t> DecodeCredit(std::string_view payload);  // bytes
absl::StatusOr<uint64_t> DecodePing(std::string_view payload);    // and pong

struct GoAway {
  uint64_t last_sequence = 0;
  std::string text;  // printable: control and non-ASCII bytes are escaped
};
absl::StatusOr<GoAway> DecodeGoAway(std::string_view payload);

// The Status for an ERROR frame of the peer: its WireError, and "the peer said:
// " before its text, which is escaped as in GoAway.
absl::Status DecodeError(std::string_view payload);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_FRAME_H_
