// SPDX-License-Identifier: Apache-2.0
//
// What each side knows to be lost when a peer ends: the receiver about the
// bytes of the peer, the sender about messages to the peer, and the asker about
// its asks.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

class LossTest : public EachTransportTest {
 protected:
  void SetUp() override { StartServer(Options()); }
  virtual ServerOptions Options() { return PatientListener(); }

  // The server's link to a peer that has just said its Hello.
  Ref<Link> LinkToPeer() { return NextUpOf(server_watcher_).link; }
};

INSTANTIATE_TEST_SUITE_P(Over, LossTest, EachSocket(), NameOfTransport);

TEST_P(LossTest, P15_AnAskSaysWhetherItHadLeft) {
  for (const bool leaves : {true, false}) {
    RawPeer peer(endpoint_);
    peer.Say(GreedyHello());
    const Ref<Link> link = LinkToPeer();
    const Ref<Numbers> there =
        SpawnOn<Remote<Numbers>>(*server_, {}, link, "anybody");
    // Long messages, one at a time, until the kernel has taken a part of one
    // and takes no more. What comes behind that one stays here.
    uint64_t told = 0;
    uint64_t bytes_out = 0;
    for (int idle = 0; !leaves && idle < 20;) {
      const LinkStats now = StatsOf(link);
      if (now.written == told) {
        ASSERT_EQ(there.Tell(PutOf(++told, 900'000)), Delivery::kAccepted);
      }
      idle = now.bytes_out == bytes_out ? idle + 1 : 0;
      bytes_out = now.bytes_out;
    }
    absl::Status status;
    std::thread asker(
        [&] { status = there.AskAndWait(AskOf(1), kLong).status(); });
    StatsWhen(link, [&](const LinkStats& s) {
      return leaves ? s.written >= 1 && s.waiting == 0
                    : s.written + s.waiting == told + 1;
    });
    peer.Close();
    asker.join();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_NE(status.message().find(leaves ? "the question had left"
                                           : "the question had not left"),
              absl::string_view::npos)
        << status;
    const LinkDown down = NextDownOf(server_watcher_);
    EXPECT_EQ(down.stats.written, leaves ? 1u : told - 1);
    EXPECT_EQ(down.stats.fate_unknown, leaves ? 1u : 0u);
    EXPECT_EQ(down.stats.unsent, leaves ? 0u : 2u);
    EXPECT_EQ(down.stats.waiting, 0u);
  }
}

TEST_P(LossTest, P15_WhatArrivedIsDeliveredBeforeTheEndIsTold) {
  constexpr uint64_t kMessages = 100;  // more than the mailbox of the gated one
  RawPeer peer(endpoint_);
  std::string said = GoodHello();
  for (uint64_t i = 1; i <= kMessages; ++i) {
    said += Data(i, PutTo("gated", PutOf(i)));
  }
  peer.Say(said);
  const Ref<Link> link = LinkToPeer();
  StatsWhen(link, [](const LinkStats& s) { return s.received >= kMessages; });
  peer.Close();
  StatsWhen(link, [](const LinkStats& s) { return !s.connected; });
  OpenGate();
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
  EXPECT_EQ(down.stats.received, kMessages);
  EXPECT_EQ(down.stats.delivered, kMessages);
  EXPECT_EQ(down.stats.queued, 0u);
  // Refused while it is full.
  const auto seen =
      AskUntil([&] { return gated_.AskAndWait(GetSeen{}, kLong); },
               [](const auto& answer) { return answer.ok(); });
  EXPECT_EQ(seen->count, kMessages);
  EXPECT_EQ(seen->out_of_order, 0u);
}

// Of a peer that has gone only its tells are kept: its asks hold
// neither a place, nor the link, nor the descriptor.
TEST_P(LossTest, P15_AsksOfAPeerThatHasGoneAreForgotten) {
  constexpr uint64_t kAsks = 100;  // more than the mailbox of the gated one
  RawPeer peer(endpoint_);
  std::string said = GoodHello();
  for (uint64_t i = 1; i <= kAsks; ++i) {
    said += Data(i, MessageTo("gated", i, int64_t{3'600'000'000'000}));
  }
  peer.Say(said);
  const Ref<Link> link = LinkToPeer();
  StatsWhen(link, [](const LinkStats& s) { return s.received >= kAsks; });
  peer.Close();
  // The gate is shut.
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.stats.received, kAsks);
  EXPECT_EQ(down.stats.queued, 0u);
  EXPECT_GT(down.stats.abandoned, 0u);
  EXPECT_EQ(down.stats.delivered + down.stats.abandoned, kAsks);
  EXPECT_EQ(down.stats.undelivered_replies, down.stats.delivered);
  AwaitOpen(0);
  OpenGate();
}

// So for a link that dials again: the next connection may ask as many.
TEST_P(LossTest, P15_AsksOfTheLastConnectionDoNotCountInTheNext) {
  const std::string theirs = NewEndpoint();
  RawServer server(theirs);
  server.Listen();
  LinkOptions options = PatientLink();
  options.max_pending_asks = 4;
  options.backoff_first = options.backoff_last = absl::Milliseconds(1);
  options.watcher = server_watcher_;
  const Ref<Link> link = SpawnLink(*server_, {}, theirs, options);
  for (int round = 0; round < 5; ++round) {
    RawPeer peer(server.Accept());
    std::string said = GoodHello();
    for (uint64_t i = 1; i <= options.max_pending_asks; ++i) {
      said += Data(i, MessageTo("gated", i, int64_t{3'600'000'000'000}));
    }
    peer.Say(said);
    LinkToPeer();
    StatsWhen(link, [&](const LinkStats& s) {
      return s.received >= (round + 1) * options.max_pending_asks;
    });
    EXPECT_EQ(StatsOf(link).refused, 0u);
    peer.Close();
    const LinkDown down = NextDownOf(server_watcher_);
    EXPECT_EQ(down.stats.queued, 0u);
    EXPECT_EQ(down.stats.delivered + down.stats.abandoned, down.stats.received);
  }
  OpenGate();
}

// The end of a link cancels the handlers of messages that wait in it.
TEST_P(LossTest, P15_WhatIsCancelledWhileItWaitsForTheLinkIsCounted) {
  constexpr uint64_t kAsks = 5;
  RawPeer peer(endpoint_);
  // It takes two of the tells below, and grants no more.
  peer.Say(HelloOf({.max_frame_bytes = 1024,
                    .initial_credit_bytes = 2 * (1024 + 24),
                    .instance_id = 1}));
  const Ref<Link> link = LinkToPeer();
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*server_, {}, link, "anybody");
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_EQ(there.Tell(PutOf(i, 900)), Delivery::kAccepted);
  }
  std::vector<std::thread> askers;
  for (uint64_t i = 0; i < kAsks; ++i) {
    askers.emplace_back(
        [&] { EXPECT_FALSE(there.AskAndWait(AskOf(1), kLong).ok()); });
  }
  StatsWhen(link, [](const LinkStats& s) {
    return s.written == 2 && s.pending_asks == kAsks;
  });
  link.Stop();
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.stats.written, 2u);
  EXPECT_EQ(down.stats.unsent, 0u);
  EXPECT_EQ(down.stats.not_sent, 1 + kAsks);
  for (std::thread& asker : askers) asker.join();
}

// What proto/README.md says of a half-close.
TEST_P(LossTest, P15_AHalfCloseIsACloseAndReadyAnswersAreSent) {
  RawPeer peer(endpoint_);
  peer.Say(GoodHello());
  LinkToPeer();
  peer.Say(Data(1, MessageTo("sink", 1, int64_t{60'000'000'000})) +
           Data(2, MessageTo("gated", 2, int64_t{60'000'000'000})));
  peer.CloseHalf();
  const std::string said = peer.ReadToTheEnd().substr(wire::kHelloBytes);
  int answers = 0;
  for (const RawFrame& frame : FramesIn(said)) {
    if (frame.type != wire::FrameType::kData) continue;
    ++answers;
    link::v1::Envelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(frame.payload));
    EXPECT_EQ(envelope.reply().ask_id(), 1u);
  }
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(NextDownOf(server_watcher_).end, LinkEnd::kLost);
  OpenGate();
}

// A watcher whose mailbox has room for one message. A Hold fills it until its
// door is opened.
class BusyWatcher : public Actor {
 public:
  struct Hold {};
  struct GetTold {};
  struct Told {
    int ups = 0;
    int downs = 0;
  };

  Task<> On(Hold) { co_await open_.Wait(); }
  void On(const LinkUp&) { ++told_.ups; }
  void On(const LinkDown&) { ++told_.downs; }
  Told On(const GetTold&) { return told_; }

 protected:
  void OnStart() override {
    Spawn<Door>({.name = "busy.door"}, open_).IgnoreError();
  }

 private:
  Latch open_;
  Told told_;
};

// A link of the server that has dialled a peer.
class BusyWatcherTest : public LossTest {
 protected:
  void SetUp() override {
    LossTest::SetUp();
    busy_ = SpawnOn<BusyWatcher>(*server_, {.mailbox_capacity = 1});
    const std::string theirs = NewEndpoint();
    RawServer socket(theirs);
    socket.Listen();
    LinkOptions options = PatientLink();
    options.reconnect = false;
    options.watcher = busy_;
    link_ = SpawnLink(*server_, {}, theirs, options);
    peer_ = std::make_unique<RawPeer>(socket.Accept());
  }

  void FillMailboxOfWatcher() {
    const auto hold = [&] {
      StatsOf(link_);  // the loop has had a turn
      return busy_.Tell(BusyWatcher::Hold{});
    };
    AskUntil(hold, [](Delivery told) { return told == Delivery::kAccepted; });
    ASSERT_EQ(busy_.Tell(BusyWatcher::Hold{}), Delivery::kFull);
  }

  Ref<BusyWatcher> busy_;
  std::unique_ptr<RawPeer> peer_;
};

INSTANTIATE_TEST_SUITE_P(Over, BusyWatcherTest, EachSocket(), NameOfTransport);

TEST_P(BusyWatcherTest, P15_AWatcherWithAFullMailboxHearsTheEndOfItsLink) {
  peer_->Say(GoodHello());
  StatsWhen(link_, [](const LinkStats& s) { return s.connected; });
  FillMailboxOfWatcher();
  link_.Stop();
  AwaitEnd(link_.address());
  FindSoon<Door>(*server_, "busy.door").Tell(Open{});
  // Refused while it is full.
  const auto told =
      AskUntil([&] { return busy_.AskAndWait(BusyWatcher::GetTold{}, kLong); },
               [](const auto& answer) { return answer.ok(); });
  EXPECT_EQ(told->ups, 1);
  EXPECT_EQ(told->downs, 1);
}

TEST_P(BusyWatcherTest, P15_ALinkThatWaitsForItsWatcherSaysItsProcessEnds) {
  FillMailboxOfWatcher();
  peer_->Say(GoodHello());
  const LinkStats stats =
      StatsWhen(link_, [](const LinkStats& s) { return s.connections == 1; });
  EXPECT_FALSE(stats.connected) << "it does not wait";
  server_->Shutdown(absl::Seconds(1));
  const std::string said = peer_->ReadToTheEnd();
  ASSERT_GE(said.size(), wire::kHelloBytes);
  const std::vector<RawFrame> frames = FramesIn(said.substr(wire::kHelloBytes));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, wire::FrameType::kGoAway);
  EXPECT_EQ(frames[0].payload.substr(8, 8), "DRAINING");
}

class ImpatientLossTest : public LossTest {
  // It is the end that is looked at here, however early it comes.
  ServerOptions Options() override {
    ServerOptions options = PatientListener();
    options.link.write_deadline = absl::Milliseconds(20);
    options.link.outbox_bytes = 64 * 1024;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Over, ImpatientLossTest, EachSocket(),
                         NameOfTransport);

TEST_P(ImpatientLossTest, P15_TheSenderKnowsWhatWasWritten) {
  RawPeer peer(endpoint_);
  peer.Say(GreedyHello());
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*server_, {}, LinkToPeer(), "anybody");
  SpawnOn<Streamer>(*server_, {}, there, uint64_t{1'000'000}, size_t{1000});
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
  EXPECT_EQ(down.stats.waiting, 0u);
  EXPECT_GT(down.stats.unsent, 0u);
  // The peer reads only now, and finds a prefix: as much as the link says.
  uint64_t found = 0;
  const std::string said = peer.ReadToTheEnd();
  for (const RawFrame& frame : FramesIn(said.substr(wire::kHelloBytes))) {
    if (frame.type != wire::FrameType::kData) continue;
    link::v1::Envelope envelope;
    Put put;
    ASSERT_TRUE(envelope.ParseFromString(frame.payload));
    ASSERT_TRUE(put.ParseFromString(envelope.message().payload()));
    ASSERT_EQ(put.value(), ++found);
  }
  EXPECT_GT(found, 0u);
  EXPECT_EQ(down.stats.written, found);
}

}  // namespace
}  // namespace trolley::links_test
