// SPDX-License-Identifier: Apache-2.0
//
// LinkState: what the parts of a StreamLink have in common: its options, its
// counters, the connection of the moment, and whether messages may leave. The
// parts are LinkSender, LinkReceiver, PeerAsks and Refusals. They are no
// actors: each uses the verbs of the link by this class.
//
// Ownership: a member of the link, and made before its parts.
// Threads:   loop thread only.
// Bounds:    one connection at a time.
// Ends:      with the link.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_STATE_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_STATE_H_

#include <cassert>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/internal/link_connection.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

class LinkState;

// The base of an actor that is made of parts.
class LinkActor : public Actor {
  friend class LinkState;  // lends the verbs of the actor to the parts
};

class LinkState {
 public:
  using Connection = std::shared_ptr<LinkConnection>;

  enum class Phase {
    kConnecting,  // messages wait
    kConnected,   // messages leave
    kDown         // messages are refused: down_reason
  };

  // `endpoint`: what the link dials; empty if its connection was accepted.
  LinkState(LinkActor& link, LinkOptions options, const std::string& endpoint,
            LinkPeer peer);
  LinkState(const LinkState&) = delete;
  LinkState& operator=(const LinkState&) = delete;

  // The link has started. Everything below is for later.
  void Start(ActorContext context) { context_.emplace(context); }
  const ActorContext& context() const {
    assert(context_.has_value());
    return *context_;
  }

  // For people: the endpoint and the peer, as far as they are known.
  std::string PeerName() const;
  // Limited by the endpoint, or by the peer's identity.
  void Log(absl::string_view line, LogKind kind = LogKind::Here()) const;

  // What senders to the Remotes of this link find from now on.
  void SetConnected(bool connected);

  // Those of the actor (actors/actor.h).
  void RunInBackground(Task<absl::Status> task);
  void HoldMailbox();

  const LinkOptions options;
  LinkPeer peer;  // the last one
  LinkStats stats;

  Phase phase = Phase::kConnecting;
  Connection connection;  // null while there is none
  bool useful = false;    // it brought a good frame, other than a farewell
  bool draining = false;  // the bus shuts down
  // Senders look again: there is a connection, room, or credit; or not.
  AsyncCondition changed;
  AsyncCondition drained;  // stats.queued is 0

  // While kDown.
  LinkEnd down_end = LinkEnd::kStopped;
  absl::Status down_reason;

 private:
  LinkActor& link_;
  const std::string endpoint_;       // as the dialer says it
  const std::string endpoint_name_;  // printable
  std::optional<ActorContext> context_;
  bool connected_ = true;  // what senders to Remotes find
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_STATE_H_
