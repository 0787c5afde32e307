// SPDX-License-Identifier: Apache-2.0
//
// Peers that break every rule, beside one peer that keeps them and loses
// nothing.

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/link.pb.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

class BesideAGoodPeer : public LinkTest {
 protected:
  using LinkTest::LinkTest;

  void SetUp() override {
    StartServer(Options());
    StartClient();
    good_ = RemoteOf("sink");
    GoodPeerWorks();
  }
  virtual ServerOptions Options() {
    ServerOptions options = PatientListener();
    options.link.max_frame_bytes = 64 * 1024;
    options.link.credit_bytes = 256 * 1024;
    options.link.outbox_bytes = 64 * 1024;
    return options;
  }

  // The good peer tells one more number and asks.
  void GoodPeerWorks() {
    ++told_;
    ASSERT_EQ(good_.Tell(PutOf(told_)), Delivery::kAccepted);
    absl::StatusOr<Answer> answer = good_.AskAndWait(AskOf(0), kLong);
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_EQ(answer->value(), told_);
  }

  void TearDown() override {
    GoodPeerWorks();
    const Seen seen = sink_.AskAndWait(GetSeen{}, kLong).value();
    EXPECT_EQ(seen.count, told_);
    EXPECT_EQ(seen.out_of_order, 0u);
    EXPECT_EQ(StatsOf(link_).connections, 1u) << "the good peer was cut off";
  }

  uint64_t told_ = 0;
  Ref<Numbers> good_;
};

class HostileTest : public BesideAGoodPeer,
                    public testing::WithParamInterface<const Transport*> {
 protected:
  HostileTest() : BesideAGoodPeer(*GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Over, HostileTest, EachSocket(), NameOfTransport);

// The server has a second listener with a short handshake_deadline. The good
// peer uses the other one, so that it is not disconnected on a slow machine.
class ImpatientTest : public HostileTest {
 protected:
  void SetUp() override {
    HostileTest::SetUp();
    NextUpOf(server_watcher_);  // the good one
    ServerOptions options = Options();
    Hurry(options.link);
    options.link.watcher = server_watcher_;
    const auto listener = Listen(*server_, RealSys(), {.name = "impatient"},
                                 impatient_endpoint_, options);
    ASSERT_TRUE(listener.ok()) << listener.status();
  }
  virtual void Hurry(LinkOptions& link) {
    link.handshake_deadline = absl::Milliseconds(100);
  }

  const std::string impatient_endpoint_ = NewEndpoint();
};

INSTANTIATE_TEST_SUITE_P(Over, ImpatientTest, EachSocket(), NameOfTransport);

TEST_P(ImpatientTest, P14_SilentPeerIsClosedAtTheHandshakeDeadline) {
  RawPeer silent(impatient_endpoint_);
  EXPECT_EQ(ErrorIn(silent.ReadToTheEnd().substr(wire::kHelloBytes)),
            "HANDSHAKE_TIMEOUT");
}

TEST_P(ImpatientTest, P14_TwoHundredSilentPeersDoNotStopAGoodOne) {
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<RawPeer>(impatient_endpoint_));
    if (i % 2 == 0) silent.back()->Say("T");
    if (i % 20 == 0) GoodPeerWorks();
  }
  for (auto& peer : silent) {
    EXPECT_FALSE(peer->ReadToTheEnd().empty());
    GoodPeerWorks();
  }
}

TEST_P(ImpatientTest, P14_OneByteAtATimeIsCutAtTheHandshakeDeadline) {
  RawPeer slow(impatient_endpoint_);
  const std::string hello = GoodHello();
  // Byte by byte, each only after the good peer's turn, and never the last.
  for (size_t i = 0; i + 1 < hello.size(); ++i) {
    slow.Say(hello.substr(i, 1));
    GoodPeerWorks();
  }
  EXPECT_EQ(ErrorIn(slow.ReadToTheEnd().substr(wire::kHelloBytes)),
            "HANDSHAKE_TIMEOUT");
}

TEST_P(HostileTest, P14_GoodFramesOneByteAtATimeAreGoodFrames) {
  RawPeer slow(endpoint_);
  for (char c : GoodHello() + Data(1, MessageTo("sink", 1, 1'000'000'000))) {
    slow.Say(std::string(1, c));
  }
  link::v1::Envelope reply;
  const std::string said = slow.Read(wire::kHelloBytes + 24);
  ASSERT_EQ(said.size(), wire::kHelloBytes + 24);
  uint32_t length = 0;
  std::memcpy(&length, said.data() + wire::kHelloBytes, sizeof(length));
  ASSERT_TRUE(reply.ParseFromString(slow.Read(length)));
  EXPECT_EQ(reply.reply().ask_id(), 1u);
}

// One for each rule: what is said, and the name of the rule.
struct Rule {
  const char* name;
  std::string said;
  const char* error;
};

std::vector<Rule> Rules() {
  std::string overrun = GoodHello();
  for (int i = 1; i <= 30; ++i) {
    overrun += Data(i, PutTo("gated", PutOf(1, 60'000)));
  }
  return {
      {"http", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "BAD_MAGIC"},
      {"tls", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9),
       "BAD_MAGIC"},
      {"converted line ends", "TRLY\n\x1a", "BAD_MAGIC"},
      {"data before hello", Data(1, MessageTo("sink", 0, 0)),
       "FRAME_BEFORE_HELLO"},
      {"second hello", GoodHello() + GoodHello(), "DUPLICATE_HELLO"},
      {"4 GiB", GoodHello() + Header({.length = 0xFFFFFFFF, .sequence = 1}),
       "FRAME_TOO_LONG"},
      {"one byte too long",
       GoodHello() + Header({.length = 64 * 1024 + 1, .sequence = 1}),
       "FRAME_TOO_LONG"},
      {"damaged header",
       GoodHello() + std::string(wire::kFrameHeaderBytes, '\x55'),
       "BAD_HEADER_CRC"},
      {"sequence", GoodHello() + Data(2, MessageTo("sink", 0, 0)),
       "BAD_SEQUENCE"},
      {"descriptors", GoodHello() + Header({.fd_count = 1, .sequence = 1}),
       "TOO_MANY_FDS"},
      {"no envelope", GoodHello() + Data(1, "\xff\xff\xff\xff"),
       "BAD_ENVELOPE"},
      {"no target", GoodHello() + Data(1, MessageTo("", 0, 0)), "BAD_ENVELOPE"},
      {"ask without deadline", GoodHello() + Data(1, MessageTo("sink", 1, 0)),
       "BAD_ENVELOPE"},
      {"negative deadline", GoodHello() + Data(1, MessageTo("sink", 1, -1)),
       "BAD_ENVELOPE"},
      {"credit of 0",
       GoodHello() + Header({.length = 4, .type = wire::FrameType::kCredit}) +
           std::string(4, '\0'),
       "BAD_LENGTH"},
      {"credit beyond all",
       GoodHello() + Header({.length = 4, .type = wire::FrameType::kCredit}) +
           std::string("\xff\xff\xff\xff"),
       "CREDIT_OVERFLOW"},
      {"more than was granted", overrun, "CREDIT_OVERRUN"},
  };
}

TEST_P(HostileTest, P14_EachBrokenRuleEndsThatConnectionOnlyAndIsNamed) {
  for (const Rule& rule : Rules()) {
    RawPeer peer(endpoint_);
    peer.Say(rule.said);
    const std::string said = peer.ReadToTheEnd();
    ASSERT_GE(said.size(), wire::kHelloBytes) << rule.name;
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), rule.error) << rule.name;
    GoodPeerWorks();
  }
  OpenGate();
}

class PacketsTest : public LinkTest {
 protected:
  PacketsTest() : LinkTest(TransportNamed("packets")) {}
};

TEST_F(PacketsTest, P14_APacketThatIsTooLongEndsItsConnection) {
  ASSERT_TRUE(IsPackets(endpoint_));
  StartServer();
  constexpr size_t kMost = 64 << 10;
  const std::string hello = GoodHello();
  // A Hello and the head of a frame fill one packet, or one byte more.
  std::string packet =
      hello + Data(1, PutTo("sink", PutOf(1, kMost))).substr(0, kMost);
  packet.resize(kMost);
  for (const bool too_long : {false, true}) {
    SCOPED_TRACE(too_long);
    RawPeer peer(endpoint_);
    ASSERT_TRUE(peer.SayAtOnce(too_long ? packet + 'x' : packet));
    if (!too_long) peer.CloseHalf();
    const std::string said = peer.ReadToTheEnd();
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)),
              too_long ? "FRAME_TOO_LONG" : "");
    if (!too_long) {
      EXPECT_EQ(NextUpOf(server_watcher_).peer_instance_id, 1u);
      EXPECT_EQ(NextDownOf(server_watcher_).stats.torn, 1u);
    }
  }
  StartClient();
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
}

TEST_P(HostileTest, P15_TornLastFrameIsCountedOnceAndNothingOfItHandled) {
  const std::string whole = Data(1, MessageTo("sink", 0, 0));
  for (size_t cut = 1; cut < whole.size(); cut += 7) {
    RawPeer peer(endpoint_);
    peer.Say(GoodHello() + whole.substr(0, cut));
    peer.Close();
    const LinkDown down = NextDownOf(server_watcher_);
    EXPECT_EQ(down.reason.code(), absl::StatusCode::kDataLoss) << down.reason;
    EXPECT_EQ(down.stats.torn, 1u);
    EXPECT_EQ(down.stats.received, 0u);
  }
}

TEST_P(HostileTest, P14_RandomBytesEndOneConnectionAtATime) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    RawPeer peer(endpoint_);
    std::string bytes = round % 2 == 0 ? "" : GoodHello();
    const size_t size = random() % 2000;
    for (size_t i = 0; i < size; ++i) bytes.push_back(random());
    peer.Say(bytes);
    if (round % 20 == 0) GoodPeerWorks();
  }
}

TEST_P(HostileTest, P14_MutatedConversationsEndOneConnectionAtATime) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  std::string good = GoodHello();
  for (int i = 1; i <= 10; ++i) {
    // To no actor that counts: a mutation may leave a message good.
    good += Data(i, MessageTo("relay", 0, 0));
  }
  for (int round = 0; round < 200; ++round) {
    std::string bytes = good;
    for (int i = random() % 4; i >= 0; --i) {
      bytes[random() % bytes.size()] = random();
    }
    RawPeer peer(endpoint_);
    peer.Say(bytes.substr(0, random() % (bytes.size() + 1)));
    if (round % 20 == 0) GoodPeerWorks();
  }
}

// As ImpatientTest, with a short write_deadline and a patient handshake.
class NeverReadsTest : public ImpatientTest {
  void Hurry(LinkOptions& link) override {
    link.write_deadline = absl::Milliseconds(100);
  }
};

INSTANTIATE_TEST_SUITE_P(Over, NeverReadsTest, EachSocket(), NameOfTransport);

TEST_P(NeverReadsTest, P14_PeerThatNeverReadsIsCutAtTheWriteDeadline) {
  RawPeer peer(impatient_endpoint_);
  peer.Say(GreedyHello());  // and reads nothing of what that brings
  const LinkUp up = NextUpOf(server_watcher_);
  const Ref<Numbers> to_it =
      SpawnOn<Remote<Numbers>>(*server_, {}, up.link, "anybody");
  const Ref<Streamer> streamer =
      SpawnOn<Streamer>(*server_, {}, to_it, 100'000, 1000);
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
  // Exactly: what it took is written or unsent, and nothing is left.
  EXPECT_EQ(down.stats.waiting, 0u);
  EXPECT_GT(down.stats.unsent, 0u);
  EXPECT_GT(down.stats.written, 0u);
  // The memory this took is the outbox and one message.
  EXPECT_LE(down.stats.unsent, 64 * 1024 / 1000 + 2);
  (void)streamer;
}

// The write deadline is long, so all that could pile up has the time to do so.
TEST_P(HostileTest, P14_WhatAPeerDoesNotReadIsBounded) {
  NextUpOf(server_watcher_);  // the good one
  RawPeer peer(endpoint_);
  peer.Say(GreedyHello());  // and reads nothing
  const Ref<Link> link = NextUpOf(server_watcher_).link;
  const Ref<Numbers> to_it =
      SpawnOn<Remote<Numbers>>(*server_, {}, link, "anybody");
  // Until the socket, the outbox and the mailboxes on the way are full.
  for (int full = 0; full < 20; ++full) {
    while (to_it.Tell(PutOf(1, 1000)) == Delivery::kAccepted) full = 0;
    server_->Inspect(kLong).IgnoreError();
  }
  peer.Close();
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_GT(down.stats.written, 0u);
  EXPECT_LE(down.stats.unsent, 64 * 1024 / 1000 + 2);
}

TEST_P(HostileTest, P14_APeerThatReadsNoRefusalRunsOutOfCredit) {
  RawPeer peer(endpoint_);
  NextUpOf(server_watcher_);
  peer.Say(GoodHello());
  NextUpOf(server_watcher_);
  uint64_t sequence = 0;
  while (peer.Keep(Data(++sequence, MessageTo("nobody", 0, 0)))) {
  }
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kBrokenRule))
      << down.reason;
  EXPECT_EQ(wire::WireErrorOf(down.reason), wire::WireError::kCreditOverrun)
      << down.reason;
}

TEST_P(NeverReadsTest, P14_PingsAreAnsweredAndAFloodOfThemIsBounded) {
  RawPeer peer(impatient_endpoint_);
  peer.Say(GoodHello());
  const std::string pong =
      Header({.length = 8, .type = wire::FrameType::kPong}) + "12345678";
  peer.Say(Ping());
  EXPECT_EQ(
      peer.Read(wire::kHelloBytes + pong.size()).substr(wire::kHelloBytes),
      pong);
  // From here on it reads nothing, and is not read itself in the end.
  while (peer.Keep(Ping())) {
  }
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kNotReading) << down.reason;
}

// The bytes of the heap that are in use; 0 where a sanitizer has its own heap.
size_t BytesInUse() {
  const struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

// Each is two bytes on the wire, and was a string while the tell waited.
TEST_P(HostileTest, P14_TheAskersOfATellThatWaitsTakeNoMemory) {
  constexpr uint64_t kMore = 20;  // than the mailbox of the gated one takes
  constexpr uint64_t kTells = 3;
  constexpr int kAskers = 30'000;
  server_watcher_.AskAndWait(NextUp{}, kLong).IgnoreError();  // the good one
  RawPeer peer(endpoint_);
  peer.Say(GoodHello());
  const Ref<Link> link =
      server_watcher_.AskAndWait(NextUp{}, kLong).value().link;
  std::string said;
  for (uint64_t i = 1; i <= kMore; ++i) {
    said += Data(i, PutTo("gated", PutOf(i)));
  }
  ASSERT_TRUE(peer.Keep(said));
  StatsWhen(link, [](const LinkStats& s) { return s.received == kMore; });
  link::v1::Envelope tell;
  ASSERT_TRUE(tell.ParseFromString(PutTo("gated", PutOf(1))));
  for (int i = 0; i < kAskers; ++i) tell.mutable_message()->add_askers("");
  const std::string bytes = tell.SerializeAsString();
  const size_t before = BytesInUse();
  for (uint64_t i = 1; i <= kTells; ++i) {
    ASSERT_TRUE(peer.Keep(Data(kMore + i, bytes)));
  }
  const LinkStats stats = StatsWhen(
      link, [](const LinkStats& s) { return s.received == kMore + kTells; });
  EXPECT_GE(stats.queued, kTells);
  // The tells themselves are short.
  EXPECT_LE(BytesInUse(), before + kTells * kAskers * sizeof(std::string) / 2);
  OpenGate();
}

// What is written to such a peer fails, and it may still send.
TEST_P(HostileTest, P14_APeerThatHasClosedItsReadingGetsNoPongs) {
  if (!transport().tells_closed_reading) {
    GTEST_SKIP() << "over " << transport().name
                 << " such a peer looks like one that does not read";
  }
  constexpr uint64_t kRounds = 40;
  constexpr uint64_t kPingsPerRound = 1000;
  NextUpOf(server_watcher_);  // the good one
  RawPeer peer(endpoint_);
  peer.Say(GoodHello());
  const Ref<Link> link = NextUpOf(server_watcher_).link;
  peer.CloseReading();
  std::string pings;
  for (uint64_t i = 0; i < kPingsPerRound; ++i) pings += Ping();
  for (uint64_t i = 0; i < kRounds; ++i) ASSERT_TRUE(peer.Keep(pings));
  const LinkStats stats = StatsWhen(link, [](const LinkStats& s) {
    return s.frames_in >= kRounds * kPingsPerRound || !s.connected;
  });
  EXPECT_TRUE(stats.connected);
  EXPECT_LE(stats.unwritten_bytes, (64 + 4) * 1024u);
}

// A link that gives little credit, and whose end of the connection takes few
// bytes while the peer does not read.
class NarrowLinkTest : public HostileTest {
 protected:
  void SetUp() override {
    HostileTest::SetUp();
    NextUpOf(server_watcher_);  // the good one
    SpawnOn<Sink>(*server_, {.name = "theirs", .mailbox_capacity = 4096});
    const auto [ours, theirs] = NarrowPair(transport(), 4096);
    ASSERT_EQ(::fcntl(ours, F_SETFL, O_NONBLOCK), 0);
    peer_ = std::make_unique<RawPeer>(theirs);
    LinkOptions options = PatientLink();
    options.max_frame_bytes = 1024;
    options.credit_bytes = 2 * (1024 + 24);
    options.outbox_bytes = 1;
    options.watcher = server_watcher_;
    SpawnOn<StreamLink>(
        *server_, {},
        LinkSocket{.fd = ScopedFd(RealSys(), ours),
                   .peer = {.name = "the peer", .identity = "peer"}},
        options);
    peer_->Say(GreedyHello());
    narrow_ = NextUpOf(server_watcher_).link;
  }

  // Two of them take almost all of the credit.
  static std::string Message(uint64_t i) {
    return Data(i, PutTo("theirs", PutOf(i, 900)));
  }

  std::unique_ptr<RawPeer> peer_;
  Ref<Link> narrow_;
};

INSTANTIATE_TEST_SUITE_P(Over, NarrowLinkTest, EachSocket(), NameOfTransport);

// It guesses what it is granted, and reads nothing.
TEST_P(NarrowLinkTest, P14_APeerThatDoesNotReadIsGrantedNoMoreCredit) {
  for (uint64_t i = 1; i <= 2000 && peer_->Keep(Message(i)); ++i) {
  }
  peer_->Close();
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kBrokenRule) << down.reason;
  EXPECT_EQ(wire::WireErrorOf(down.reason), wire::WireError::kCreditOverrun)
      << down.reason;
}

TEST_P(NarrowLinkTest, P14_CreditThatFoundNoRoomIsGrantedWhenThereIsRoom) {
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*server_, {}, narrow_, "anybody");
  // More than the kernel takes, so that the outbox has no room.
  ASSERT_EQ(there.Tell(PutOf(1, 60'000)), Delivery::kAccepted);
  StatsWhen(narrow_, [](const LinkStats& s) { return s.waiting == 1; });
  ASSERT_TRUE(peer_->Keep(Message(1)));
  ASSERT_TRUE(peer_->Keep(Message(2)));
  StatsWhen(narrow_, [](const LinkStats& s) { return s.delivered == 2; });
  std::string said;
  for (bool granted = false; !granted;) {
    const std::string more = peer_->ReadSome();
    ASSERT_FALSE(more.empty()) << "the link has ended";
    said += more;
    if (said.size() < wire::kHelloBytes) continue;
    for (const RawFrame& frame : FramesIn(said.substr(wire::kHelloBytes))) {
      granted |= frame.type == wire::FrameType::kCredit;
    }
  }
  ASSERT_TRUE(peer_->Keep(Message(3)));
  StatsWhen(narrow_, [](const LinkStats& s) { return s.delivered == 3; });
}

// What a peer may send much of, and gets an answer to each time.
struct Request {
  const char* name;
  // The `i`-th one.
  std::function<std::string(uint64_t i)> bytes;
};

std::vector<Request> Requests() {
  const auto data = [](std::string envelope) {
    return [envelope](uint64_t i) { return Data(i, envelope); };
  };
  constexpr int64_t kMinute = int64_t{60'000'000'000};
  const auto asks = [](std::string target, int64_t remaining_ns) {
    return
        [=](uint64_t i) { return Data(i, MessageTo(target, i, remaining_ns)); };
  };
  const auto long_answer = [](uint64_t i) {
    Ask ask;
    ask.set_answer_bytes(2000);
    link::v1::Envelope envelope;
    envelope.ParseFromString(MessageTo("sink", i, kMinute));
    envelope.mutable_message()->set_payload(ask.SerializeAsString());
    return Data(i, envelope.SerializeAsString());
  };
  const auto circle = [](uint64_t i) {
    link::v1::Envelope envelope;
    envelope.ParseFromString(MessageTo("sink", i, kMinute));
    for (int asker = 0; asker < 1000; ++asker) {
      envelope.mutable_message()->add_askers("");
    }
    return Data(i, envelope.SerializeAsString());
  };
  return {
      {"a PING", [](uint64_t) { return Ping(); }},
      {"a tell to nobody", data(MessageTo("nobody", 0, 0))},
      {"a tell of a type that is not taken", data(MessageTo("listener", 0, 0))},
      {"an ask of nobody", asks("nobody", kMinute)},
      {"an ask that expires", asks("sink", 1)},
      {"an ask of an actor that answers", asks("sink", kMinute)},
      {"an ask of too many askers", circle},
      {"an ask with a long answer", long_answer},
  };
}

using Case = std::tuple<const Transport*, size_t>;

class SlowReaderTest : public BesideAGoodPeer,
                       public testing::WithParamInterface<Case> {
 protected:
  SlowReaderTest() : BesideAGoodPeer(*std::get<0>(GetParam())) {}
};

// It is not one that does not read.
TEST_P(SlowReaderTest, P14_APeerThatSendsFasterThanItReadsGetsEveryAnswer) {
  const size_t kind = std::get<1>(GetParam());
  const Request request = Requests()[kind];
  SCOPED_TRACE(request.name);
  NextUpOf(server_watcher_);  // the good one
  RawPeer peer(endpoint_);
  peer.Say(GreedyHello());
  const Ref<Link> link = NextUpOf(server_watcher_).link;
  // As much as the credit allows it to send at once; PINGs need none.
  const uint64_t count =
      kind == 0 ? 40'000 : 256 * 1024 / request.bytes(10'000).size();
  std::atomic<bool> sent_all = false;
  std::thread sender([&] {
    for (uint64_t i = 1; i <= count && peer.Keep(request.bytes(i)); ++i) {
    }
    sent_all = true;
  });
  // It reads nothing until nothing happens any more: the sender has sent all,
  // or the link leaves unread what the sender has sent.
  LinkStats last;
  for (int idle = 0; idle < 20;) {
    const bool sender_ended_or_waits = sent_all || !peer.CanKeep();
    GoodPeerWorks();
    const LinkStats now = StatsOf(link);
    const bool same = now.frames_in == last.frames_in;
    idle = sender_ended_or_waits && same ? idle + 1 : 0;
    last = now;
  }
  EXPECT_TRUE(last.connected);
  // Nor does it fill our memory meanwhile.
  EXPECT_LE(last.unwritten_bytes, (64 + 4) * 1024u);
  uint64_t answers = 0;
  std::string said;
  std::string left;
  while (answers < count && !(said = peer.ReadSome()).empty()) {
    left += said;
    if (last.bytes_out > 0 && left.size() > wire::kHelloBytes &&
        left.compare(0, 4, "TRLY") == 0) {
      left.erase(0, wire::kHelloBytes);
    }
    size_t used = 0;
    for (const RawFrame& frame : FramesIn(left)) {
      used += wire::kFrameHeaderBytes + frame.payload.size();
      ASSERT_NE(frame.type, wire::FrameType::kError)
          << wire::DecodeError(frame.payload);
      answers += frame.type == wire::FrameType::kData ||
                 frame.type == wire::FrameType::kPong;
    }
    left.erase(0, used);
  }
  EXPECT_EQ(answers, count);
  sender.join();
  OpenGate();
}

INSTANTIATE_TEST_SUITE_P(
    Over, SlowReaderTest,
    testing::Combine(EachSocket(),
                     testing::Range<size_t>(0, Requests().size())),
    [](const testing::TestParamInfo<Case>& info) {
      return absl::StrCat(std::get<0>(info.param)->name, "_",
                          std::get<1>(info.param));
    });

class LimitedHostileTest : public HostileTest {
  ServerOptions Options() override {
    ServerOptions options = HostileTest::Options();
    options.max_connections = 3;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Over, LimitedHostileTest, EachSocket(),
                         NameOfTransport);

TEST_P(LimitedHostileTest, P14_ConnectionsAreLimitedAndTheNextOneIsTold) {
  RawPeer first(endpoint_);
  RawPeer second(endpoint_);
  first.Say(GoodHello());
  second.Say(GoodHello());
  RawPeer third(endpoint_);
  const std::string said = third.ReadToTheEnd();
  if (transport().tells_why) {
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), "TOO_MANY_CONNECTIONS");
  } else {
    EXPECT_EQ(said, "");
  }
  first.Close();
  AwaitOpen(2);
  RawPeer fourth(endpoint_);
  fourth.Say(GoodHello() + Data(1, MessageTo("sink", 1, 1'000'000'000)));
  EXPECT_EQ(fourth.Read(wire::kHelloBytes + 24).size(), wire::kHelloBytes + 24);
}

TEST_P(HostileTest, P12_WithoutDescriptorsNewPeersAreTurnedAway) {
  constexpr int kPeers = 20;
  // Once before: UBSan looks at a type it has not seen yet by way of a pipe.
  EXPECT_TRUE(server_->Inspect(kLong).ok());
  EXPECT_TRUE(listener_.AskAndWait(GetListenerStats{}, kLong).ok());
  RawPeer first(endpoint_, RawPeer::Later());
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(std::make_unique<RawPeer>(endpoint_, RawPeer::Later()));
  }
  const int lowest_free = ::dup(0);
  ::close(lowest_free);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = lowest_free;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);

  // An accept that is under way in a ring has the limit of its start.
  EXPECT_EQ(first.Connect(endpoint_), 0);
  first.Say("no magic");
  first.ReadToTheEnd();
  for (auto& peer : peers) {
    EXPECT_EQ(peer->Connect(endpoint_), 0);
    EXPECT_EQ(peer->ReadToTheEnd(), "");  // closed, so that it knows
    GoodPeerWorks();
  }
  // Nothing spins: an idle loop takes no turns but those of the questions.
  const uint64_t turns = server_->Inspect(kLong)->loops[0].turns;
  for (int i = 0; i < 10; ++i) GoodPeerWorks();
  EXPECT_LT(server_->Inspect(kLong)->loops[0].turns - turns, 500u);
  const uint64_t turned_away =
      listener_.AskAndWait(GetListenerStats{}, kLong)->turned_away;
  EXPECT_GE(turned_away, static_cast<uint64_t>(kPeers));
  EXPECT_LE(turned_away, static_cast<uint64_t>(kPeers) + 1);

  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  RawPeer late(endpoint_);
  EXPECT_EQ(late.Read(wire::kHelloBytes).size(), wire::kHelloBytes);
}

TEST(PeerUserTest, P14_AnotherUserIsTurnedAwayUnlessItIsAllowed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  constexpr uid_t kNobody = 65534;
  for (const bool allowed : {false, true}) {
    const TempFolder folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    const std::string path = folder / "s";
    const mode_t mask = ::umask(0);
    absl::StatusOr<UnixListenSocket> socket =
        ListenUnix(RealSys(), path, {.mode = 0666});
    ::umask(mask);
    ASSERT_TRUE(socket.ok()) << socket.status();
    Bus bus = Bus::CreateOrDie({});
    UnixListenerOptions options;
    if (allowed) options.link.allowed_uids = {kNobody};
    ASSERT_TRUE(bus.Spawn<UnixListener>({}, *std::move(socket), options).ok());
    std::string said;
    bool became_nobody = false;
    std::thread nobody([&] {
      // Of this thread alone: the C library's would be of all of them.
      became_nobody = ::syscall(SYS_setresuid, -1, kNobody, -1) == 0;
      if (!became_nobody) return;
      RawPeer peer(path);
      peer.Say("no magic");
      said = peer.ReadToTheEnd();
    });
    nobody.join();
    bus.Shutdown(absl::Seconds(5));
    // In a sandbox root may be the only user there is.
    if (!became_nobody) GTEST_SKIP() << "there is no other user here";
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)),
              allowed ? "BAD_MAGIC" : "NOT_PERMITTED");
  }
}

}  // namespace
}  // namespace trolley::links_test
