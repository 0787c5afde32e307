// SPDX-License-Identifier: Apache-2.0
//
// UnixListener: an actor that accepts connections on a Unix socket and gives
// each to a UnixLink of its own, if its user may connect.
//
//   absl::StatusOr<trolley::UnixListenSocket> socket =
//       trolley::ListenUnix(trolley::RealSys(), "/run/words.sock");
//   ...
//   auto listener = bus.Spawn<trolley::UnixListener>({.name = "uds"},
//                                                    *std::move(socket));
//
// The links live on the listener's loop and are called "uds/1", "uds/2" and so
// on, if the listener has a name.
//
// Ownership: the bus owns it; it owns the socket.
// Threads:   as any actor.
// Bounds:    UnixListenerOptions. Without a free descriptor it turns new peers
//            away and its links go on (P12).
// Ends:      stops accepting, and removes the path, when the bus drains or when
//            it is stopped; its links live on.

#ifndef TROLLEY_ACTORS_UNIX_LISTENER_H_
#define TROLLEY_ACTORS_UNIX_LISTENER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/stream.h"
#include "trolley/actors/unix_link_options.h"
#include "trolley/actors/unix_socket.h"

namespace trolley {

struct UnixListenerStats {
  uint64_t open = 0;           // links that live now
  uint64_t accepted = 0;       // connections given to a link
  uint64_t not_permitted = 0;  // closed: their user may not connect
  uint64_t over_limit = 0;     // closed: max_connections
  uint64_t turned_away = 0;    // closed: no descriptor was left
};
struct GetUnixListenerStats {};

class UnixListener : public Actor {
 public:
  explicit UnixListener(UnixListenSocket socket,
                        UnixListenerOptions options = {});

  UnixListenerStats On(const GetUnixListenerStats&);

 protected:
  void OnStart() override;
  void OnDrain() override { Close(); }
  void OnStop() override { Close(); }

 private:
  Task<absl::Status> Accept();
  void Welcome(ScopedFd connection);
  void Close();
  void Log(absl::string_view what, absl::string_view source = "",
           LogKind kind = LogKind::Here()) const;

  UnixListenSocket socket_;
  const UnixListenerOptions options_;
  UnixListenerStats stats_;
  Stream* stream_ = nullptr;  // of Accept(), while it waits
  bool closed_ = false;
  bool out_of_descriptors_ = false;
  // Each link holds a share: one more than there are links.
  std::shared_ptr<void> places_ = std::make_shared<char>();
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_LISTENER_H_
