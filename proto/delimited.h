// SPDX-License-Identifier: Apache-2.0
//
// DelimitedDecoder: reads messages that have their length in front, as a
// Protobuf varint. Protobuf libraries call this form "delimited". It is for
// pipes between programs that do not use links: there is no checksum and no
// handshake.
//
//   DelimitedDecoder decoder;
//   for (;;) {
//     absl::Span<char> room = decoder.PrepareRead();
//     ssize_t n = read(fd, room.data(), room.size());
//     if (n == 0) return decoder.AtEnd();
//     decoder.Commit(n);
//     while (auto message = *decoder.Next()) Handle(*message);
//   }
//
// Ownership: the reader owns it. A message is a view into the decoder and valid
//            until the next call of a non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_message_bytes + read_bytes + 5. Memory grows
//            with the bytes that have arrived, not with a length that was
//            announced.
// Ends:      the first error is final: without a valid length the decoder
//            cannot find the next message.

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
  // The longest message accepted, in bytes without its length prefix. 1 MiB, as
  // for frames.
  uint32_t max_message_bytes = 1024 * 1024;

  // The room for one read, in bytes, 1 to kMostReadBytes; another number counts
  // as the nearest of these. 64 KiB is the capacity of a pipe.
  size_t read_bytes = 64 * 1024;
};

class DelimitedDecoder {
 public:
  explicit DelimitedDecoder(const DelimitedDecoderOptions& options = {});

  // PrepareRead() returns room for the next read; Commit() says how many bytes
  // were read. There is always room after Next() returned nullopt. There is
  // none after an error.
  absl::Span<char> PrepareRead();
  void Commit(size_t bytes) { buffer_.Commit(bytes); }

  // Use this instead of the two above if the bytes are in memory. Copies as
  // many as there is room for and returns their number. It copies all if there
  // are at most read_bytes and Next() has returned nullopt before.
  size_t Feed(std::string_view bytes);

  // The next message, which may have 0 bytes. nullopt: more bytes are needed.
  // The text of an error has the number of the message; the first is 1.
  //
  //   kMessageTooLong  the length is more than max_message_bytes; reported
  //                    before the message arrives. (ResourceExhausted)
  //   kBadVarint       the length is not a 32-bit varint. (InvalidArgument)
  absl::StatusOr<std::optional<std::string_view>> Next();

  // Call it at the end of the stream, after Next() returned nullopt. OK if the
  // stream ended between two messages.
  //
  //   kTorn  it ended inside a message; the text says how many bytes of how
  //          many had arrived
  absl::Status AtEnd() const;

  // The number of messages that Next() has returned.
  uint64_t messages() const { return messages_; }
  size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  const uint32_t max_message_bytes_;
  ReadBuffer buffer_;
  absl::Status error_;  // the first error, which is final; OK before
  uint64_t messages_ = 0;
};

// Appends the length of `payload` and then `payload` itself.
//
//   kMessageTooLong  `payload` is longer than `max_message_bytes`; nothing was
//                    appended
absl::Status AppendDelimited(
    std::string_view payload, std::string* out,
    uint32_t max_message_bytes = DelimitedDecoderOptions().max_message_bytes);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_DELIMITED_H_
