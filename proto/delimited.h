// SPDX-License-Identifier: Apache-2.0
//
// DelimitedDecoder: messages with their length in front, as a Protobuf varint:
// the form Protobuf libraries write as "delimited". For pipes between programs
// that know nothing of links; there is no checksum and no handshake.
//
// Ownership: owned by the reader. A message is a view into the decoder; it ends
//            with the next call of any non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_message_bytes + read_bytes + 5; memory follows
//            what has arrived, never what a length claims.
// Ends:      the first error is final: without a good length nobody knows where
//            the next message begins.

#ifndef TROLLEY_PROTO_DELIMITED_H_
#define TROLLEY_PROTO_DELIMITED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/proto/read_buffer.h"

namespace trolley::wire {

// The longest length prefix: a 32-bit varint.
inline constexpr size_t kMaxVarintBytes = 5;

struct DelimitedDecoderOptions {
  // The longest message, in bytes without its length. 1 MiB, as for frames.
  uint32_t max_message_bytes = 1024 * 1024;

  // Room made for one read, in bytes. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 * 1024;
};

class DelimitedDecoder {
 public:
  explicit DelimitedDecoder(const DelimitedDecoderOptions& options = {});

  // As in FrameDecoder: room for the next read, and how much of it was read.
  // There is always room once Next() returned nullopt; none after an error.
  absl::Span<char> PrepareRead();
  void Commit(size_t bytes) { buffer_.Commit(bytes); }

  // Instead of the two above: copies in what there is room for and returns how
  // much. All of it, if at most read_bytes and Next() returned nullopt before.
  size_t Feed(std::string_view bytes);

  // The next message, maybe of 0 bytes; nullopt when more bytes are needed.
  // kMessageTooLong (ResourceExhausted): longer than max_message_bytes, told
  // from the length alone. kBadVarint (InvalidArgument): the length is no
  // 32-bit varint. Both say which message it was, counted from 1.
  absl::StatusOr<std::optional<std::string_view>> Next();

  // At the end of the stream, after Next() returned nullopt. OK between two
  // messages; kTorn inside one, with how many of how many bytes had come.
  absl::Status AtEnd() const;

  uint64_t messages() const { return messages_; }  // returned by Next()
  size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  const uint32_t max_message_bytes_;
  ReadBuffer buffer_;
  absl::Status error_;  // OK, or the final word
  uint64_t messages_ = 0;
};

// Appends the length of `payload` and `payload`.
// kMessageTooLong: longer than `max_message_bytes`; nothing was appended.
absl::Status AppendDelimited(
    std::string_view payload, std::string* out,
    uint32_t max_message_bytes = DelimitedDecoderOptions().max_message_bytes);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_DELIMITED_H_
