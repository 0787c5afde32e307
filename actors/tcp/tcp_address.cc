// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

constexpr int kBitsPerByte = 8;
// The bytes before an IPv4 address within IPv6.
constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

absl::Status NotThat(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", Printable(text), "\" is no ", what));
}

struct HostAndPort {
  absl::string_view host;
  uint16_t port = 0;
  bool in_brackets = false;
};

// Nullopt: neither "host:port" nor "[host]:port".
std::optional<HostAndPort> Split(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  HostAndPort parts{.host = text.substr(0, colon)};
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() || digits.size() > 5 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port > 0xffff) {
    return std::nullopt;
  }
  parts.port = static_cast<uint16_t>(port);
  if (parts.host.size() > 2 && parts.host.front() == '[' &&
      parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
    parts.in_brackets = true;
  }
  return parts;
}

// Digits, and one of the two marks of an address.
bool LooksLikeAnAddress(absl::string_view host) {
  if (host.find(':') != absl::string_view::npos) return true;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
  });
}

bool IsName(absl::string_view host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  if (LooksLikeAnAddress(host)) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '[' &&
           c != ']' && c != '/';
  });
}

}  // namespace

// --- TcpAddress ------------------------------------------------------------

TcpAddress::TcpAddress() {
  std::memset(&storage_, 0, sizeof(storage_));
  storage_.v4.sin_family = AF_INET;
}

std::optional<TcpAddress> TcpAddress::FromSockaddr(const sockaddr* address,
                                                   socklen_t size) {
  TcpAddress result;
  if (size < sizeof(sa_family_t)) return std::nullopt;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    std::memcpy(&result.storage_.v4, address, sizeof(sockaddr_in));
    std::memset(result.storage_.v4.sin_zero, 0,
                sizeof(result.storage_.v4.sin_zero));
    return result;
  }
  if (address->sa_family != AF_INET6 || size < sizeof(sockaddr_in6)) {
    return std::nullopt;
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof(v6));
  if (std::memcmp(&v6.sin6_addr, kMapped, sizeof(kMapped)) == 0) {
    result.storage_.v4.sin_port = v6.sin6_port;
    std::memcpy(&result.storage_.v4.sin_addr,
                v6.sin6_addr.s6_addr + sizeof(kMapped), sizeof(in_addr));
    return result;
  }
  v6.sin6_flowinfo = 0;
  result.storage_.v6 = v6;
  return result;
}

absl::StatusOr<TcpAddress> TcpAddress::FromIp(absl::string_view ip,
                                              uint16_t port) {
  const std::string text(ip);
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  // A NUL would end the text for the C library.
  const bool whole = text.find('\0') == std::string::npos;
  if (whole && ::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return *FromSockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (whole && ::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    return *FromSockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  }
  return NotThat(ip, "address of IPv4 or IPv6");
}

absl::StatusOr<TcpAddress> TcpAddress::Parse(absl::string_view text) {
  const std::optional<HostAndPort> parts = Split(text);
  const bool has_colon =
      parts.has_value() && parts->host.find(':') != absl::string_view::npos;
  if (parts.has_value() && parts->in_brackets == has_colon) {
    absl::StatusOr<TcpAddress> address = FromIp(parts->host, parts->port);
    if (address.ok()) return address;
  }
  return NotThat(text,
                 "address with a port, such as 10.0.0.7:7000 or "
                 "[fd00::7]:7000");
}

uint16_t TcpAddress::port() const {
  return ntohs(family() == AF_INET ? storage_.v4.sin_port
                                   : storage_.v6.sin6_port);
}

absl::Span<const uint8_t> TcpAddress::bytes() const {
  if (family() == AF_INET) {
    return {reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr),
            sizeof(in_addr)};
  }
  return {storage_.v6.sin6_addr.s6_addr, sizeof(in6_addr)};
}

socklen_t TcpAddress::size() const {
  return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

std::string TcpAddress::ip() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family(), bytes().data(), text, sizeof(text));
  if (family() == AF_INET6 && storage_.v6.sin6_scope_id != 0) {
    return absl::StrCat(text, "%", storage_.v6.sin6_scope_id);
  }
  return text;
}

std::string TcpAddress::ToString() const {
  return family() == AF_INET ? absl::StrCat(ip(), ":", port())
                             : absl::StrCat("[", ip(), "]:", port());
}

bool operator==(const TcpAddress& a, const TcpAddress& b) {
  return a.family() == b.family() && a.port() == b.port() &&
         a.bytes() == b.bytes() &&
         (a.family() == AF_INET ||
          a.storage_.v6.sin6_scope_id == b.storage_.v6.sin6_scope_id);
}

// --- TcpNetwork ------------------------------------------------------------

absl::StatusOr<TcpNetwork> TcpNetwork::Parse(absl::string_view text) {
  const absl::Status wrong =
      NotThat(text, "network, such as 10.0.0.0/8 or fd00::/8");
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return wrong;
  const absl::string_view ip = text.substr(0, slash);
  const absl::StatusOr<TcpAddress> first = TcpAddress::FromIp(ip, 0);
  if (!first.ok()) return wrong;
  const absl::string_view digits = text.substr(slash + 1);
  int bits = 0;
  const int most = static_cast<int>(first->bytes().size()) * kBitsPerByte;
  if (digits.empty() || digits.size() > 3 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &bits) || bits > most) {
    return wrong;
  }
  // Its length would be that of IPv6, and its addresses are those of IPv4.
  if (first->family() == AF_INET && ip.find(':') != absl::string_view::npos) {
    return NotThat(text, "network: write it as one of IPv4");
  }
  for (int bit = bits; bit < most; ++bit) {
    const int in_byte = kBitsPerByte - 1 - bit % kBitsPerByte;
    if ((first->bytes()[bit / kBitsPerByte] >> in_byte & 1) != 0) {
      return NotThat(text, absl::StrCat("network: it has a bit of value 1 "
                                        "behind its first ",
                                        bits));
    }
  }
  return TcpNetwork(*first, bits);
}

bool TcpNetwork::Contains(const TcpAddress& address) const {
  if (address.family() != first_.family()) return false;
  const absl::Span<const uint8_t> ours = first_.bytes();
  const absl::Span<const uint8_t> theirs = address.bytes();
  const size_t whole = bits_ / kBitsPerByte;
  if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin())) {
    return false;
  }
  const int rest = bits_ % kBitsPerByte;
  return rest == 0 ||
         (ours[whole] ^ theirs[whole]) >> (kBitsPerByte - rest) == 0;
}

// --- TcpEndpoint -----------------------------------------------------------

absl::StatusOr<TcpEndpoint> TcpEndpoint::Parse(absl::string_view text) {
  const absl::Status wrong =
      NotThat(text,
              "endpoint, such as db.internal:7000, 10.0.0.7:7000 or "
              "[fd00::7]:7000");
  const std::optional<HostAndPort> parts = Split(text);
  if (!parts.has_value() || parts->port == 0) return wrong;
  TcpEndpoint endpoint{.host = std::string(parts->host), .port = parts->port};
  if (absl::StatusOr<TcpAddress> address = TcpAddress::Parse(text);
      address.ok()) {
    endpoint.address = *address;
  } else if (parts->in_brackets || !IsName(parts->host)) {
    return wrong;
  }
  return endpoint;
}

}  // namespace trolley
