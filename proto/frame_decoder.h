// SPDX-License-Identifier: Apache-2.0
//
// FrameDecoder: reads one direction of one connection: first a Hello, then
// frames. The bytes may arrive in any pieces; the result does not depend on how
// they are cut (P14). The decoder trusts nothing: each byte string is a
// sequence of frames, or needs more bytes, or is an error that names the broken
// rule.
//
//   FrameDecoder decoder({.max_frame_bytes = ours.max_frame_bytes});
//   for (;;) {
//     absl::Span<char> room = decoder.PrepareRead();
//     size_t n = read(fd, room);
//     if (n == 0) return decoder.AtEnd();     // OK, or kTorn
//     decoder.Commit(n);
//     // until decoder.hello_done():   NextHello -> Negotiate -> Begin
//     // then, while NextFrame() has one:   Handle(frame)
//   }
//
// Ownership: the link owns it. A Frame's payload is a view into the decoder and
//            valid until the next call of a non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_frame_bytes + 28 + read_bytes. Memory grows with
//            the bytes that have arrived, never with a length that a header
//            claims (read_buffer.h). Skipped frames are not held at all.
// Ends:      the first error is final: every later call returns it. Send it to
//            the peer with AppendErrorFrame(), then close.

#ifndef TROLLEY_PROTO_FRAME_DECODER_H_
#define TROLLEY_PROTO_FRAME_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/read_buffer.h"

namespace trolley::wire {

struct FrameDecoderOptions {
  // The longest payload accepted, in bytes, as in our own Hello.
  uint32_t max_frame_bytes = Hello().max_frame_bytes;

  // The room for one read, in bytes, 1 to kMostReadBytes; another number counts
  // as the nearest of these. 16 KiB: one system call reads a few hundred small
  // frames, and 1000 silent peers cost 16 MiB.
  size_t read_bytes = 16 * 1024;

  // The most descriptors that one frame may announce. 0: none, because a
  // descriptor that the receiver does not expect would leak.
  uint8_t max_fds = 0;
};

struct Frame {
  FrameHeader header;
  // header.length bytes; its checksum was checked if there is one.
  std::string_view payload;
};

class FrameDecoder {
 public:
  explicit FrameDecoder(const FrameDecoderOptions& options);

  // Returns room for the next read: at least one byte if all frames were taken.
  // It is empty after an error, and when the decoder is full because frames
  // were not taken. The room stays valid until the next call of a non-const
  // method, so a read that completes later may use it.
  absl::Span<char> PrepareRead();

  // Says that the first `bytes` of that room were filled by the read.
  void Commit(size_t bytes);

  // Use this instead of the two above if the bytes are in memory. Copies as
  // many as there is room for and returns their number. It copies all if there
  // are at most read_bytes and all frames were taken before.
  size_t Feed(std::string_view bytes);

  // The peer's Hello; nullopt until its 32 bytes have arrived. Call it until it
  // returns one. Later calls return the same one.
  //
  //   kBadMagic          the bytes are not a Hello; reported as soon as that is
  //                      certain, often after four bytes
  //   kFrameBeforeHello  a valid frame header came instead
  //   kBadHello          see ValidateHello()
  absl::StatusOr<std::optional<Hello>> NextHello();

  // Starts to read frames under this agreement. Call it after NextHello()
  // returned a Hello.
  void Begin(const Agreement& agreement);

  // The next frame of a type that version 1 knows. nullopt: more bytes are
  // needed, or Begin() was not called. Frames of an unknown type with
  // kFlagOptional are skipped and counted. Errors, by the first broken rule:
  //
  //   kDuplicateHello kBadHeaderCrc kReservedBits kFrameTooLong kTooManyFds
  //   kUnknownType kBadLength kUnknownStream kBadSequence
  //                   reported when the header has arrived, before its payload
  //   kBadPayloadCrc  reported when the payload has arrived
  absl::StatusOr<std::optional<Frame>> NextFrame();

  // Call it at the end of the stream, after NextFrame() returned nullopt. OK if
  // the stream ended between two frames.
  //
  //   kTorn  it ended before or inside the Hello, or inside a frame; the text
  //          says in which, and how many of how many bytes had arrived
  absl::Status AtEnd() const;

  bool hello_done() const { return hello_.has_value(); }
  uint64_t bytes_received() const { return bytes_received_; }
  uint64_t frames_skipped() const { return frames_skipped_; }
  size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  absl::Status Fail(absl::Status error);
  absl::Status CheckHeader(const FrameHeader& header, uint8_t reserved) const;
  size_t PayloadCrcBytes(FrameType type) const;
  bool SkipPayload();

  const FrameDecoderOptions options_;
  ReadBuffer buffer_;
  absl::Status error_;  // the first error, which is final; OK before
  std::optional<Hello> hello_;
  bool begun_ = false;
  bool payload_crc_ = false;

  // The frame that is being received. Its header stays in the buffer until the
  // payload is complete, so that the payload has a fixed offset.
  std::optional<FrameHeader> header_;
  uint64_t skip_bytes_ = 0;   // bytes of a skipped frame that must still come
  uint64_t skip_length_ = 0;  // all bytes of that frame

  uint64_t last_sequence_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t frames_skipped_ = 0;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_FRAME_DECODER_H_
