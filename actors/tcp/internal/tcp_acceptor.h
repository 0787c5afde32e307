// SPDX-License-Identifier: Apache-2.0
//
// TcpAcceptor: takes connections over TCP, and looks whether the network of the
// peer may connect.
//
//   auto acceptor = std::make_unique<TcpAcceptor>(*std::move(socket), options);
//
// Ownership: the listener owns it; it owns the socket.
// Threads:   loop thread only.
// Bounds:    as TcpListenSocket.
// Ends:      Close(), or the destructor.

#ifndef TROLLEY_ACTORS_TCP_INTERNAL_TCP_ACCEPTOR_H_
#define TROLLEY_ACTORS_TCP_INTERNAL_TCP_ACCEPTOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/acceptor.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/actors/tcp/tcp_link_options.h"
#include "trolley/actors/tcp/tcp_socket.h"

namespace trolley::internal {

class TcpAcceptor : public Acceptor {
 public:
  TcpAcceptor(TcpListenSocket socket, TcpListenerOptions options);

  absl::Status Start(Sys& sys) override;
  const std::string& endpoint() const override { return socket_.endpoint(); }
  int fd() const override { return socket_.fd(); }
  absl::StatusOr<ScopedFd> Accept() override { return socket_.Accept(); }
  bool has_reserve() const override { return socket_.has_reserve(); }
  uint64_t turned_away() const override { return socket_.turned_away(); }
  absl::StatusOr<LinkPeer> PeerOf(Sys& sys, int fd) const override;
  absl::Status MayConnect(Sys& sys, int fd,
                          const LinkPeer& peer) const override;
  void Close() override { socket_.Close(); }

 private:
  TcpListenSocket socket_;
  const TcpListenerOptions options_;
  std::vector<TcpNetwork> networks_;  // from Start() on
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TCP_INTERNAL_TCP_ACCEPTOR_H_
