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
//            The peer hears of an ask that is given up, and is asked for an
//            account. When the outbox has no room, that is owed, and no message
//            is sent before it.
// Ends:      with the link. FailAsks() ends the asks of one connection.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
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
#include "trolley/actors/link/internal/sent_books.h"
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
  Task<absl::StatusOr<WireMessage>> Ask(LinkAsk& ask,
                                        const TellOptions& options);

  // As Ask(), for a watch, which has no deadline and a bound of its own. `id`:
  // of NewAskId().
  Task<absl::StatusOr<WireMessage>> Watch(LinkAsk& ask, uint64_t id) {
    return Await(ask, {}, id, /*watch=*/true);
  }
  uint64_t NewAskId() { return ++next_ask_id_; }
  // Its answer is Cancelled, if it has none.
  void GiveUp(uint64_t id);

  // Asks the peer what became of the tells, and waits for its answer until the
  // connection ends or the time has come. The ledger is without `written`.
  Task<LinkLedger> ReadLedger(Instant until);

  // The peer answered an ask, or refused a message.
  void HearReply(link::v1::Reply& reply);
  void HearRefusal(const link::v1::Refusal& refusal);
  // An error: it says what cannot be.
  absl::Status HearAccounted(const link::v1::Accounted& accounted);

  // A handshake is over.
  void BeginConnection();
  // `connection` has ended: what was asked over it fails.
  void FailAsks(const LinkConnection& connection);

  size_t pending_asks() const { return asks_.size() - watches_; }

 private:
  // A route as this link writes it.
  struct EncodedRoute {
    LinkRoute::Ptr of;
    absl::Status named;  // whether its target is a name
    std::string fields;
  };
  // An ask of ours; lives in Await().
  struct PendingAsk {
    // Once; a later answer is dropped, and counted.
    void Answer(absl::StatusOr<WireMessage> with);

    const LinkConnection* connection = nullptr;  // over which it was sent
    uint64_t sequence = 0;
    bool watch = false;
    bool settled = false;  // the peer waits for no Cancel
    bool ended = false;    // for the ledger
    std::optional<absl::StatusOr<WireMessage>> answer;
    AsyncCondition answered;
  };
  // What is to be sent, as it stands in the LinkTell or LinkAsk in hand.
  struct Outgoing {
    const LinkRoute::Ptr& route;
    std::string& bytes;
    TellOptions options;
    uint64_t ask_id = 0;
    const std::vector<std::string>* askers = nullptr;
    PendingAsk* ask = nullptr;  // null: a tell
  };

  const EncodedRoute& Encode(const LinkRoute::Ptr& route);
  absl::StatusOr<bool> TryTransmit(const Outgoing& outgoing);
  void NotSent(const Outgoing& outgoing);
  // The same, when it is its turn and as often as it takes.
  Task<absl::Status> Transmit(Outgoing outgoing);
  Task<absl::Status> TellLater(Outgoing outgoing);
  // Sends an ask, and waits for its answer.
  Task<absl::StatusOr<WireMessage>> Await(LinkAsk& ask, TellOptions options,
                                          uint64_t id, bool watch);
  static Task<absl::StatusOr<WireMessage>> Refuse(absl::Status why);
  // The coroutine of that ask has ended.
  void Forget(uint64_t id);
  // The peer is told, as soon as there is room.
  void Cancel(uint64_t ask_id);
  // The peer is asked what became of the tells, as soon as there is room.
  void AskForAccount();
  // Cancels, and an Account. True: nothing is owed any more.
  bool SendOwed();
  Task<absl::Status> SendOwedLater(LinkState::Connection connection);
  // Why nothing can be sent.
  absl::Status NotSendable();
  // The end of an ask, or of a watch, for the ledger. Once for each.
  void EndAsk(PendingAsk& ask, SentBooks::Outcome outcome);
  // Null: nothing waits for an answer to that.
  PendingAsk* FindUnanswered(uint64_t ask_id, SentBooks::Outcome outcome);

  LinkState& state_;
  AsyncMutex sending_;  // of those that send
  int waiting_tells_ = 0;
  absl::node_hash_map<const LinkRoute*, EncodedRoute> routes_;
  EncodedRoute* last_route_ = nullptr;
  std::string head_;             // of the next message; kept for its memory
  bool refusal_logged_ = false;  // on this connection

  uint64_t next_ask_id_ = 0;
  absl::flat_hash_map<uint64_t, PendingAsk*> asks_;
  size_t watches_ = 0;             // among those
  std::deque<uint64_t> given_up_;  // asks whose Cancel is owed
  AsyncCondition owed_changed_;    // or the connection has ended

  SentBooks books_;
  bool account_owed_ = false;
  bool account_asked_ = false;  // and not answered
  uint64_t accounts_ = 0;       // that were answered
  AsyncCondition accounted_;    // or the connection has ended
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_SENDER_H_
