// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/tls_link.h"

#include <utility>

#include "trolley/actors/tls/internal/tls_dialer.h"

namespace trolley {

TlsLink::TlsLink(std::string endpoint, TlsLinkOptions options)
    : StreamLink(
          std::make_unique<internal::TlsDialer>(std::move(endpoint), options),
          options) {}

TlsLink::TlsLink(LinkSocket connected, LinkOptions options,
                 std::shared_ptr<void> connection_slot)
    : StreamLink(std::move(connected), std::move(options),
                 std::move(connection_slot)) {}

}  // namespace trolley
