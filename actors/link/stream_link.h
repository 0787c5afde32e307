// SPDX-License-Identifier: Apache-2.0
//
// StreamLink: an actor that holds a connection to another process, over a
// stream of bytes. Both processes may tell and ask. A message that arrives goes
// to the actor that it names, if the class of that actor lists the message in
// its Receives (actors/wire_methods.h). proto/README.md describes the bytes.
//
//   auto link =
//       bus.Spawn<trolley::StreamLink>({}, std::make_unique<MyDialer>());
//   auto top = bus.Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//
// A transport adds a Dialer (actors/link/dialer.h), which makes connections and
// identifies the peers. UnixLink (actors/unix/unix_link.h) has the dialer of
// Unix sockets. A StreamListener spawns a StreamLink for each connection that
// it accepts.
//
// Back pressure reaches from the target to the sender:
//
//   1. A message from the peer holds credit until the mailbox of its target has
//      taken it, or until its refusal is in the outbox.
//   2. Without credit, the sending link takes no message from its own mailbox.
//      That mailbox fills, and the senders in its process wait.
//   3. An answer needs no credit.
//   4. A message for another actor passes those that wait, until these hold all
//      of the credit. Messages that must not wait need a link of their own.
//
// Ownership: the bus owns it; it owns the dialer and the connection.
// Threads:   as any actor.
// Bounds:    LinkOptions, and SpawnOptions::mailbox_capacity for messages on
//            their way out, asks without an answer included.
// Ends:      when it is stopped. A link that was accepted, and one without
//            LinkOptions::reconnect, also ends with its connection, when the
//            tells of the peer are delivered. When its bus shuts down, it sends
//            GOAWAY and answers the asks that it has.
//
// When a connection ends (LinkEnd in actors/link/link.h):
//
//   asks of this side without an answer      fail with Unavailable
//   asks of the peer in no mailbox           are dropped
//   asks of the peer in a mailbox            get no answer; a handler that is
//                                            suspended is cancelled
//   tells of the peer                        are delivered
//   watches of this side                     are told that they are lost
//   watches of the peer                      are forgotten

#ifndef TROLLEY_ACTORS_LINK_STREAM_LINK_H_
#define TROLLEY_ACTORS_LINK_STREAM_LINK_H_

#include <cstdint>
#include <memory>
#include <random>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/link/internal/link_receiver.h"
#include "trolley/actors/link/internal/link_sender.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/link/internal/link_watches.h"
#include "trolley/actors/link/internal/pending_down.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/watch.h"

namespace trolley {

class StreamLink : public internal::LinkActor {
 public:
  // Its handlers wait for answers while others go on.
  static constexpr bool kInterleaved = true;

  // Dials, and dials again. `dialer` is not null.
  explicit StreamLink(std::unique_ptr<Dialer> dialer, LinkOptions options = {});

  // Takes a connection whose peer was checked by the party that accepted it.
  // The link holds `connection_slot` until it ends: a StreamListener counts its
  // links by it.
  StreamLink(LinkSocket connected, LinkOptions options,
             std::shared_ptr<void> connection_slot = nullptr);

  MaybeTask<absl::Status> On(LinkTell&& tell);
  Task<absl::StatusOr<WireMessage>> On(LinkAsk&& ask);
  LinkStats On(const GetLinkStats&);
  Task<LinkLedger> On(const GetLinkLedger&);
  // Of a RemoteWatch (actors/link/remote_watch.h).
  void On(internal::LinkWatch&& watch);
  void On(const internal::LinkUnwatch& unwatch);
  // Of what the peer watches.
  void On(const Down& down);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  using Connection = internal::LinkState::Connection;
  using Phase = internal::LinkState::Phase;

  internal::PeerWatches::Begins WatchesForPeer();
  // A connection, or one after the other.
  Task<absl::Status> Live();
  // One attempt, and the connection that it made, to its end. True: the
  // handshake was good.
  Task<bool> LiveOnce();
  Task<absl::StatusOr<LinkSocket>> Connect();
  absl::StatusOr<Connection> Open(LinkSocket socket);
  Task<absl::Status> Converse(Connection connection);
  Task<absl::Status> TellUp(Connection connection);
  Task<absl::Status> GoDown();
  LinkDown MakeDown();
  static Task<absl::Status> Write(Connection connection);
  absl::Duration NextBackoff();

  const std::unique_ptr<Dialer> dialer_;  // null: accepted
  LinkSocket accepted_;                   // until Connect()
  const std::shared_ptr<void> connection_slot_;

  internal::LinkState state_;
  internal::LinkSender sender_;
  internal::LinkWatches watches_;
  internal::LinkReceiver receiver_;

  enum class Told { kNothing, kUp, kDown } told_ = Told::kNothing;  // watcher
  uint32_t failures_ = 0;  // to connect, in a row
  std::minstd_rand random_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_STREAM_LINK_H_
