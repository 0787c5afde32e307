// SPDX-License-Identifier: Apache-2.0
//
// LinkTest: the bus of a server and the bus of a client in one process. A
// socket in a directory of its own connects them. Built with
// TROLLEY_TEST_POLLER it uses that poller.

#ifndef TROLLEY_TESTS_LINKS_LINK_TEST_H_
#define TROLLEY_TESTS_LINKS_LINK_TEST_H_

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"

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
inline UnixLinkOptions PatientLink() {
  UnixLinkOptions options;
  options.handshake_deadline = kLong;
  options.write_deadline = kLong;
  return options;
}
inline UnixListenerOptions PatientListener() { return {.link = PatientLink()}; }

// The next LinkUp or LinkDown of the watcher, as soon as it has heard one.
inline LinkUp NextUpOf(const Ref<Watcher>& watcher) {
  return watcher.AskAndWait(NextUp{}, kLong).value();
}
inline LinkDown NextDownOf(const Ref<Watcher>& watcher) {
  return watcher.AskAndWait(NextDown{}, kLong).value();
}

class LinkTest : public testing::Test {
 protected:
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

  // A server with a Sink "sink", a GatedSink "gated" and a Relay "relay".
  void StartServer(UnixListenerOptions options = PatientListener(),
                   UnixListenOptions listen = {}) {
    absl::StatusOr<UnixListenSocket> socket =
        ListenUnix(*server_sys_, path_, listen);
    ASSERT_TRUE(socket.ok()) << socket.status();
    server_ = NewBus(*server_sys_);
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    gated_ =
        SpawnOn<GatedSink>(*server_, {.name = "gated", .mailbox_capacity = 16});
    relay_ = SpawnOn<Relay>(*server_, {.name = "relay"});
    server_watcher_ = SpawnOn<Watcher>(*server_, {.name = "watcher"});
    options.link.watcher = server_watcher_;
    listener_ = SpawnOn<UnixListener>(*server_, {.name = "uds"},
                                      *std::move(socket), options);
  }

  // `before_dial` is called when the client's loop has had a turn and the link
  // has not dialled yet.
  void StartClient(
      UnixLinkOptions options = PatientLink(),
      const std::function<void()>& before_dial = [] {}) {
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {.name = "watcher"});
    options.watcher = client_watcher_;
    client_->Inspect(kLong).IgnoreError();
    before_dial();
    link_ = SpawnOn<UnixLink>(*client_, {.name = "link"}, path_, options);
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
    AskUntil(
        [&] { return listener_.AskAndWait(GetUnixListenerStats{}, kLong); },
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
    bus.reset();
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "s";

  Sys* server_sys_ = &RealSys();
  std::unique_ptr<Bus> server_;
  Ref<Sink> sink_;
  Ref<GatedSink> gated_;
  Ref<Relay> relay_;
  Ref<Watcher> server_watcher_;
  Ref<UnixListener> listener_;

  Sys* client_sys_ = &RealSys();
  std::unique_ptr<Bus> client_;
  Ref<Watcher> client_watcher_;
  Ref<UnixLink> link_;
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_LINK_TEST_H_
