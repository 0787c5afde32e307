// SPDX-License-Identifier: Apache-2.0
//
// The messages of link.proto, sent through frames. An ask goes out. Its answer
// or its refusal comes back and must reach the asker that it belongs to.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/proto/control.pb.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/link.pb.h"
#include "trolley/tests/proto/decode_all.h"
#include "trolley/tests/proto/hostile_streams.h"

namespace trolley::wire {
namespace {

std::vector<link::v1::Envelope> ThroughFrames(
    const std::vector<link::v1::Envelope>& envelopes) {
  FrameEncoder encoder(*Negotiate(SmallHello(), SmallHello()));
  std::string bytes = HelloBytes();
  for (const auto& envelope : envelopes) {
    EXPECT_TRUE(encoder.AppendData(envelope.SerializeAsString(), &bytes).ok());
  }
  const Decoded decoded =
      DecodeAll(bytes, SmallOptions(), SmallHello(), OneByOne());
  EXPECT_EQ(decoded.error, WireError::kNone) << Describe(decoded);
  std::vector<link::v1::Envelope> received;
  for (const DecodedFrame& frame : decoded.frames) {
    EXPECT_TRUE(received.emplace_back().ParseFromString(frame.payload));
  }
  return received;
}

TEST(LinkProtoTest, AnAskAndItsAnswersCrossTheWire) {
  link::v1::Envelope ask, reply, refusal;
  link::v1::Message& message = *ask.mutable_message();
  message.set_target("accounts/alice");
  message.set_type("bank.v1.GetBalance");
  message.set_payload(std::string("\0\xff", 2));
  message.set_ask_id(7);
  message.set_remaining_ns(1'000'000'000);
  message.add_askers("0000000000000001/tellers/bob");
  reply.mutable_reply()->set_ask_id(7);
  reply.mutable_reply()->mutable_value()->set_type("bank.v1.Balance");
  refusal.mutable_refusal()->set_sequence(1);
  refusal.mutable_refusal()->set_ask_id(7);
  refusal.mutable_refusal()->set_reason(link::v1::Refusal::FULL);

  const auto received = ThroughFrames({ask, reply, refusal});
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(received[0].SerializeAsString(), ask.SerializeAsString());
  EXPECT_TRUE(received[1].reply().has_value());
  EXPECT_TRUE(received[2].refusal().reason() == link::v1::Refusal::FULL);
}

TEST(LinkProtoTest, AKindOfANewerVersionIsNoKindAndNoError) {
  // Field 15, length 1: nothing this version knows.
  const auto received = [] {
    link::v1::Envelope envelope;
    EXPECT_TRUE(envelope.ParseFromString("\x7A\x01x"));
    return envelope;
  }();
  EXPECT_TRUE(received.kind_case() == link::v1::Envelope::KIND_NOT_SET);
}

// Clients in other languages rely on the numbers.
TEST(ControlProtoTest, FieldsKeepTheNumbersOfTheProposal) {
  struct Row {
    const google::protobuf::Descriptor* message;
    const char* field;
    int number;
  };
  namespace c = control::v1;
  for (const Row& row : {
           Row{c::Actor::descriptor(), "loop", 5},
           Row{c::Actor::descriptor(), "incarnation", 8},
           Row{c::Actor::descriptor(), "mailbox", 11},
           Row{c::Actor::descriptor(), "last_error", 13},
           Row{c::MailboxStatus::descriptor(), "oldest_message_age", 8},
           Row{c::Envelope::descriptor(), "traceparent", 7},
           Row{c::ServerInfo::descriptor(), "role", 8},
           Row{c::ListActorsResponse::descriptor(), "total_size", 3},
           Row{c::AskActorResponse::descriptor(), "handler_time", 3},
           Row{c::StopActorRequest::descriptor(), "drain_timeout", 3},
       }) {
    const auto* field = row.message->FindFieldByName(row.field);
    if (field != nullptr) {
      EXPECT_EQ(field->number(), row.number) << row.field;
    } else {
      // Not in use now, and reserved so that no other field gets it.
      EXPECT_TRUE(row.message->IsReservedNumber(row.number)) << row.field;
      EXPECT_TRUE(row.message->IsReservedName(row.field)) << row.field;
    }
  }
}

}  // namespace
}  // namespace trolley::wire
