// SPDX-License-Identifier: Apache-2.0
//
// PipeReader: an actor that reads a pipe, a terminal, a socket or a file, and
// sends each line or each length-delimited frame to another actor as a message.
//
//   absl::StatusOr<trolley::ScopedFd> fd =
//       trolley::OpenForReading(bus.sys(), "-");
//   bus.Spawn<trolley::PipeReader>({}, *std::move(fd), splitter);
//
//   class Splitter : public trolley::Actor {
//     void On(const trolley::PipePiece& line) { ... }
//     void On(const trolley::PipeEnd& end) { ... }
//   };
//
// It reads no faster than the receiver handles. When the receiver's mailbox is
// full it stops reading, the pipe fills, and the process at the other end
// waits. No bytes are lost, unless PipeEnd::status says so.
//
// It changes no flag of the descriptor, O_NONBLOCK included, so other processes
// may share it: a shell finds its terminal as it was.
//
// Ownership: owns the descriptor.
// Threads:   as any actor.
// Bounds:    PipeReaderOptions; one piece waits for a credit at a time.
// Ends:      at the end of the input it sends PipeEnd and stops. When the bus
//            drains or the receiver ends, it stops at once, without PipeEnd;
//            the bytes that it has not read stay in the pipe.

#ifndef TROLLEY_ACTORS_PIPE_READER_H_
#define TROLLEY_ACTORS_PIPE_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/stream.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

namespace wire {
class PieceDecoder;
}  // namespace wire

// One line without its '\n', or one frame without its length.
struct PipePiece {
  std::string bytes;
  uint64_t number = 0;  // 1 for the first
};

// The last message. It comes into a full mailbox, too.
struct PipeEnd {
  //   OK                  the input ended after a piece
  //   ResourceExhausted   a piece was longer than max_piece_bytes; or the
  //                       mailbox was full, and this loop has
  //                       LoopOptions::max_pending_asks waiting: that piece is
  //                       lost
  //   InvalidArgument     a bad length, or an option out of its range
  //   DataLoss            the input ended within a frame
  //   other               of the system call
  absl::Status status;
  uint64_t pieces = 0;  // sent before; a count
  uint64_t bytes = 0;   // that were read, separators and lengths included
};

enum class PipeFormat {
  kLines,      // '\n' after each line; the last one may lack it
  kDelimited,  // a varint length before each frame, as Protobuf delimits them
};

struct PipeReaderOptions {
  PipeFormat format = PipeFormat::kLines;
  // The longest line or frame, in bytes, 1 to 2^30. A longer one ends the
  // reading. 1 MiB: far above text and usual messages, and the most memory that
  // a reader takes for a piece.
  size_t max_piece_bytes = 1 << 20;
  // The bytes of one read, 1 to 2^26. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 << 10;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidatePipeReaderOptions(const PipeReaderOptions& options);

// Opens a file, a named pipe or a device for a PipeReader. It never waits: the
// PipeReader waits for the first writer of a named pipe.
//
// "-" is standard input: a duplicate of descriptor 0. It shares the position in
// a file with other processes, as `cat -` does. No flag of it is changed.
//
//   FailedPrecondition   a directory; or standard input is closed, or open for
//                        writing only
//   other                of the system call, with the path
absl::StatusOr<ScopedFd> OpenForReading(Sys& sys, absl::string_view path);

class PipeReader : public Actor {
 public:
  using Receiver = Ref<Protocol<PipePiece, PipeEnd>>;

  PipeReader(ScopedFd fd, Receiver receiver, PipeReaderOptions options = {});
  ~PipeReader() override;

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  Task<absl::Status> Run();
  Task<absl::Status> Pump(PipeEnd& end);

  const Receiver receiver_;
  const PipeReaderOptions options_;
  EndWatch receiver_end_;
  ScopedFd fd_;  // until OnStart
  std::unique_ptr<wire::PieceDecoder> pieces_;
  std::unique_ptr<Stream> stream_;  // goes first: it lends their buffer
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PIPE_READER_H_
