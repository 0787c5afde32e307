// SPDX-License-Identifier: Apache-2.0
//
// BridgeAccepter: the listener of a BridgeService. It gives each call that
// gRPC's threads tell it of to an actor, or turns it away: a StreamLink for
// Bridge.Link, a TopicForwarder for Bridge.Subscribe.
//
//   accepter.Tell(NewCall(pieces, peer, NewCall::Kind::kLink));
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
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bridge/bridge_topics.h"
#include "trolley/actors/bridge/grpc_link_options.h"
#include "trolley/actors/bridge/internal/new_call.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/link/stream_listener.h"

namespace trolley::internal {

class BridgeAccepter final : public Actor {
 public:
  // `topics` nullopt: there are no subscriptions.
  BridgeAccepter(BridgeOptions options, std::optional<BridgeTopics> topics)
      : options_(std::move(options)), topics_(std::move(topics)) {}

  void On(NewCall&& call);
  ListenerStats On(const GetListenerStats&);

 protected:
  void OnDrain() override { closed_ = true; }

 private:
  absl::Status SpawnLink(NewCall& call, std::shared_ptr<void> slot);
  absl::Status SpawnForwarder(NewCall& call, std::shared_ptr<void> slot);
  // Empty: the listener has no name.
  std::string NextLinkName();
  void TurnAway(ServerPieces& call, const std::string& identity,
                const absl::Status& why);

  const BridgeOptions options_;
  const std::optional<BridgeTopics> topics_;
  ListenerStats stats_;
  bool closed_ = false;
  uint64_t last_link_ = 0;  // the number in the last name
  // Each call has a slot, which holds a share: one more than there are slots.
  std::shared_ptr<void> slots_ = std::make_shared<char>();
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGE_ACCEPTER_H_
