// SPDX-License-Identifier: Apache-2.0
//
// What is known to be lost when a peer goes: to the receiver of what it wrote,
// to the sender of what it was to get, and to who asked.

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
    LinkStats stats;
    do {
      stats = StatsOf(link);
    } while (stats.written + stats.waiting < (leaves ? 1 : 2) ||
             (leaves && stats.waiting > 0));
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
  while (StatsOf(link).received < kMessages) {
  }
  peer.Close();
  while (StatsOf(link).connected) {
  }
  OpenGate();
  const LinkDown down = NextLinkDown();
  EXPECT_TRUE(down.reason.ok()) << down.reason;
  EXPECT_EQ(down.stats.received, kMessages);
  EXPECT_EQ(down.stats.delivered, kMessages);
  EXPECT_EQ(down.stats.queued, 0u);
  absl::StatusOr<Seen> seen;
  do {
    seen = gated_.AskAndWait(GetSeen{}, kLong);  // refused while it is full
  } while (!seen.ok());
  EXPECT_EQ(seen->count, kMessages);
  EXPECT_EQ(seen->out_of_order, 0u);
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
