// SPDX-License-Identifier: Apache-2.0
//
// Links with extreme lengths of time: in their options, as deadlines of
// messages, and in frames of a peer.

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

class ExtremeTimesTest : public LinkTest {
 protected:
  void ExpectNames(const absl::Status& error, const std::string& field) {
    EXPECT_TRUE(absl::IsInvalidArgument(error)) << error;
    EXPECT_TRUE(absl::StrContains(error.message(), field)) << error;
  }

  // A server and a client whose links have these options talk.
  void ExpectTalk(const LinkOptions& options) {
    StartServer({.link = options});
    StartClient(options);
    const absl::StatusOr<Answer> answer =
        RemoteOf("sink").AskAndWait(AskOf(7), kLong);
    EXPECT_TRUE(answer.ok()) << answer.status();
    StopClient();
    StopServer();
  }

  // Above 0 is good, and is no limit if it is long enough.
  void ExpectAboveZero(const Extreme& e, const LinkOptions& options,
                       const std::string& field) {
    const absl::Status valid = ValidateLinkOptions(options);
    if (!e.positive()) return ExpectNames(valid, "LinkOptions::" + field);
    EXPECT_TRUE(valid.ok()) << valid;
    if (!e.soon()) ExpectTalk(options);
  }
};

TEST_F(ExtremeTimesTest, OptionsOfLinks) {
  ForEachExtreme("actors/link/link_options.h LinkOptions::handshake_deadline",
                 [this](const Extreme& e) {
                   LinkOptions options = PatientLink();
                   options.handshake_deadline = e.value;
                   ExpectAboveZero(e, options, "handshake_deadline");
                 });
  ForEachExtreme("actors/link/link_options.h LinkOptions::write_deadline",
                 [this](const Extreme& e) {
                   LinkOptions options = PatientLink();
                   options.write_deadline = e.value;
                   ExpectAboveZero(e, options, "write_deadline");
                 });
  ForEachExtreme("actors/link/link_options.h LinkOptions::heartbeat",
                 [this](const Extreme& e) {
                   LinkOptions options = PatientLink();
                   options.heartbeat = e.value;
                   const absl::Status valid = ValidateLinkOptions(options);
                   if (e.value < absl::Milliseconds(1)) {
                     return ExpectNames(valid, "LinkOptions::heartbeat");
                   }
                   EXPECT_TRUE(valid.ok()) << valid;
                   if (!e.soon()) ExpectTalk(options);
                 });
  ForEachExtreme("actors/link/link_options.h LinkOptions::backoff_first",
                 [this](const Extreme& e) {
                   LinkOptions options = PatientLink();
                   options.backoff_first = e.value;
                   options.backoff_last = absl::InfiniteDuration();
                   ExpectAboveZero(e, options, "backoff_first");
                 });
  ForEachExtreme("actors/link/link_options.h LinkOptions::backoff_last",
                 [this](const Extreme& e) {
                   LinkOptions options = PatientLink();
                   options.backoff_last = e.value;
                   const absl::Status valid = ValidateLinkOptions(options);
                   if (e.value < options.backoff_first) {
                     return ExpectNames(valid, "LinkOptions::backoff_last");
                   }
                   ExpectTalk(options);
                 });
}

TEST_F(ExtremeTimesTest, ALinkComesBackAfterTheShortestTimeAndWaitsForever) {
  ForEachExtreme(
      "actors/link/stream_link.h NextBackoff()", [this](const Extreme& e) {
        if (!e.positive()) return;
        LinkOptions options = PatientLink();
        options.backoff_first = options.backoff_last = e.value;
        StartClient(options);  // no server listens
        if (e.soon()) {
          StartServer();
          const Ref<Numbers> sink = RemoteOf("sink");
          const absl::Status answered = AskUntil(
              [&] { return sink.AskAndWait(AskOf(1), kLong).status(); },
              [](const absl::Status& told) {
                return !absl::IsUnavailable(told);
              });
          EXPECT_TRUE(answered.ok()) << answered;
        }
        StopClient();  // which it does not keep from it
        StopServer();
      });
}

TEST_F(ExtremeTimesTest, OptionsOfListeners) {
  ForEachExtreme(
      "actors/link/link_options.h "
      "ListenerOptions::pause_without_descriptors",
      [this](const Extreme& e) {
        UnixListenerOptions options;
        options.pause_without_descriptors = e.value;
        const absl::Status valid = ValidateUnixListenerOptions(options);
        EXPECT_EQ(valid.ok(), e.positive()) << valid;
        if (!e.positive()) {
          ExpectNames(valid, "ListenerOptions::pause_without_descriptors");
        }
        options.link.write_deadline = absl::ZeroDuration();
        EXPECT_FALSE(ValidateUnixListenerOptions(options).ok());
      });
}

// The fault this began with: one of these ended the connection for all others.
TEST_F(ExtremeTimesTest, AsksOverALink) {
  StartServer();
  StartClient();
  const Ref<Numbers> there = RemoteOf("sink");
  ASSERT_TRUE(there.AskAndWait(AskOf(0), kLong).ok());
  ForEachExtreme("actors/link/link.h LinkAsk", [&](const Extreme& e) {
    const absl::StatusOr<Answer> answer = there.AskAndWait(AskOf(5), e.value);
    if (e.soon()) {
      EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
    } else {
      EXPECT_TRUE(answer.ok()) << answer.status();
    }
    EXPECT_TRUE(there.AskAndWait(AskOf(0), kLong).ok());
  });
  EXPECT_EQ(StatsOf(link_).connections, 1u);
  EXPECT_EQ(StatsOf(link_).protocol_errors, 0u);
}

TEST_F(ExtremeTimesTest, TellsOverALink) {
  StartServer();
  StartClient();
  const auto route = LinkRoute::New("sink", "trolley.links_test.Put");
  uint64_t told = 0;
  ForEachExtreme(
      "actors/link/link.h LinkTell::deadline", [&](const Extreme& e) {
        LinkTell tell{.route = route,
                      .bytes = PutOf(told + 1).SerializeAsString(),
                      .deadline = e.After(MonotonicClock().Now())};
        const absl::Status sent = link_.AskAndWait(std::move(tell), kLong);
        if (e.soon()) {
          EXPECT_TRUE(absl::IsDeadlineExceeded(sent)) << sent;
          return;
        }
        EXPECT_TRUE(sent.ok()) << sent;
        ++told;
        EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(0), kLong)->value(), told);
      });
  EXPECT_EQ(StatsOf(link_).connections, 1u);
}

TEST_F(ExtremeTimesTest, WhatAPeerWrites) {
  StartServer();
  ForEachExtreme(
      "proto/link.proto Message.remaining_ns", [&](const Extreme& e) {
        const int64_t remaining = absl::ToInt64Nanoseconds(e.value);
        RawPeer peer(endpoint_);
        peer.Say(GoodHello() + Data(1, MessageTo("sink", 9, remaining)));
        std::string said = peer.Read(wire::kHelloBytes);
        said.clear();
        std::vector<RawFrame> frames;
        while ((frames = FramesIn(said)).empty()) {
          const std::string byte = peer.Read(1);
          ASSERT_FALSE(byte.empty()) << "closed without a word";
          said += byte;
        }
        if (remaining <= 0) {
          EXPECT_EQ(ErrorIn(said), "BAD_ENVELOPE");
          return;
        }
        link::v1::Envelope answer;
        ASSERT_EQ(frames[0].type, wire::FrameType::kData) << ErrorIn(said);
        ASSERT_TRUE(answer.ParseFromString(frames[0].payload));
        EXPECT_EQ(answer.reply().ask_id(), 9u) << answer.DebugString();
        if (!e.soon()) {
          EXPECT_TRUE(answer.reply().has_value()) << answer.DebugString();
        }
      });
}

}  // namespace
}  // namespace trolley::links_test
