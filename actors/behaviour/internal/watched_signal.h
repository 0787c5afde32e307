// SPDX-License-Identifier: Apache-2.0
//
// WatchedSignal: one signal of a Signals: the loop watches its descriptor, and
// the actor is told.
//
// Ownership: a Signals owns it.
// Threads:   loop thread only.
// Bounds:    one message at a time.
// Ends:      the destructor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WATCHED_SIGNAL_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WATCHED_SIGNAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/behaviour/internal/one_in_flight.h"
#include "trolley/actors/behaviour/internal/signal_catcher.h"
#include "trolley/actors/context.h"
#include "trolley/bus/timer.h"
#include "trolley/bus/watcher.h"
#include "trolley/poller/event.h"

namespace trolley::internal {

class WatchedSignal final : private Watcher, private Timer {
 public:
  // Tells the actor that the signal has come so many times.
  using Told = std::function<void(int signal, uint64_t times,
                                  OneInFlight::Token in_flight)>;

  // Errors: as Signals::Start().
  static absl::StatusOr<std::unique_ptr<WatchedSignal>> Create(
      ActorContext context, int signal, Told told) {
    auto catcher = SignalCatcher::Create(signal);
    if (!catcher.ok()) return catcher.status();
    std::unique_ptr<WatchedSignal> watched(
        new WatchedSignal(context, *std::move(catcher), std::move(told)));
    const absl::StatusOr<Token> token = context.Watch(
        watched->catcher_->fd(), {.ready = Ready::kReadable}, *watched);
    if (!token.ok()) return token.status();
    watched->token_ = *token;
    return watched;
  }
  ~WatchedSignal() override {
    if (token_.has_value()) context_.Unwatch(*token_);
  }

 private:
  WatchedSignal(ActorContext context, std::unique_ptr<SignalCatcher> catcher,
                Told told)
      : context_(context),
        catcher_(std::move(catcher)),
        told_(std::move(told)) {
    message_.TellWhenFree(context, *this);
  }

  void OnReady(Ready) override {
    times_ += catcher_->TakeCount();
    TellIfFree();
  }
  // The message before has been handled.
  void OnTimer() override { TellIfFree(); }
  void TellIfFree() {
    if (times_ == 0 || !message_.is_free()) return;
    // mutant: P2_SignalsWhileOneIsHandledAreLost
    told_(catcher_->signal(), std::exchange(times_, 0), message_.Take());
  }

  const ActorContext context_;
  const std::unique_ptr<SignalCatcher> catcher_;
  const Told told_;
  uint64_t times_ = 0;  // that the actor has not been told of
  std::optional<Token> token_;
  OneInFlight message_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WATCHED_SIGNAL_H_
