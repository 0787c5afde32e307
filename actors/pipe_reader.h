// SPDX-License-Identifier: Apache-2.0
//
// PipeReader: reads a pipe, a terminal, a socket or a file and sends what it
// reads to another actor, one message for each line or each length-delimited
// frame. It reads as fast as that actor handles: a full mailbox stops the
// reading, the pipe fills, and whoever writes to it waits. Nothing is lost.
//
//   bus.Spawn<trolley::PipeReader>({}, std::move(fd), splitter);
//
// Ownership: owns the descriptor.
// Threads:   as any actor.
// Bounds:    PipeReaderOptions; one piece waits for room at a time.
// Ends:      at the end of the input it sends PipeEnd and stops. It stops at
//            once, without PipeEnd, when the bus drains or the receiver ends.

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

// One line without its '\n', or one frame without its length.
struct PipePiece {
  std::string bytes;
  uint64_t number = 0;  // 1 for the first
};

// Nothing comes after it.
struct PipeEnd {
  // OK: the input ended between two pieces. ResourceExhausted: a piece was
  // longer than max_piece_bytes; InvalidArgument or DataLoss: a bad length, or
  // a torn frame; otherwise what read() said.
  absl::Status status;
  uint64_t pieces = 0;
  uint64_t bytes = 0;  // read, separators and lengths included
};

enum class PipeFormat {
  kLines,      // '\n' after each; the last one may lack it
  kDelimited,  // a varint length before each, as Protobuf's delimited streams
};

struct PipeReaderOptions {
  PipeFormat format = PipeFormat::kLines;
  // The longest line or frame; a longer one ends the reading. 1 MiB: text and
  // ordinary messages never come near, and one reader costs no more than this.
  size_t max_piece_bytes = 1 << 20;
  // Bytes asked for at a time. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 << 10;
};

// Opens a file, a named pipe or a device for a PipeReader; "-" is standard
// input. A named pipe waits here for its first writer.
// Errors: what the system says, with the path; FailedPrecondition: a directory.
absl::StatusOr<ScopedFd> OpenForReading(Sys& sys, absl::string_view path);

class PipeReader : public Actor {
 public:
  using Receiver = Ref<Protocol<PipePiece, PipeEnd>>;

  PipeReader(ScopedFd fd, Receiver receiver, PipeReaderOptions options = {});
  ~PipeReader() override;

 protected:
  void OnStart() override;
  void OnDrain() override;

 private:
  class Pieces;  // what the two formats have in common

  Task<absl::Status> Run();
  Task<absl::Status> Pump(PipeEnd& end);

  const Receiver receiver_;
  const PipeReaderOptions options_;
  ScopedFd fd_;  // until OnStart
  std::unique_ptr<Pieces> pieces_;
  std::unique_ptr<Stream> stream_;  // goes first: it lends their buffer
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PIPE_READER_H_
