// SPDX-License-Identifier: Apache-2.0
//
// LinkTest: the bus of a server and the bus of a client in one process. A
// socket connects them; EachTransportTest has one of each transport. Built with
// TROLLEY_TEST_POLLER they use that poller.

#ifndef TROLLEY_TESTS_LINKS_LINK_TEST_H_
#define TROLLEY_TESTS_LINKS_LINK_TEST_H_

#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {

// Longer than any machine needs; only a broken link takes it.
inline constexpr absl::Duration kLong = absl::Seconds(60);

// By name; the default one where this machine refuses it.
inline std::string PollerUnderTest() {
#ifdef TROLLEY_TEST_POLLER
  const absl::Status made =
      CreatePoller(TROLLEY_TEST_POLLER, RealSys(), MonotonicClock()).status();
  if (made.ok()) return TROLLEY_TEST_POLLER;
  std::fprintf(stderr, "with the default poller: %s\n",
               made.ToString().c_str());
#endif
  return LoopOptions().poller;
}

// Links and listeners that a slow machine does not cut off.
inline LinkOptions PatientLink() {
  LinkOptions options;
  options.handshake_deadline = kLong;
  options.write_deadline = kLong;
  options.heartbeat = kLong;
  return options;
}
inline ServerOptions PatientListener() {
  ServerOptions options;
  options.link = PatientLink();
  return options;
}

// The next LinkUp or LinkDown of the watcher, as soon as it has heard one.
inline LinkUp NextUpOf(const Ref<Watcher>& watcher) {
  return watcher.AskAndWait(NextUp{}, kLong).value();
}
inline LinkDown NextDownOf(const Ref<Watcher>& watcher) {
  return watcher.AskAndWait(NextDown{}, kLong).value();
}

class LinkTest : public testing::Test {
 protected:
  explicit LinkTest(const Transport& transport = kUnix)
      : transport_(transport), endpoint_(NewEndpoint()) {}
  ~LinkTest() override {
    StopClient();
    StopServer();
  }

  static std::unique_ptr<Bus> NewBus(Sys& sys) {
    BusOptions options;
    options.loops = {LoopOptions{.poller = PollerUnderTest()}};
    options.for_tests.sys = &sys;
    options.log = [](absl::string_view line) {
      std::fprintf(stderr, "  log: %.*s\n", static_cast<int>(line.size()),
                   line.data());
    };
    return *Bus::Create(std::move(options));
  }

  template <typename A, typename... Args>
  static Ref<A> SpawnOn(Bus& bus, const SpawnOptions& options, Args&&... args) {
    absl::StatusOr<Ref<A>> ref =
        bus.Spawn<A>(options, std::forward<Args>(args)...);
    EXPECT_TRUE(ref.ok()) << ref.status();
    return ref.ok() ? *ref : Ref<A>();
  }

  const Transport& transport() const { return transport_; }
  // Where one more server may listen.
  std::string NewEndpoint() {
    endpoints_.emplace_back(transport_,
                            folder_ / std::to_string(endpoints_.size()));
    return endpoints_.back().name();
  }
  static Ref<Link> SpawnLink(Bus& bus, const SpawnOptions& spawn,
                             const std::string& endpoint,
                             const LinkOptions& options) {
    absl::StatusOr<Ref<Link>> link = Dial(bus, spawn, endpoint, options);
    EXPECT_TRUE(link.ok()) << link.status();
    return link.ok() ? *link : Ref<Link>();
  }

  // A server with a Sink "sink", a GatedSink "gated" and a Relay "relay".
  void StartServer(ServerOptions options = PatientListener()) {
    server_ = NewBus(*server_sys_);
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    gated_ =
        SpawnOn<GatedSink>(*server_, {.name = "gated", .mailbox_capacity = 16});
    relay_ = SpawnOn<Relay>(*server_, {.name = "relay"});
    server_watcher_ = SpawnOn<Watcher>(*server_, {.name = "watcher"});
    options.link.watcher = server_watcher_;
    StartListener(options);
  }

  void StartListener(const ServerOptions& options) {
    absl::StatusOr<Ref<Listener>> listener = Listen(
        *server_, *server_sys_, {.name = "listener"}, endpoint_, options);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *listener;
  }

  // `before_dial` is called when the client's loop has had a turn and the link
  // has not dialled yet.
  void StartClient(
      LinkOptions options = PatientLink(),
      const std::function<void()>& before_dial = [] {}) {
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {.name = "watcher"});
    options.watcher = client_watcher_;
    client_->Inspect(kLong).IgnoreError();
    before_dial();
    link_ = SpawnLink(*client_, {.name = "link"}, endpoint_, options);
  }

  // Lets "gated" handle what it got, once the server has started it.
  void OpenGate() { FindSoon<Door>(*server_, "gated.door").Tell(Open{}); }

  // An actor of the server as the client sees it.
  Ref<Numbers> RemoteOf(const std::string& name) {
    return SpawnOn<Remote<Numbers>>(*client_, {}, link_, name);
  }

  static LinkStats StatsOf(const Ref<Link>& link) {
    return link.AskAndWait(GetLinkStats{}, kLong).value_or(LinkStats());
  }

  // The first figures of the link that `done` accepts.
  template <typename Done>
  static LinkStats StatsWhen(const Ref<Link>& link, Done done) {
    return AskUntil([&] { return StatsOf(link); }, done);
  }
  // The actor of this name, which one of the bus starts.
  template <typename A>
  static Ref<A> FindSoon(Bus& bus, const std::string& name) {
    const auto find = [&] {
      bus.Inspect(kLong).IgnoreError();  // each loop has had a turn
      return bus.Find<A>(name);
    };
    return *AskUntil(find, [](const auto& found) { return found.ok(); });
  }
  static void AwaitEnd(const Address& of) {
    absl::Notification ended;
    of.WhenEnded([&](const ActorEnd&) { ended.Notify(); });
    ended.WaitForNotification();
  }
  // Until the listener has no more connections than that.
  void AwaitOpen(uint64_t most) {
    AskUntil([&] { return listener_.AskAndWait(GetListenerStats{}, kLong); },
             [&](const auto& stats) { return stats->open <= most; })
        .IgnoreError();
  }

  void StopServer() { Stop(server_); }
  void StopClient() { Stop(client_); }
  static void Stop(std::unique_ptr<Bus>& bus) {
    if (bus == nullptr) return;
    const ShutdownReport report = bus->Shutdown(absl::Seconds(10));
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
    EXPECT_TRUE(report.survivors.empty()) << report.ToString();
    EndServers(*bus);
    bus.reset();
  }

  const Transport& transport_;
  const TempFolder folder_;
  std::deque<Endpoint> endpoints_;
  const std::string endpoint_;  // of the server

  Sys* server_sys_ = &RealSys();
  std::unique_ptr<Bus> server_;
  Ref<Sink> sink_;
  Ref<GatedSink> gated_;
  Ref<Relay> relay_;
  Ref<Watcher> server_watcher_;
  Ref<Listener> listener_;

  Sys* client_sys_ = &RealSys();
  std::unique_ptr<Bus> client_;
  Ref<Watcher> client_watcher_;
  Ref<Link> link_;
};

class EachTransportTest : public LinkTest,
                          public testing::WithParamInterface<const Transport*> {
 protected:
  EachTransportTest() : LinkTest(*GetParam()) {}
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_LINK_TEST_H_
