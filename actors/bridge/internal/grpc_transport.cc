// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/grpc_transport.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

GrpcTransport::~GrpcTransport() {
  if (token_.has_value()) context_->Unwatch(*token_);
  if (pieces_ == nullptr) return;
  pieces_->Attach(nullptr);
  // mutant: P15_ACallThatIsGivenUpGoesOn
  if (!pieces_->closed()) pieces_->Cancel();
}

absl::Status GrpcTransport::Start(ActorContext context) {
  if (context_.has_value()) return absl::OkStatus();
  absl::StatusOr<ScopedFd> fd = WakeFd::Open(context.sys());
  if (!fd.ok()) return fd.status();
  wake_.emplace(context.sys(), *std::move(fd));
  absl::StatusOr<Token> token =
      context.Watch(wake_->fd(), {.ready = Ready::kReadable}, *this);
  if (!token.ok()) return token.status();
  token_ = *token;
  context_ = context;
  pieces_->Attach(&*wake_);
  return absl::OkStatus();
}

void GrpcTransport::OnReady(Ready) {
  wake_->Drain();
  changed_.Notify();
}

absl::Status GrpcTransport::Gone() const {
  absl::Status why = pieces_->why();
  if (!why.ok() && !absl::IsUnavailable(why)) {
    why = absl::UnavailableError(
        absl::StrCat(absl::StatusCodeToString(why.code()), ": ",
                     std::string(why.message())));
  }
  return why.ok() ? absl::UnavailableError("the call has ended") : why;
}

Task<absl::Status> GrpcTransport::AwaitOpen(Instant deadline) {
  while (!pieces_->Opened()) {
    const bool in_time = co_await changed_.Wait(deadline);
    if (!in_time) {
      co_return absl::DeadlineExceededError("no answer came");
    }
  }
  co_return pieces_->ended_early();
}

Task<absl::StatusOr<size_t>> GrpcTransport::Read(absl::Span<char> into) {
  ssize_t n = pieces_->Read(into);
  while (n == -EAGAIN) {
    reads_ = 0;
    co_await changed_.Wait();
    n = pieces_->Read(into);
  }
  if (n == -EPROTO) co_return pieces_->why();
  if (n < 0) co_return Gone();
  if (++reads_ > kPiecesPerTurn) {
    reads_ = 0;
    co_await context_->Sleep(absl::ZeroDuration());
  }
  co_return static_cast<size_t>(n);
}

ssize_t GrpcTransport::WriteSome(absl::Span<const iovec> parts) {
  return pieces_->Write(parts);
}

Task<absl::StatusOr<size_t>> GrpcTransport::WhenWritable(
    absl::FunctionRef<ssize_t()> write) {
  if (++writes_ > kPiecesPerTurn) {
    writes_ = 0;
    co_await context_->Sleep(absl::ZeroDuration());
  }
  ssize_t n = write();
  while (n == -EAGAIN || n == -EINTR) {
    writes_ = 0;
    co_await changed_.Wait();
    n = write();
  }
  if (n < 0) co_return Gone();
  co_return static_cast<size_t>(n);
}

void GrpcTransport::Forget() {
  pieces_->Attach(nullptr);
  pieces_.reset();
}

void GrpcTransport::Close() {
  pieces_->Attach(nullptr);
  pieces_->Close();
  changed_.Notify();
}

}  // namespace trolley::internal
