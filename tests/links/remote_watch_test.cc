// SPDX-License-Identifier: Apache-2.0
//
// P9 across links: the watcher of an actor of another process gets one Down,
// when that actor has ended or when the link has.

#include "trolley/actors/link/remote_watch.h"

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/poller/sim.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/mourner.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using Kind = ExitReason::Kind;

std::string TextOf(const absl::Status& status) {
  return std::string(status.message());
}

class RemoteWatchTest : public EachTransportTest {
 protected:
  void StartBoth(const LinkOptions& ours = PatientLink(),
                 const LinkOptions& theirs = PatientLink()) {
    ServerOptions server;
    server.link = theirs;
    StartServer(server);
    StartClient(ours);
    mourner_ = SpawnOn<Mourner>(*client_, {.name = "mourner"});
  }

  void WatchThat(const std::string& name) {
    ASSERT_TRUE(mourner_.AskAndWait(Mourn{link_, name}, kLong).ok());
  }
  Down NextDownOfActor() {
    return mourner_.AskAndWait(NextEnd{}, kLong).value();
  }
  // Those that have come and that the test has not asked for.
  size_t DownsLeft() { return mourner_.AskAndWait(CountEnds{}, kLong).value(); }
  // Until the link over there watches so many for us.
  static void AwaitWatches(const Ref<Link>& theirs, uint64_t count) {
    StatsWhen(theirs,
              [&](const LinkStats& s) { return s.peer_watches == count; });
  }

  Ref<Mourner> mourner_;
};

INSTANTIATE_TEST_SUITE_P(Over, RemoteWatchTest, EachTransport(),
                         NameOfTransport);

// Throws at a Put, and ends by itself at an Ask.
class Mortal : public Actor {
 public:
  using Receives = Numbers;
  void On(const Put&) { throw std::runtime_error("disk\nfull"); }
  Answer On(const Ask&) {
    Stop();
    return Answer();
  }
};

TEST_P(RemoteWatchTest, P9_TheEndOfAnActorOverThereIsToldWithItsReason) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  const struct {
    Kind kind;
    std::function<void(const Ref<Mortal>&)> end;
  } ends[] = {
      {Kind::kStopped, [](const Ref<Mortal>& actor) { actor.Stop(); }},
      {Kind::kStopped, [](const Ref<Mortal>& actor) { actor.Tell(AskOf(1)); }},
      {Kind::kDrained, [](const Ref<Mortal>& actor) { actor.Stop(true); }},
      {Kind::kFailed, [](const Ref<Mortal>& actor) { actor.Tell(PutOf(1)); }},
  };
  for (const auto& end : ends) {
    const auto actor = SpawnOn<Mortal>(*server_, {.name = "mortal"});
    WatchThat("mortal");
    AwaitWatches(up.link, 1);
    EXPECT_EQ(StatsOf(link_).watches, 1u);
    EXPECT_EQ(DownsLeft(), 0u);
    end.end(actor);
    const Down down = NextDownOfActor();
    EXPECT_TRUE(down.lost.ok()) << down.lost;
    EXPECT_EQ(down.reason.kind, end.kind) << down.reason.ToString();
    EXPECT_EQ(down.name, "mortal");
    EXPECT_EQ(down.actor, link_.address());
    if (end.kind == Kind::kFailed) {
      EXPECT_EQ(down.reason.error.code(), absl::StatusCode::kInternal);
      EXPECT_THAT(down.reason.ToString(), EndsWith("Put threw: disk\\x0afull"));
    } else {
      EXPECT_TRUE(down.reason.error.ok()) << down.reason.error;
    }
    const LinkStats theirs = StatsOf(up.link);
    EXPECT_EQ(theirs.peer_watches, 0u);
    EXPECT_EQ(theirs.received, theirs.delivered);
  }
  EXPECT_EQ(StatsOf(link_).watches, 0u);
  EXPECT_EQ(StatsOf(link_).pending_asks, 0u);
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RemoteWatchTest, P9_AWatchOfAnActorThatDoesNotRunIsToldSoon) {
  StartBoth();
  WatchThat("nobody");
  const Down none = NextDownOfActor();
  EXPECT_TRUE(none.lost.ok()) << none.lost;
  EXPECT_EQ(none.reason.kind, Kind::kUnknown);
  EXPECT_EQ(none.reason.error,
            absl::NotFoundError("no actor named \"nobody\" is running"));

  const auto mortal = SpawnOn<Mortal>(*server_, {.name = "mortal"});
  mortal.Tell(PutOf(1));
  AwaitEnd(mortal.address());
  WatchThat("mortal");
  const Down ended = NextDownOfActor();
  EXPECT_TRUE(ended.lost.ok()) << ended.lost;
  EXPECT_THAT(TextOf(ended.reason.error),
              HasSubstr("Put threw: disk\\x0afull"));
}

TEST_P(RemoteWatchTest, P9_EachOfManyWatchersGetsOneDown) {
  constexpr int kActors = 20;
  constexpr int kWatchesOfEach = 10;
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  std::vector<Ref<Mortal>> actors;
  for (int i = 0; i < kActors; ++i) {
    const std::string name = absl::StrCat("mortal/", i);
    actors.push_back(SpawnOn<Mortal>(*server_, {.name = name}));
    for (int j = 0; j < kWatchesOfEach; ++j) WatchThat(name);
  }
  AwaitWatches(up.link, kActors * kWatchesOfEach);
  for (const Ref<Mortal>& actor : actors) {
    actor.Stop();
    AwaitEnd(actor.address());
  }
  AwaitWatches(up.link, 0);
  // Answered behind the ends.
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  ASSERT_EQ(DownsLeft(), size_t{kActors * kWatchesOfEach});
  std::vector<int> seen(kActors);
  for (int i = 0; i < kActors * kWatchesOfEach; ++i) {
    const Down down = NextDownOfActor();
    ASSERT_TRUE(down.lost.ok()) << down.lost;
    ++seen[std::stoi(down.name.substr(7))];
  }
  for (const int of_each : seen) EXPECT_EQ(of_each, kWatchesOfEach);
  // The end of the link tells nothing more.
  link_.Stop();
  AwaitEnd(link_.address());
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RemoteWatchTest, P9_WhatIsForgottenIsToldNothingAndHoldsNothing) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  for (int i = 0; i < 3; ++i) WatchThat("sink");
  AwaitWatches(up.link, 3);
  ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
  AwaitWatches(up.link, 2);
  EXPECT_EQ(StatsOf(link_).watches, 2u);
  ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
  ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
  AwaitWatches(up.link, 0);
  EXPECT_EQ(StatsOf(link_).watches, 0u);
  sink_.Stop();
  AwaitEnd(sink_.address());
  StatsOf(up.link);
  StatsOf(link_);
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RemoteWatchTest, P9_TheEndOfTheConnectionIsToldApartFromThatOfTheActor) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  WatchThat("sink");
  AwaitWatches(up.link, 1);
  up.link.Stop();
  const Down down = NextDownOfActor();
  EXPECT_EQ(down.lost.code(), absl::StatusCode::kUnavailable) << down.lost;
  EXPECT_THAT(TextOf(down.lost), HasSubstr("the connection to "));
  EXPECT_EQ(down.reason.kind, Kind::kUnknown);
  EXPECT_TRUE(down.reason.error.ok());
  // The next connection has no part of it.
  NextUpOf(client_watcher_);
  NextUpOf(client_watcher_);
  const LinkUp again = NextUpOf(server_watcher_);
  EXPECT_EQ(StatsOf(again.link).peer_watches, 0u);
  sink_.Stop();
  AwaitEnd(sink_.address());
  StatsOf(again.link);
  StatsOf(link_);
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RemoteWatchTest, P9_AWatchOverALinkThatIsDownIsToldAtOnce) {
  LinkOptions options = PatientLink();
  options.backoff_first = options.backoff_last = absl::Hours(1);
  StartBoth(options);
  NextUpOf(client_watcher_);
  StopServer();
  NextDownOf(client_watcher_);
  WatchThat("sink");
  const Down down = NextDownOfActor();
  EXPECT_EQ(down.lost.code(), absl::StatusCode::kUnavailable) << down.lost;
  EXPECT_THAT(TextOf(down.lost), HasSubstr("not connected"));

  link_.Stop();
  AwaitEnd(link_.address());
  WatchThat("sink");
  const Down ended = NextDownOfActor();
  EXPECT_EQ(ended.lost,
            absl::UnavailableError("link has ended: it was stopped"));

  ASSERT_TRUE(mourner_.AskAndWait(Mourn{Ref<Link>(), "sink"}, kLong).ok());
  EXPECT_EQ(NextDownOfActor().lost.code(), absl::StatusCode::kUnavailable);
}

TEST_P(RemoteWatchTest, P9_TheEndOfTheLinkIsTold) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  WatchThat("sink");
  AwaitWatches(up.link, 1);
  link_.Stop();
  const Down down = NextDownOfActor();
  EXPECT_EQ(down.lost, absl::UnavailableError("the link has ended"));
}

TEST_P(RemoteWatchTest, P9_TheEndOfTheProcessOverThereIsTold) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  WatchThat("sink");
  AwaitWatches(up.link, 1);
  StopServer();
  const Down down = NextDownOfActor();
  EXPECT_TRUE(absl::IsUnavailable(down.lost) ||
              down.reason.kind == Kind::kBusEnded)
      << down.lost << down.reason.ToString();
}

TEST_P(RemoteWatchTest, P9_BothProcessesWatchEachOther) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  const auto theirs = SpawnOn<Mourner>(*server_, {});
  ASSERT_TRUE(theirs.AskAndWait(Mourn{up.link, "mourner"}, kLong).ok());
  WatchThat("sink");
  AwaitWatches(up.link, 1);
  AwaitWatches(link_, 1);
  sink_.Stop();
  EXPECT_EQ(NextDownOfActor().name, "sink");
  mourner_.Stop();
  const Down down = theirs.AskAndWait(NextEnd{}, kLong).value();
  EXPECT_EQ(down.name, "mourner");
  EXPECT_EQ(down.reason.kind, Kind::kStopped);
}

TEST_P(RemoteWatchTest, P9_AFullMailboxGetsTheDown) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  const auto busy =
      SpawnOn<BusyMourner>(*client_, {.name = "busy", .mailbox_capacity = 1});
  busy.Tell(Mourn{link_, "sink"});
  AwaitWatches(up.link, 1);
  AskUntil(
      [&] {
        return busy.Tell(Mourn{link_, "sink"});
      },
      [](Delivery told) { return told == Delivery::kFull; });
  sink_.Stop();
  AwaitEnd(sink_.address());
  AwaitWatches(up.link, 0);
  StatsOf(link_);
  FindSoon<Door>(*client_, "busy.door").Tell(Open{});
  const Down down = AskUntil([&] { return busy.AskAndWait(NextEnd{}, kLong); },
                             [](const auto& end) { return end.ok(); })
                        .value();
  EXPECT_EQ(down.name, "sink");
}

TEST_P(RemoteWatchTest, P6_WatchesAreBoundedHereAndThere) {
  LinkOptions narrow = PatientLink();
  narrow.max_watches = 2;
  for (const bool here : {true, false}) {
    StartBoth(here ? narrow : PatientLink(), here ? PatientLink() : narrow);
    const LinkUp up = NextUpOf(server_watcher_);
    for (int i = 0; i < 3; ++i) WatchThat("sink");
    if (here) {
      ASSERT_EQ(StatsOf(link_).watches, 2u);
    }
    const Down refused = NextDownOfActor();
    EXPECT_EQ(refused.lost.code(), absl::StatusCode::kResourceExhausted)
        << refused.lost;
    EXPECT_THAT(TextOf(refused.lost),
                HasSubstr(here ? "LinkOptions::max_watches" : "are watched"));
    AwaitWatches(up.link, 2);
    // A place that is free again is used again, by an ask as well.
    ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
    AwaitWatches(up.link, 1);
    WatchThat("sink");
    AwaitWatches(up.link, 2);
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
    sink_.Stop();
    EXPECT_TRUE(NextDownOfActor().lost.ok());
    EXPECT_TRUE(NextDownOfActor().lost.ok());
    StopClient();
    StopServer();
  }
}

TEST_P(RemoteWatchTest, P9_ANameThatIsNoneIsRefusedHere) {
  StartBoth();
  for (const std::string& name :
       {std::string(), std::string("\x1b[2J"), std::string(1 << 20, 'x')}) {
    WatchThat(name);
    const Down down = NextDownOfActor();
    EXPECT_EQ(down.lost.code(), absl::StatusCode::kInvalidArgument)
        << down.lost;
    EXPECT_EQ(down.name, name);
  }
  EXPECT_EQ(StatsOf(link_).written, 0u);
}

TEST_P(RemoteWatchTest, P9_AMovedWatchWatchesOn) {
  StartBoth();
  const LinkUp up = NextUpOf(server_watcher_);
  WatchThat("sink");
  ASSERT_TRUE(mourner_.AskAndWait(MoveAll{}, kLong).ok());
  AwaitWatches(up.link, 1);
  sink_.Stop();
  EXPECT_EQ(NextDownOfActor().name, "sink");
}

// --- Peers of other versions, and lies -------------------------------------

class RawServerTest : public RemoteWatchTest {
 protected:
  static constexpr size_t kOutboxBytes = 2000;

  void SetUp() override {
    server_socket_ = std::make_unique<RawServer>(endpoint_);
    server_socket_->Listen();
    LinkOptions options = PatientLink();
    options.outbox_bytes = kOutboxBytes;
    StartClient(options);
    mourner_ = SpawnOn<Mourner>(*client_, {.name = "mourner"});
    peer_ = std::make_unique<RawPeer>(server_socket_->Accept());
    peer_->Say(GreedyHello());
    peer_->Read(wire::kHelloBytes);
  }
  void Answer(const link::v1::Envelope& envelope) {
    peer_->Say(Data(++sequence_, envelope.SerializeAsString()));
  }

  std::unique_ptr<RawServer> server_socket_;
  std::unique_ptr<RawPeer> peer_;
  uint64_t sequence_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, RawServerTest, EachSocket(), NameOfTransport);

TEST_P(RawServerTest, P9_AWatchIsAnAskThatAnOlderPeerRefuses) {
  WatchThat("sink");
  const link::v1::Envelope asked = NextEnvelope(*peer_);
  EXPECT_EQ(asked.message().target(), "sink");
  EXPECT_EQ(asked.message().type(), link::v1::Watch::descriptor()->full_name());
  EXPECT_GT(asked.message().ask_id(), 0u);
  link::v1::Envelope refusal;
  refusal.mutable_refusal()->set_sequence(1);
  refusal.mutable_refusal()->set_ask_id(asked.message().ask_id());
  refusal.mutable_refusal()->set_reason(link::v1::Refusal::TYPE_REJECTED);
  refusal.mutable_refusal()->set_detail("it takes nothing");
  Answer(refusal);
  const Down down = NextDownOfActor();
  EXPECT_EQ(down.lost.code(), absl::StatusCode::kUnimplemented) << down.lost;
  EXPECT_THAT(TextOf(down.lost), EndsWith("it takes nothing"));
}

TEST_P(RemoteWatchTest, P9_AWatchWaitsForTheFirstConnection) {
  if (!transport().listens) GTEST_SKIP() << kOnePeer;
  RawServer server(endpoint_);
  server.Listen();
  StartClient();
  mourner_ = SpawnOn<Mourner>(*client_, {});
  RawPeer peer(server.Accept());
  WatchThat("sink");
  WatchThat("gated");
  // What is forgotten meanwhile is not sent.
  ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
  StatsWhen(link_, [](const LinkStats& s) { return s.watches == 1; });
  EXPECT_EQ(StatsOf(link_).not_sent, 1u);
  peer.Say(GoodHello());
  peer.Read(wire::kHelloBytes);
  EXPECT_EQ(NextEnvelope(peer).message().target(), "gated");
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RawServerTest, P9_APeerHearsThatAWatchIsForgotten) {
  WatchThat("sink");
  const uint64_t id = NextEnvelope(*peer_).message().ask_id();
  ASSERT_TRUE(mourner_.AskAndWait(ForgetOne{}, kLong).ok());
  StatsWhen(link_, [](const LinkStats& s) { return s.watches == 0; });
  RemoteOf("sink").Tell(PutOf(1));
  const link::v1::Envelope cancelled = NextEnvelope(*peer_);
  ASSERT_TRUE(cancelled.has_cancel());
  EXPECT_EQ(cancelled.cancel().ask_id(), id);
  // An answer that was on its way is dropped, and counted.
  link::v1::Envelope late;
  late.mutable_reply()->set_ask_id(id);
  late.mutable_reply()->mutable_value();
  Answer(late);
  StatsWhen(link_, [](const LinkStats& s) { return s.late_replies == 1; });
  EXPECT_EQ(DownsLeft(), 0u);
}

TEST_P(RawServerTest, P14_AnswersThatAreNoneAreHarmless) {
  link::v1::Envelope answer;
  answer.mutable_reply()->set_ask_id(77);  // to no watch
  answer.mutable_reply()->mutable_value()->set_type("trolley.link.v1.Ended");
  Answer(answer);
  link::v1::Envelope cancel;
  cancel.mutable_cancel()->set_ask_id(77);
  Answer(cancel);
  StatsWhen(link_, [](const LinkStats& s) { return s.late_replies == 1; });

  const auto watch = [this] {
    WatchThat("sink");
    return NextEnvelope(*peer_).message().ask_id();
  };
  // Of another type, not of its type, and a failure that lies.
  answer.mutable_reply()->set_ask_id(watch());
  answer.mutable_reply()->mutable_value()->set_type("\x1b[2J");
  Answer(answer);
  Down down = NextDownOfActor();
  EXPECT_EQ(down.lost.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(TextOf(down.lost), HasSubstr("\\x1b[2J"));

  answer.mutable_reply()->set_ask_id(watch());
  answer.mutable_reply()->mutable_value()->set_type("trolley.link.v1.Ended");
  answer.mutable_reply()->mutable_value()->set_payload("\xff\xff");
  Answer(answer);
  EXPECT_EQ(NextDownOfActor().lost.code(), absl::StatusCode::kInternal);

  link::v1::Ended ended;
  ended.set_kind(static_cast<link::v1::Ended::Kind>(99));
  ended.set_code(13);
  ended.set_message("\x1b[2J" + std::string(5000, 'x'));
  answer.mutable_reply()->set_ask_id(watch());
  answer.mutable_reply()->mutable_value()->set_payload(
      ended.SerializeAsString());
  Answer(answer);
  down = NextDownOfActor();
  EXPECT_TRUE(down.lost.ok()) << down.lost;
  EXPECT_EQ(down.reason.kind, Kind::kUnknown);
  EXPECT_THAT(TextOf(down.reason.error), ::testing::StartsWith("\\x1b[2Jx"));
  EXPECT_LE(down.reason.error.message().size(), 520u);
  EXPECT_EQ(StatsOf(link_).watches, 0u);
}

// Its mailbox is full, because the peer reads nothing.
TEST_P(RawServerTest, P9_AFullLinkTakesNoWatchAndForgetsLater) {
  WatchThat("sink");
  StatsWhen(link_, [](const LinkStats& s) { return s.written == 1; });
  const Ref<Numbers> there = RemoteOf("sink");
  for (int full = 0; full < 20; ++full) {
    while (there.Tell(PutOf(1, 1000)) == Delivery::kAccepted) full = 0;
    client_->Inspect(kLong).IgnoreError();
  }
  WatchThat("gated");
  const Down down = NextDownOfActor();
  EXPECT_EQ(down.lost.code(), absl::StatusCode::kResourceExhausted)
      << down.lost;
  ASSERT_TRUE(mourner_.AskAndWait(ForgetAll{}, kLong).ok());
  peer_.reset();
  NextDownOf(client_watcher_);
  EXPECT_EQ(DownsLeft(), 0u);
}

// Cancels need no credit, but they need room.
TEST_P(RawServerTest, P14_CancelsThatAPeerDoesNotReadAreOwed) {
  constexpr int kWatches = 1000;
  for (int i = 0; i < kWatches; ++i) WatchThat("sink");
  StatsWhen(link_, [](const LinkStats& s) { return s.written >= kWatches; });
  const Ref<Numbers> there = RemoteOf("sink");
  // Full for longer than the writer of a link gathers.
  for (int full = 0; full < 64; ++full) {
    if (StatsOf(link_).unwritten_bytes >= kOutboxBytes) continue;
    there.Tell(PutOf(1, 1000));
    full = 0;
  }
  ASSERT_TRUE(mourner_.AskAndWait(ForgetAll{}, kLong).ok());
  StatsWhen(link_, [](const LinkStats& s) { return s.watches == 0; });
  EXPECT_LE(StatsOf(link_).unwritten_bytes, kOutboxBytes + 1100);
  // They come when there is room.
  int cancels = 0;
  while (cancels < kWatches) {
    const link::v1::Envelope said = NextEnvelope(*peer_);
    ASSERT_NE(said.kind_case(), link::v1::Envelope::KIND_NOT_SET);
    cancels += said.has_cancel() ? 1 : 0;
  }
}

// --- A simulated world -----------------------------------------------------

// Two links of one bus, watches over one of them, and ends in any order.
TEST(SimRemoteWatchTest, P9_EachWatchHasOneEndWhateverHappensFirst) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimWorld world(seed);
    Sys& sys = world.sys();
    BusOptions options;
    options.loops[0].factory = [&](Sys&, const Clock&) {
      return world.NewPoller();
    };
    options.log = [](absl::string_view) {};
    options.for_tests.single_threaded = true;
    options.for_tests.sys = &sys;
    options.for_tests.clock = &world.clock();
    const auto bus = *Bus::Create(std::move(options));
    std::minstd_rand random(seed);
    int fds[2] = {-1, -1};
    ASSERT_EQ(sys.Socketpair(
                  AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
              0);
    std::vector<Ref<StreamLink>> links;
    for (const int fd : fds) {
      links.push_back(*bus->Spawn<StreamLink>(
          {},
          LinkSocket{.fd = ScopedFd(sys, fd),
                     .peer = {.name = "peer", .identity = "peer"}},
          LinkOptions{}));
    }
    std::vector<Ref<Mortal>> actors;
    for (int i = 0; i < 4; ++i) {
      actors.push_back(
          *bus->Spawn<Mortal>({.name = absl::StrCat("mortal/", i)}));
    }
    std::vector<int> told(30);
    std::vector<bool> forgotten(told.size());
    std::vector<Ref<Counter>> counters;
    for (size_t i = 0; i < told.size(); ++i) {
      counters.push_back(
          *bus->Spawn<Counter>({}, Ref<Link>(links[0]),
                               absl::StrCat("mortal/", random() % 5), told[i]));
      if (random() % 2 == 0) bus->RunUntilIdle();
      if (random() % 4 == 0) actors[random() % 4].Tell(PutOf(1));
      if (random() % 4 == 0) {
        const size_t which = random() % counters.size();
        if (told[which] == 0) forgotten[which] = true;
        counters[which].Tell(ForgetOne{});
        bus->RunUntilIdle();
      }
      if (random() % 40 == 0) links[random() % 2].Stop();
    }
    bus->RunUntilIdle();
    for (const Ref<Mortal>& actor : actors) actor.Stop();
    bus->RunUntilIdle();
    for (size_t i = 0; i < told.size(); ++i) {
      EXPECT_TRUE(told[i] == 1 || (told[i] == 0 && forgotten[i]))
          << "watch " << i << " was told " << told[i] << " times";
    }
    EXPECT_TRUE(bus->Shutdown(absl::Seconds(1)).ledger.Balances());
  }
}

}  // namespace
}  // namespace trolley::links_test
