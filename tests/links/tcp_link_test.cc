// SPDX-License-Identifier: Apache-2.0
//
// What links over TCP have and others have not: names of hosts, several
// addresses, timeouts of the kernel, networks that may connect, and limits of
// each address. Nothing leaves this machine.

#include "trolley/actors/tcp/tcp_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/tcp/tcp_listener.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const Transport& kTcp4 = TransportNamed("tcp4");

std::string TextOf(const absl::Status& status) {
  return std::string(status.message());
}

// A lookup that finds these.
TcpLookup Finds(const std::vector<std::string>& endpoints) {
  std::vector<TcpAddress> addresses;
  for (const std::string& endpoint : endpoints) {
    addresses.push_back(*TcpAddress::Parse(endpoint));
  }
  return [addresses](const std::string&, uint16_t) { return addresses; };
}

// A place where a process listens and accepts nobody, so that the kernel does
// not answer one more peer.
class FullPlace {
 public:
  explicit FullPlace(const std::string& endpoint)
      : at_(endpoint), listening_(RealSys(), at_.NewSocket()) {
    EXPECT_EQ(::bind(listening_.get(), at_.get(), at_.size), 0);
    EXPECT_EQ(::listen(listening_.get(), 0), 0);
    // The kernel takes one more than the backlog.
    waiting_ = ScopedFd(RealSys(), at_.NewSocket());
    EXPECT_EQ(::connect(waiting_.get(), at_.get(), at_.size), 0);
  }

 private:
  const SocketAddress at_;
  const ScopedFd listening_;
  ScopedFd waiting_;
};

class TcpLinkTest : public LinkTest {
 protected:
  TcpLinkTest() : LinkTest(kTcp4) {}
  ~TcpLinkTest() override {
    // The pool goes before its bus.
    pool_.reset();
  }

  // The bus of a client with a watcher and a pool.
  void StartClientBus() {
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {.name = "watcher"});
    pool_ = *BlockingPool::Create(*client_, {.threads = 1});
  }
  TcpLinkOptions DialOptions(TcpLookup lookup = LookUpHost) {
    TcpLinkOptions options;
    static_cast<LinkOptions&>(options) = PatientLink();
    options.reconnect = false;
    options.watcher = client_watcher_;
    options.blocking = pool_->blocking();
    options.lookup = std::move(lookup);
    options.lookup_timeout = options.connect_timeout = kLong;
    return options;
  }
  void DialTo(const std::string& endpoint, const TcpLinkOptions& options) {
    link_ = SpawnOn<TcpLink>(*client_, {}, endpoint, options);
  }

  // A server with options of its own.
  Ref<TcpListener> StartTcpServer(const std::string& where,
                                  TcpListenerOptions options,
                                  const TcpListenOptions& listen = {}) {
    options.link = PatientLink();
    server_ = NewBus(*server_sys_);
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    server_watcher_ = SpawnOn<Watcher>(*server_, {.name = "watcher"});
    options.link.watcher = server_watcher_;
    absl::StatusOr<TcpListenSocket> socket =
        ListenTcp(*server_sys_, where, listen);
    EXPECT_TRUE(socket.ok()) << socket.status();
    bound_ = socket->address();
    return SpawnOn<TcpListener>(*server_, {.name = "tcp"}, *std::move(socket),
                                options);
  }
  std::string Bound(const std::string& ip) const {
    return TcpAddress::FromIp(ip, bound_.port())->ToString();
  }

  std::unique_ptr<BlockingPool> pool_;
  TcpAddress bound_;
};

// --- Names and addresses ---------------------------------------------------

TEST_F(TcpLinkTest, ANameIsLookedUpOffTheLoop) {
  StartServer();
  StartClientBus();
  std::atomic<bool> on_a_loop = true;
  const TcpLookup find = Finds({endpoint_});
  DialTo("db.internal:7000",
         DialOptions([&, find](const std::string& host, uint16_t port) {
           on_a_loop = ActorContext::OfThisThread().has_value();
           EXPECT_EQ(host, "db.internal");
           EXPECT_EQ(port, 7000);
           return find(host, port);
         }));
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(7), kLong).value().value(), 7u);
  EXPECT_FALSE(on_a_loop);
}

TEST_F(TcpLinkTest, TheCLibraryKnowsThisMachine) {
  StartServer();
  StartClientBus();
  const TcpAddress at = *TcpAddress::Parse(endpoint_);
  DialTo(absl::StrCat("localhost:", at.port()), DialOptions());
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(7), kLong).value().value(), 7u);
}

TEST_F(TcpLinkTest, ANameThatIsNotKnownIsNamed) {
  StartClientBus();
  DialTo("nowhere.internal:7000", DialOptions([](const std::string&, uint16_t) {
           return absl::NotFoundError("no such \x1b[31mname");
         }));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TextOf(down.reason),
            "cannot look up nowhere.internal: no such \\x1b[31mname");
}

TEST_F(TcpLinkTest, ALookupWithoutAddressesOrThatThrowsIsToldAsSuch) {
  StartClientBus();
  DialTo("empty.internal:7000", DialOptions(Finds({})));
  EXPECT_EQ(NextDownOf(client_watcher_).reason.code(),
            absl::StatusCode::kNotFound);
  DialTo("broken.internal:7000",
         DialOptions([](const std::string&,
                        uint16_t) -> absl::StatusOr<std::vector<TcpAddress>> {
           throw std::runtime_error("registry broken");
         }));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kInternal) << down.reason;
  EXPECT_THAT(TextOf(down.reason), HasSubstr("registry broken"));
}

TEST_F(TcpLinkTest, ASlowLookupIsNotWaitedForAndTheLoopGoesOn) {
  StartServer();
  StartClientBus();
  absl::Notification let_go;
  TcpLinkOptions options =
      DialOptions([&](const std::string&,
                      uint16_t) -> absl::StatusOr<std::vector<TcpAddress>> {
        let_go.WaitForNotification();
        return absl::NotFoundError("too late");
      });
  options.lookup_timeout = absl::Milliseconds(20);
  DialTo("slow.internal:7000", options);
  // Another link of the same loop, meanwhile.
  const Ref<Link> other = SpawnLink(*client_, {}, endpoint_, PatientLink());
  const auto sink = SpawnOn<Remote<Numbers>>(*client_, {}, other, "sink");
  EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
  EXPECT_THAT(TextOf(down.reason), HasSubstr("slow.internal"));
  let_go.Notify();
  pool_.reset();  // no thread waits any more
}

TEST_F(TcpLinkTest, TheNextAddressIsTriedWhenOneIsRefused) {
  StartServer();
  StartClientBus();
  DialTo("db.internal:7000",
         DialOptions(Finds({NewEndpoint(), NewEndpoint(), endpoint_})));
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(7), kLong).value().value(), 7u);
}

TEST_F(TcpLinkTest, EachAddressAndItsErrorAreNamed) {
  StartClientBus();
  const std::string first = NewEndpoint();
  const std::string second = NewEndpoint();
  DialTo("db.internal:7000", DialOptions(Finds({first, second})));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(TextOf(down.reason), absl::StrCat("db.internal: connect(", first,
                                              "): Connection refused; connect(",
                                              second, "): Connection refused"));
}

TEST_F(TcpLinkTest, P6_ANameWithManyAddressesDoesNotTakeForEver) {
  StartClientBus();
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(NewEndpoint());
  DialTo("many.internal:7000", DialOptions(Finds(many)));
  const std::string text = TextOf(NextDownOf(client_watcher_).reason);
  EXPECT_THAT(text, HasSubstr(many[kMostTcpAddresses - 1]));
  EXPECT_THAT(text, Not(HasSubstr(many[kMostTcpAddresses])));
}

TEST_F(TcpLinkTest, AnAddressThatDoesNotAnswerIsGivenUpAndTheNextIsTried) {
  const FullPlace full(NewEndpoint());
  const std::string silent = endpoints_.back().name();
  StartServer();
  StartClientBus();
  TcpLinkOptions options = DialOptions(Finds({silent}));
  options.connect_timeout = absl::Milliseconds(20);
  DialTo("db.internal:7000", options);
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
  EXPECT_THAT(
      TextOf(down.reason),
      HasSubstr(absl::StrCat("connect(", silent, "): no answer within 20ms")));
  options.lookup = Finds({silent, endpoint_});
  // A slow machine may be late at the second address, too.
  options.reconnect = true;
  DialTo("db.internal:7000", options);
  NextUpOf(client_watcher_);
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(7), kLong).ok());
}

TEST_F(TcpLinkTest, P11_ALinkThatIsStoppedWhileItDialsLeavesNothing) {
  const FullPlace full(NewEndpoint());
  const std::string silent = endpoints_.back().name();
  StartClientBus();
  client_->Inspect(kLong).IgnoreError();
  const int before = OpenDescriptors();
  DialTo(silent, DialOptions());
  AskUntil(
      [&] {
        StatsOf(link_);
        return OpenDescriptors();
      },
      [&](int now) { return now > before; });
  link_.Stop();
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kStopped);
  AwaitEnd(link_.address());
  client_->Inspect(kLong).IgnoreError();
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(TcpLinkTest, WhatIsNotValidIsSaidAndTheLinkEnds) {
  StartClientBus();
  TcpLinkOptions no_pool = DialOptions();
  no_pool.blocking = Blocking();
  TcpLinkOptions no_lookup = DialOptions();
  no_lookup.lookup = nullptr;
  TcpLinkOptions no_time = DialOptions();
  no_time.connect_timeout = absl::ZeroDuration();
  no_time.reconnect = no_pool.reconnect = no_lookup.reconnect = true;
  const struct {
    const char* endpoint;
    TcpLinkOptions options;
    const char* text;
  } cases[] = {
      {"db.internal:7000", no_pool, "TcpLinkOptions::blocking"},
      {"127.0.0.1:7000", no_lookup, "TcpLinkOptions::lookup"},
      {"127.0.0.1:7000", no_time, "TcpLinkOptions::connect_timeout"},
      {"db.internal", DialOptions(), "\"db.internal\" is no endpoint"},
      {"db.internal:0", DialOptions(), "is no endpoint"},
      {"fd00::1:7000", DialOptions(), "is no endpoint"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.endpoint);
    DialTo(one.endpoint, one.options);
    const LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kNoConnection);
    EXPECT_EQ(down.reason.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(TextOf(down.reason), HasSubstr(one.text));
    AwaitEnd(link_.address());
  }
}

// Binds each socket to what it dials, as the kernel does by chance.
class SelfDialSys final : public Sys {
 public:
  intptr_t Call(SysCall call, Args args) override {
    if (call == SysCall::kConnect) {
      const int fd = static_cast<int>(args[0]);
      const int on = 1;
      RealSys().Setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
      RealSys().Bind(fd, reinterpret_cast<const sockaddr*>(args[1]),
                     static_cast<socklen_t>(args[2]));
    }
    return RealSys().Call(call, args);
  }
};

TEST_F(TcpLinkTest, ASocketThatIsConnectedToItselfIsNoConnection) {
  SelfDialSys self_dial;
  client_sys_ = &self_dial;
  StartClientBus();
  DialTo(endpoint_, DialOptions());
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnavailable) << down.reason;
  EXPECT_THAT(TextOf(down.reason), HasSubstr("Connection refused"));
  pool_.reset();
  StopClient();
  client_sys_ = &RealSys();
}

// --- The sockets -----------------------------------------------------------

int OptionOf(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

// The descriptor of this process whose peer is at `port`; -1: there is none.
int SocketWithPeer(uint16_t port) {
  constexpr int kMostDescriptors = 1024;
  for (int fd = 0; fd < kMostDescriptors; ++fd) {
    const absl::StatusOr<TcpAddress> peer = TcpPeerOf(RealSys(), fd);
    if (peer.ok() && peer->port() == port) return fd;
  }
  return -1;
}

TEST_F(TcpLinkTest, BothEndsHaveTheOptionsOfTheirSockets) {
  TcpListenerOptions server;
  server.socket = {.keepalive_idle = absl::Milliseconds(41'500),
                   .keepalive_interval = absl::Seconds(7),
                   .keepalive_count = 4,
                   .unacknowledged_limit = absl::Microseconds(12'345'500)};
  StartTcpServer("127.0.0.1:0", server);
  StartClientBus();
  TcpLinkOptions client = DialOptions();
  client.socket = {.keepalive_idle = absl::InfiniteDuration(),
                   .unacknowledged_limit = absl::InfiniteDuration()};
  DialTo(bound_.ToString(), client);
  ASSERT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());

  const int dialled = SocketWithPeer(bound_.port());
  ASSERT_GE(dialled, 0);
  EXPECT_EQ(OptionOf(dialled, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(OptionOf(dialled, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(OptionOf(dialled, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);

  SocketAddress ours("127.0.0.1:0");
  ASSERT_EQ(::getsockname(dialled, reinterpret_cast<sockaddr*>(&ours.storage),
                          &ours.size),
            0);
  const int accepted =
      SocketWithPeer(TcpAddress::FromSockaddr(ours.get(), ours.size)->port());
  ASSERT_GE(accepted, 0);
  EXPECT_EQ(OptionOf(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(OptionOf(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(OptionOf(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 42);
  EXPECT_EQ(OptionOf(accepted, IPPROTO_TCP, TCP_KEEPINTVL), 7);
  EXPECT_EQ(OptionOf(accepted, IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(OptionOf(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 12'346);
}

// Reads from connections fail, as when the limits of the kernel are over.
class VanishedPeerSys final : public Sys {
 public:
  intptr_t Call(SysCall call, Args args) override {
    if (call == SysCall::kRead && vanished &&
        TcpPeerOf(RealSys(), static_cast<int>(args[0])).ok()) {
      return -ETIMEDOUT;
    }
    return RealSys().Call(call, args);
  }

  std::atomic<bool> vanished = false;
};

TEST_F(TcpLinkTest, P15_APeerThatHasVanishedIsToldAsSuch) {
  if (PollerUnderTest() == "io_uring") {
    GTEST_SKIP() << "a ring reads without a call that could fail here";
  }
  VanishedPeerSys sys;
  client_sys_ = &sys;
  StartServer();
  StartClientBus();
  DialTo(endpoint_, DialOptions());
  ASSERT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  sys.vanished = true;
  EXPECT_FALSE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kSystem);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
  pool_.reset();
  StopClient();
  client_sys_ = &RealSys();
}

// --- Who may connect -------------------------------------------------------

// A peer at the address `from`.
class Caller {
 public:
  Caller(const std::string& from, const std::string& to)
      : peer_(to, RawPeer::Later()) {
    EXPECT_EQ(peer_.BindTo(from), 0);
    EXPECT_EQ(peer_.Connect(to), 0);
  }
  // The name of the error that it is told; "": it has a link.
  std::string Told() {
    // A link answers the PING.
    peer_.Say(GoodHello() + Ping());
    std::string said = peer_.Read(wire::kHelloBytes + wire::kFrameHeaderBytes);
    if (said.size() < wire::kHelloBytes + wire::kFrameHeaderBytes) {
      return "closed";
    }
    const std::string frame = said.substr(wire::kHelloBytes);
    if (static_cast<wire::FrameType>(frame[4]) == wire::FrameType::kPong) {
      return "";
    }
    return ErrorIn(frame + peer_.ReadToTheEnd());
  }
  void Close() { peer_.Close(); }

 private:
  RawPeer peer_;
};

TEST_F(TcpLinkTest, P14_OnlyTheNetworksInTheListMayConnect) {
  TcpListenerOptions options;
  options.allowed_networks = {"127.0.0.2/31", "10.0.0.0/8"};
  const auto listener = StartTcpServer("0.0.0.0:0", options);
  const std::string to = Bound("127.0.0.1");
  EXPECT_EQ(Caller("127.0.0.1:0", to).Told(), "NOT_PERMITTED");
  EXPECT_EQ(Caller("127.0.0.2:0", to).Told(), "");
  EXPECT_EQ(Caller("127.0.0.3:0", to).Told(), "");
  EXPECT_EQ(Caller("127.0.0.4:0", to).Told(), "NOT_PERMITTED");
  const ListenerStats stats =
      listener.AskAndWait(GetListenerStats{}, kLong).value();
  EXPECT_EQ(stats.not_permitted, 2u);
  EXPECT_EQ(stats.accepted, 2u);
}

TEST_F(TcpLinkTest, APeerOfIpv4AtASocketForBothIsOneOfIpv4) {
  if (!MachineHas(TransportNamed("tcp6")))
    GTEST_SKIP() << "this machine has no IPv6";
  TcpListenerOptions options;
  options.allowed_networks = {"127.0.0.1/32"};
  StartTcpServer("[::]:0", options);
  EXPECT_EQ(Caller("127.0.0.1:0", Bound("127.0.0.1")).Told(), "");
  EXPECT_EQ(Caller("[::1]:0", Bound("::1")).Told(), "NOT_PERMITTED");
}

TEST_F(TcpLinkTest, P14_ConnectionsOfAnAddressAreLimited) {
  TcpListenerOptions options;
  options.max_connections_per_address = 2;
  options.max_new_per_second = 1'000'000;
  const auto listener = StartTcpServer("127.0.0.1:0", options);
  const std::string to = bound_.ToString();
  Caller first("127.0.0.1:0", to);
  Caller second("127.0.0.1:0", to);
  EXPECT_EQ(first.Told(), "");
  EXPECT_EQ(second.Told(), "");
  EXPECT_EQ(Caller("127.0.0.1:0", to).Told(), "TOO_MANY_CONNECTIONS");
  // Another address has connections of its own.
  Caller other("127.0.0.2:0", to);
  EXPECT_EQ(other.Told(), "");
  const auto stats = [&] {
    return listener.AskAndWait(GetTcpListenerStats{}, kLong).value();
  };
  EXPECT_EQ(stats().too_many, 1u);
  EXPECT_EQ(stats().too_often, 0u);
  EXPECT_EQ(stats().all.over_limit, 1u);
  EXPECT_EQ(stats().all.accepted, 3u);
  // A place is free again when a link has ended.
  first.Close();
  AskUntil(stats, [](const TcpListenerStats& s) { return s.all.open <= 2; });
  EXPECT_EQ(Caller("127.0.0.1:0", to).Told(), "");
}

TEST_F(TcpLinkTest, P14_NewConnectionsOfAnAddressAreLimited) {
  TcpListenerOptions options;
  options.max_connections_per_address = 1'000'000;
  options.max_new_per_second = 1;
  const auto listener = StartTcpServer("127.0.0.1:0", options);
  const std::string to = bound_.ToString();
  EXPECT_EQ(Caller("127.0.0.1:0", to).Told(), "");
  // On a slow machine each may come a second after the one before.
  const auto call = [&] { return Caller("127.0.0.1:0", to).Told(); };
  EXPECT_EQ(
      AskUntil(call, [](const std::string& told) { return !told.empty(); }),
      "TOO_MANY_CONNECTIONS");
  EXPECT_EQ(Caller("127.0.0.2:0", to).Told(), "");
  const TcpListenerStats stats =
      listener.AskAndWait(GetTcpListenerStats{}, kLong).value();
  EXPECT_EQ(stats.too_often, 1u);
  EXPECT_EQ(stats.too_many, 0u);
}

TEST_F(TcpLinkTest, P13_APeerThatTheKernelDoesNotNameIsClosed) {
  FaultSys faulty(RealSys());
  server_sys_ = &faulty;
  const auto listener = StartTcpServer("127.0.0.1:0", {});
  EXPECT_TRUE(listener.AskAndWait(GetListenerStats{}, kLong).ok());
  server_->Inspect(kLong).IgnoreError();
  faulty.FailAll(SysCall::kGetsockopt, ENOBUFS);
  RawPeer peer(bound_.ToString());
  EXPECT_GE(peer.ReadToTheEnd().size(), wire::kHelloBytes);
  EXPECT_EQ(
      listener.AskAndWait(GetListenerStats{}, kLong).value().not_permitted, 1u);
  StopServer();
  server_sys_ = &RealSys();
}

TEST(TcpListenerLogTest, P14_PeersThatMayNotConnectDoNotFillTheLog) {
  absl::Mutex mutex;
  std::vector<std::string> lines;
  BusOptions options;
  options.loops = {LoopOptions{.poller = PollerUnderTest()}};
  options.log = [&](absl::string_view line) {
    absl::MutexLock lock(&mutex);
    lines.emplace_back(line);
  };
  options.log_limits.interval = absl::Hours(1);
  auto bus = *Bus::Create(std::move(options));
  absl::StatusOr<TcpListenSocket> socket = ListenTcp(RealSys(), "127.0.0.1:0");
  ASSERT_TRUE(socket.ok()) << socket.status();
  const std::string at = socket->endpoint();
  TcpListenerOptions listener;
  listener.allowed_networks = {"10.0.0.0/8"};
  ASSERT_TRUE(bus->Spawn<TcpListener>({}, *std::move(socket), listener).ok());
  for (int i = 0; i < 500; ++i) {
    RawPeer peer(at);
    peer.ReadToTheEnd();
  }
  bus->Shutdown(absl::Seconds(10));
  absl::MutexLock lock(&mutex);
  EXPECT_EQ(lines.size(), 10u + 1) << absl::StrJoin(lines, "\n");
  EXPECT_THAT(lines.front(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(lines.front(), HasSubstr("may not connect"));
}

}  // namespace
}  // namespace trolley::links_test
