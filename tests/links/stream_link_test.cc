// SPDX-License-Identifier: Apache-2.0
//
// Links over transports of a program's own. Each is a dialer and an acceptor
// here, and the rest is the library's.

#include "trolley/actors/link/stream_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/link/stream_listener.h"
#include "trolley/actors/stream.h"
#include "trolley/poller/sim.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::HasSubstr;

LinkOptions Patient() { return PatientLink(); }

class StreamLinkTest : public LinkTest {
 protected:
  // Two buses, each with a watcher, and a Sink "sink" at the server.
  StreamLinkTest() {
    server_ = NewBus(*server_sys_);
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    server_watcher_ = SpawnOn<Watcher>(*server_, {});
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {});
  }

  LinkOptions Watched(const Ref<Watcher>& watcher) {
    LinkOptions options = Patient();
    options.watcher = watcher;
    return options;
  }
  Ref<StreamLink> SpawnLink(std::unique_ptr<Dialer> dialer) {
    return SpawnOn<StreamLink>(*client_, {.name = "link"}, std::move(dialer),
                               Watched(client_watcher_));
  }
  Ref<Numbers> SinkBehind(const Ref<Link>& link) {
    return SpawnOn<Remote<Numbers>>(*client_, {}, link, "sink");
  }
};

// --- TCP -------------------------------------------------------------------

std::string NameOf(const sockaddr_in& address) {
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

class TcpAcceptor : public Acceptor {
 public:
  explicit TcpAcceptor(bool welcome)
      : welcome_(welcome),
        socket_(
            RealSys(),
            ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd(), 16), 0);
    EXPECT_EQ(::getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &size),
              0);
    port_ = address.sin_port;
    endpoint_ = NameOf(address);
  }

  const std::string& endpoint() const override { return endpoint_; }
  in_port_t port() const { return port_; }
  int fd() const override { return socket_.get(); }
  absl::StatusOr<ScopedFd> Accept() override {
    return absl::UnavailableError("not without a descriptor");
  }
  bool has_reserve() const override { return false; }
  uint64_t turned_away() const override { return 0; }
  absl::StatusOr<LinkPeer> PeerOf(Sys&, int fd) const override {
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return absl::UnavailableError("the peer has gone");
    }
    return LinkPeer{.name = NameOf(address), .identity = "127.0.0.1"};
  }
  absl::Status MayConnect(Sys&, int, const LinkPeer& peer) const override {
    if (welcome_) return absl::OkStatus();
    return wire::MakeWireError(wire::WireError::kNotPermitted,
                               peer.name + " is not welcome");
  }
  void Close() override { socket_.reset(); }

 private:
  const bool welcome_;
  ScopedFd socket_;
  in_port_t port_ = 0;
  std::string endpoint_;
};

class TcpDialer : public Dialer {
 public:
  explicit TcpDialer(in_port_t port) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.sin_port = port;
    endpoint_ = NameOf(address_);
  }

  const std::string& endpoint() const override { return endpoint_; }
  // On this machine connect() waits for nothing.
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext) override {
    ScopedFd fd(RealSys(), ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address_),
                  sizeof(address_)) != 0) {
      co_return absl::UnavailableError("no server is there");
    }
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    LinkSocket connected{.fd = std::move(fd),
                         .peer = {.name = "a server", .identity = endpoint_}};
    co_return std::move(connected);
  }

 private:
  sockaddr_in address_ = {};
  std::string endpoint_;
};

TEST_F(StreamLinkTest, TcpTakesADialerAndAnAcceptor) {
  auto acceptor = std::make_unique<TcpAcceptor>(/*welcome=*/true);
  const in_port_t port = acceptor->port();
  const auto listener =
      SpawnOn<StreamListener>(*server_, {.name = "tcp"}, std::move(acceptor),
                              ListenerOptions(), Watched(server_watcher_));
  const auto link = SpawnLink(std::make_unique<TcpDialer>(port));
  const Ref<Numbers> there = SinkBehind(link);
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(there.Tell(PutOf(i)), Delivery::kAccepted);
  }
  EXPECT_EQ(there.AskAndWait(AskOf(1000), kLong).value().value(), 1100u);
  EXPECT_EQ(sink_.AskAndWait(GetSeen{}, kLong).value().out_of_order, 0u);

  // The transport knows of no user and no process.
  const LinkUp up = NextUpOf(server_watcher_);
  EXPECT_EQ(up.peer_uid, LinkUp::kUnknownUid);
  EXPECT_EQ(up.peer_pid, 0);
  const ListenerStats stats =
      listener.AskAndWait(GetListenerStats{}, kLong).value();
  EXPECT_EQ(stats.accepted, 1u);
  EXPECT_EQ(stats.open, 1u);
}

TEST_F(StreamLinkTest, APeerThatTheAcceptorRefusesIsToldWhy) {
  auto acceptor = std::make_unique<TcpAcceptor>(/*welcome=*/false);
  const in_port_t port = acceptor->port();
  const auto listener = SpawnOn<StreamListener>(
      *server_, {}, std::move(acceptor), ListenerOptions(), Patient());
  SpawnLink(std::make_unique<TcpDialer>(port));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kHandshake);
  EXPECT_TRUE(absl::IsPermissionDenied(down.reason)) << down.reason;
  EXPECT_THAT(std::string(down.reason.message()), HasSubstr("is not welcome"));
  EXPECT_GE(
      listener.AskAndWait(GetListenerStats{}, kLong).value().not_permitted, 1u);
}

// --- A dialer that waits ---------------------------------------------------

struct Pair {
  Pair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           0, fds),
              0);
    here = ScopedFd(RealSys(), fds[0]);
    there = ScopedFd(RealSys(), fds[1]);
  }
  ScopedFd here;
  ScopedFd there;
};

// Waits for a byte from its gate, if it has one, as a dialer waits that
// resolves a name. Then it fails as often as it shall, and gives its one
// connection.
class LateDialer : public Dialer {
 public:
  LateDialer(ScopedFd fd, ScopedFd gate, int failures)
      : fd_(std::move(fd)), gate_(std::move(gate)), failures_(failures) {}
  ~LateDialer() override {
    if (gone != nullptr) gone->Notify();
  }

  const std::string& endpoint() const override { return endpoint_; }
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override {
    if (dials != nullptr) dials->Notify();
    if (gate_) {
      Stream gate(context, std::move(gate_));
      char byte[1];
      absl::StatusOr<size_t> n = co_await gate.Read(absl::MakeSpan(byte));
      if (!n.ok()) co_return n.status();
    }
    if (failures_ > 0) {
      --failures_;
      co_return absl::NotFoundError("the name is not known");
    }
    LinkSocket connected{.fd = std::move(fd_),
                         .peer = {.name = "the late one", .identity = "late"}};
    co_return std::move(connected);
  }

  absl::Notification* dials = nullptr;
  absl::Notification* gone = nullptr;

 private:
  const std::string endpoint_ = "somewhere";
  ScopedFd fd_;
  ScopedFd gate_;
  int failures_;
};

TEST_F(StreamLinkTest, MessagesWaitForADialerThatWaits) {
  absl::Notification dials;
  Pair pair;
  Pair gate;
  auto dialer = std::make_unique<LateDialer>(std::move(pair.here),
                                             std::move(gate.there), 0);
  dialer->dials = &dials;
  const auto link = SpawnLink(std::move(dialer));
  dials.WaitForNotification();
  const Ref<Numbers> there = SinkBehind(link);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(there.Tell(PutOf(i)), Delivery::kAccepted);
  }
  EXPECT_FALSE(StatsOf(link).connected);
  EXPECT_EQ(StatsOf(link).written, 0u);
  SpawnOn<StreamLink>(
      *server_, {},
      LinkSocket{.fd = std::move(pair.there),
                 .peer = {.name = "the client", .identity = "client"}},
      Patient());
  ASSERT_EQ(::write(gate.here.get(), "!", 1), 1);
  EXPECT_EQ(there.AskAndWait(AskOf(0), kLong).value().value(), 10u);
  EXPECT_EQ(StatsOf(link).written, 11u);
}

TEST_F(StreamLinkTest, WhatADialerSaysIsTheReasonAndItIsAskedAgain) {
  Pair pair;
  const auto link = SpawnLink(
      std::make_unique<LateDialer>(std::move(pair.here), ScopedFd(), 2));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason, absl::NotFoundError("the name is not known"));
  SpawnOn<StreamLink>(
      *server_, {},
      LinkSocket{.fd = std::move(pair.there),
                 .peer = {.name = "the client", .identity = "client"}},
      Patient());
  NextUpOf(client_watcher_);
  EXPECT_EQ(SinkBehind(link).AskAndWait(AskOf(3), kLong).value().value(), 3u);
}

// --- Pauses, in a simulated world ------------------------------------------

// Makes a pair of sockets for each attempt. The test has the other end.
class PairDialer : public Dialer {
 public:
  PairDialer(std::vector<Instant>& dials, ScopedFd& peer)
      : dials_(dials), peer_(peer) {}

  const std::string& endpoint() const override { return endpoint_; }
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override {
    Sys& sys = context.sys();
    int fds[2] = {-1, -1};
    EXPECT_EQ(sys.Socketpair(
                  AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
              0);
    dials_.push_back(context.Now());
    peer_ = ScopedFd(sys, fds[1]);
    LinkSocket connected{.fd = ScopedFd(sys, fds[0]),
                         .peer = {.name = "the test", .identity = "test"}};
    co_return std::move(connected);
  }

 private:
  const std::string endpoint_ = "nowhere";
  std::vector<Instant>& dials_;
  ScopedFd& peer_;
};

TEST(PausesTest, ALinkWhosePeerOnlyTakesItsLeaveDialsLessAndLessOften) {
  const std::string farewells[] = {
      ErrorFrame(wire::WireError::kTooManyConnections, "full"),
      GoAway("DRAINING: bye")};
  for (const std::string& farewell : farewells) {
    SimWorld world(/*seed=*/1);
    ScopedFd peer;
    Sys& sys = world.sys();
    const auto say = [&](const std::string& bytes) {
      sys.Write(peer.get(), absl::MakeConstSpan(bytes.data(), bytes.size()));
    };
    BusOptions options;
    options.loops[0].factory = [&](Sys&, const Clock&) {
      return world.NewPoller();
    };
    options.for_tests.single_threaded = true;
    options.for_tests.sys = &sys;
    options.for_tests.clock = &world.clock();
    const auto bus = *Bus::Create(std::move(options));
    std::vector<Instant> dials;
    LinkOptions link;
    link.backoff_first = absl::Milliseconds(20);
    ASSERT_TRUE(bus->Spawn<StreamLink>(
                       {}, std::make_unique<PairDialer>(dials, peer), link)
                    .ok());
    for (size_t round = 1; round <= 8; ++round) {
      for (bus->RunUntilIdle(); dials.size() < round; bus->RunUntilIdle()) {
        ASSERT_TRUE(world.StepTime(bus->NextTimer()));
      }
      say(GoodHello());
      bus->RunUntilIdle();  // the handshake is over
      say(farewell);
      peer.reset();
    }
    // The link may shorten a pause by half.
    absl::Duration least = link.backoff_first / 2;
    for (size_t i = 1; i < dials.size(); ++i, least *= 2) {
      EXPECT_GE(dials[i] - dials[i - 1], least) << "pause " << i;
    }
  }
}

TEST_F(StreamLinkTest, ADialerThatStillWaitsGoesWithItsLink) {
  absl::Notification dials;
  absl::Notification gone;
  Pair pair;
  Pair gate;
  auto dialer = std::make_unique<LateDialer>(std::move(pair.here),
                                             std::move(gate.there), 0);
  dialer->dials = &dials;
  dialer->gone = &gone;
  const auto link = SpawnLink(std::move(dialer));
  dials.WaitForNotification();
  link.Stop();
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kStopped);
  gone.WaitForNotification();
}

}  // namespace
}  // namespace trolley::links_test
