// SPDX-License-Identifier: Apache-2.0
//
// MessageView reads the same as Protobuf. It may leave any message to Protobuf.
// It must not accept a message that Protobuf refuses, or read it differently.

#include "trolley/proto/message_view.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "trolley/proto/link.pb.h"
#include "trolley/proto/message_head.h"

namespace trolley::wire {
namespace {

using link::v1::Envelope;
using link::v1::Message;

std::string TextOf(std::mt19937& random, size_t most, char first, char last) {
  std::uniform_int_distribution<size_t> length(0, most);
  std::uniform_int_distribution<int> letter(first, last);
  std::string text(length(random), '\0');
  for (char& c : text) c = static_cast<char>(letter(random));
  return text;
}

Message RandomMessage(std::mt19937& random) {
  Message message;
  const uint32_t fields = random();
  if (fields & 1) message.set_target(TextOf(random, 40, ' ', '~'));
  if (fields & 2) message.set_type(TextOf(random, 40, ' ', '~'));
  if (fields & 4) message.set_payload(TextOf(random, 300, -128, 127));
  if (fields & 8) message.set_ask_id(uint64_t{random()} << (random() % 33));
  if (fields & 16)
    message.set_remaining_ns(static_cast<int64_t>(random()) - (1 << 30));
  if (fields & 32) message.set_traceparent(TextOf(random, 55, '-', 'f'));
  if (fields & 64) message.set_sender(TextOf(random, 20, ' ', '~'));
  if (fields & 128) {
    for (uint32_t i = random() % 6; i > 0; --i) {
      message.add_askers(TextOf(random, 30, ' ', '~'));
    }
  }
  return message;
}

void ExpectSame(const MessageView& view, const Message& message) {
  EXPECT_EQ(view.target, message.target());
  EXPECT_EQ(view.type, message.type());
  EXPECT_EQ(view.payload, message.payload());
  EXPECT_EQ(view.ask_id, message.ask_id());
  EXPECT_EQ(view.remaining_ns, message.remaining_ns());
  EXPECT_EQ(view.traceparent, message.traceparent());
  ASSERT_EQ(static_cast<int>(view.askers.size()), message.askers_size());
  for (int i = 0; i < message.askers_size(); ++i) {
    EXPECT_EQ(view.askers[i], message.askers(i));
  }
}

TEST(MessageViewTest, WhatASerializerWritesIsReadWithoutProtobuf) {
  for (uint32_t seed = 1; seed <= 10'000; ++seed) {
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << "; replay: set the loop to it");
    std::mt19937 random(seed);
    Envelope envelope;
    *envelope.mutable_message() = RandomMessage(random);
    const std::string bytes = envelope.SerializeAsString();
    MessageView view;
    ASSERT_TRUE(ViewMessage(bytes, view)) << absl::CHexEscape(bytes);
    ExpectSame(view, envelope.message());
    if (testing::Test::HasFailure()) FAIL() << absl::CHexEscape(bytes);
  }
}

TEST(MessageViewTest, WhatAHeadAndItsPayloadAreIsWhatProtobufReads) {
  for (uint32_t seed = 1; seed <= 10'000; ++seed) {
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << "; replay: set the loop to it");
    std::mt19937 random(seed);
    const Message message = RandomMessage(random);
    const std::vector<std::string> askers(message.askers().begin(),
                                          message.askers().end());
    const std::string route =
        EncodeRoute(message.target(), message.type(), message.sender());
    std::string bytes;
    AppendMessageHead({.route = route,
                       .ask_id = message.ask_id(),
                       .remaining_ns = message.remaining_ns(),
                       .traceparent = message.traceparent(),
                       .askers = &askers,
                       .payload_bytes = message.payload().size()},
                      &bytes);
    bytes += message.payload();
    Envelope parsed, sent;
    *sent.mutable_message() = message;
    ASSERT_TRUE(parsed.ParseFromString(bytes)) << absl::CHexEscape(bytes);
    ASSERT_EQ(parsed.SerializeAsString(), sent.SerializeAsString());
    MessageView view;
    ASSERT_TRUE(ViewMessage(bytes, view)) << absl::CHexEscape(bytes);
    ExpectSame(view, message);

    std::string answer;
    AppendReplyHead(message.ask_id(), message.type(), message.payload().size(),
                    &answer);
    answer += message.payload();
    Envelope reply, expected;
    expected.mutable_reply()->set_ask_id(message.ask_id());
    expected.mutable_reply()->mutable_value()->set_type(message.type());
    expected.mutable_reply()->mutable_value()->set_payload(message.payload());
    ASSERT_TRUE(reply.ParseFromString(answer)) << absl::CHexEscape(answer);
    ASSERT_EQ(reply.SerializeAsString(), expected.SerializeAsString());
  }
}

TEST(MessageViewTest, P14_WhatItTakesProtobufReadsTheSameWay) {
  int taken = 0, left = 0;
  for (uint32_t seed = 1; seed <= 50'000; ++seed) {
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << "; replay: set the loop to it");
    std::mt19937 random(seed);
    Envelope sent;
    *sent.mutable_message() = RandomMessage(random);
    std::string bytes = sent.SerializeAsString();
    for (uint32_t changes = random() % 4; changes > 0 && !bytes.empty();
         --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random() % bytes.size(), 8));
          break;
        default:
          bytes.resize(at);
      }
    }
    MessageView view;
    if (!ViewMessage(bytes, view)) {
      ++left;
      continue;
    }
    ++taken;
    Envelope parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes)) << absl::CHexEscape(bytes);
    ASSERT_EQ(parsed.kind_case(), Envelope::kMessage)
        << absl::CHexEscape(bytes);
    ExpectSame(view, parsed.message());
    if (testing::Test::HasFailure()) FAIL() << absl::CHexEscape(bytes);
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(left, 1000);
}

TEST(MessageViewTest, WhatIsNotPlainIsLeftToProtobuf) {
  const auto reads = [](const Envelope& envelope, const char* more = "") {
    MessageView view;
    return ViewMessage(envelope.SerializeAsString() + more, view);
  };
  Envelope plain, reply, foreign;
  plain.mutable_message()->set_target("a");
  EXPECT_TRUE(reads(plain));
  EXPECT_FALSE(reads(plain, "\x0a\x01"));           // cut off
  EXPECT_FALSE(reads(plain, "\x0a\x03\x0a\x01z"));  // merged by Protobuf
  EXPECT_FALSE(reads(plain, "\x78\x01"));           // an unknown field
  EXPECT_FALSE(reads(Envelope()));
  reply.mutable_reply()->set_ask_id(1);
  EXPECT_FALSE(reads(reply));
  foreign.mutable_message()->set_target("\xc3\xa9");  // good UTF-8
  EXPECT_FALSE(reads(foreign));
}

}  // namespace
}  // namespace trolley::wire
