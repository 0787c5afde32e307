// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_listener.h"

#include <string>
#include <utility>

#include "trolley/actors/tcp/internal/tcp_acceptor.h"
#include "trolley/actors/tcp/tcp_link.h"

namespace trolley {
namespace {

// What a link holds until it ends: its place among the connections of its
// address, and that among all connections.
struct Places {
  Places(std::shared_ptr<internal::AddressLimits> limits, std::string address,
         std::shared_ptr<void> connection_slot)
      : limits(std::move(limits)),
        address(std::move(address)),
        connection_slot(std::move(connection_slot)) {}
  ~Places() {
    // mutant: P14_APlaceOfAnAddressIsNotGivenBack
    limits->Leave(address);
  }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  const std::shared_ptr<internal::AddressLimits> limits;
  const std::string address;
  const std::shared_ptr<void> connection_slot;
};

}  // namespace

TcpListener::TcpListener(std::unique_ptr<Acceptor> acceptor,
                         const TcpListenerOptions& options)
    : StreamListener(std::move(acceptor), options, options.link),
      limits_(std::make_shared<internal::AddressLimits>(
          options.max_connections_per_address, options.max_new_per_second)) {}

TcpListener::TcpListener(TcpListenSocket socket, TcpListenerOptions options)
    : TcpListener(
          std::make_unique<internal::TcpAcceptor>(std::move(socket), options),
          options) {}

TcpListenerStats TcpListener::On(const GetTcpListenerStats&) {
  return {.all = On(GetListenerStats()),
          .too_many = limits_->too_many(),
          .too_often = limits_->too_often()};
}

absl::StatusOr<std::shared_ptr<void>> TcpListener::TakePlace(
    const LinkPeer& peer, std::shared_ptr<void> connection_slot) {
  absl::Status admitted = limits_->Admit(peer.identity, context().Now());
  if (!admitted.ok()) return admitted;
  return std::make_shared<Places>(limits_, peer.identity,
                                  std::move(connection_slot));
}

absl::Status TcpListener::SpawnLink(const SpawnOptions& spawn,
                                    LinkSocket& connection,
                                    std::shared_ptr<void> connection_slot) {
  absl::StatusOr<std::shared_ptr<void>> place =
      TakePlace(connection.peer, std::move(connection_slot));
  if (!place.ok()) return place.status();
  return Spawn<TcpLink>(spawn, std::move(connection), link_options(),
                        *std::move(place))
      .status();
}

}  // namespace trolley
