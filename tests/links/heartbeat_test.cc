// SPDX-License-Identifier: Apache-2.0
//
// A peer that has vanished without a word is found (LinkOptions::heartbeat).

#include "trolley/actors/link/internal/heartbeat.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using internal::Heartbeat;
using Verdict = Heartbeat::Verdict;

TEST(HeartbeatTest, P15_ASilentPeerIsAskedAndThenGivenUp) {
  Heartbeat heartbeat;
  heartbeat.SetReading(true);
  EXPECT_EQ(heartbeat.Beat(), Verdict::kNothing);  // the handshake was before
  EXPECT_EQ(heartbeat.Beat(), Verdict::kAsk);
  EXPECT_EQ(heartbeat.Beat(), Verdict::kAsk);
  EXPECT_EQ(heartbeat.Beat(), Verdict::kGiveUp);
}

TEST(HeartbeatTest, P15_APeerThatAnswersStays) {
  Heartbeat heartbeat;
  heartbeat.SetReading(true);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(heartbeat.Beat(), Verdict::kNothing) << i;
    EXPECT_EQ(heartbeat.Beat(), Verdict::kAsk) << i;
    if (i % 2 == 0) {
      EXPECT_EQ(heartbeat.Beat(), Verdict::kAsk) << i;
    }
    heartbeat.Heard();
  }
}

// What is not read says nothing about the peer.
TEST(HeartbeatTest, P15_ASideThatDoesNotReadDoesNotAsk) {
  Heartbeat heartbeat;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(heartbeat.Beat(), Verdict::kNothing) << i;
  }
  heartbeat.SetReading(true);
  EXPECT_EQ(heartbeat.Beat(), Verdict::kAsk);
}

class SilenceTest : public EachTransportTest {};
INSTANTIATE_TEST_SUITE_P(Over, SilenceTest, EachSocket(), NameOfTransport);

TEST_P(SilenceTest, P15_APeerThatSaysNothingIsFound) {
  ServerOptions options = PatientListener();
  options.link.heartbeat = absl::Milliseconds(5);
  StartServer(options);
  RawPeer peer(endpoint_);
  peer.Say(GoodHello());
  NextUpOf(server_watcher_);
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kSilent))
      << down.reason;
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(absl::StrContains(down.reason.message(),
                                "3 heartbeats of 5ms (LinkOptions::heartbeat)"))
      << down.reason;
  // It was asked twice.
  const std::string ping =
      Header({.length = 8, .type = wire::FrameType::kPing});
  EXPECT_EQ(peer.ReadToTheEnd().substr(wire::kHelloBytes).size(),
            2 * (ping.size() + 8));
}

// The other end is a link, which answers. Nothing is said for ten heartbeats.
TEST_P(SilenceTest, P15_ALinkAnswersAPing) {
  StartServer();
  RawPeer peer(endpoint_);
  peer.Say(GoodHello() + Header({.length = 8, .type = wire::FrameType::kPing}) +
           "8 bytes!");
  const std::string pong =
      Header({.length = 8, .type = wire::FrameType::kPong}) + "8 bytes!";
  EXPECT_EQ(
      peer.Read(wire::kHelloBytes + pong.size()).substr(wire::kHelloBytes),
      pong);
}

}  // namespace
}  // namespace trolley::links_test
