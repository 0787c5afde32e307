// SPDX-License-Identifier: Apache-2.0
//
// Texts of a hostile peer: escape sequences, line breaks, bytes that are not
// UTF-8, and three megabytes. They are in every field of link.proto that can
// hold them (reflection finds the fields, so a new one is a new case), and in
// the frames that have a text. In the log, in a Status and in answers they must
// be printable and short.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/link.pb.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::testing::AnyOf;
using ::testing::HasSubstr;

using Path = std::vector<const FieldDescriptor*>;

// The fields below `type` that hold text or bytes.
void FindTexts(const Descriptor& type, const Path& above,
               std::vector<Path>& to) {
  for (int i = 0; i < type.field_count(); ++i) {
    Path path = above;
    path.push_back(type.field(i));
    if (path.back()->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      to.push_back(path);
    } else if (path.back()->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FindTexts(*path.back()->message_type(), path, to);
    }
  }
}

std::string NameOf(const Path& path) {
  return absl::StrJoin(path, ".", [](std::string* to, const auto* field) {
    absl::StrAppend(to, field->name());
  });
}

void SetText(Message& message, const Path& path, const std::string& text) {
  Message* at = &message;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    at = at->GetReflection()->MutableMessage(at, path[i]);
  }
  if (path.back()->is_repeated()) {
    at->GetReflection()->AddString(at, path.back(), text);
  } else {
    at->GetReflection()->SetString(at, path.back(), text);
  }
}

struct Hostile {
  const char* name;
  std::string text;
};

std::vector<Hostile> HostileTexts() {
  std::string huge;
  while (huge.size() < (3u << 20)) huge += "\x1b[31mhuge\r\n\u202e";
  return {{"escapes", "\x1b]0;title\x07\x1b[2J"},
          {"line breaks", "a\nforged: line\r\n\u2028\u0085"},
          {"no UTF-8", "\xff\xfe\xc0\x80\xed\xa0\x80"},
          {"3 MB", std::move(huge)}};
}

// Several of them in one text, and our own words around them.
constexpr size_t kMostBytes = 8 * kMaxTextBytes;

void ExpectHarmless(const std::string& text) {
  EXPECT_LE(text.size(), kMostBytes);
  const std::string head = text.substr(0, kMostBytes);
  EXPECT_EQ(Printable(head, kWholeText), head);
}

class OutsideTextTest : public LinkTest {
 protected:
  void SetUp() override {
    BusOptions options;
    options.loops = {LoopOptions{.poller = PollerUnderTest()}};
    options.log_limits.interval = absl::ZeroDuration();
    options.log_limits.max_waiting_lines = 1 << 20;
    options.log = [this](absl::string_view line) {
      absl::MutexLock lock(&mutex_);
      lines_.emplace_back(line);
    };
    server_ = *Bus::Create(std::move(options));
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    ServerOptions listener = PatientListener();
    listener.link.max_frame_bytes = 8 << 20;
    listener.link.credit_bytes = 32 << 20;
    StartListener(listener);
  }

  void TearDown() override {
    StopServer();
    for (const std::string& line : TakeLines()) ExpectHarmless(line);
  }

  std::vector<std::string> TakeLines() {
    if (server_ != nullptr) {
      StateOf(*server_)->log().Flush(absl::InfiniteDuration());
    }
    absl::MutexLock lock(&mutex_);
    return std::exchange(lines_, {});
  }

  // The server's end of the next connection.
  Ref<UnixLink> NextLink() {
    return FindSoon<UnixLink>(*server_,
                              absl::StrCat("listener/", ++connections_));
  }

  // Connects, and is greeted.
  void Greet(RawPeer& peer) {
    peer.Say(GreedyHello());
    ASSERT_EQ(peer.Read(wire::kHelloBytes).size(), wire::kHelloBytes);
  }

  static RawFrame ReadFrame(RawPeer& peer) {
    const std::string header = peer.Read(wire::kFrameHeaderBytes);
    if (header.size() < wire::kFrameHeaderBytes) return {};
    uint32_t length = 0;
    std::memcpy(&length, header.data(), sizeof(length));
    return {static_cast<wire::FrameType>(header[4]), peer.Read(length)};
  }

  // Reads all that is answered until an answer to a PING, or the end.
  static void ReadAnswers(RawPeer& peer) {
    peer.Say(Header({.length = 8, .type = wire::FrameType::kPing}) +
             std::string(8, 'p'));
    for (;;) {
      const RawFrame frame = ReadFrame(peer);
      switch (frame.type) {
        case wire::FrameType::kPong:
          return;
        case wire::FrameType::kError:
          ExpectHarmless(
              std::string(wire::DecodeError(frame.payload).message()));
          return;
        case wire::FrameType::kData: {
          link::v1::Envelope envelope;
          ASSERT_TRUE(envelope.ParseFromString(frame.payload));
          ExpectHarmless(envelope.refusal().detail());
          ExpectHarmless(envelope.reply().failure().message());
          break;
        }
        default:
          if (frame.payload.empty()) return;  // it has closed
      }
    }
  }

  // Asks an actor of the peer, which answers with `answer`, and says what the
  // asker gets. `sends` gets the sequence and the id of the ask.
  absl::Status AskPeer(
      RawPeer& peer,
      const std::function<std::string(uint64_t sequence, uint64_t ask_id)>&
          answer) {
    auto remote = SpawnOn<Remote<Numbers>>(*server_, {}, NextLink(), "theirs");
    absl::Status heard;
    std::thread asker(
        [&] { heard = remote.AskAndWait(AskOf(1), kLong).status(); });
    RawFrame frame;
    do {
      frame = ReadFrame(peer);
    } while (frame.type != wire::FrameType::kData);
    link::v1::Envelope ask;
    EXPECT_TRUE(ask.ParseFromString(frame.payload));
    peer.Keep(answer(1, ask.message().ask_id()));
    asker.join();
    return heard;
  }

  link::v1::Envelope AskForSink() {
    link::v1::Envelope envelope;
    link::v1::Message& message = *envelope.mutable_message();
    message.set_target("sink");
    message.set_type("trolley.links_test.Ask");
    message.set_ask_id(7);
    message.set_remaining_ns(60'000'000'000);
    // With itself in the list, what follows is in the text of the cycle.
    message.add_askers(absl::StrCat(
        absl::Hex(StateOf(*server_)->instance_id(), absl::kZeroPad16),
        "/sink"));
    return envelope;
  }

  int connections_ = 0;
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(OutsideTextTest, P14_EveryTextOfAMessageIsHarmless) {
  std::vector<Path> texts;
  FindTexts(*link::v1::Envelope::descriptor(), {}, texts);
  EXPECT_GE(texts.size(), 10u);
  for (const Path& path : texts) {
    for (const Hostile& hostile : HostileTexts()) {
      SCOPED_TRACE(absl::StrCat(NameOf(path), ": ", hostile.name));
      RawPeer peer(endpoint_);
      Greet(peer);
      const std::string& kind = path[0]->name();
      if (kind == "message") {
        link::v1::Envelope envelope = AskForSink();
        // The others see the handler.
        if (path.back()->name() != "askers") {
          envelope.mutable_message()->clear_askers();
        }
        SetText(envelope, path, hostile.text);
        ++connections_;
        peer.Keep(Data(1, envelope.SerializeAsString()));
        ReadAnswers(peer);
        continue;
      }
      // Another kind needs a case here.
      ASSERT_THAT(kind, AnyOf("reply", "refusal"));
      const absl::Status heard =
          AskPeer(peer, [&](uint64_t sequence, uint64_t ask_id) {
            link::v1::Envelope envelope;
            if (kind == "reply") {
              envelope.mutable_reply()->set_ask_id(ask_id);
              // A value of another type than the one promised.
              envelope.mutable_reply()->mutable_value()->set_type("x.Y");
            } else {
              envelope.mutable_refusal()->set_ask_id(ask_id);
              envelope.mutable_refusal()->set_sequence(sequence);
            }
            SetText(envelope, path, hostile.text);
            return Data(1, envelope.SerializeAsString());
          });
      EXPECT_FALSE(heard.ok());
      ExpectHarmless(std::string(heard.message()));
      ReadAnswers(peer);
    }
  }
}

TEST_F(OutsideTextTest, P14_TheTextOfARefusedTellIsHarmless) {
  for (const Hostile& hostile : HostileTexts()) {
    SCOPED_TRACE(hostile.name);
    RawPeer peer(endpoint_);
    Greet(peer);
    ++connections_;
    link::v1::Envelope envelope;
    envelope.mutable_refusal()->set_detail(hostile.text);
    peer.Keep(Data(1, envelope.SerializeAsString()));
    ReadAnswers(peer);
  }
}

TEST_F(OutsideTextTest, P14_TheTextsOfFramesAreHarmless) {
  for (const Hostile& hostile : HostileTexts()) {
    SCOPED_TRACE(hostile.name);
    const std::string text = hostile.text.substr(0, wire::kMaxControlTextBytes);
    {
      RawPeer peer(endpoint_);
      Greet(peer);
      peer.Say(Header({.length = static_cast<uint32_t>(2 + text.size()),
                       .type = wire::FrameType::kError}) +
               std::string("\1\0", 2) + text);
      ++connections_;
      peer.ReadToTheEnd();
    }
    RawPeer peer(endpoint_);
    Greet(peer);
    peer.Say(Header({.length = static_cast<uint32_t>(8 + text.size()),
                     .type = wire::FrameType::kGoAway}) +
             std::string(8, '\0') + text);
    ReadAnswers(peer);
    auto remote = SpawnOn<Remote<Numbers>>(*server_, {}, NextLink(), "theirs");
    const absl::Status heard = remote.AskAndWait(AskOf(1), kLong).status();
    EXPECT_FALSE(heard.ok());
    ExpectHarmless(std::string(heard.message()));
  }
}

TEST_F(OutsideTextTest, WhatLibprotobufSaysOfAPeerIsInTheLogOfItsBus) {
  testing::internal::CaptureStderr();
  RawPeer peer(endpoint_);
  Greet(peer);
  const absl::Status heard = AskPeer(peer, [&](uint64_t, uint64_t ask_id) {
    link::v1::Envelope envelope;
    envelope.mutable_reply()->set_ask_id(ask_id);
    link::v1::Value& value = *envelope.mutable_reply()->mutable_value();
    value.set_type("trolley.links_test.Answer");
    value.set_payload("\x1a\x01\xff");  // Answer.traceparent, no UTF-8
    return Data(1, envelope.SerializeAsString());
  });
  EXPECT_FALSE(heard.ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(TakeLines(),
              testing::Contains(AllOf(HasSubstr("libprotobuf: "),
                                      HasSubstr("links_test.Answer"))));
}

TEST_F(OutsideTextTest, APeerThatComesAgainAndAgainDoesNotFillTheLog) {
  StopServer();
  BusOptions options;
  options.loops = {LoopOptions{.poller = PollerUnderTest()}};
  options.log = [this](absl::string_view line) {
    absl::MutexLock lock(&mutex_);
    lines_.emplace_back(line);
  };
  options.log_limits.interval = absl::Hours(1);
  server_ = *Bus::Create(std::move(options));
  StartListener(PatientListener());
  for (int i = 0; i < 500; ++i) {
    RawPeer peer(endpoint_);
    peer.Say("GET / HTTP/1.1\r\n\r\n");
    peer.ReadToTheEnd();
  }
  StopServer();
  const std::vector<std::string> lines = TakeLines();
  EXPECT_EQ(lines.size(), 10u + 1) << absl::StrJoin(lines, "\n");
  EXPECT_THAT(lines.back(), HasSubstr("... 490 more lines of this kind"));
}

}  // namespace
}  // namespace trolley::links_test
