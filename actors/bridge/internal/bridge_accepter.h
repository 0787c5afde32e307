// SPDX-License-Identifier: Apache-2.0
//
// BridgeAccepter: the listener of a BridgeService. It gives each call that
// gRPC's threads tell it of to a StreamLink, or turns it away.
//
//   accepter.Tell(NewCall(pieces, peer));
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    ListenerOptions::max_connections.
// Ends:      when it is stopped. Then, and when the bus drains, it turns calls
//            away. Its links go on.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGE_ACCEPTER_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGE_ACCEPTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bridge/grpc_link_options.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/actors/link/stream_listener.h"

namespace trolley::internal {

// A call that has no link yet. If it never gets one, it ends with UNAVAILABLE.
class NewCall {
 public:
  NewCall(std::shared_ptr<ServerPieces> pieces, LinkPeer peer)
      : pieces_(std::move(pieces)), peer_(std::move(peer)) {}
  NewCall(NewCall&&) = default;
  NewCall& operator=(NewCall&&) = delete;
  ~NewCall();

  std::shared_ptr<ServerPieces> Take() { return std::move(pieces_); }
  LinkPeer& peer() { return peer_; }

 private:
  std::shared_ptr<ServerPieces> pieces_;  // null: taken
  LinkPeer peer_;
};

class BridgeAccepter final : public Actor {
 public:
  explicit BridgeAccepter(BridgeOptions options)
      : options_(std::move(options)) {}

  void On(NewCall&& call);
  ListenerStats On(const GetListenerStats&);

 protected:
  void OnDrain() override { closed_ = true; }

 private:
  // Empty: the listener has no name.
  std::string NextLinkName();
  void TurnAway(ServerPieces& call, const std::string& identity,
                const absl::Status& why);

  const BridgeOptions options_;
  ListenerStats stats_;
  bool closed_ = false;
  uint64_t last_link_ = 0;  // the number in the last name
  // Each call has a slot, which holds a share: one more than there are slots.
  std::shared_ptr<void> slots_ = std::make_shared<char>();
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGE_ACCEPTER_H_
