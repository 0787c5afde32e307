// SPDX-License-Identifier: Apache-2.0
//
// StreamLink: an actor that is a connection to another process, over a stream
// of bytes. Both ends may tell and ask; what arrives goes to the actor it
// names, if that actor's class lists the message in its Receives
// (actors/wire_methods.h). proto/README.md has the bytes.
//
// It knows of no transport. A Dialer (actors/link/dialer.h) gives it connected
// sockets and says who the peers are; a StreamListener spawns one for each
// connection that it takes. UnixLink (actors/unix/unix_link.h) is one with the
// dialer of Unix sockets.
//
// Back pressure runs end to end: a message received holds credit until its
// target's mailbox has taken it, or until the refusal is on its way; without
// credit this link takes no message from its own mailbox, which fills, and so
// its senders wait. Answers need no credit and pass. Messages for other actors
// pass until the slow one has all of the window: give what must never wait for
// it a link of its own.
//
// Ownership: the bus owns it; it owns the dialer and the connection.
// Threads:   as any actor.
// Bounds:    LinkOptions, and SpawnOptions::mailbox_capacity for messages on
//            their way out, asks without an answer included.
// Ends:      one that dials lives until it is stopped, or until its connection
//            ends if it does not reconnect; one that was accepted ends with its
//            connection, when all that was told is delivered. A bus that shuts
//            down says GOAWAY first, and answers what was asked before.
//
// When a connection ends (LinkEnd in actors/link/link.h) our asks without an
// answer fail with Unavailable. The peer's are forgotten: those that wait for
// room are dropped, and nothing waits for the answers of the others. What the
// peer told is still delivered.

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
#include "trolley/actors/link/link.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

class StreamLink : public internal::LinkActor {
 public:
  // Its handlers wait for answers while others go on.
  static constexpr bool kInterleaved = true;

  // Dials, and dials again. `dialer` is not null.
  explicit StreamLink(std::unique_ptr<Dialer> dialer, LinkOptions options = {});

  // Takes a connected stream socket, non-blocking and close-on-exec, whose peer
  // was checked by the party that accepted it. `place` is released when the
  // link ends.
  StreamLink(ScopedFd connected, LinkPeer peer, LinkOptions options,
             std::shared_ptr<void> place = nullptr);

  MaybeTask<absl::Status> On(LinkTell&& tell);
  Task<absl::StatusOr<WireMessage>> On(LinkAsk&& ask);
  LinkStats On(const GetLinkStats&);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  using Connection = internal::LinkState::Connection;
  using Phase = internal::LinkState::Phase;

  // A connection, or one after the other.
  Task<absl::Status> Live();
  // One attempt, and the connection that it made, to its end. True: the
  // handshake was good.
  Task<bool> LiveOnce();
  Task<absl::StatusOr<ScopedFd>> Connect();
  Task<absl::Status> Converse(Connection connection);
  Task<absl::Status> TellUp(Connection connection);
  Task<absl::Status> GoDown();
  LinkDown Down();
  static Task<absl::Status> Write(Connection connection);
  absl::Duration NextBackoff();

  const std::unique_ptr<Dialer> dialer_;  // null: accepted
  ScopedFd accepted_;                     // until Connect()
  const std::shared_ptr<void> place_;

  internal::LinkState state_;
  internal::LinkSender sender_;
  internal::LinkReceiver receiver_;

  enum class Told { kNothing, kUp, kDown } told_ = Told::kNothing;  // watcher
  uint32_t failures_ = 0;  // to connect, in a row
  std::minstd_rand random_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_STREAM_LINK_H_
