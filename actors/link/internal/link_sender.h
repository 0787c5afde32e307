// SPDX-License-Identifier: Apache-2.0
//
// LinkSender: the outgoing side of a StreamLink. It sends the messages in the
// order in which they came, and gives each ask its answer or its error.
//
// Ownership: a member of the link.
// Threads:   loop thread only.
// Bounds:    LinkOptions: the outbox, the credit of the peer, and
//            max_pending_asks. A message that has to wait is a coroutine; when
//            many wait, the rest stay in the mailbox of the link.
// Ends:      with the link. FailAsks() ends the asks of one connection.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/async_mutex.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/maybe_task.h"
#include "trolley/actors/task.h"
#include "trolley/actors/tell_options.h"
#include "trolley/proto/link.pb.h"

namespace trolley::internal {

class LinkSender {
 public:
  explicit LinkSender(LinkState& state) : state_(state) {}
  LinkSender(const LinkSender&) = delete;
  LinkSender& operator=(const LinkSender&) = delete;

  // Sends a message, and asks a question. The caller keeps `tell` or `ask`, the
  // message in hand, until the result is there. Results: at LinkTell and
  // LinkAsk. `options`: the deadline and the trace of the message in hand.
  MaybeTask<absl::Status> Tell(LinkTell& tell, const TellOptions& options);
  Task<absl::StatusOr<WireMessage>> Ask(LinkAsk& ask, TellOptions options);

  // The peer answered an ask, or refused a message.
  void HearReply(link::v1::Reply& reply);
  void HearRefusal(const link::v1::Refusal& refusal);

  // A handshake is over.
  void BeginConnection() { refusal_logged_ = false; }
  // `connection` has ended: what was asked over it fails.
  void FailAsks(const LinkConnection& connection);

  size_t pending_asks() const { return asks_.size(); }

 private:
  // A route as this link writes it.
  struct EncodedRoute {
    LinkRoute::Ptr of;
    absl::Status named;  // whether its target is a name
    std::string fields;
  };
  // What is to be sent, as it stands in the LinkTell or LinkAsk in hand.
  struct Outgoing {
    const LinkRoute::Ptr& route;
    std::string& bytes;
    TellOptions options;
    uint64_t ask_id = 0;
    const std::vector<std::string>* askers = nullptr;
  };
  // An ask of ours; lives in Ask().
  struct PendingAsk {
    // Once; a later answer is dropped, and counted.
    void Answer(absl::StatusOr<WireMessage> with);

    const LinkConnection* connection = nullptr;  // over which it was sent
    uint64_t sequence = 0;
    std::optional<absl::StatusOr<WireMessage>> answer;
    AsyncCondition answered;
  };

  const EncodedRoute& Encode(const LinkRoute::Ptr& route);
  absl::StatusOr<bool> TryTransmit(const Outgoing& outgoing);
  // The same, when it is its turn and as often as it takes.
  Task<absl::Status> Transmit(Outgoing outgoing);
  Task<absl::Status> TellLater(Outgoing outgoing);
  // Why nothing can be sent.
  absl::Status NotSendable();
  // Null: nothing waits for an answer to that.
  PendingAsk* FindUnanswered(uint64_t ask_id);

  LinkState& state_;
  AsyncMutex sending_;  // of those that send
  int waiting_tells_ = 0;
  absl::node_hash_map<const LinkRoute*, EncodedRoute> routes_;
  EncodedRoute* last_route_ = nullptr;
  std::string head_;             // of the next message; kept for its memory
  bool refusal_logged_ = false;  // on this connection

  uint64_t next_ask_id_ = 0;
  absl::flat_hash_map<uint64_t, PendingAsk*> asks_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_
