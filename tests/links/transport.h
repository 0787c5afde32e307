// SPDX-License-Identifier: Apache-2.0
//
// Transport: what the tests of links run over: Unix sockets of streams and of
// packets, TCP over IPv4 and IPv6, TLS over IPv4, pairs of named pipes, and
// gRPC. One suite runs over each. kTransports says where they differ.
//
// A test that is built with TROLLEY_TEST_GRPC runs over gRPC alone, and all
// others run over all but gRPC: they do not link it.
//
//   class MyTest : public LinkTest,
//                  public testing::WithParamInterface<const Transport*> {
//    protected:
//     MyTest() : LinkTest(*GetParam()) {}
//   };
//   INSTANTIATE_TEST_SUITE_P(Over, MyTest, EachTransport(), NameOfTransport);
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_LINKS_TRANSPORT_H_
#define TROLLEY_TESTS_LINKS_TRANSPORT_H_

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe/pipe_link.h"
#include "trolley/actors/tcp/tcp_link.h"
#include "trolley/actors/tcp/tcp_listener.h"
#include "trolley/actors/tls/tls_link.h"
#include "trolley/actors/tls/tls_listener.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/actors/watch.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/certificates.h"
#ifdef TROLLEY_TEST_GRPC
#include "trolley/tests/links/grpc_server.h"
#endif

namespace trolley::links_test {

// Of a server's listener and its links, whatever the transport.
struct ServerOptions : ListenerOptions {
  LinkOptions link = {};
};
using Listener = Protocol<ListenerStats(GetListenerStats)>;

struct Transport {
  const char* name;
  const char* prefix;  // of its endpoints
  int family;
  int type;
  // Where they differ. A link knows the user and the process of its peer.
  bool knows_the_process;
  // A link learns when its peer reads no more and does not close.
  bool tells_closed_reading;
  // The error of a dial where nothing was ever made, and where no process
  // listens any more.
  absl::StatusCode nothing_there;
  const char* nothing_there_text;
  const char* nobody_listens_text;
  // A listener tells a peer why it turns it away before the handshake.
  bool tells_why = true;
  // Many peers connect to one endpoint.
  bool listens = true;
  // A test may be a peer itself (raw_peer.h).
  bool sockets = true;
};

// The prefixes of endpoints: a path, an address with a port, or a folder.
inline constexpr char kPackets[] = "packets:";
inline constexpr char kTls[] = "tls:";
inline constexpr char kPipes[] = "pipes:";
inline constexpr char kGrpc[] = "grpc:";

inline constexpr Transport kTransports[] = {
    {"unix", "", AF_UNIX, SOCK_STREAM, true, true, absl::StatusCode::kNotFound,
     "there is no Unix socket at ", "no process listens at "},
    {"packets", kPackets, AF_UNIX, SOCK_SEQPACKET, true, true,
     absl::StatusCode::kNotFound, "there is no Unix socket at ",
     "no process listens at "},
    {"tcp4", "", AF_INET, SOCK_STREAM, false, false,
     absl::StatusCode::kUnavailable, "connect(", "connect("},
    {"tcp6", "", AF_INET6, SOCK_STREAM, false, false,
     absl::StatusCode::kUnavailable, "connect(", "connect("},
    {"tls4", kTls, AF_INET, SOCK_STREAM, false, false,
     absl::StatusCode::kUnavailable, "connect(", "connect(", false},
    {"pipes", kPipes, AF_UNSPEC, 0, false, true, absl::StatusCode::kUnavailable,
     "no process reads ", "no process reads ", true, false, false},
    {"grpc", kGrpc, AF_UNIX, 0, false, true, absl::StatusCode::kUnavailable,
     "the bridge at unix:", "the bridge at unix:", true, true, false},
};
inline bool IsTls(const Transport& transport) {
  return transport.prefix == kTls;
}
inline bool IsGrpc(const Transport& transport) {
  return transport.prefix == kGrpc;
}
inline constexpr const Transport& TransportNamed(absl::string_view name) {
  for (const Transport& one : kTransports) {
    if (name == one.name) return one;
  }
  std::abort();
}
inline constexpr const Transport& kUnix = TransportNamed("unix");

inline bool MachineHas(const Transport& transport) {
#ifdef TROLLEY_TEST_GRPC
  return IsGrpc(transport);
#endif
  if (IsGrpc(transport)) return false;
  if (transport.family == AF_UNIX || transport.family == AF_UNSPEC) return true;
  const TcpAddress loopback = *TcpAddress::Parse(
      transport.family == AF_INET ? "127.0.0.1:0" : "[::1]:0");
  const ScopedFd fd(RealSys(),
                    ::socket(transport.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool bound = ::bind(fd.get(), loopback.data(), loopback.size()) == 0;
  if (!bound) {
    std::fprintf(stderr, "no tests over %s: this machine has no %s\n",
                 transport.name, loopback.ip().c_str());
  }
  return bound;
}

// Those that this machine has.
inline auto EachTransport() {
  std::vector<const Transport*> all;
  for (const Transport& one : kTransports) {
    if (MachineHas(one)) all.push_back(&one);
  }
  return testing::ValuesIn(all);
}
// Those where a test may be the peer. pipe_link_test.cc has that of pipes, and
// grpc_link_test.cc that of gRPC.
inline auto EachSocket() {
  std::vector<const Transport*> all;
  for (const Transport& one : kTransports) {
    if (one.sockets && MachineHas(one)) all.push_back(&one);
  }
  return testing::ValuesIn(all);
}
// Why a test does not run where Transport::listens is false, and where
// Transport::sockets is.
inline constexpr char kOnePeer[] = "a pair of pipes has one peer";
inline constexpr char kNoRawPeer[] = "a test is no peer of this transport";

inline std::string NameOfTransport(
    const testing::TestParamInfo<const Transport*>& info) {
  return info.param->name;
}

// The path, the address with a port, or the folder.
inline std::string WithoutPrefix(const std::string& endpoint) {
  absl::string_view bare = endpoint;
  for (const Transport& one : kTransports) {
    if (absl::ConsumePrefix(&bare, one.prefix) && one.prefix[0] != '\0') break;
  }
  return std::string(bare);
}
inline bool IsPackets(const std::string& endpoint) {
  return endpoint.starts_with(kPackets);
}
inline UnixSocketType TypeOf(const std::string& endpoint) {
  return IsPackets(endpoint) ? UnixSocketType::kSeqpacket
                             : UnixSocketType::kStream;
}

// The pipes of the side that would listen at `folder`, and of the other one.
inline PipePaths PipesOfServer(const std::string& folder) {
  return {.in = folder + "/to_server", .out = folder + "/to_client"};
}
inline PipePaths PipesOfClient(const std::string& folder) {
  return {.in = folder + "/to_client", .out = folder + "/to_server"};
}

// The certificates of both sides, in a folder that the other process shares.
inline const TlsOptions& TestTls() {
  static constexpr char kFolder[] = "TROLLEY_TEST_CERTIFICATES";
  static const TempFolder* const made = [] {
    if (std::getenv(kFolder) != nullptr)
      return static_cast<TempFolder*>(nullptr);
    static TempFolder folder;
    Authority authority(folder.path(), "authority");
    authority.Issue("test", {.names = {"IP:127.0.0.1"}});
    ::setenv(kFolder, folder.path().c_str(), 1);
    return &folder;
  }();
  static_cast<void>(made);
  static const std::string* const in = new std::string(std::getenv(kFolder));
  static const TlsOptions* const options =
      new TlsOptions{.certificate_file = *in + "/test.crt",
                     .key_file = *in + "/test.key",
                     .trusted_file = *in + "/authority.crt"};
  return *options;
}

// The address of an endpoint: a path, or an address with a port.
struct SocketAddress {
  explicit SocketAddress(const std::string& endpoint)
      : type(IsPackets(endpoint) ? SOCK_SEQPACKET : SOCK_STREAM) {
    const std::string bare = WithoutPrefix(endpoint);
    if (bare[0] == '/') {
      auto& un = reinterpret_cast<sockaddr_un&>(storage);
      un.sun_family = AF_UNIX;
      std::memcpy(un.sun_path, bare.data(), bare.size());
      size = sizeof(un);
    } else {
      const TcpAddress address = *TcpAddress::Parse(bare);
      std::memcpy(&storage, address.data(), address.size());
      size = address.size();
    }
  }
  int family() const { return storage.ss_family; }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  // A blocking socket. It shares its address with those that do not listen. Of
  // what it does not read the kernel keeps no more than this. Without the limit
  // that would grow while nobody reads, each time that the other side asks.
  int NewSocket() const {
    const int fd = ::socket(family(), type | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int bytes = 64 * 1024;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return fd;
  }

  const int type;
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// Where a server of a test may listen, and nobody else. A port is kept by a
// socket that is bound to it and does not listen.
class Endpoint {
 public:
  Endpoint(const Transport& transport, std::string path)
      : name_(transport.prefix + path) {
    if (transport.family == AF_UNIX) return;
    if (transport.family == AF_UNSPEC) {
      const PipePaths pipes = PipesOfServer(path);
      EXPECT_EQ(::mkdir(path.c_str(), 0700), 0);
      EXPECT_EQ(::mkfifo(pipes.in.c_str(), 0600), 0);
      EXPECT_EQ(::mkfifo(pipes.out.c_str(), 0600), 0);
      return;
    }
    SocketAddress any(transport.family == AF_INET ? "127.0.0.1:0" : "[::1]:0");
    keeper_ = ScopedFd(RealSys(), any.NewSocket());
    EXPECT_EQ(::bind(keeper_.get(), any.get(), any.size), 0);
    EXPECT_EQ(
        ::getsockname(keeper_.get(), reinterpret_cast<sockaddr*>(&any.storage),
                      &any.size),
        0);
    // Before another process starts, which needs the folder.
    if (IsTls(transport)) TestTls();
    name_ = transport.prefix +
            TcpAddress::FromSockaddr(any.get(), any.size)->ToString();
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  ScopedFd keeper_;
};

// In place of a listener: a link that opens its pipes, and opens them again. If
// it is stopped, the next one does.
class PipeServer : public Actor {
 public:
  PipeServer(PipePaths pipes, LinkOptions options)
      : pipes_(std::move(pipes)), options_(std::move(options)) {}
  ListenerStats On(const GetListenerStats&) { return {}; }
  void On(const Down&) {
    if (!draining_) Begin();
  }

 protected:
  void OnStart() override { Begin(); }
  void OnDrain() override { draining_ = true; }

 private:
  void Begin() {
    const std::string name = address().ToString();
    SpawnOptions spawn;
    if (name[0] != '#') spawn.name = absl::StrCat(name, "/", ++links_);
    const auto link = Spawn<PipeLink>(spawn, pipes_, options_);
    EXPECT_TRUE(link.ok()) << link.status();
    if (link.ok()) watch_ = Watch(Self(this), link->address());
  }

  const PipePaths pipes_;
  const LinkOptions options_;
  int links_ = 0;
  bool draining_ = false;
  Watch watch_;
};

// Listens at `endpoint`. The limits of one address are off: all peers of a test
// have the same one.
inline absl::StatusOr<Ref<Listener>> Listen(Bus& bus, Sys& sys,
                                            const SpawnOptions& spawn,
                                            const std::string& endpoint,
                                            const ServerOptions& options,
                                            int backlog = 128) {
  const ListenerOptions& limits = options;
  const std::string bare = WithoutPrefix(endpoint);
#ifdef TROLLEY_TEST_GRPC
  if (endpoint.starts_with(kGrpc)) {
    return ListenGrpc(bus, spawn, bare, limits, options.link);
  }
#endif
  if (endpoint.starts_with(kPipes)) {
    auto server =
        bus.Spawn<PipeServer>(spawn, PipesOfServer(bare), options.link);
    if (!server.ok()) return server.status();
    // Until it has opened its end, so that a client finds it.
    ::close(::open(PipesOfServer(bare).in.c_str(), O_WRONLY | O_CLOEXEC));
    return Ref<Listener>(*server);
  }
  if (bare[0] == '/') {
    auto socket =
        ListenUnix(sys, bare, {.backlog = backlog, .type = TypeOf(endpoint)});
    if (!socket.ok()) return socket.status();
    UnixListenerOptions all;
    static_cast<ListenerOptions&>(all) = limits;
    static_cast<LinkOptions&>(all.link) = options.link;
    auto listener = bus.Spawn<UnixListener>(spawn, *std::move(socket), all);
    if (!listener.ok()) return listener.status();
    return Ref<Listener>(*listener);
  }
  auto socket = ListenTcp(sys, bare, {.backlog = backlog});
  if (!socket.ok()) return socket.status();
  // Of what the peer does not read the kernel keeps no more than this.
  const int bytes = 64 * 1024;
  EXPECT_EQ(
      ::setsockopt(socket->fd(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
      0);
  TlsListenerOptions all;
  static_cast<ListenerOptions&>(all) = limits;
  all.link = options.link;
  all.max_connections_per_address = std::numeric_limits<size_t>::max();
  all.max_new_per_second = std::numeric_limits<uint32_t>::max();
  all.tls = TestTls();
  if (endpoint.starts_with(kTls)) {
    auto listener = bus.Spawn<TlsListener>(spawn, *std::move(socket), all);
    if (!listener.ok()) return listener.status();
    return Ref<Listener>(*listener);
  }
  const TcpListenerOptions& plain = all;
  auto listener = bus.Spawn<TcpListener>(spawn, *std::move(socket), plain);
  if (!listener.ok()) return listener.status();
  return Ref<Listener>(*listener);
}

// After the shutdown of a bus: ends what Listen() has made beside its actors.
inline void EndServers([[maybe_unused]] const Bus& bus) {
#ifdef TROLLEY_TEST_GRPC
  EndGrpcServers(bus);
#endif
}

// Dials `endpoint`.
inline absl::StatusOr<Ref<Link>> Dial(Bus& bus, const SpawnOptions& spawn,
                                      const std::string& endpoint,
                                      const LinkOptions& options) {
  const std::string bare = WithoutPrefix(endpoint);
#ifdef TROLLEY_TEST_GRPC
  if (endpoint.starts_with(kGrpc)) return DialGrpc(bus, spawn, bare, options);
#endif
  if (endpoint.starts_with(kPipes)) {
    auto link = bus.Spawn<PipeLink>(spawn, PipesOfClient(bare), options);
    if (!link.ok()) return link.status();
    return Ref<Link>(*link);
  }
  if (bare[0] == '/') {
    UnixLinkOptions all;
    static_cast<LinkOptions&>(all) = options;
    all.type = TypeOf(endpoint);
    auto link = bus.Spawn<UnixLink>(spawn, bare, all);
    if (!link.ok()) return link.status();
    return Ref<Link>(*link);
  }
  if (endpoint.starts_with(kTls)) {
    TlsLinkOptions all;
    static_cast<LinkOptions&>(all) = options;
    all.tls = TestTls();
    auto link = bus.Spawn<TlsLink>(spawn, bare, all);
    if (!link.ok()) return link.status();
    return Ref<Link>(*link);
  }
  TcpLinkOptions all;
  static_cast<LinkOptions&>(all) = options;
  auto link = bus.Spawn<TcpLink>(spawn, bare, all);
  if (!link.ok()) return link.status();
  return Ref<Link>(*link);
}

// Two blocking sockets that are connected. What the first one writes needs room
// in few bytes, `bytes` at each end, while the second one does not read.
inline std::pair<int, int> NarrowPair(const Transport& transport, int bytes) {
  const auto set = [](int fd, int level, int option, int value) {
    EXPECT_EQ(::setsockopt(fd, level, option, &value, sizeof(value)), 0);
  };
  int ends[2] = {-1, -1};
  if (transport.family == AF_UNIX) {
    EXPECT_EQ(::socketpair(AF_UNIX, transport.type | SOCK_CLOEXEC, 0, ends), 0);
  } else {
    const Endpoint endpoint(transport, "");
    const SocketAddress at(endpoint.name());
    const ScopedFd listening(RealSys(), at.NewSocket());
    EXPECT_EQ(::bind(listening.get(), at.get(), at.size), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    ends[1] = at.NewSocket();
    // The kernel fixes the size of a window when it connects.
    set(ends[1], SOL_SOCKET, SO_RCVBUF, bytes);
    set(ends[1], IPPROTO_TCP, TCP_NODELAY, 1);
    EXPECT_EQ(::connect(ends[1], at.get(), at.size), 0);
    ends[0] = ::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC);
    set(ends[0], IPPROTO_TCP, TCP_NODELAY, 1);
  }
  set(ends[0], SOL_SOCKET, SO_SNDBUF, bytes);
  return {ends[0], ends[1]};
}

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_TRANSPORT_H_
