// SPDX-License-Identifier: Apache-2.0
//
// UnixLink: an actor that is a connection to another process over a Unix
// socket. Both ends may tell and ask; what arrives goes to the actor it names,
// if that actor's class lists the message in its Receives
// (actors/wire_methods.h). proto/README.md has the bytes.
//
//   auto link = bus.Spawn<trolley::UnixLink>({}, "/run/words.sock");
//   auto top = bus.Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//
// Back pressure runs end to end: a message received holds credit until its
// target's mailbox has taken it, or until the refusal is on its way; without
// credit this link takes no message from its own mailbox, which fills, and so
// its senders wait. Answers need no credit and pass. Messages for other actors
// pass until the slow one has all of the window: give what must never wait for
// it a link of its own.
//
// Ownership: the bus owns it; it owns the connection.
// Threads:   as any actor.
// Bounds:    UnixLinkOptions, and SpawnOptions::mailbox_capacity for messages
//            on their way out, asks without an answer included.
// Ends:      one that was dialled lives until it is stopped, or until its
//            connection ends if it does not reconnect; one that was accepted
//            ends with its connection, when all that was told is delivered. A
//            bus that shuts down says GOAWAY first, and answers what was asked
//            before.
//
// When a connection ends (LinkEnd in actors/link.h) our asks without an answer
// fail with Unavailable. The peer's are forgotten: those that wait for room are
// dropped, and nothing waits for the answers of the others. What the peer told
// is still delivered.

#ifndef TROLLEY_ACTORS_UNIX_LINK_H_
#define TROLLEY_ACTORS_UNIX_LINK_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link.h"
#include "trolley/actors/signal.h"
#include "trolley/actors/unix_connection.h"
#include "trolley/actors/unix_link_options.h"
#include "trolley/actors/unix_socket.h"
#include "trolley/actors/wire.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/proto/link.pb.h"
#include "trolley/proto/message_view.h"

namespace trolley {

class UnixLink : public Actor {
 public:
  // Its handlers wait for answers while others go on.
  static constexpr bool kInterleaved = true;

  // Dials `path`.
  explicit UnixLink(std::string path, UnixLinkOptions options = {});

  // Takes a connected, non-blocking stream socket, whose peer was checked by
  // whoever accepted it. `place` is released when the link ends.
  UnixLink(ScopedFd connected, UnixCredentials peer, UnixLinkOptions options,
           std::shared_ptr<void> place = nullptr);

  MaybeTask<absl::Status> On(LinkTell&& tell);
  Task<absl::StatusOr<WireMessage>> On(LinkAsk&& ask);
  LinkStats On(const GetLinkStats&);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  using Connection = std::shared_ptr<UnixConnection>;
  using Proto = link::v1::Envelope;

  // A message of this connection that waits for room in its target's mailbox.
  struct Arrived {
    wire::FrameHeader header;
    uint64_t ask_id = 0;
    bool forgotten = false;         // an ask whose connection has ended
    std::unique_ptr<WireAsk> made;  // an ask which waits already, or
    WireMessage message;
    TellOptions options;
    std::vector<std::string> askers;
  };
  // The messages for one actor, in the order in which they came.
  struct Lane {
    WireTarget target;
    std::deque<Arrived> waiting;
    Arrived* in_hand = nullptr;  // of RunLane()
    bool running = false;
    bool stale = false;  // `target` has ended; there may be a successor
  };
  // An ask of the peer that a mailbox has taken; lives in AnswerLater().
  struct TakenAsk {
    WireAsk* ask = nullptr;
    bool forgotten = false;  // its connection has ended
  };
  // A refusal for which the outbox has no room. Its message still holds its
  // credit, which bounds how many there are.
  struct OwedRefusal {
    wire::FrameHeader header;
    uint64_t ask_id = 0;
    link::v1::Refusal::Reason reason;
  };
  // An ask of ours; lives in its handler.
  struct PendingAsk {
    UnixConnection* connection = nullptr;
    uint64_t sequence = 0;
    std::optional<absl::StatusOr<WireMessage>> answer;
    Signal answered;
  };

  // The life of the link: a connection, or one after the other.
  Task<absl::Status> Live();
  Task<absl::Status> Converse(Connection connection);
  Task<absl::Status> HandleFrames(Connection connection);
  Task<absl::Status> LetReadyAnswersOut();
  Task<absl::Status> GoDown();
  void SetConnected(bool connected);
  LinkDown Down();
  static Task<absl::Status> Write(Connection connection);
  absl::StatusOr<ScopedFd> Dial();
  absl::Duration NextBackoff();

  // Out.
  // A route as this link writes it.
  struct Route {
    LinkRoute::Ptr of;
    absl::Status named;  // whether its target is a name
    std::string fields;
  };
  // What is to be sent, as it stands in the LinkTell or LinkAsk in hand.
  struct Outgoing {
    const LinkRoute::Ptr& route;
    std::string& bytes;
    Instant until;
    uint64_t ask_id = 0;
    const std::vector<std::string>* askers = nullptr;
  };
  const Route& RouteOf(const LinkRoute::Ptr& route);
  absl::StatusOr<bool> TryTransmit(const Outgoing& outgoing);
  // The same, when it is its turn and as often as it takes.
  Task<absl::Status> Transmit(Outgoing outgoing);
  Task<absl::Status> TellLater(Outgoing outgoing);
  absl::Status NotSendable();
  void FailAsks(const UnixConnection& connection);

  // In.
  absl::Status Handle(const Connection& connection, const wire::Frame& frame);
  absl::Status HandleData(const Connection& connection,
                          const wire::Frame& frame);
  absl::Status HandleMessage(const Connection& connection,
                             const wire::FrameHeader& header,
                             const wire::MessageView& message);
  void HandleReply(link::v1::Reply& reply);
  void HandleRefusal(const link::v1::Refusal& refusal);
  Lane* LaneFor(absl::string_view target);
  bool Admit(const wire::FrameHeader& header, const wire::MessageView& message,
             Lane*& lane);
  static std::unique_ptr<WireAsk> MakeAsk(const Lane& lane, WireView message,
                                          const TellOptions& options,
                                          std::vector<std::string> askers);
  void Conclude(Lane& lane, const wire::FrameHeader& header, uint64_t ask_id,
                const absl::Status& sent);
  Task<absl::Status> RunLane(Lane* lane);
  Task<absl::Status> LetActorsRun(uint64_t turns);
  Task<absl::Status> AnswerLater(uint64_t ask_id, std::unique_ptr<WireAsk> ask);
  Task<absl::Status> FailLater(uint64_t ask_id, absl::Status error);
  Task<absl::Status> WaitForRoom(const TakenAsk& taken);
  void AnswerNow(UnixConnection& connection, uint64_t ask_id,
                 absl::StatusOr<WireMessage> result);
  // Whether the target could answer: it may wait for this ask itself.
  absl::Status CheckAskers(const Lane& lane,
                           const wire::MessageView& message) const;
  void ForgetAsksOfPeer();
  void Refuse(const wire::FrameHeader& header, uint64_t ask_id,
              link::v1::Refusal::Reason reason, absl::string_view detail);
  Task<absl::Status> RefuseLater(Connection connection);
  static void SendRefusal(UnixConnection& connection,
                          const wire::FrameHeader& header, uint64_t ask_id,
                          link::v1::Refusal::Reason reason,
                          absl::string_view detail);

  std::string PeerName() const;
  void Log(absl::string_view what, LogKind kind = LogKind::Here()) const;

  const std::string path_;  // empty: accepted
  const UnixLinkOptions options_;
  ScopedFd accepted_;  // until OnStart
  UnixCredentials peer_;
  std::shared_ptr<void> place_;

  LinkStats stats_;
  // Whoever sends looks again: there is a connection, room, or credit; or not.
  Signal changed_;
  Signal drained_;  // no message waits in a lane
  Turns turns_;     // of the senders
  int waiting_tells_ = 0;
  absl::node_hash_map<const LinkRoute*, Route> routes_;
  Route* last_route_ = nullptr;
  std::string head_;  // of the next to be sent; kept for its memory
  enum class State {
    kConnecting,
    kConnected,
    kDown
  } state_ = State::kConnecting;
  // While kDown.
  LinkEnd down_end_ = LinkEnd::kStopped;
  absl::Status down_reason_;
  enum class Told { kNothing, kUp, kDown } told_ = Told::kNothing;  // watcher_
  bool connected_ = true;  // what senders to Remotes find
  Connection connection_;
  bool draining_ = false;
  bool useful_ = false;          // this connection brought a good frame
  bool refusal_logged_ = false;  // on this connection
  uint32_t failures_ = 0;        // to connect, in a row
  std::minstd_rand random_;

  uint64_t next_ask_id_ = 0;
  absl::flat_hash_map<uint64_t, PendingAsk*> asks_;
  size_t asks_taken_ = 0;  // of the peer's, not answered yet
  absl::flat_hash_set<TakenAsk*> taken_;
  std::deque<OwedRefusal> owed_;  // of this connection; see Refuse()
  absl::node_hash_map<std::string, Lane> lanes_;
  Lane* last_lane_ = nullptr;  // into which the last message went
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_LINK_H_
