// SPDX-License-Identifier: Apache-2.0
//
// StreamListener: an actor that accepts connections and gives each to a
// StreamLink of its own, if its peer may connect. It knows of no transport: an
// Acceptor (actors/link/acceptor.h) gives it the connections. UnixListener
// (actors/unix/unix_listener.h) is one with the acceptor of Unix sockets.
//
// The links live on the listener's loop and are called "uds/1", "uds/2" and so
// on, if the listener has a name, here "uds".
//
// Ownership: the bus owns it; it owns the acceptor.
// Threads:   as any actor.
// Bounds:    ListenerOptions. Without a free descriptor it turns new peers away
//            and its links go on (P12).
// Ends:      stops accepting, and closes the acceptor, when the bus drains or
//            when it is stopped; its links live on.

#ifndef TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_
#define TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link/acceptor.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/stream.h"

namespace trolley {

struct ListenerStats {
  uint64_t open = 0;           // links that live now
  uint64_t accepted = 0;       // connections given to a link
  uint64_t not_permitted = 0;  // closed: their peer may not connect
  uint64_t over_limit = 0;     // closed: max_connections
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
  // of a class of their own overrides it. Errors: as Spawn().
  virtual absl::Status SpawnLink(const SpawnOptions& spawn, ScopedFd connection,
                                 LinkPeer peer, std::shared_ptr<void> place);
  const LinkOptions& link_options() const { return link_; }

 private:
  Task<absl::Status> Accept();
  // The next connection, or why there is none: with the reserve of the acceptor
  // if no descriptor is left. `could_wait`: false if no wait was possible.
  Task<absl::StatusOr<ScopedFd>> AcceptOne(Stream& stream, bool& could_wait);
  void Welcome(ScopedFd connection);
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
  // Each link holds a share: one more than there are links.
  std::shared_ptr<void> places_ = std::make_shared<char>();
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_STREAM_LISTENER_H_
