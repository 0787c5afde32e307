// SPDX-License-Identifier: Apache-2.0
//
// What each side knows to be lost when a peer ends: the receiver about the
// bytes of the peer, the sender about messages to the peer, and the asker about
// its asks.

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

class LossTest : public LinkTest {
 protected:
  void SetUp() override { StartServer(Options()); }
  virtual UnixListenerOptions Options() { return PatientListener(); }

  // The server's link to a peer that has just said its Hello.
  Ref<Link> LinkToPeer() {
    return server_watcher_.AskAndWait(NextUp{}, kLong).value().link;
  }
  LinkDown NextLinkDown() {
    return server_watcher_.AskAndWait(NextDown{}, kLong).value();
  }
};

TEST_F(LossTest, P15_AnAskSaysWhetherItHadLeft) {
  for (const bool leaves : {true, false}) {
    RawPeer peer(path_);
    peer.Say(GreedyHello());
    const Ref<Link> link = LinkToPeer();
    const Ref<Numbers> there =
        SpawnOn<Remote<Numbers>>(*server_, {}, link, "anybody");
    // More than the kernel takes, so that what comes behind it stays here.
    if (!leaves) {
      ASSERT_EQ(there.Tell(PutOf(1, 900'000)), Delivery::kAccepted);
    }
    absl::Status status;
    std::thread asker(
        [&] { status = there.AskAndWait(AskOf(1), kLong).status(); });
    StatsWhen(link, [&](const LinkStats& s) {
      return leaves ? s.written >= 1 && s.waiting == 0
                    : s.written + s.waiting >= 2;
    });
    peer.Close();
    asker.join();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_NE(status.message().find(leaves ? "the question had left"
                                           : "the question had not left"),
              absl::string_view::npos)
        << status;
    const LinkDown down = NextLinkDown();
    EXPECT_EQ(down.stats.written, leaves ? 1u : 0u);
    EXPECT_EQ(down.stats.fate_unknown, leaves ? 1u : 0u);
    EXPECT_EQ(down.stats.unsent, leaves ? 0u : 2u);
    EXPECT_EQ(down.stats.waiting, 0u);
  }
}

TEST_F(LossTest, P15_WhatArrivedIsDeliveredBeforeTheEndIsTold) {
  constexpr uint64_t kMessages = 100;  // more than the mailbox of the gated one
  RawPeer peer(path_);
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
  const LinkDown down = NextLinkDown();
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
TEST_F(LossTest, P15_AsksOfAPeerThatHasGoneAreForgotten) {
  constexpr uint64_t kAsks = 100;  // more than the mailbox of the gated one
  RawPeer peer(path_);
  std::string said = GoodHello();
  for (uint64_t i = 1; i <= kAsks; ++i) {
    said += Data(i, MessageTo("gated", i, int64_t{3'600'000'000'000}));
  }
  peer.Say(said);
  const Ref<Link> link = LinkToPeer();
  StatsWhen(link, [](const LinkStats& s) { return s.received >= kAsks; });
  peer.Close();
  // The gate is shut.
  const LinkDown down = NextLinkDown();
  EXPECT_EQ(down.stats.received, kAsks);
  EXPECT_EQ(down.stats.queued, 0u);
  EXPECT_GT(down.stats.abandoned, 0u);
  EXPECT_EQ(down.stats.delivered + down.stats.abandoned, kAsks);
  EXPECT_EQ(down.stats.undelivered_replies, down.stats.delivered);
  AwaitOpen(0);
  OpenGate();
}

// So for a link that dials again: the next connection may ask as many.
TEST_F(LossTest, P15_AsksOfTheLastConnectionDoNotCountInTheNext) {
  RawServer server(directory_ + "/r");
  server.Listen();
  UnixLinkOptions options = PatientLink();
  options.max_pending_asks = 4;
  options.backoff_first = options.backoff_last = absl::Milliseconds(1);
  options.watcher = server_watcher_;
  const Ref<UnixLink> link =
      SpawnOn<UnixLink>(*server_, {}, directory_ + "/r", options);
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
    const LinkDown down = NextLinkDown();
    EXPECT_EQ(down.stats.queued, 0u);
    EXPECT_EQ(down.stats.delivered + down.stats.abandoned, down.stats.received);
  }
  OpenGate();
}

// What proto/README.md says of a half-close.
TEST_F(LossTest, P15_AHalfCloseIsACloseAndReadyAnswersAreSent) {
  RawPeer peer(path_);
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
  EXPECT_EQ(NextLinkDown().end, LinkEnd::kLost);
  OpenGate();
}

class ImpatientLossTest : public LossTest {
  // It is the end that is looked at here, however early it comes.
  UnixListenerOptions Options() override {
    UnixListenerOptions options = PatientListener();
    options.link.write_deadline = absl::Milliseconds(20);
    options.link.outbox_bytes = 64 * 1024;
    return options;
  }
};

TEST_F(ImpatientLossTest, P15_TheSenderKnowsWhatWasWritten) {
  RawPeer peer(path_);
  peer.Say(GreedyHello());
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*server_, {}, LinkToPeer(), "anybody");
  SpawnOn<Streamer>(*server_, {}, there, uint64_t{1'000'000}, size_t{1000});
  const LinkDown down = NextLinkDown();
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
