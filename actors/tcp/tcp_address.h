// SPDX-License-Identifier: Apache-2.0
//
// TcpAddress: an address of IPv4 or IPv6 and a port. TcpNetwork: a range of
// such addresses, as a list of networks that may connect has it. TcpEndpoint:
// an address or the name of a host, and a port. No function looks up a name.
//
//   absl::StatusOr<trolley::TcpAddress> address =
//       trolley::TcpAddress::Parse("[fd00::7]:7000");
//   absl::StatusOr<trolley::TcpNetwork> network =
//       trolley::TcpNetwork::Parse("10.0.0.0/8");
//   bool inside = network->Contains(*address);
//
// An IPv4 address that is written within IPv6 (::ffff:10.0.0.7) is that IPv4
// address here. A socket for both protocols shows its IPv4 peers in that way.
//
// Ownership: values.
// Threads:   immutable after construction.
// Bounds:    a TcpAddress has a fixed size. The name of a host is at most
//            kMaxHostBytes long.
// Errors:    InvalidArgument, with the text that is no address.

#ifndef TROLLEY_ACTORS_TCP_TCP_ADDRESS_H_
#define TROLLEY_ACTORS_TCP_TCP_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace trolley {

// The longest name of a host, in bytes; the limit of DNS.
inline constexpr size_t kMaxHostBytes = 253;

class TcpAddress {
 public:
  // 0.0.0.0:0.
  TcpAddress();

  // "10.0.0.7:7000" or "[fd00::7]:7000". The port is 0 to 65535.
  static absl::StatusOr<TcpAddress> Parse(absl::string_view text);
  // `ip`: "10.0.0.7" or "fd00::7".
  static absl::StatusOr<TcpAddress> FromIp(absl::string_view ip, uint16_t port);
  // Nullopt: another family than those two, or too few bytes.
  static std::optional<TcpAddress> FromSockaddr(const sockaddr* address,
                                                socklen_t size);

  // AF_INET or AF_INET6.
  int family() const { return storage_.any.sa_family; }
  uint16_t port() const;
  // The address alone, in the order of the network: 4 or 16 bytes.
  absl::Span<const uint8_t> bytes() const;

  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const;

  // "10.0.0.7", "fd00::7"; "fe80::7%2" on the interface with the index 2.
  std::string ip() const;
  // "10.0.0.7:7000", "[fd00::7]:7000".
  std::string ToString() const;

  friend bool operator==(const TcpAddress& a, const TcpAddress& b);

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Storage storage_;
};

class TcpNetwork {
 public:
  // "10.0.0.0/8" or "fd00::/8". A single address has the length 32 or 128. The
  // bits behind the length are 0.
  static absl::StatusOr<TcpNetwork> Parse(absl::string_view text);

  bool Contains(const TcpAddress& address) const;

 private:
  TcpNetwork(const TcpAddress& first, int bits) : first_(first), bits_(bits) {}

  TcpAddress first_;
  int bits_;  // of the prefix
};

struct TcpEndpoint {
  // "db.internal:7000", "10.0.0.7:7000" or "[fd00::7]:7000". The port is 1 to
  // 65535.
  static absl::StatusOr<TcpEndpoint> Parse(absl::string_view text);

  std::string host;  // without brackets
  uint16_t port = 0;
  // Set if `host` is an address. If not, `host` is a name.
  std::optional<TcpAddress> address = {};
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_ADDRESS_H_
