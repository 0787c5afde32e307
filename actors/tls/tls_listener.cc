// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/tls_listener.h"

#include <utility>

#include "trolley/actors/tls/internal/tls_acceptor.h"
#include "trolley/actors/tls/tls_link.h"

namespace trolley {

TlsListener::TlsListener(TcpListenSocket socket, TlsListenerOptions options)
    : TcpListener(
          std::make_unique<internal::TlsAcceptor>(std::move(socket), options),
          options) {}

absl::Status TlsListener::SpawnLink(const SpawnOptions& spawn,
                                    LinkSocket& connection,
                                    std::shared_ptr<void> connection_slot) {
  absl::StatusOr<std::shared_ptr<void>> place =
      TakePlace(connection.peer, std::move(connection_slot));
  if (!place.ok()) return place.status();
  return Spawn<TlsLink>(spawn, std::move(connection), link_options(),
                        *std::move(place))
      .status();
}

}  // namespace trolley
