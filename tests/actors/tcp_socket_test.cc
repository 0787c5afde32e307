// SPDX-License-Identifier: Apache-2.0
//
// Addresses, networks and listening sockets of TCP. Nothing leaves this
// machine.

#include "trolley/actors/tcp/tcp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

// --- Addresses -------------------------------------------------------------

TEST(TcpAddressTest, TextsBecomeAddressesAndBack) {
  const struct {
    const char* text;
    const char* shown;
    int family;
    int port;
  } cases[] = {
      {"10.0.0.7:7000", "10.0.0.7:7000", AF_INET, 7000},
      {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0},
      {"[fd00::7]:65535", "[fd00::7]:65535", AF_INET6, 65535},
      {"[::]:1", "[::]:1", AF_INET6, 1},
      {"[FD00:0:0::07]:1", "[fd00::7]:1", AF_INET6, 1},
      {"[::ffff:10.0.0.7]:1", "10.0.0.7:1", AF_INET, 1},
  };
  for (const auto& one : cases) {
    const absl::StatusOr<TcpAddress> address = TcpAddress::Parse(one.text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), one.shown);
    EXPECT_EQ(address->family(), one.family);
    EXPECT_EQ(address->port(), one.port);
    EXPECT_EQ(TcpAddress::FromSockaddr(address->data(), address->size()),
              *address);
  }
}

TEST(TcpAddressTest, WhatIsNoAddressIsNamed) {
  const std::string with_nul("10.0.0.7\0:1", 11);
  for (const std::string& bad :
       {std::string(""), std::string(":"), std::string("7000"),
        std::string(":7000"), std::string("10.0.0.7"), std::string("10.0.0.7:"),
        std::string("10.0.0.7:65536"), std::string("10.0.0.7:-1"),
        std::string("10.0.0.7:+1"), std::string("10.0.0.7: 1"),
        std::string("10.0.0:1"), std::string("[10.0.0.7]:1"),
        std::string("fd00::7:1"), std::string("[fd00::7:1"),
        std::string("[]:1"), std::string("localhost:1"), with_nul}) {
    const absl::Status status = TcpAddress::Parse(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(TcpAddress::Parse("\x1b[2J:1").status().message(),
            "\"\\x1b[2J:1\" is no address with a port, such as 10.0.0.7:7000 "
            "or [fd00::7]:7000");
}

TEST(TcpAddressTest, AddressesOfOtherKindsAreNone) {
  const sockaddr_storage none = {};
  const auto* any = reinterpret_cast<const sockaddr*>(&none);
  EXPECT_FALSE(TcpAddress::FromSockaddr(any, sizeof(none)).has_value());
  EXPECT_FALSE(TcpAddress::FromSockaddr(any, 0).has_value());
  const TcpAddress v6 = *TcpAddress::Parse("[::1]:1");
  EXPECT_FALSE(
      TcpAddress::FromSockaddr(v6.data(), sizeof(sockaddr_in)).has_value());
}

TEST(TcpNetworkTest, ANetworkContainsWhatBeginsAsItDoes) {
  const struct {
    const char* network;
    const char* inside;
    const char* outside;
  } cases[] = {
      {"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
      {"10.1.2.0/23", "10.1.3.255", "10.1.4.0"},
      {"10.1.2.3/32", "10.1.2.3", "10.1.2.2"},
      {"0.0.0.0/0", "255.255.255.255", "::1"},
      {"fd00::/8", "fdff::1", "fe00::"},
      {"fd00:0:0:8000::/49", "fd00:0:0:8000::1", "fd00:0:0:7fff::1"},
      {"::1/128", "::1", "::2"},
      {"::/0", "fd00::1", "0.0.0.0"},
      {"10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.network);
    const absl::StatusOr<TcpNetwork> network = TcpNetwork::Parse(one.network);
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_TRUE(network->Contains(*TcpAddress::FromIp(one.inside, 1)));
    EXPECT_FALSE(network->Contains(*TcpAddress::FromIp(one.outside, 1)));
  }
}

TEST(TcpNetworkTest, WhatIsNoNetworkIsNamed) {
  for (const char* bad :
       {"", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/8 ", "fd00::/129", "[fd00::]/8", "a.b/8"}) {
    EXPECT_EQ(TcpNetwork::Parse(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
  EXPECT_THAT(std::string(TcpNetwork::Parse("10.0.0.1/8").status().message()),
              HasSubstr("a bit of value 1 behind its first 8"));
}

TEST(TcpEndpointTest, AHostIsAnAddressOrAName) {
  const TcpEndpoint name = *TcpEndpoint::Parse("db-1.internal:7000");
  EXPECT_EQ(name.host, "db-1.internal");
  EXPECT_EQ(name.port, 7000);
  EXPECT_FALSE(name.address.has_value());
  const TcpEndpoint address = *TcpEndpoint::Parse("[fd00::7]:7000");
  EXPECT_EQ(address.host, "fd00::7");
  EXPECT_EQ(address.address, TcpAddress::Parse("[fd00::7]:7000").value());
  const std::string long_name(kMaxHostBytes + 1, 'a');
  for (const std::string& bad :
       {std::string("db"), std::string("db:0"), std::string("db:65536"),
        std::string(":1"), std::string("d b:1"), std::string("[db]:1"),
        std::string("1.2.3:1"), std::string("fd00::7:7000"),
        std::string("db/x:1"), std::string("d\nb:1"), long_name + ":1"}) {
    EXPECT_EQ(TcpEndpoint::Parse(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

// --- Listening -------------------------------------------------------------

// Connects; the result is that of connect(2), as -errno.
int ConnectTo(const TcpAddress& to, ScopedFd& connected) {
  connected =
      ScopedFd(RealSys(), ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(connected.get(), to.data(), to.size()) == 0 ? 0 : -errno;
}

bool HasIpv6() { return ListenTcp(RealSys(), "[::1]:0").ok(); }

TEST(TcpSocketTest, PortZeroIsAFreePortThatCanBeRead) {
  const auto socket = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_NE(socket->address().port(), 0);
  EXPECT_EQ(socket->endpoint(), socket->address().ToString());
  ScopedFd peer;
  EXPECT_EQ(ConnectTo(socket->address(), peer), 0);
}

TEST(TcpSocketTest, APortInUseIsSaidToBe) {
  const auto first = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = ListenTcp(RealSys(), first->endpoint()).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr(first->endpoint()));
}

TEST(TcpSocketTest, APortIsFreeAgainWhileItsOldConnectionsEnd) {
  auto first = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string endpoint = first->endpoint();
  ScopedFd peer;
  ASSERT_EQ(ConnectTo(first->address(), peer), 0);
  absl::StatusOr<ScopedFd> connection = first->Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  connection->reset();  // ends first, and so stays in the kernel for a minute
  peer.reset();
  first->Close();
  const auto second = ListenTcp(RealSys(), endpoint);
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST(TcpSocketTest, WhereNobodyCanListenIsSaid) {
  EXPECT_EQ(ListenTcp(RealSys(), "localhost:0").status().code(),
            absl::StatusCode::kInvalidArgument);
  // Of a network for examples in texts (RFC 5737).
  const absl::Status elsewhere = ListenTcp(RealSys(), "192.0.2.1:0").status();
  EXPECT_EQ(elsewhere.code(), absl::StatusCode::kNotFound) << elsewhere;
  FaultSys faulty(RealSys());
  faulty.FailAll(SysCall::kBind, EACCES);
  const absl::Status low = ListenTcp(faulty, "127.0.0.1:80").status();
  EXPECT_EQ(low.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(low.message()), HasSubstr("CAP_NET_BIND_SERVICE"));
}

TEST(TcpSocketTest, ASocketOfIpv6TakesIpv4UnlessItIsToldNotTo) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  for (const bool v6_only : {false, true}) {
    auto socket = ListenTcp(RealSys(), "[::]:0", {.v6_only = v6_only});
    ASSERT_TRUE(socket.ok()) << socket.status();
    const uint16_t port = socket->address().port();
    ScopedFd v6;
    EXPECT_EQ(ConnectTo(*TcpAddress::FromIp("::1", port), v6), 0);
    absl::StatusOr<ScopedFd> accepted = socket->Accept();
    ASSERT_TRUE(accepted.ok()) << accepted.status();
    EXPECT_EQ(TcpPeerOf(RealSys(), accepted->get())->ip(), "::1");
    ScopedFd v4;
    const int connected = ConnectTo(*TcpAddress::FromIp("127.0.0.1", port), v4);
    EXPECT_EQ(connected, v6_only ? -ECONNREFUSED : 0);
    if (v6_only) continue;
    accepted = socket->Accept();
    ASSERT_TRUE(accepted.ok()) << accepted.status();
    EXPECT_EQ(TcpPeerOf(RealSys(), accepted->get())->ip(), "127.0.0.1");
  }
}

TEST(TcpSocketTest, ConnectionsAreNonblockingAndCloseOnExec) {
  auto socket = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(socket->Accept().status().code(), absl::StatusCode::kUnavailable);
  ScopedFd peer;
  ASSERT_EQ(ConnectTo(socket->address(), peer), 0);
  const absl::StatusOr<ScopedFd> accepted = socket->Accept();
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_TRUE(IsCloexecAndNonblocking(RealSys(), accepted->get()));
  EXPECT_TRUE(IsCloexecAndNonblocking(RealSys(), socket->fd()));
}

TEST(TcpSocketTest, APeerThatHasGoneIsStillNamed) {
  auto socket = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(socket.ok()) << socket.status();
  ScopedFd peer;
  ASSERT_EQ(ConnectTo(socket->address(), peer), 0);
  // Closes with a reset.
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once,
                         sizeof(at_once)),
            0);
  peer.reset();
  const absl::StatusOr<ScopedFd> accepted = socket->Accept();
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  const absl::StatusOr<TcpAddress> who = TcpPeerOf(RealSys(), accepted->get());
  ASSERT_TRUE(who.ok()) << who.status();
  EXPECT_EQ(who->ip(), "127.0.0.1");
}

TEST(TcpSocketTest, WhatIsNoConnectionHasNoPeer) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const ScopedFd one(RealSys(), ends[0]);
  const ScopedFd other(RealSys(), ends[1]);
  EXPECT_FALSE(TcpPeerOf(RealSys(), one.get()).ok());
  const auto socket = ListenTcp(RealSys(), "127.0.0.1:0");
  EXPECT_FALSE(TcpPeerOf(RealSys(), socket->fd()).ok());
}

TEST(TcpSocketTest, P13_WhicheverCallFailsNothingIsLeft) {
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    const int before = OpenDescriptors();
    FaultSys faulty(RealSys());
    faulty.FailNthOfAny(n);
    {
      const auto socket = ListenTcp(faulty, "[::1]:0");
      EXPECT_EQ(socket.ok(), socket.status().message().empty());
    }
    EXPECT_EQ(OpenDescriptors(), before);
    if (faulty.faults() == 0) break;
    ASSERT_LT(n, 100u);
  }
}

}  // namespace
}  // namespace trolley
