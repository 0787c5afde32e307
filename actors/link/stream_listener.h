// SPDX-License-Identifier: Apache-2.0
//
// StreamListener: an actor that accepts connections. It spawns a StreamLink for
// each one whose peer may connect:
//
//   auto listener = bus.Spawn<trolley::StreamListener>(
//       {.name = "tcp"}, std::make_unique<MyAcceptor>());
//
// A transport adds an Acceptor (actors/link/acceptor.h), which takes the
// connections and identifies the peers. UnixListener
// (actors/unix/unix_listener.h) has the acceptor of Unix sockets.
//
// The links live on the loop of the listener. If the listener has a name, such
// as "tcp", the names of the links are "tcp/1", "tcp/2" and so on. It passes
// over a name that another actor has.
//
// Ownership: the bus owns it; it owns the acceptor.
// Threads:   as any actor.
// Bounds:    ListenerOptions. Without a free descriptor it turns new peers away
//            and its links go on (P12).
// Ends:      when it is stopped. Then, and when the bus drains, it stops
//            accepting and closes the acceptor. Its links go on.
// Errors:    in the log. After an error of the options or of the socket the
//            listener ends.

#ifndef TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_
#define TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link/acceptor.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/stream.h"

namespace trolley {

struct ListenerStats {
  uint64_t open = 0;           // links that live now
  uint64_t accepted = 0;       // connections given to a link
  uint64_t not_permitted = 0;  // closed: their peer may not connect
  uint64_t over_limit = 0;     // closed: max_connections, or it got no link
  uint64_t turned_away = 0;    // closed: no descriptor was left
};
struct GetListenerStats {};

class StreamListener : public Actor {
 public:
  // `acceptor` is not null. `link`: the options of each of its links.
  explicit StreamListener(std::unique_ptr<Acceptor> acceptor,
                          ListenerOptions options = {}, LinkOptions link = {});

  ListenerStats On(const GetListenerStats&);

 protected:
  void OnStart() override;
  void OnDrain() override { Close(); }
  void OnStop() override { Close(); }

  // Spawns the link of a connection: a StreamLink. A listener whose links are
  // of a class of their own overrides it. OK: the link has `connection`.
  // Errors: as Spawn(); the listener tells the peer and closes
  // the descriptor.
  virtual absl::Status SpawnLink(const SpawnOptions& spawn,
                                 LinkSocket& connection,
                                 std::shared_ptr<void> connection_slot);
  const LinkOptions& link_options() const { return link_; }

 private:
  Task<absl::Status> Accept();
  // Returns the next connection. If no descriptor is left, it lets the acceptor
  // use its reserve. `could_wait` becomes false if it could not wait for a
  // peer.
  Task<absl::StatusOr<ScopedFd>> AcceptOne(Stream& stream, bool& could_wait);
  void Welcome(ScopedFd connection);
  // Empty: the listener has no name.
  std::string NextLinkName();
  // Closes it, and tells the peer why.
  void TurnAway(const ScopedFd& connection, absl::string_view identity,
                const absl::Status& why);
  void Close();
  void Log(absl::string_view line, absl::string_view source = "",
           LogKind kind = LogKind::Here()) const;

  const std::unique_ptr<Acceptor> acceptor_;
  const ListenerOptions options_;
  const LinkOptions link_;
  ListenerStats stats_;
  Stream* stream_ = nullptr;  // of Accept(), while it waits
  bool closed_ = false;
  bool out_of_descriptors_ = false;
  uint64_t last_link_ = 0;  // the number in the last name
  // Each link holds a share: one more than there are links.
  std::shared_ptr<void> connection_slots_ = std::make_shared<char>();
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_
