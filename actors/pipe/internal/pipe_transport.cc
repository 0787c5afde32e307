// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe/internal/pipe_transport.h"

#include <poll.h>
#include <time.h>

#include <cerrno>
#include <utility>

namespace trolley::internal {

int PollsReadable(Sys& sys, int fd) {
  pollfd one = {.fd = fd, .events = POLLIN, .revents = 0};
  const timespec at_once = {};
  const int ready = sys.Ppoll(absl::MakeSpan(&one, 1), &at_once);
  return ready > 0 ? one.revents : ready;
}

absl::Status PipeTransport::Start(ActorContext context) {
  in_.emplace(context, std::move(pipes_.in));
  out_.emplace(context, std::move(pipes_.out));
  return absl::OkStatus();
}

Task<absl::StatusOr<size_t>> PipeTransport::Read(absl::Span<char> into) {
  if (heard_) co_return co_await in_->Read(into);
  const auto read = [this, into]() -> ssize_t {
    const int ready = PollsReadable(in_->sys(), in_->fd());
    // mutant: P13_APeerThatHasNotOpenedItsPipeYetIsTakenForOneThatClosed
    if (ready <= 0) return ready == 0 ? -EAGAIN : ready;
    return in_->sys().Read(in_->fd(), into);
  };
  const absl::StatusOr<size_t> n =
      co_await in_->Do(Ready::kReadable, SysCall::kRead, read);
  heard_ = true;
  co_return n;
}

ssize_t PipeTransport::WriteSome(absl::Span<const iovec> parts) {
  return out_->sys().Writev(out_->fd(), parts);
}

Task<absl::StatusOr<size_t>> PipeTransport::WhenWritable(
    absl::FunctionRef<ssize_t()> write) {
  co_return co_await out_->Do(Ready::kWritable, SysCall::kWritev, write);
}

void PipeTransport::Close() {
  in_->CancelReading();
  out_->CancelWriting();
}

}  // namespace trolley::internal
