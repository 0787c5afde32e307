// SPDX-License-Identifier: Apache-2.0
//
// What a send to an actor of another process returns at once: with each verb,
// from each place, and in each state of the link.

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

enum class Verb { kTell, kTellWith, kSend };
enum class From { kThread, kLoopOfTheLink, kOtherLoop };

// Sends a Put from its loop, and says what became of it.
struct Try {
  Ref<Numbers> to;
  Verb verb;
};

absl::Status StatusOf(Delivery delivery) {
  return delivery == Delivery::kAccepted
             ? absl::OkStatus()
             : DeliveryStatus(delivery, "the actor there");
}

class Prober : public Actor {
 public:
  Task<absl::Status> On(Try t) {
    Put put = PutOf(1);
    if (t.verb == Verb::kTell) co_return StatusOf(t.to.Tell(put));
    if (t.verb == Verb::kTellWith) co_return StatusOf(t.to.TellWith({}, put));
    co_return co_await t.to.Send(std::move(put));
  }
};

class TwoLoopsTest : public LinkTest {
 protected:
  using LinkTest::LinkTest;

  void StartTwoLoops(LinkOptions options) {
    BusOptions bus;
    bus.loops = {LoopOptions{.poller = PollerUnderTest()},
                 LoopOptions{.poller = PollerUnderTest()}};
    bus.log = [](absl::string_view) {};
    client_ = *Bus::Create(std::move(bus));
    client_watcher_ = SpawnOn<Watcher>(*client_, {});
    options.watcher = client_watcher_;
    link_ = SpawnLink(*client_, {.loop = 0}, endpoint_, options);
    probers_ = {SpawnOn<Prober>(*client_, {.loop = 0}),
                SpawnOn<Prober>(*client_, {.loop = 1})};
  }
  void StartTwoLoops() { StartTwoLoops(Quick()); }
  LinkOptions Quick() {
    LinkOptions options = PatientLink();
    options.backoff_first = options.backoff_last = absl::Milliseconds(1);
    return options;
  }
  Ref<Numbers> NewRemote() {
    return SpawnOn<Remote<Numbers>>(*client_, {.loop = 0}, link_, "anybody");
  }

  absl::Status Send(const Ref<Numbers>& to, Verb verb, From from) {
    if (from != From::kThread) {
      return probers_[from == From::kOtherLoop].AskAndWait(
          Try{.to = to, .verb = verb}, kLong);
    }
    return StatusOf(verb == Verb::kTell ? to.Tell(PutOf(1))
                                        : to.TellWith({}, PutOf(1)));
  }

  std::vector<Ref<Prober>> probers_;
};

using How = std::tuple<const Transport*, Verb, From>;

class RemoteTest : public TwoLoopsTest,
                   public testing::WithParamInterface<How> {
 protected:
  RemoteTest() : TwoLoopsTest(*std::get<0>(GetParam())) {}

  using TwoLoopsTest::Send;
  // With the verb and from the place of this test.
  absl::Status Send(const Ref<Numbers>& to) {
    return Send(to, std::get<1>(GetParam()), std::get<2>(GetParam()));
  }
  void ExpectNotConnected(const Ref<Numbers>& to) {
    const absl::Status told = Send(to);
    EXPECT_EQ(told.code(), absl::StatusCode::kUnavailable) << told;
    EXPECT_NE(told.message().find("is not connected"), absl::string_view::npos)
        << told;
  }
};

TEST_P(RemoteTest, P15_IsToldAtOnceWhetherItsLinkIsUp) {
  StartTwoLoops();
  const Ref<Numbers> there = NewRemote();
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kNoConnection);
  ExpectNotConnected(there);
  ExpectNotConnected(NewRemote());  // one that never saw it up

  RawServer server(endpoint_);
  server.Listen();
  RawPeer first(server.Accept());
  first.Say(GreedyHello());
  NextUpOf(client_watcher_);
  EXPECT_TRUE(Send(there).ok());
  EXPECT_TRUE(Send(NewRemote()).ok());
  first.Close();
  NextDownOf(client_watcher_);
  ExpectNotConnected(there);

  RawPeer second(server.Accept());
  ExpectNotConnected(there);  // no Hello yet
  second.Say(GreedyHello());
  NextUpOf(client_watcher_);
  EXPECT_TRUE(Send(there).ok());
  // It takes no more: not down, and no less in vain.
  second.Say(GoAway("DRAINING: bye"));
  AskUntil(
      [&] {
        StatsOf(link_);  // the link has had a turn
        return Send(there);
      },
      absl::IsUnavailable)
      .IgnoreError();
  ExpectNotConnected(there);
  second.Close();
  NextDownOf(client_watcher_);
  ExpectNotConnected(there);
}

TEST_P(RemoteTest, P15_ALinkThatHasEndedIsNotConnected) {
  LinkOptions options = Quick();
  options.reconnect = false;
  StartTwoLoops(options);
  const Ref<Numbers> there = NewRemote();
  NextDownOf(client_watcher_);
  AwaitEnd(link_.address());
  ExpectNotConnected(there);
  ExpectNotConnected(NewRemote());
  link_ = Ref<Link>();
  ExpectNotConnected(NewRemote());
}

TEST_P(RemoteTest, P15_OneThatHasEndedIsGoneAndNotDown) {
  StartTwoLoops();
  const Ref<Numbers> there = NewRemote();
  NextDownOf(client_watcher_);
  there.Stop();
  AwaitEnd(there.address());
  const absl::Status told = Send(there);
  EXPECT_EQ(told.code(), absl::StatusCode::kNotFound) << told;
}

std::string NameOf(const testing::TestParamInfo<How>& param) {
  constexpr const char* kVerbs[] = {"Tell", "TellWith", "Send"};
  constexpr const char* kFrom[] = {"Thread", "LoopOfTheLink", "OtherLoop"};
  return absl::StrCat(kVerbs[static_cast<int>(std::get<1>(param.param))],
                      "From", kFrom[static_cast<int>(std::get<2>(param.param))],
                      "_", std::get<0>(param.param)->name);
}

INSTANTIATE_TEST_SUITE_P(
    FromLoops, RemoteTest,
    testing::Combine(EachSocket(),
                     testing::Values(Verb::kTell, Verb::kTellWith, Verb::kSend),
                     testing::Values(From::kLoopOfTheLink, From::kOtherLoop)),
    NameOf);
// Threads do not wait for room.
INSTANTIATE_TEST_SUITE_P(FromThreads, RemoteTest,
                         testing::Combine(EachSocket(),
                                          testing::Values(Verb::kTell,
                                                          Verb::kTellWith),
                                          testing::Values(From::kThread)),
                         NameOf);

class FullRemoteTest : public TwoLoopsTest,
                       public testing::WithParamInterface<const Transport*> {
 protected:
  FullRemoteTest() : TwoLoopsTest(*GetParam()) {}

  // A link to a peer that reads nothing, and takes nothing more.
  void SetUp() override {
    server_ = std::make_unique<RawServer>(endpoint_);
    server_->Listen();
    LinkOptions options = Quick();
    options.outbox_messages = 1;
    StartTwoLoops(options);
    peer_ = std::make_unique<RawPeer>(server_->Accept());
    peer_->Say(GoodHello());
    NextUpOf(client_watcher_);
    there_ = NewRemote();
    // The first ones fill the socket; then every mailbox on the way fills.
    for (int full = 0; full < 20; ++full) {
      while (there_.Tell(PutOf(1, accepted_ < 10 ? 100'000 : 0)) ==
             Delivery::kAccepted) {
        ++accepted_;
        full = 0;
      }
      client_->Inspect(kLong).IgnoreError();
    }
  }
  void TearDown() override {
    peer_.reset();
    StopClient();
    server_.reset();
  }

  std::unique_ptr<RawServer> server_;
  std::unique_ptr<RawPeer> peer_;
  Ref<Numbers> there_;
  uint64_t accepted_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, FullRemoteTest, EachSocket(), NameOfTransport);

TEST_P(FullRemoteTest, P15_IsFullWhileItsLinkIsUp) {
  Delivery told;
  while ((told = there_.Tell(PutOf(1))) == Delivery::kAccepted) ++accepted_;
  EXPECT_EQ(told, Delivery::kFull);
  EXPECT_GT(accepted_, 0u);
}

// A sender that waits for room learns that the link is down. Each accepted
// message is counted as written or as unsent.
TEST_P(FullRemoteTest, P15_ASenderThatWaitsIsToldThatTheLinkIsDown) {
  constexpr int kSenders = 8;
  std::vector<absl::Status> told(kSenders);
  std::vector<uint64_t> taken(kSenders);
  std::vector<std::thread> senders;
  for (int i = 0; i < kSenders; ++i) {
    // Again and again: the kernel may still take some.
    senders.emplace_back([&, i] {
      const From from = i % 2 == 0 ? From::kLoopOfTheLink : From::kOtherLoop;
      while ((told[i] = Send(there_, Verb::kSend, from)).ok()) ++taken[i];
    });
  }
  // The kernel may find room for a few more.
  const auto refill = [&] {
    while (there_.Tell(PutOf(1)) == Delivery::kAccepted) ++accepted_;
    return client_->Inspect(kLong)->loops[1].pending_asks;
  };
  AskUntil(refill, [](uint64_t asks) { return asks > 0; });
  server_.reset();  // or what is left would wait for the next connection
  peer_->Close();
  NextDownOf(client_watcher_);
  for (std::thread& sender : senders) sender.join();
  uint64_t sent = accepted_;
  for (int i = 0; i < kSenders; ++i) {
    sent += taken[i];
    EXPECT_EQ(told[i].code(), absl::StatusCode::kUnavailable) << told[i];
  }
  const auto counted = [](const LinkStats& s) {
    return s.written + s.unsent + s.not_sent;
  };
  const LinkStats stats =
      StatsWhen(link_, [&](const LinkStats& s) { return counted(s) >= sent; });
  EXPECT_EQ(counted(stats), sent);
}

}  // namespace
}  // namespace trolley::links_test
