// SPDX-License-Identifier: Apache-2.0
//
// PipeReader: reads a pipe, a terminal, a socket or a file and sends what it
// reads to another actor, one message for each line or each length-delimited
// frame. It reads as fast as that actor handles: a full mailbox stops the
// reading, the pipe fills, and whoever writes to it waits. Nothing is lost.
//
//   bus.Spawn<trolley::PipeReader>({}, std::move(fd), splitter);
//
// The descriptor may be one that other processes share: its flags, O_NONBLOCK
// among them, stay as they are (Stream::OnlyRead), so that the shell finds its
// terminal as it was, however this process ends.
//
// Ownership: owns the descriptor.
// Threads:   as any actor.
// Bounds:    PipeReaderOptions; one piece waits for room at a time.
// Ends:      at the end of the input it sends PipeEnd and stops. It stops at
//            once, without PipeEnd, when the bus drains or the receiver ends:
//            what it has not read by then stays in the pipe.

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
  // longer than max_piece_bytes; InvalidArgument or DataLoss: a bad length, a
  // torn frame, or an option out of its range; otherwise what read() said.
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
  // The longest line or frame, 1 to 2^30 bytes; a longer one ends the reading.
  // 1 MiB: text and ordinary messages never come near, and one reader costs no
  // more than this.
  size_t max_piece_bytes = 1 << 20;
  // Bytes asked for at a time, 1 to 2^26. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 << 10;
};

// InvalidArgument, naming the field, its value and its range.
absl::Status ValidatePipeReaderOptions(const PipeReaderOptions& options);

// Opens a file, a named pipe or a device for a PipeReader. Never waits: for the
// first writer of a named pipe the PipeReader waits.
//
// "-" is standard input as `cat -` has it: a duplicate of descriptor 0, so a
// file goes on from where it stands, a pipe may belong to anybody, and its end
// is seen by all who share it. No flag of it is changed.
//
// Errors: what the system says, with the path. FailedPrecondition: a directory;
// or standard input is closed, or open for writing only.
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
  class Pieces;  // what the two formats have in common

  // So that it ends with the receiver, and leaves nothing behind there.
  void WatchReceiver();
  void ForgetReceiver();
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
