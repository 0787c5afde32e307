// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/control_listener.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace trolley::internal {
namespace {

// How long it waits when no descriptor is left to accept with.
constexpr absl::Duration kRest = absl::Milliseconds(100);

}  // namespace

ControlListener::ControlListener(UnixListenSocket socket,
                                 std::shared_ptr<Connections> connections,
                                 std::shared_ptr<Latch> ended)
    : socket_(std::move(socket)),
      connections_(std::move(connections)),
      ended_(std::move(ended)) {}

ControlListener::~ControlListener() {
  socket_.Close();
  ended_->Open();
}

void ControlListener::On(const GoOn&) {
  if (watched_.has_value()) return;
  absl::StatusOr<Token> token =
      context().Watch(socket_.fd(), {.ready = Ready::kReadable}, *this);
  if (!token.ok()) {
    context().Log(absl::StrCat("control service at ", socket_.path(),
                               " ends: ", token.status().ToString()));
    return Stop();
  }
  watched_ = *token;
}

void ControlListener::Unwatch() {
  if (watched_.has_value()) context().Unwatch(*watched_);
  watched_.reset();
}

void ControlListener::OnReady(Ready) {
  // The trigger is level: the poller reports connections that are left again.
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    absl::StatusOr<ScopedFd> connection = socket_.Accept();
    if (connection.ok()) {
      connections_->Take(*std::move(connection));
      continue;
    }
    if (absl::IsUnavailable(connection.status())) return;
    if (absl::IsResourceExhausted(connection.status())) {
      if (socket_.has_reserve()) continue;
      Unwatch();
      TellAfter(this, kRest, GoOn{});
      return;
    }
    context().Log(
        absl::StrCat("control service at ", socket_.path(),
                     " accepts no more: ", connection.status().ToString()));
    Unwatch();
    return Stop();
  }
}

}  // namespace trolley::internal
