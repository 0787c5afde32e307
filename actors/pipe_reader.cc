// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/piece_decoder.h"

namespace trolley {

namespace {

constexpr char kNoStandardInput[] =
    "standard input is closed; give this program one, such as </dev/null";
constexpr size_t kMostPieceBytes = size_t{1} << 30;
constexpr size_t kMostReadBytes = size_t{1} << 26;

absl::Status CheckBytes(absl::string_view field, size_t value, size_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "PipeReaderOptions::", field, " is ", value, "; it is 1 to ", most));
}

// A duplicate of standard input, or the error.
absl::StatusOr<ScopedFd> DuplicateStandardInput(Sys& sys) {
  ScopedFd fd(sys, sys.Dup(STDIN_FILENO));
  if (fd.get() == -EBADF) {
    return absl::FailedPreconditionError(kNoStandardInput);
  }
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kDup, "standard input");
  const int flags = sys.Fcntl(fd.get(), F_GETFL);
  if (flags < 0) return ErrnoStatus(flags, SysCall::kFcntl, "standard input");
  if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH) != 0) {
    return absl::FailedPreconditionError(
        "standard input is not open for reading");
  }
  return fd;
}

absl::StatusOr<ScopedFd> OpenFile(Sys& sys, absl::string_view path) {
  // Without O_NONBLOCK, open() of a named pipe would wait and stop the loop.
  const std::string name(path);
  ScopedFd fd(sys, sys.Openat(AT_FDCWD, name.c_str(),
                              O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0));
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kOpenat, path);
  return fd;
}

wire::PieceDecoder DecoderOf(const PipeReaderOptions& options) {
  const size_t most = options.max_piece_bytes;
  return options.format == PipeFormat::kLines
             ? wire::PieceDecoder::Lines(most, options.read_bytes)
             : wire::PieceDecoder::Delimited(most, options.read_bytes);
}

}  // namespace

absl::Status ValidatePipeReaderOptions(const PipeReaderOptions& options) {
  if (options.format != PipeFormat::kLines &&
      options.format != PipeFormat::kDelimited) {
    return absl::InvalidArgumentError(
        absl::StrCat("PipeReaderOptions::format is ",
                     static_cast<int>(options.format), ", which is none"));
  }
  absl::Status valid =
      CheckBytes("max_piece_bytes", options.max_piece_bytes, kMostPieceBytes);
  if (!valid.ok()) return valid;
  return CheckBytes("read_bytes", options.read_bytes, kMostReadBytes);
}

absl::StatusOr<ScopedFd> OpenForReading(Sys& sys, absl::string_view path) {
  const bool standard = path == "-";
  absl::StatusOr<ScopedFd> fd =
      standard ? DuplicateStandardInput(sys) : OpenFile(sys, path);
  if (!fd.ok()) return fd;
  const absl::string_view name = standard ? "standard input" : path;
  struct stat about = {};
  if (const int told = sys.Fstat(fd->get(), &about); told < 0) {
    return ErrnoStatus(told, SysCall::kFstat, name);
  }
  if (standard && (about.st_mode & S_IFMT) == 0) {
    // Standard input was closed, and a library made an eventfd with this number
    // before main() began, as gRPC does.
    return absl::FailedPreconditionError(kNoStandardInput);
  }
  if (S_ISDIR(about.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is a directory; name a file in it"));
  }
  return fd;
}

PipeReader::PipeReader(ScopedFd fd, Receiver receiver,
                       PipeReaderOptions options)
    : receiver_(std::move(receiver)), options_(options), fd_(std::move(fd)) {}

PipeReader::~PipeReader() = default;

void PipeReader::OnStart() {
  stream_ =
      std::make_unique<Stream>(context(), std::move(fd_), Stream::OnlyRead());
  receiver_end_ = receiver_.address().WhenEnded(
      [reader = address()](const ActorEnd&) { reader.Stop(); });
  RunInBackground(Run());
}

void PipeReader::OnDrain() {
  // It may wait for input or for room. The bus must not wait for that.
  Stop();
}

void PipeReader::OnStop() {
  receiver_.address().ForgetWhenEnded(receiver_end_);
}

Task<absl::Status> PipeReader::Run() {
  PipeEnd end;
  end.status = ValidatePipeReaderOptions(options_);
  if (end.status.ok()) {
    pieces_.reset(new wire::PieceDecoder(DecoderOf(options_)));
    end.status = co_await Pump(end);
  }
  // Without a credit: it must not wait for room in the receiver's mailbox.
  (void)TellLast(receiver_, std::move(end));
  Stop();
  co_return absl::OkStatus();
}

Task<absl::Status> PipeReader::Pump(PipeEnd& end) {
  for (bool at_end = false;;) {
    for (;;) {
      absl::StatusOr<std::optional<std::string_view>> piece = pieces_->Next();
      if (!piece.ok()) co_return piece.status();
      if (!piece->has_value()) break;
      absl::Status sent = co_await receiver_.Send<PipePiece>(
          std::string(**piece), end.pieces + 1);
      if (!sent.ok()) co_return sent;
      ++end.pieces;
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
