// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/call_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/context.h"

namespace trolley::internal {
namespace {

// Of the Offer that lives on this thread.
thread_local CallStream::Ptr offered;

// -1: this is no thread of a loop.
int ThisLoop() {
  const std::optional<ActorContext> context = ActorContext::OfThisThread();
  return context.has_value() ? context->loop_index() : -1;
}

}  // namespace

CallStream::Offer::Offer(Ptr stream) { offered = std::move(stream); }

CallStream::Offer::~Offer() { offered = nullptr; }

CallStream::Ptr CallStream::TakeOffered() {
  return std::exchange(offered, nullptr);
}

Task<absl::Status> CallStream::Write(std::string message) {
  if (message.size() > limits_.message_bytes) {
    co_return absl::ResourceExhaustedError(
        absl::StrCat("a message of the stream has ", message.size(),
                     " bytes, more than ActorServiceOptions::max_message_bytes "
                     "(",
                     limits_.message_bytes, ") allows"));
  }
  const Instant until = bus_.Now() + limits_.patience;
  for (;;) {
    absl::StatusOr<bool> written = TryWrite(message);
    if (!written.ok()) co_return written.status();
    if (*written) co_return absl::OkStatus();
    auto waiting = changed_.Wait(until);
    const bool changed = co_await waiting;
    if (!changed && bus_.Now() >= until) co_return Stalled();
  }
}

Task<absl::StatusOr<std::optional<std::string>>> CallStream::Read() {
  for (;;) {
    std::optional<Next> next = TryRead();
    if (next.has_value()) co_return *std::move(next);
    auto waiting = changed_.Wait();
    co_await waiting;
  }
}

absl::StatusOr<bool> CallStream::TryWrite(std::string& message) {
  absl::MutexLock lock(&mutex_);
  if (!closed_.ok()) return closed_;
  // mutant: P6_AStreamHasNoBound
  if (!HasRoom(to_client_)) {
    waiting_loop_ = ThisLoop();
    return false;
  }
  to_client_.Push(std::move(message));
  Pump();
  return true;
}

std::optional<CallStream::Next> CallStream::TryRead() {
  absl::MutexLock lock(&mutex_);
  if (!closed_.ok()) return Next(closed_);
  if (!from_client_.empty()) {
    Next next(std::optional<std::string>(from_client_.Pop()));
    Pump();
    return next;
  }
  if (client_ended_) return Next(std::optional<std::string>());
  waiting_loop_ = ThisLoop();
  return std::nullopt;
}

absl::Status CallStream::Stalled() {
  absl::MutexLock lock(&mutex_);
  stalled_ = true;
  return absl::DeadlineExceededError(
      absl::StrCat("the client has read nothing of the stream for ",
                   absl::FormatDuration(limits_.patience),
                   " (ActorServiceOptions::stream_patience)"));
}

void CallStream::WakeHandler() {
  if (waiting_loop_ == kNoLoop) return;
  bus_.RunOnLoop(std::exchange(waiting_loop_, kNoLoop),
                 [stream = shared_from_this()] { stream->changed_.Notify(); });
}

void CallStream::Close(absl::Status why) {
  if (!closed_.ok()) return;
  closed_ = std::move(why);
  WakeHandler();
}

}  // namespace trolley::internal
