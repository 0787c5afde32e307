// SPDX-License-Identifier: Apache-2.0
//
// TcpListener: an actor that accepts connections over TCP and gives each to a
// link of its own, if its address may connect: a StreamListener
// (actors/link/stream_listener.h, which has the whole contract).
//
//   absl::StatusOr<trolley::TcpListenSocket> socket =
//       trolley::ListenTcp(trolley::RealSys(), "[::]:7000");
//   trolley::TcpListenerOptions options;
//   options.allowed_networks = {"10.0.0.0/8", "fd00::/8"};
//   auto listener = bus.Spawn<trolley::TcpListener>(
//       {.name = "tcp"}, *std::move(socket), options);
//
// Without `allowed_networks` only this machine may connect. Which connections
// are closed at once, in this order; each peer is told why, and the log limits
// the lines of each address:
//
//   why                                              counts as
//   its address is in none of allowed_networks       not_permitted
//   max_connections                                  over_limit
//   max_new_per_second of its address                over_limit, too_often
//   max_connections_per_address                      over_limit, too_many
//
// Ownership, threads and ends: as StreamListener.
// Bounds:    TcpListenerOptions, and actors/tcp/internal/address_limits.h for
//            what it remembers of addresses.

#ifndef TROLLEY_ACTORS_TCP_TCP_LISTENER_H_
#define TROLLEY_ACTORS_TCP_TCP_LISTENER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/acceptor.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_listener.h"
#include "trolley/actors/tcp/internal/address_limits.h"
#include "trolley/actors/tcp/tcp_link_options.h"
#include "trolley/actors/tcp/tcp_socket.h"

namespace trolley {

struct TcpListenerStats {
  ListenerStats all;
  // Of all.over_limit:
  uint64_t too_many = 0;   // max_connections_per_address
  uint64_t too_often = 0;  // max_new_per_second
};
struct GetTcpListenerStats {};

class TcpListener : public StreamListener {
 public:
  explicit TcpListener(TcpListenSocket socket, TcpListenerOptions options = {});
  // For a transport over TCP; `acceptor` is not null.
  TcpListener(std::unique_ptr<Acceptor> acceptor,
              const TcpListenerOptions& options);

  using StreamListener::On;
  TcpListenerStats On(const GetTcpListenerStats&);

 protected:
  // Its links are TcpLinks.
  absl::Status SpawnLink(const SpawnOptions& spawn, LinkSocket& connection,
                         std::shared_ptr<void> connection_slot) override;

  // What the link of `peer` holds until it ends: its place among the
  // connections of its address, and `connection_slot`. ResourceExhausted: the
  // address has too many, or comes too often.
  absl::StatusOr<std::shared_ptr<void>> TakePlace(
      const LinkPeer& peer, std::shared_ptr<void> connection_slot);

 private:
  const std::shared_ptr<internal::AddressLimits> limits_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_LISTENER_H_
