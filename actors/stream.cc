// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/stream.h"

#include <cerrno>

namespace trolley {

Stream::Stream(Loop& loop, ScopedFd fd) : loop_(loop), fd_(std::move(fd)) {}

Stream::~Stream() {
  if (token_.has_value()) loop_.descriptors().Unwatch(*token_);
}

Task<absl::Status> Stream::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    absl::StatusOr<size_t> n =
        co_await Do(Ready::kWritable, SysCall::kWrite, [this, bytes] {
          return sys().Write(fd(),
                             absl::MakeConstSpan(bytes.data(), bytes.size()));
        });
    if (!n.ok()) co_return n.status();
    bytes.remove_prefix(*n);
  }
  co_return absl::OkStatus();
}

bool Stream::Waiter::Try() {
  do {
    result_ = Call();
  } while (result_ == -EINTR);
  return result_ != -EAGAIN;
}

bool Stream::Waiter::await_suspend(std::coroutine_handle<> at) {
  at_ = at;
  handler_ = loop().turn().handler;
  if (result_ != -EAGAIN) {  // done, but others come first
    loop().timers().Set(*this, loop().Now());
    return true;
  }
  error_ = stream_.Wait(*this);
  return error_.ok();
}

absl::Status Stream::Wait(Waiter& waiter) {
  calls_ = 0;
  (waiter.direction_ == Ready::kReadable ? reader_ : writer_) = &waiter;
  return Rearm();
}

void Stream::Forget(Waiter* waiter) {
  if (reader_ == waiter) reader_ = nullptr;
  if (writer_ == waiter) writer_ = nullptr;
}

absl::Status Stream::Rearm() {
  const bool edge = loop_.capabilities().edge;
  const Ready wanted =
      edge ? Ready::kReadable | Ready::kWritable
           : (reader_ != nullptr ? Ready::kReadable : Ready::kNone) |
                 (writer_ != nullptr ? Ready::kWritable : Ready::kNone);
  const Interest interest{.ready = wanted,
                          .trigger = edge ? Trigger::kEdge : Trigger::kLevel};
  if (token_.has_value()) {
    if (armed_ == wanted) return absl::OkStatus();
    armed_ = wanted;
    return loop_.descriptors().Change(*token_, interest);
  }
  absl::StatusOr<Token> token =
      loop_.descriptors().Watch(fd_.get(), interest, this);
  if (!token.ok()) return token.status();
  token_ = *token;
  armed_ = wanted;
  return absl::OkStatus();
}

void Stream::OnReady(Ready ready) {
  // A resumed coroutine may do anything, destroying this stream included, so
  // both directions are looked at before either is resumed.
  const Ready failed = ready & (Ready::kHangup | Ready::kError);
  const auto take = [&](Waiter*& slot, Ready direction) -> Waiter* {
    if (slot == nullptr || !Any((ready & direction) | failed)) return nullptr;
    return slot->Try() ? std::exchange(slot, nullptr) : nullptr;
  };
  Waiter* reader = take(reader_, Ready::kReadable);
  Waiter* writer = take(writer_, Ready::kWritable);
  if (!loop_.capabilities().edge) Rearm().IgnoreError();
  // By way of the timers if there are two: the first may destroy the second.
  if (reader != nullptr && writer != nullptr) {
    loop_.timers().Set(*writer, loop_.Now());
  }
  if (reader != nullptr) {
    loop_.Resume(*reader->handler_, reader->at_);
  } else if (writer != nullptr) {
    loop_.Resume(*writer->handler_, writer->at_);
  }
}

bool Stream::MustYield() {
  if (++calls_ < kCallsPerTurn) return false;
  calls_ = 0;
  return true;
}

}  // namespace trolley
