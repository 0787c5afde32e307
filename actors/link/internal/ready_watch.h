// SPDX-License-Identifier: Apache-2.0
//
// ReadyWatch: waits until a descriptor is ready, and no longer than until a
// deadline. For dialers; a Stream waits without a deadline.
//
//   ReadyWatch watch(context);
//   absl::Status watched = watch.Begin(fd, Ready::kWritable);
//   if (!watched.ok()) co_return watched;
//   const bool in_time = co_await watch.ready().Wait(deadline);
//   watch.End();
//
// Ownership: borrows the descriptor, which stays open until End().
// Threads:   loop thread only.
// Bounds:    one descriptor at a time.
// Ends:      with the first event, End(), or the destructor.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_READY_WATCH_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_READY_WATCH_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/context.h"
#include "trolley/bus/watcher.h"

namespace trolley::internal {

class ReadyWatch final : private Watcher {
 public:
  explicit ReadyWatch(ActorContext context) : context_(context) {}
  ~ReadyWatch() { End(); }
  ReadyWatch(const ReadyWatch&) = delete;
  ReadyWatch& operator=(const ReadyWatch&) = delete;

  // Errors: as ActorContext::Watch().
  absl::Status Begin(int fd, Ready what) {
    absl::StatusOr<Token> token = context_.Watch(fd, {.ready = what}, *this);
    if (!token.ok()) return token.status();
    token_ = *token;
    return absl::OkStatus();
  }
  // Notified once: it is ready, or has failed.
  AsyncCondition& ready() { return ready_; }
  void End() {
    if (token_.has_value()) context_.Unwatch(*token_);
    token_.reset();
  }

 private:
  void OnReady(Ready) override {
    End();
    ready_.Notify();
  }

  const ActorContext context_;
  std::optional<Token> token_;  // while it watches
  AsyncCondition ready_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_READY_WATCH_H_
