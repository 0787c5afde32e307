// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/child_keeper.h"

#include <signal.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace trolley::internal {
namespace {

// The bytes of one read of the standard error. 4 KiB: many lines of a log.
constexpr size_t kErrorBytes = 4096;

// How often it looks whether the process has ended, on a loop whose poller
// cannot watch processes (sigio). 20 ms: short beside the life of a process,
// and a look costs some microseconds.
constexpr absl::Duration kLookEvery = absl::Milliseconds(20);

wire::PieceDecoder DecoderOf(const ChildProcessOptions& options) {
  const size_t most = options.max_piece_bytes;
  return options.format == PipeFormat::kLines
             ? wire::PieceDecoder::Lines(most, options.read_bytes)
             : wire::PieceDecoder::Delimited(most, options.read_bytes);
}

}  // namespace

ChildKeeper::ChildKeeper(std::shared_ptr<ChildPort> port, ChildParts parts,
                         Owner owner, const ChildProcessOptions& options)
    : port_(std::move(port)),
      owner_(std::move(owner)),
      options_(options),
      name_(std::move(parts.name)),
      process_(std::move(parts.process)),
      in_fd_(std::move(parts.in)),
      out_fd_(std::move(parts.out)),
      err_fd_(std::move(parts.err)),
      pieces_(DecoderOf(options)) {
  end_.child = address().id();
  end_.pid = process_.pid();
}

ChildKeeper::~ChildKeeper() {
  in_.reset();  // its coroutine has been destroyed
  port_->input.Break();
  port_->sending = nullptr;
  port_->ended = true;
}

void ChildKeeper::OnStart() {
  in_ = std::make_unique<Stream>(context(), std::move(in_fd_));
  out_.stream = std::make_unique<Stream>(context(), std::move(out_fd_));
  if (err_fd_) {
    err_.stream = std::make_unique<Stream>(context(), std::move(err_fd_));
  }
  RunInBackground(ReadOutput());
  RunInBackground(ReadErrors());
  RunInBackground(WriteInput());
  RunInBackground(StopWhenTold());
  RunInBackground(AwaitEnd());
}

void ChildKeeper::OnDrain() {
  port_->stop = true;
  port_->changed.Notify();
  RunInBackground(HoldShutdown());
}

void ChildKeeper::OnStop() {
  StopWatching();
  if (told_) return;
  if (!process_.EndNow()) {
    context().Log(absl::StrCat(name_, "[", process_.pid(),
                               "] was killed and has not ended within ",
                               absl::FormatDuration(RunningProcess::kMostWait),
                               "; it ends with this process"),
                  name_);
  }
  if (end_.output.ok() && out_.stream != nullptr) {
    end_.output =
        absl::CancelledError("it was ended before the owner had taken all");
  }
  TellEnd();
}

// --- The end ----------------------------------------------------------------

Task<absl::Status> ChildKeeper::AwaitEnd() {
  co_await AwaitExit();
  process_.Reap();
  exited_ = true;
  port_->input.Close();
  for (const Source* source : {&out_, &err_}) {
    if (source->stream != nullptr) source->stream->CancelReading();
  }
  port_->changed.Notify();
  while (out_.stream != nullptr || err_.stream != nullptr) {
    co_await port_->changed.Wait();
  }
  TellEnd();
  port_->changed.Notify();
  if (!holds_) Stop();
  co_return absl::OkStatus();
}

Task<void> ChildKeeper::AwaitExit() {
  const auto token =
      context().Watch(process_.pidfd(), {.ready = Ready::kReadable}, *this);
  if (token.ok()) token_ = *token;
  while (!process_.HasEnded()) {
    if (token.ok()) {
      co_await exits_.Wait();
    } else {
      co_await Sleep(kLookEvery);
    }
  }
  StopWatching();
}

// Perhaps for nothing, as any event.
void ChildKeeper::OnReady(Ready) { exits_.Notify(); }

void ChildKeeper::StopWatching() {
  if (token_.has_value()) context().Unwatch(*token_);
  token_.reset();
}

void ChildKeeper::TellEnd() {
  told_ = true;
  port_->ended = true;
  end_.how = process_.how();
  end_.code = process_.code();
  // mutant: P8_AnOwnerHearsTheChildProcessOfTheOneBefore
  if (!port_->forgotten) (void)TellLast(owner_, end_);
}

Task<absl::Status> ChildKeeper::HoldShutdown() {
  holds_ = true;
  auto ask = Self(this).Ask<AwaitChildEnd>(absl::InfiniteDuration());
  (co_await ask).IgnoreError();
  holds_ = false;
  if (told_) Stop();
  co_return absl::OkStatus();
}

Task<void> ChildKeeper::On(AwaitChildEnd) {
  while (!told_) co_await port_->changed.Wait();
}

Task<absl::Status> ChildKeeper::StopWhenTold() {
  ChildPort& port = *port_;
  while (!port.stop && !port.kill && !exited_) co_await port.changed.Wait();
  if (!port.kill && !exited_ && options_.grace > absl::ZeroDuration()) {
    // mutant: P10_AChildProcessIsNotAskedToEnd
    Signal(SIGTERM);
    const Instant until = context().Now() + options_.grace;
    while (!port.kill && !exited_ && co_await port.changed.Wait(until)) {
    }
  }
  // mutant: P10_TheGraceOfAChildProcessHasNoEnd
  if (!exited_) Signal(SIGKILL);
  co_return absl::OkStatus();
}

void ChildKeeper::Signal(int signal) {
  const int sent = process_.Signal(signal);
  if (sent == 0) return;
  context().Log(absl::StrCat("no signal reaches ", name_, "[", process_.pid(),
                             "]: ", std::generic_category().message(-sent)),
                name_);
}

// --- Input ------------------------------------------------------------------

Task<absl::Status> ChildKeeper::WriteInput() {
  ChildInput& input = port_->input;
  for (;;) {
    while (input.empty() && !input.closed()) co_await input.changed().Wait();
    if (input.empty()) break;
    const absl::Status written = co_await in_->Write(input.front());
    if (!written.ok()) break;  // the process does not read any more
    input.PopFront();
  }
  in_.reset();
  input.Break();
  co_return absl::OkStatus();
}

// --- Output -----------------------------------------------------------------

Task<absl::Status> ChildKeeper::ReadOutput() {
  const absl::Status pumped = co_await Pump();
  out_.stream.reset();
  if (!pumped.ok()) {
    end_.output = pumped;
    port_->stop = true;
  }
  port_->changed.Notify();
  co_return absl::OkStatus();
}

Task<absl::Status> ChildKeeper::Pump() {
  for (;;) {
    const absl::StatusOr<size_t> n = co_await Read(out_, pieces_.PrepareRead());
    if (!n.ok()) co_return n.status();
    if (*n > 0) {
      pieces_.Commit(*n);
    } else {
      end_.output = pieces_.Finish();
    }
    absl::Status sent = co_await SendPieces();
    if (!sent.ok() || *n == 0) co_return sent;
  }
}

Task<absl::Status> ChildKeeper::SendPieces() {
  for (;;) {
    const absl::StatusOr<std::optional<std::string_view>> piece =
        pieces_.Next();
    if (!piece.ok()) co_return piece.status();
    if (!piece->has_value()) co_return absl::OkStatus();
    if (port_->forgotten) continue;  // it may write while it ends
    auto send = owner_.Send<ChildOutput>(std::string(**piece), end_.pieces + 1,
                                         end_.child);
    port_->sending = &send;
    const absl::Status sent = co_await send;
    port_->sending = nullptr;
    if (port_->forgotten) continue;
    if (!sent.ok()) co_return sent;
    ++end_.pieces;
  }
}

Task<absl::StatusOr<size_t>> ChildKeeper::Read(Source& source,
                                               absl::Span<char> into) {
  if (!exited_) {
    absl::StatusOr<size_t> n = co_await source.stream->Read(into);
    if (n.ok() || !exited_) co_return n;
  }
  co_return ReadTheRest(source, into);
}

size_t ChildKeeper::ReadTheRest(Source& source, absl::Span<char> into) {
  Sys& sys = context().sys();
  const int fd = source.stream->fd();
  if (!source.left.has_value()) {
    int bytes = 0;
    source.left = sys.Ioctl(fd, FIONREAD, &bytes) < 0 || bytes < 0 ? 0 : bytes;
  }
  into = into.first(std::min(into.size(), *source.left));
  if (into.empty()) return 0;
  ssize_t n;
  do {
    n = sys.Read(fd, into);
  } while (n == -EINTR);
  if (n <= 0) return 0;
  *source.left -= n;
  return n;
}

Task<absl::Status> ChildKeeper::ReadErrors() {
  char buffer[kErrorBytes];
  while (err_.stream != nullptr) {
    const absl::StatusOr<size_t> n =
        co_await Read(err_, absl::MakeSpan(buffer));
    if (n.ok() && *n > 0) {
      error_lines_.Add({buffer, *n});
    } else {
      error_lines_.Finish();
      err_.stream.reset();
    }
    LogErrors();
  }
  port_->changed.Notify();
  co_return absl::OkStatus();
}

void ChildKeeper::LogErrors() {
  const std::string said = absl::StrCat(name_, "[", process_.pid(), "]: ");
  for (const std::string& line : error_lines_.Take()) {
    context().Log(absl::StrCat(said, line), name_);
  }
  const uint64_t left_out = error_lines_.TakeLeftOut();
  if (left_out > 0) {
    context().Log(absl::StrCat(said, left_out, " more lines, left out"), name_);
  }
}

}  // namespace trolley::internal
