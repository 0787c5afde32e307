// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_lookup.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
      return absl::StatusCode::kNotFound;
    case EAI_AGAIN:
      return absl::StatusCode::kUnavailable;
    case EAI_MEMORY:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::StatusOr<std::vector<TcpAddress>> LookUpHost(const std::string& host,
                                                   uint16_t port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  const int system_error = errno;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found,
                                                             &::freeaddrinfo);
  if (error != 0) {
    return absl::Status(
        CodeOf(error),
        Printable(error == EAI_SYSTEM
                      ? std::generic_category().message(system_error)
                      : ::gai_strerror(error)));
  }
  std::vector<TcpAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const std::optional<TcpAddress> address =
        TcpAddress::FromSockaddr(one->ai_addr, one->ai_addrlen);
    if (addresses.size() == kMostTcpAddresses) break;
    if (address.has_value() && std::find(addresses.begin(), addresses.end(),
                                         *address) == addresses.end()) {
      addresses.push_back(*address);
    }
  }
  if (addresses.empty()) {
    return absl::NotFoundError("the name has no address of IPv4 or IPv6");
  }
  return addresses;
}

}  // namespace trolley
