// SPDX-License-Identifier: Apache-2.0
//
// Frame: the unit of a link ("TBW1"): 24 bytes of header with a checksum of
// their own, then the payload. proto/README.md has the byte table and the
// compatibility rules. This file writes frames and reads payloads of control
// frames; frame_decoder.h reads frames.
//
// Values and pure functions: any thread, no I/O. What they append is as large
// as the payload plus 24 bytes (28 with a payload checksum).

#ifndef TROLLEY_PROTO_FRAME_H_
#define TROLLEY_PROTO_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

inline constexpr size_t kFrameHeaderBytes = 24;
inline constexpr size_t kPayloadCrcBytes = 4;  // where it was agreed on
inline constexpr size_t kMaxControlTextBytes = 512;

// Numbers are never reused. Version 1 speaks those marked (1); the others are
// taken so that nobody gives them another meaning, and count as unknown.
enum class FrameType : uint8_t {
  kHello = 1,   // never a frame: a Hello is 32 bare bytes (hello.h)
  kData = 2,    // (1) one link.v1.Envelope
  kCredit = 3,  // (1) the receiver has room for more (credit.h)
  kPing = 4,    // (1) answer with kPong and the same 8 bytes
  kPong = 5,    // (1)
  kBind = 6,    // a stream number for a name; names travel in full so far
  kUnbind = 7,  //
  kGap = 8,     // an exact range was lost; no lossy link exists so far
  kGoAway = 9,  // (1) nothing after `last_sequence` will be handled
  kError = 10,  // (1) the connection ends, and why
};

// "DATA"; "type 77" for an unknown one.
std::string FrameTypeName(FrameType type);

// A receiver that does not know the type skips the frame instead of failing.
inline constexpr uint8_t kFlagOptional = 0x01;

struct FrameHeader {
  uint32_t length = 0;  // payload bytes, without a payload checksum
  FrameType type = FrameType::kData;
  uint8_t flags = 0;      // kFlagOptional; other bits are reserved
  uint8_t fd_count = 0;   // descriptors that ride with this frame
  uint32_t stream = 0;    // 0; others wait for kBind
  uint64_t sequence = 0;  // kData: 1, 2, 3... per direction; others: 0

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// Writes exactly kFrameHeaderBytes, checksum included.
void EncodeFrameHeader(const FrameHeader& header, char* out);

// FrameEncoder: writes the frames of one direction of one connection after the
// handshake, and numbers its DATA frames.
//
// Ownership: owned by the link; appends to buffers of the caller.
// Threads:   one at a time.
// Bounds:    refuses payloads above the peer's max_frame_bytes. The size of the
//            outgoing buffer is the caller's to bound, by Credit among others.
class FrameEncoder {
 public:
  explicit FrameEncoder(const Agreement& agreement) : agreement_(agreement) {}

  // Appends one DATA frame and returns its sequence number.
  // kFrameTooLong (ResourceExhausted): the peer takes no frame of this size;
  // nothing was appended and no number was used. The text says both sizes.
  absl::StatusOr<uint64_t> AppendData(std::string_view payload,
                                      std::string* out);
  // The header only; the caller lets as many bytes of payload follow and, where
  // payload checksums were agreed on, theirs.
  absl::StatusOr<uint64_t> AppendDataHeader(size_t payload_bytes,
                                            std::string* out);
  // The same without copying `payload`.
  absl::StatusOr<uint64_t> AppendData(const absl::Cord& payload,
                                      absl::Cord* out);

  // `bytes`: see CreditReceiver::Processed() in credit.h; not 0.
  void AppendCredit(uint32_t bytes, std::string* out) const;
  void AppendPing(uint64_t token, std::string* out) const;
  void AppendPong(uint64_t token, std::string* out) const;

  // `last_sequence`: the last DATA frame of the peer that will be handled.
  // `text` says why, for people; it is cut at kMaxControlTextBytes.
  void AppendGoAway(uint64_t last_sequence, std::string_view text,
                    std::string* out) const;

  // The number of the last DATA frame appended; 0 before the first.
  uint64_t last_sequence() const { return last_sequence_; }

 private:
  absl::StatusOr<FrameHeader> NextData(size_t payload_bytes);
  void AppendControl(FrameType type, std::string_view payload,
                     std::string* out) const;

  const Agreement agreement_;
  uint64_t last_sequence_ = 0;
};

// Appends an ERROR frame. Valid at any time after the own Hello, also when the
// versions do not match: its layout is the same in every version and it never
// carries a payload checksum. `text` is cut at kMaxControlTextBytes.
void AppendErrorFrame(WireError error, std::string_view text, std::string* out);

// Appends the ERROR frame that tells the peer about `status`, which carries a
// WireError. Returns false, and appends nothing, when it carries none.
bool AppendErrorFrame(const absl::Status& status, std::string* out);

// The payloads of control frames. Each fails with kBadLength if `payload` has
// not the size of its type; the frame decoder has checked that already.
absl::StatusOr<uint32_t> DecodeCredit(std::string_view payload);  // bytes
absl::StatusOr<uint64_t> DecodePing(std::string_view payload);    // and pong

struct GoAway {
  uint64_t last_sequence = 0;
  std::string text;  // printable: control and non-ASCII bytes are escaped
};
absl::StatusOr<GoAway> DecodeGoAway(std::string_view payload);

// What the peer said in an ERROR frame, as the Status that MakeWireError makes
// with "the peer said: " before its text (escaped as above).
absl::Status DecodeError(std::string_view payload);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_FRAME_H_
