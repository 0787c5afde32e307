// SPDX-License-Identifier: Apache-2.0
//
// TlsListener: a TcpListener (actors/tcp/tcp_listener.h) whose links speak
// TLS 1.3, to peers that show who they are by a certificate.
//
//   absl::StatusOr<trolley::TcpListenSocket> socket =
//       trolley::ListenTcp(trolley::RealSys(), "[::]:7000");
//   trolley::TlsListenerOptions options;
//   options.tls = {.certificate_file = "tls.crt", .key_file = "tls.key",
//                  .trusted_file = "ca.crt",
//                  .allowed_names = {"worker.orders.internal"}};
//   auto listener = bus.Spawn<trolley::TlsListener>(
//       {.name = "tls"}, *std::move(socket), options);
//
// What differs from a TcpListener:
//
//   all networks may connect by default: the certificates decide
//   a peer that the listener closes before the handshake is not told why
//   a link whose handshake fails ends; the log has a line with the reason, and
//   its lines are limited for each address
//
// Without TlsListenerOptions::peers_need_certificates a peer may connect that
// has no certificate, unless TlsOptions::allowed_names or authorize forbid it.
// One that has a certificate must have a trusted one.
//
// Ownership, threads, bounds and ends: as TcpListener.

#ifndef TROLLEY_ACTORS_TLS_TLS_LISTENER_H_
#define TROLLEY_ACTORS_TLS_TLS_LISTENER_H_

#include <memory>

#include "absl/status/status.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/tcp/tcp_listener.h"
#include "trolley/actors/tcp/tcp_socket.h"
#include "trolley/actors/tls/tls_options.h"

namespace trolley {

class TlsListener : public TcpListener {
 public:
  TlsListener(TcpListenSocket socket, TlsListenerOptions options);

 protected:
  // Its links are TlsLinks.
  absl::Status SpawnLink(const SpawnOptions& spawn, LinkSocket& connection,
                         std::shared_ptr<void> connection_slot) override;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TLS_TLS_LISTENER_H_
