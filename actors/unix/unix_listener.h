// SPDX-License-Identifier: Apache-2.0
//
// UnixListener: an actor that accepts connections on a Unix socket and gives
// each to a link of its own, if its user may connect: a StreamListener
// (actors/link/stream_listener.h, which has the whole contract).
//
//   absl::StatusOr<trolley::UnixListenSocket> socket =
//       trolley::ListenUnix(trolley::RealSys(), "/run/words.sock");
//   ...
//   auto listener = bus.Spawn<trolley::UnixListener>({.name = "uds"},
//                                                    *std::move(socket));
//
// The listener removes the path when it stops accepting. ListenUnix() has the
// errors of the path.
//
// Ownership, threads, bounds and ends: as StreamListener.

#ifndef TROLLEY_ACTORS_UNIX_UNIX_LISTENER_H_
#define TROLLEY_ACTORS_UNIX_UNIX_LISTENER_H_

#include <memory>

#include "absl/status/status.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_listener.h"
#include "trolley/actors/unix/unix_link_options.h"
#include "trolley/actors/unix/unix_socket.h"

namespace trolley {

using UnixListenerStats = ListenerStats;
using GetUnixListenerStats = GetListenerStats;

class UnixListener : public StreamListener {
 public:
  explicit UnixListener(UnixListenSocket socket,
                        UnixListenerOptions options = {});

 protected:
  // Its links are UnixLinks.
  absl::Status SpawnLink(const SpawnOptions& spawn, LinkSocket& connection,
                         std::shared_ptr<void> connection_slot) override;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_UNIX_LISTENER_H_
