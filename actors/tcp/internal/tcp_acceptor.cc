// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/internal/tcp_acceptor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {

TcpAcceptor::TcpAcceptor(TcpListenSocket socket, TcpListenerOptions options)
    : socket_(std::move(socket)), options_(std::move(options)) {}

absl::Status TcpAcceptor::Start(Sys& sys) {
  absl::Status valid = ValidateTcpListenerOptions(options_);
  if (!valid.ok()) return valid;
  for (const std::string& network : options_.allowed_networks) {
    networks_.push_back(*TcpNetwork::Parse(network));
  }
  return SetTcpSocketOptions(sys, socket_.fd(), options_.socket);
}

absl::StatusOr<LinkPeer> TcpAcceptor::PeerOf(Sys& sys, int fd) const {
  const absl::StatusOr<TcpAddress> address = TcpPeerOf(sys, fd);
  if (!address.ok()) return address.status();
  return LinkPeer{.name = address->ToString(), .identity = address->ip()};
}

absl::Status TcpAcceptor::MayConnect(Sys& sys, int fd,
                                     const LinkPeer& peer) const {
  const absl::StatusOr<TcpAddress> address = TcpPeerOf(sys, fd);
  if (!address.ok()) return address.status();
  // mutant: P14_EveryNetworkMayConnect
  if (std::any_of(networks_.begin(), networks_.end(),
                  [&](const TcpNetwork& network) {
                    return network.Contains(*address);
                  })) {
    return absl::OkStatus();
  }
  return wire::MakeWireError(
      wire::WireError::kNotPermitted,
      absl::StrCat(peer.name,
                   " may not connect; the networks in "
                   "TcpListenerOptions::allowed_networks may"));
}

}  // namespace trolley::internal
