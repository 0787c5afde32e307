// SPDX-License-Identifier: Apache-2.0
//
// FrameDecoder: turns the bytes of one direction of one connection into a Hello
// and then frames, whatever the pieces they arrive in. It believes nothing: any
// byte string is frames, or "more, please", or one error that names the rule it
// breaks. The result does not depend on how the bytes were cut (P14).
//
// Ownership: owned by the link. A Frame's payload is a view into the decoder;
//            it ends with the next call of any non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_frame_bytes + 28 + read_bytes, and what it
//            allocates follows what has arrived, never what a header claims
//            (see read_buffer.h). Skipped frames are not held at all.
// Ends:      the first error is final: every later call returns it. Send it to
//            the peer with AppendErrorFrame() and close.
//
//   FrameDecoder decoder({.max_frame_bytes = ours.max_frame_bytes});
//   for (;;) {
//     absl::Span<char> room = decoder.PrepareRead();
//     size_t n = read(fd, room);
//     if (n == 0) return decoder.AtEnd();     // OK, or what was torn
//     decoder.Commit(n);
//     // until decoder.hello_done():   Hello -> Negotiate -> Begin
//     // then, while NextFrame() has one:   Handle(frame)
//   }

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
  // The longest payload accepted, in bytes: what the own Hello said.
  uint32_t max_frame_bytes = Hello().max_frame_bytes;

  // Room made for one read, in bytes. 16 KiB: a few hundred small frames in a
  // system call, and 1000 silent peers cost 16 MiB.
  size_t read_bytes = 16 * 1024;

  // The most descriptors one frame may announce. 0: none may come, because a
  // descriptor nobody asked for is a leak.
  uint8_t max_fds = 0;
};

struct Frame {
  FrameHeader header;
  std::string_view payload;  // header.length bytes, checked if a CRC was agreed
};

class FrameDecoder {
 public:
  explicit FrameDecoder(const FrameDecoderOptions& options);

  // Room for the next read, at least one byte once every frame was taken; empty
  // after an error, and when the decoder is full because frames were not taken.
  // The room stays in place until the next non-const call, so a read that
  // completes later may be given it.
  absl::Span<char> PrepareRead();

  // The first `bytes` of that room have been read.
  void Commit(size_t bytes);

  // Instead of the two above: copies in as much of `bytes` as there is room for
  // and returns how much. All of it, when it is at most read_bytes and every
  // frame was taken before.
  size_t Feed(std::string_view bytes);

  // The peer's Hello; nullopt until its 32 bytes are there. Call it until it
  // returns one; afterwards it returns the same again.
  // kBadMagic: these bytes are no Hello; told as soon as that is certain, often
  // from the first four. kFrameBeforeHello: a whole good frame header instead.
  // kBadHello: see ValidateHello.
  absl::StatusOr<std::optional<Hello>> NextHello();

  // Frames follow, under this agreement. After NextHello() returned one.
  void Begin(const Agreement& agreement);

  // The next frame that version 1 knows; nullopt when more bytes are needed.
  // Frames of an unknown type with OPTIONAL are skipped and counted. nullopt
  // before Begin().
  // Breaking a rule: kBadHeaderCrc, kDuplicateHello, kReservedBits,
  // kUnknownType, kFrameTooLong, kBadLength, kTooManyFds, kUnknownStream,
  // kBadSequence (all from the header alone, before its payload arrives),
  // kBadPayloadCrc.
  absl::StatusOr<std::optional<Frame>> NextFrame();

  // At the end of the stream, after NextFrame() returned nullopt. OK between
  // two frames. kTorn: inside a Hello (also: before one) or a frame; the text
  // says of what, and how many of how many bytes had come.
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
  absl::Status error_;  // OK, or the final word
  std::optional<Hello> hello_;
  bool begun_ = false;
  bool payload_crc_ = false;

  // The frame that is being received. Its header stays in the buffer until the
  // payload is complete, so that the offset of the payload is fixed.
  std::optional<FrameHeader> header_;
  uint64_t skip_bytes_ = 0;   // still to come of a frame that is skipped
  uint64_t skip_length_ = 0;  // and how many those were

  uint64_t last_sequence_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t frames_skipped_ = 0;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_FRAME_DECODER_H_
