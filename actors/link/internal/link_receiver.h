// SPDX-License-Identifier: Apache-2.0
//
// LinkReceiver: the incoming side of a StreamLink. Messages go to the mailboxes
// of their targets, or to the queues before these; what the peer asks is
// answered, and what it watches is told; answers and refusals of the peer go to
// the LinkSender.
//
// Ownership: a member of the link.
// Threads:   loop thread only.
// Bounds:    LinkOptions: the credit of the peer, max_pending_asks and
//            max_watches. A message holds its credit until a mailbox has taken
//            it or the refusal of it is in the outbox.
// Ends:      with the link. Forget() ends what the peer of one connection
//            asked; the tells of the peer are still delivered.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_RECEIVER_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_RECEIVER_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/internal/link_sender.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/link/internal/peer_asks.h"
#include "trolley/actors/link/internal/peer_watches.h"
#include "trolley/actors/link/internal/refusals.h"
#include "trolley/actors/link/internal/target_queues.h"
#include "trolley/actors/task.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/message_view.h"

namespace trolley::internal {

class LinkReceiver {
 public:
  using Connection = LinkState::Connection;

  LinkReceiver(LinkState& state, LinkSender& sender,
               PeerWatches::Begins watches)
      : state_(state),
        sender_(sender),
        asks_(state),
        watches_(state, std::move(watches)),
        refusals_(state) {}
  LinkReceiver(const LinkReceiver&) = delete;
  LinkReceiver& operator=(const LinkReceiver&) = delete;

  // Handles the frames that were read, and lets the actors run that they were
  // for. A frame that breaks a rule ends the connection.
  Task<absl::Status> HandleFrames(Connection connection);
  // The peer sends nothing more. Asks that actors of this loop are working on
  // get their answers out; the peer may still read.
  Task<absl::Status> LetReadyAnswersOut();
  // The connection has ended: what its peer asked is forgotten.
  void Forget();
  // An actor that the peer watches has ended.
  void HearDown(const Down& down) { watches_.HearDown(down); }

  size_t targets() const { return queues_.size(); }
  size_t watches() const { return watches_.count(); }

 private:
  using Reason = link::v1::Refusal::Reason;

  absl::Status Handle(const Connection& connection, const wire::Frame& frame);
  absl::Status HandleData(const Connection& connection,
                          const wire::Frame& frame);
  absl::Status ReceiveMessage(const Connection& connection,
                              const wire::FrameHeader& header,
                              const wire::MessageView& message);
  // An ask that this link answers itself. False: it is none.
  absl::StatusOr<bool> ReceiveOwn(const wire::FrameHeader& header,
                                  const wire::MessageView& message);
  absl::Status ReceiveWatch(const wire::FrameHeader& header,
                            const wire::MessageView& message);
  void ReceiveLookup(const wire::FrameHeader& header,
                     const wire::MessageView& message);
  // What Lookup is answered with. Nullopt: no actor has the name yet.
  std::optional<absl::StatusOr<WireMessage>> LookUp(
      const std::string& name) const;
  // Whether it may go to its target's mailbox. If not, the peer is told.
  bool Admit(const wire::FrameHeader& header, const wire::MessageView& message,
             TargetQueue*& queue);
  std::string TooManyAsks() const;
  // Whether the target could answer: it may wait for this ask itself.
  absl::Status CheckAskers(const TargetQueue& queue,
                           const wire::MessageView& message) const;
  // `sent`: what became of a message on its way to the mailbox.
  void FinishDelivery(TargetQueue& queue, const wire::FrameHeader& header,
                      uint64_t ask_id, const absl::Status& sent);
  Task<absl::Status> RunQueue(TargetQueue* queue);
  // The peer wants to know what became of its tells. Answered when there is
  // room.
  void HearAccount();
  Task<absl::Status> SendAccounted(Connection connection);
  // The peer gave an ask or a watch up.
  void HearCancel(uint64_t ask_id);
  // A message has left its queue.
  void Unqueue() {
    assert(state_.stats.queued > 0);
    --state_.stats.queued;
  }
  Task<absl::Status> LetActorsRun(uint64_t turns);

  LinkState& state_;
  LinkSender& sender_;
  PeerAsks asks_;
  PeerWatches watches_;
  Refusals refusals_;
  TargetQueues queues_;
  uint64_t tells_taken_ = 0;  // of this connection, by mailboxes
  bool account_owed_ = false;
  // Asks in those queues, by their ask ids; the first of each id.
  struct QueuedAsk {
    TargetQueue* queue;
    std::list<QueuedMessage>::iterator at;  // end(): in hand
  };
  absl::flat_hash_map<uint64_t, QueuedAsk> queued_asks_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_RECEIVER_H_
