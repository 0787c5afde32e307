// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_link.h"

#include <utility>

#include "trolley/actors/tcp/internal/tcp_dialer.h"

namespace trolley {

TcpLink::TcpLink(std::string endpoint, TcpLinkOptions options)
    : StreamLink(
          std::make_unique<internal::TcpDialer>(std::move(endpoint), options),
          options) {}

TcpLink::TcpLink(LinkSocket connected, LinkOptions options,
                 std::shared_ptr<void> connection_slot)
    : StreamLink(std::move(connected), std::move(options),
                 std::move(connection_slot)) {}

}  // namespace trolley
