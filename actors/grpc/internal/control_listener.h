// SPDX-License-Identifier: Apache-2.0
//
// ControlListener: the actor that accepts the connections of a control service.
// It has no name, so no client can stop it.
//
// Ownership: owns the listening socket.
// Threads:   as any actor.
// Bounds:    accepts kAcceptsPerTurn connections, then other actors run.
// Ends:      Stop(). Its destructor removes the socket and then opens `ended`.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_LISTENER_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_LISTENER_H_

#include <memory>
#include <optional>

#include "trolley/actors/actor.h"
#include "trolley/actors/grpc/internal/connections.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/bus/latch.h"

namespace trolley::internal {

class ControlListener final : public Actor, private Watcher {
 public:
  static constexpr int kAcceptsPerTurn = 16;

  ControlListener(UnixListenSocket socket,
                  std::shared_ptr<Connections> connections,
                  std::shared_ptr<Latch> ended);
  ~ControlListener() override;

  struct GoOn {};
  void On(const GoOn&);

 protected:
  void OnStart() override { On(GoOn{}); }
  void OnStop() override { Unwatch(); }

 private:
  void OnReady(Ready ready) override;
  void Unwatch();

  UnixListenSocket socket_;
  const std::shared_ptr<Connections> connections_;
  const std::shared_ptr<Latch> ended_;
  std::optional<Token> watched_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_LISTENER_H_
