// SPDX-License-Identifier: Apache-2.0
//
// Every way in which a link can end, and what its watcher learns. A LinkEnd
// without a case here is a failure.

#include <errno.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using wire::WireError;

// What a watcher heard; it outlives the bus.
class Heard {
 public:
  using Told = std::variant<LinkUp, LinkDown>;

  void Add(Told told) {
    const std::lock_guard<std::mutex> lock(mutex_);
    told_.push_back(std::move(told));
    changed_.notify_all();
  }
  Told Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !told_.empty(); });
    Told told = std::move(told_.front());
    told_.pop_front();
    return told;
  }
  size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return told_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Told> told_;
};

class Listener : public Actor {
 public:
  explicit Listener(Heard* heard) : heard_(heard) {}
  void On(const LinkUp& up) { heard_->Add(up); }
  void On(const LinkDown& down) { heard_->Add(down); }

 private:
  Heard* const heard_;
};

class LinkEndTest : public LinkTest {
 public:
  using LinkTest::LinkTest;
  using LinkTest::transport;

  LinkOptions Once() {
    LinkOptions options = PatientLink();
    options.reconnect = false;
    return options;
  }

  // Makes a link to the endpoint, and its watcher.
  void Dial(LinkOptions options) {
    client_ = NewBus(*client_sys_);
    options.watcher = SpawnOn<Listener>(*client_, {}, &heard_);
    link_ = SpawnLink(*client_, {}, endpoint_, options);
  }
  void Dial() { Dial(Once()); }

  // A peer that takes the link and says so much.
  void MeetPeerThatSays(const std::string& bytes, LinkOptions options) {
    server_socket_ = std::make_unique<RawServer>(endpoint_);
    server_socket_->Listen();
    Dial(std::move(options));
    peer_ = std::make_unique<RawPeer>(server_socket_->Accept());
    peer_->Say(bytes);
  }
  void MeetPeerThatSays(const std::string& bytes) {
    MeetPeerThatSays(bytes, Once());
  }
  // The same; returns when the link is up.
  void Meet(const std::string& bytes = "") {
    MeetPeerThatSays(GreedyHello() + bytes);
    AwaitUp();
  }
  void AwaitUp() { EXPECT_TRUE(std::holds_alternative<LinkUp>(heard_.Next())); }
  void PeerCloses() {
    peer_->Read(wire::kHelloBytes);
    peer_->Close();
  }

  RawPeer& peer() { return *peer_; }
  Ref<Numbers> Remote() { return RemoteOf("anybody"); }
  const std::string& endpoint() const { return endpoint_; }
  void StopLink() { link_.Stop(); }
  LinkStats Stats() { return StatsOf(link_); }
  void FailCalls(Sys* sys) { client_sys_ = sys; }
  using LinkTest::StopClient;

 protected:
  void TearDown() override {
    peer_.reset();
    StopClient();
    server_socket_.reset();
  }

  Heard heard_;
  FaultSys faulty_{RealSys()};
  std::unique_ptr<RawServer> server_socket_;
  std::unique_ptr<RawPeer> peer_;

 public:
  FaultSys& faulty() { return faulty_; }
  std::unique_ptr<RawServer>& server_socket() { return server_socket_; }
  Ref<Streamer> Flood() {
    return SpawnOn<Streamer>(*client_, {}, Remote(), uint64_t{1'000'000},
                             size_t{1000});
  }
};

struct Case {
  const char* name;
  LinkEnd end;
  absl::StatusCode code;
  const char* text;  // in the reason
  std::function<void(LinkEndTest&)> how;
};

std::string Torn() { return Data(1, PutTo("nobody", PutOf(1))).substr(0, 30); }

LinkOptions Impatient(LinkOptions options) {
  options.handshake_deadline = options.write_deadline = absl::Milliseconds(20);
  options.outbox_bytes = 64 * 1024;
  return options;
}

std::vector<Case> DialCases(const Transport& transport) {
  using Code = absl::StatusCode;
  using Test = LinkEndTest;
  const LinkEnd none = LinkEnd::kNoConnection;
  return {
      {"nothing is there", none, transport.nothing_there,
       transport.nothing_there_text, [](Test& t) { t.Dial(); }},
      {"nobody listens", none, Code::kUnavailable,
       transport.nobody_listens_text,
       [](Test& t) {
         t.server_socket() = std::make_unique<RawServer>(t.endpoint());
         t.Dial();
       }},
      {"no descriptor", none, Code::kResourceExhausted, "socket(",
       [](Test& t) {
         t.FailCalls(&t.faulty());
         t.faulty().FailAll(SysCall::kSocket, EMFILE);
         t.Dial();
       }},
      {"bad options", none, Code::kInvalidArgument, "write_deadline",
       [](Test& t) {
         LinkOptions options = t.Once();
         options.write_deadline = absl::ZeroDuration();
         t.Dial(options);
       }},
  };
}

std::vector<Case> HandshakeCases(const Transport&) {
  using Code = absl::StatusCode;
  using Test = LinkEndTest;
  const LinkEnd handshake = LinkEnd::kHandshake;
  return {
      {"closed without a word", handshake, Code::kUnavailable,
       "closed during the handshake",
       [](Test& t) {
         t.MeetPeerThatSays("");
         t.PeerCloses();
       }},
      {"half a Hello", handshake, Code::kDataLoss, "TORN",
       [](Test& t) {
         t.MeetPeerThatSays(GoodHello().substr(0, 20));
         t.PeerCloses();
       }},
      {"no Hello", handshake, Code::kInvalidArgument, "BAD_MAGIC",
       [](Test& t) { t.MeetPeerThatSays("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
      {"silence", handshake, Code::kDeadlineExceeded, "HANDSHAKE_TIMEOUT",
       [](Test& t) { t.MeetPeerThatSays("", Impatient(t.Once())); }},
      {"no common version", handshake, Code::kFailedPrecondition,
       "NO_COMMON_VERSION",
       [](Test& t) {
         t.MeetPeerThatSays(
             HelloOf({.min_version = 7, .max_version = 9, .instance_id = 1}));
       }},
      {"turned away", handshake, Code::kResourceExhausted,
       "TOO_MANY_CONNECTIONS: the peer said: full",
       [](Test& t) {
         t.MeetPeerThatSays(GoodHello() +
                            ErrorFrame(WireError::kTooManyConnections, "full"));
       }},
      {"user not allowed", handshake, Code::kPermissionDenied, "NOT_PERMITTED",
       [](Test& t) {
         t.MeetPeerThatSays(GoodHello() +
                            ErrorFrame(WireError::kNotPermitted, "go"));
       }},
  };
}

std::vector<Case> PeerCases(const Transport&) {
  using Code = absl::StatusCode;
  using Test = LinkEndTest;
  return {
      {"GOAWAY of a link that was stopped", LinkEnd::kGoAway, Code::kOk, "",
       [](Test& t) {
         t.Meet(GoAway("STOPPED: this link was stopped"));
         t.PeerCloses();
       }},
      {"GOAWAY of a process that ends", LinkEnd::kGoAway, Code::kUnavailable,
       "GOAWAY DRAINING: bye",
       [](Test& t) {
         t.Meet(GoAway("DRAINING: bye"));
         t.PeerCloses();
       }},
      {"GOAWAY without a code", LinkEnd::kGoAway, Code::kUnavailable, "GOAWAY",
       [](Test& t) {
         t.Meet(GoAway(""));
         t.PeerCloses();
       }},
      {"GOAWAY, and then inside a frame", LinkEnd::kLost, Code::kDataLoss,
       "TORN",
       [](Test& t) {
         t.Meet(GoAway("STOPPED: bye") + Torn());
         t.PeerCloses();
       }},
      {"closed between frames", LinkEnd::kLost, Code::kAborted,
       "without GOAWAY",
       [](Test& t) {
         t.Meet();
         t.PeerCloses();
       }},
      {"reset with bytes unread", LinkEnd::kLost, Code::kAborted,
       "without GOAWAY",
       [](Test& t) {
         t.Meet();
         t.peer().Close();  // our Hello is unread
       }},
      {"closed half", LinkEnd::kLost, Code::kAborted, "without GOAWAY",
       [](Test& t) {
         t.Meet();
         t.peer().CloseHalf();
       }},
      {"closed inside a frame", LinkEnd::kLost, Code::kDataLoss, "TORN",
       [](Test& t) {
         t.Meet(Torn());
         t.PeerCloses();
       }},
      {"reset inside a frame", LinkEnd::kLost, Code::kDataLoss, "TORN",
       [](Test& t) {
         t.Meet(Torn());
         t.peer().Close();
       }},
      {"damaged header", LinkEnd::kBrokenRule, Code::kDataLoss,
       "BAD_HEADER_CRC",
       [](Test& t) {
         t.Meet();
         t.peer().Say(std::string(wire::kFrameHeaderBytes, '\x55'));
       }},
      {"no envelope", LinkEnd::kBrokenRule, Code::kInvalidArgument,
       "BAD_ENVELOPE", [](Test& t) { t.Meet(Data(1, "\xff\xff\xff\xff")); }},
      {"an ERROR", LinkEnd::kPeerError, Code::kInvalidArgument,
       "BAD_ENVELOPE: the peer said: no",
       [](Test& t) {
         t.Meet();
         t.peer().Say(ErrorFrame(WireError::kBadEnvelope, "no"));
       }},
  };
}

std::vector<Case> OwnCases(const Transport&) {
  using Code = absl::StatusCode;
  using Test = LinkEndTest;
  return {
      {"a peer that does not read", LinkEnd::kNotReading,
       Code::kDeadlineExceeded, "write_deadline",
       [](Test& t) {
         LinkOptions options = Impatient(t.Once());
         options.handshake_deadline = kLong;
         t.MeetPeerThatSays(GreedyHello(), options);
         t.AwaitUp();
         t.Flood();
       }},
      {"a peer that says nothing", LinkEnd::kSilent, Code::kDeadlineExceeded,
       "LinkOptions::heartbeat",
       [](Test& t) {
         LinkOptions options = t.Once();
         options.heartbeat = absl::Milliseconds(5);
         t.MeetPeerThatSays(GoodHello(), options);
         t.AwaitUp();
       }},
      {"stopped", LinkEnd::kStopped, Code::kCancelled, "link was stopped",
       [](Test& t) {
         t.Meet();
         t.StopLink();
       }},
      {"stopped in the handshake", LinkEnd::kStopped, Code::kCancelled,
       "link was stopped",
       [](Test& t) {
         t.MeetPeerThatSays("");
         t.StopLink();
       }},
      {"shut down", LinkEnd::kStopped, Code::kCancelled, "shutting down",
       [](Test& t) {
         t.Meet();
         t.StopClient();
       }},
      {"a call that fails", LinkEnd::kSystem, Code::kUnknown, "sendmsg(",
       [](Test& t) {
         t.FailCalls(&t.faulty());
         t.Meet();
         AskUntil([&] { return t.Stats().bytes_out; },
                  [](uint64_t out) { return out >= wire::kHelloBytes; });
         t.faulty().FailAll(SysCall::kSendmsg, EIO);
         t.Remote().Tell(PutOf(1));
       }},
  };
}

std::vector<Case> Cases(const Transport& transport) {
  std::vector<Case> all;
  for (auto* cases : {&DialCases, &HandshakeCases, &PeerCases, &OwnCases}) {
    for (Case& one : (*cases)(transport)) all.push_back(std::move(one));
  }
  return all;
}

using Which = std::tuple<const Transport*, size_t>;

class EachEndTest : public LinkEndTest,
                    public testing::WithParamInterface<Which> {
 protected:
  EachEndTest() : LinkEndTest(*std::get<0>(GetParam())) {}
};

TEST_P(EachEndTest, P15_TheWatcherHearsHowAndWhy) {
  const Case one = Cases(transport())[std::get<1>(GetParam())];
  SCOPED_TRACE(one.name);
  one.how(*this);
  const Heard::Told told = heard_.Next();
  ASSERT_TRUE(std::holds_alternative<LinkDown>(told));
  const LinkDown& down = std::get<LinkDown>(told);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(one.end)) << down.reason;
  EXPECT_EQ(down.reason.code(), one.code) << down.reason;
  EXPECT_NE(down.reason.message().find(one.text), absl::string_view::npos)
      << down.reason;
  EXPECT_FALSE(down.stats.connected);
  EXPECT_EQ(down.stats.waiting, 0u);
  // Once, also when the link has ended.
  faulty_.StopFailing();
  StopClient();
  EXPECT_EQ(heard_.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Over, EachEndTest,
    testing::Combine(EachSocket(),
                     testing::Range<size_t>(0, Cases(kUnix).size())),
    [](const testing::TestParamInfo<Which>& info) {
      return absl::StrCat(std::get<0>(info.param)->name, "_",
                          std::get<1>(info.param));
    });

// Where a path may have something else than a socket.
using UnixEndTest = LinkEndTest;

TEST_F(UnixEndTest, P15_AFileAtThePathIsToldAsWhatItIs) {
  std::ofstream(endpoint()) << "no socket";
  Dial();
  const auto down = std::get<LinkDown>(heard_.Next());
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(down.reason.message().find("a regular file"),
            absl::string_view::npos)
      << down.reason;
}

TEST(LinkEndsTest, EachHasACaseAndAName) {
  std::array<bool, kLinkEnds> seen = {};
  for (const Case& one : Cases(kUnix))
    seen.at(static_cast<size_t>(one.end)) = true;
  for (int i = 0; i < kLinkEnds; ++i) {
    EXPECT_TRUE(seen[i]) << LinkEndName(static_cast<LinkEnd>(i));
    EXPECT_NE(LinkEndName(static_cast<LinkEnd>(i)), "unknown") << i;
  }
  EXPECT_EQ(LinkEndName(static_cast<LinkEnd>(kLinkEnds)), "unknown");
}

class AlternationTest : public LinkEndTest,
                        public testing::WithParamInterface<const Transport*> {
 protected:
  AlternationTest() : LinkEndTest(*GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Over, AlternationTest, EachSocket(), NameOfTransport);

// A link that dials again and again tells of the first attempt alone.
TEST_P(AlternationTest, WhatIsToldAlternates) {
  LinkOptions options = PatientLink();
  options.backoff_first = options.backoff_last = absl::Milliseconds(1);
  Dial(options);
  EXPECT_TRUE(std::holds_alternative<LinkDown>(heard_.Next()));
  for (int round = 0; round < 3; ++round) {
    server_socket_ = std::make_unique<RawServer>(endpoint_);
    server_socket_->Listen();
    peer_ = std::make_unique<RawPeer>(server_socket_->Accept());
    server_socket_.reset();
    peer_->Say(GoodHello());
    AwaitUp();
    peer_.reset();
    EXPECT_TRUE(std::holds_alternative<LinkDown>(heard_.Next()));
  }
}

}  // namespace
}  // namespace trolley::links_test
