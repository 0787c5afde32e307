// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe_reader.h"

#include <fcntl.h>

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/delimited.h"
#include "trolley/proto/lines.h"

namespace trolley {

absl::StatusOr<ScopedFd> OpenForReading(Sys& sys, absl::string_view path) {
  // By way of /proc it is a description of our own: making a shared one
  // non-blocking would change it for the shell that started us, too.
  const std::string name(path == "-" ? "/proc/self/fd/0" : path);
  int fd = sys.Openat(AT_FDCWD, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY,
                      0);
  if (fd == -ENXIO && path == "-") fd = sys.Dup(0);  // a socket
  if (fd < 0) return ErrnoStatus(fd, SysCall::kOpenat, path);
  ScopedFd owned(sys, fd);
  struct stat about = {};
  if (const int told = sys.Fstat(fd, &about); told < 0) {
    return ErrnoStatus(told, SysCall::kFstat, path);
  }
  if (S_ISDIR(about.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is a directory; name a file in it"));
  }
  const int flags = sys.Fcntl(fd, F_GETFL);
  if (const int set = sys.Fcntl(fd, F_SETFL, flags | O_NONBLOCK); set < 0) {
    return ErrnoStatus(set, SysCall::kFcntl, path);
  }
  return owned;
}

class PipeReader::Pieces {
 public:
  explicit Pieces(const PipeReaderOptions& options) {
    if (options.format == PipeFormat::kLines) {
      decoder_.emplace<wire::LineDecoder>(
          wire::LineDecoderOptions{.max_line_bytes = options.max_piece_bytes,
                                   .read_bytes = options.read_bytes});
    } else {
      decoder_.emplace<wire::DelimitedDecoder>(wire::DelimitedDecoderOptions{
          .max_message_bytes = static_cast<uint32_t>(options.max_piece_bytes),
          .read_bytes = options.read_bytes});
    }
  }

  absl::Span<char> PrepareRead() {
    if (auto* lines = Lines()) return lines->PrepareRead();
    return Frames().PrepareRead();
  }

  void Commit(size_t bytes) {
    if (auto* lines = Lines()) return lines->Commit(bytes);
    Frames().Commit(bytes);
  }

  absl::StatusOr<std::optional<std::string_view>> Next() {
    auto* lines = Lines();
    if (lines == nullptr) return Frames().Next();
    absl::StatusOr<std::optional<wire::Line>> line = lines->Next();
    if (!line.ok()) return line.status();
    if (!line->has_value()) return std::nullopt;
    return (*line)->text;
  }

  // At the end of the input: the error, if it ended inside a piece that cannot
  // do without its end.
  absl::Status Finish() {
    auto* lines = Lines();
    if (lines == nullptr) return Frames().AtEnd();
    lines->Finish();
    return absl::OkStatus();
  }

 private:
  wire::LineDecoder* Lines() {
    return std::get_if<wire::LineDecoder>(&decoder_);
  }
  wire::DelimitedDecoder& Frames() {
    return std::get<wire::DelimitedDecoder>(decoder_);
  }

  std::variant<std::monostate, wire::LineDecoder, wire::DelimitedDecoder>
      decoder_;
};

PipeReader::PipeReader(ScopedFd fd, Receiver receiver,
                       PipeReaderOptions options)
    : receiver_(std::move(receiver)), options_(options), fd_(std::move(fd)) {}

PipeReader::~PipeReader() = default;

void PipeReader::OnStart() {
  stream_ = std::make_unique<Stream>(loop(), std::move(fd_));
  pieces_ = std::make_unique<Pieces>(options_);
  RunInBackground(Run());
}

void PipeReader::OnDrain() {
  // Whatever it waits for, input or room, it would now wait for too long.
  Stop();
}

Task<absl::Status> PipeReader::Run() {
  PipeEnd end;
  end.status = co_await Pump(end);
  // Those who fill the receiver's mailbox may be waiting for this.
  receiver_.TellLast(std::move(end));
  Stop();
  co_return absl::OkStatus();
}

Task<absl::Status> PipeReader::Pump(PipeEnd& end) {
  for (bool at_end = false;;) {
    for (;;) {
      absl::StatusOr<std::optional<std::string_view>> piece = pieces_->Next();
      if (!piece.ok()) co_return piece.status();
      if (!piece->has_value()) break;
      PipePiece message{.bytes = std::string(**piece), .number = ++end.pieces};
      absl::Status sent = co_await receiver_.Send(std::move(message));
      if (!sent.ok()) co_return sent;
    }
    if (at_end) co_return absl::OkStatus();
    absl::StatusOr<size_t> n = co_await stream_->Read(pieces_->PrepareRead());
    if (!n.ok()) co_return n.status();
    end.bytes += *n;
    if (*n > 0) {
      pieces_->Commit(*n);
      continue;
    }
    at_end = true;
    absl::Status torn = pieces_->Finish();
    if (!torn.ok()) co_return torn;
  }
}

}  // namespace trolley
