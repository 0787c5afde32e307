// SPDX-License-Identifier: Apache-2.0
//
// P6 across links: an ask whose asker has given up holds nothing in the other
// process, wherever it waits there.

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

// How many handlers of a Worker run, and how many were cancelled.
struct Handlers {
  int under_way = 0;
  int cancelled = 0;
};
struct GetHandlers {};

// Never answers. Counts the handlers that wait, and those that were destroyed.
class Worker : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  using Receives = Protocol<Answer(Ask)>;

  Task<Answer> On(const Ask&) {
    struct Counted {
      explicit Counted(Handlers& handlers) : handlers(handlers) {
        ++handlers.under_way;
      }
      ~Counted() {
        --handlers.under_way;
        ++handlers.cancelled;
      }
      Handlers& handlers;
    } const counted(handlers_);
    co_await never_.Wait();
    co_return Answer();
  }
  Handlers On(const GetHandlers&) { return handlers_; }

 private:
  Handlers handlers_;
  Latch never_;
};

// Asks without a deadline, until it ends.
class Patient : public Actor {
 public:
  Patient(Ref<Numbers> to, int count) : to_(std::move(to)), count_(count) {}

 protected:
  void OnStart() override {
    for (int i = 0; i < count_; ++i) RunInBackground(AskOnce());
  }

 private:
  Task<absl::Status> AskOnce() {
    auto asking = to_.Ask(AskOf(1), absl::InfiniteDuration());
    (co_await asking).IgnoreError();
    co_return absl::OkStatus();
  }

  const Ref<Numbers> to_;
  const int count_;
};

class CancelTest : public EachTransportTest {
 protected:
  void StartBoth(const LinkOptions& theirs = PatientLink()) {
    ServerOptions options;
    options.link = theirs;
    StartServer(options);
    worker_ = SpawnOn<Worker>(*server_, {.name = "worker"});
    StartClient();
    theirs_ = NextUpOf(server_watcher_).link;
  }
  Ref<Patient> AskFor(const std::string& name, int count) {
    return SpawnOn<Patient>(*client_, {}, RemoteOf(name), count);
  }
  Handlers HandlersWhen(const std::function<bool(const Handlers&)>& done) {
    return AskUntil(
        [&] { return worker_.AskAndWait(GetHandlers{}, kLong).value(); }, done);
  }

  Ref<Worker> worker_;
  Ref<Link> theirs_;
};

INSTANTIATE_TEST_SUITE_P(Over, CancelTest, EachTransport(), NameOfTransport);

TEST_P(CancelTest, P6_AHandlerOverThereHearsThatItsAskerGaveUp) {
  StartBoth();
  const auto patient = AskFor("worker", 3);
  HandlersWhen([](const Handlers& h) { return h.under_way == 3; });
  EXPECT_EQ(StatsOf(link_).pending_asks, 3u);
  patient.Stop();
  AwaitEnd(patient.address());
  StatsWhen(theirs_, [](const LinkStats& s) { return s.cancelled == 3; });
  // Behind the cancels: what a handler has heard by now it has heard of them.
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  const Handlers after = worker_.AskAndWait(GetHandlers{}, kLong).value();
  EXPECT_EQ(after.under_way, 0);
  EXPECT_EQ(after.cancelled, 3);
  EXPECT_EQ(StatsOf(link_).pending_asks, 0u);
  EXPECT_EQ(StatsOf(theirs_).undelivered_replies, 0u);
}

TEST_P(CancelTest, P6_TheSlotsOfAsksThatWereGivenUpAreFree) {
  LinkOptions narrow = PatientLink();
  narrow.max_pending_asks = 4;
  StartBoth(narrow);
  for (int round = 0; round < 3; ++round) {
    const auto patient = AskFor("worker", 4);
    HandlersWhen([](const Handlers& h) { return h.under_way == 4; });
    EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(1), kLong).status().code(),
              absl::StatusCode::kResourceExhausted);
    patient.Stop();
    HandlersWhen([](const Handlers& h) { return h.under_way == 0; });
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  }
}

TEST_P(CancelTest, P6_AnAskThatWaitsForAMailboxOverThereGivesBackItsCredit) {
  constexpr int kFull = 16;  // the mailbox of the gated one
  constexpr int kMore = 100;
  StartBoth();
  const auto first = AskFor("gated", kFull);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.delivered == kFull; });
  const auto more = AskFor("gated", kMore);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.queued >= kMore; });
  more.Stop();
  const LinkStats after = StatsWhen(
      theirs_, [](const LinkStats& s) { return s.abandoned == kMore; });
  EXPECT_EQ(after.queued, 0u);
  EXPECT_EQ(after.cancelled, 0u);
  first.Stop();
  StatsWhen(theirs_, [](const LinkStats& s) { return s.cancelled == kFull; });
  OpenGate();
  EXPECT_TRUE(RemoteOf("gated").AskAndWait(AskOf(1), kLong).ok());
  const LinkStats end = StatsOf(theirs_);
  EXPECT_EQ(end.received,
            end.delivered + end.refused + end.queued + end.abandoned);
}

// With little credit, what is given up must make room for the next.
TEST_P(CancelTest, P6_CreditComesBackHoweverManyAsksAreGivenUp) {
  LinkOptions narrow = PatientLink();
  narrow.max_frame_bytes = 1024;
  narrow.credit_bytes = 2 * (1024 + 24);
  StartBoth(narrow);
  const auto full = AskFor("gated", 16);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.delivered == 16; });
  for (uint64_t round = 1; round <= 20; ++round) {
    const auto more = AskFor("gated", 10);
    StatsWhen(theirs_, [](const LinkStats& s) { return s.queued == 10; });
    more.Stop();
    StatsWhen(theirs_,
              [&](const LinkStats& s) { return s.abandoned == 10 * round; });
  }
  full.Stop();
  OpenGate();
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
}

TEST_P(CancelTest, P6_AnAskThatWaitsInAMailboxOverThereIsDropped) {
  StartBoth();
  const auto patient = AskFor("gated", 3);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.delivered == 3; });
  patient.Stop();
  StatsWhen(theirs_, [](const LinkStats& s) { return s.cancelled == 3; });
  AskUntil([&] { return server_->ReadLedger().expired; },
           [](uint64_t expired) { return expired >= 3; });
  OpenGate();
  EXPECT_TRUE(RemoteOf("gated").AskAndWait(AskOf(1), kLong).ok());
}

TEST_P(CancelTest, P6_AnAskThatHasItsAnswerIsNotGivenUp) {
  StartBoth();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  }
  const LinkStats ours = StatsOf(link_);
  EXPECT_EQ(ours.frames_out, StatsOf(theirs_).frames_in);
  EXPECT_EQ(ours.frames_out, 100u);
}

// --- Peers that break the rules --------------------------------------------

std::string CancelOf(uint64_t ask_id) {
  link::v1::Envelope envelope;
  envelope.mutable_cancel()->set_ask_id(ask_id);
  return envelope.SerializeAsString();
}

class RawCancelTest : public CancelTest {
 protected:
  void SetUp() override {
    StartServer();
    worker_ = SpawnOn<Worker>(*server_, {.name = "worker"});
    peer_.emplace(endpoint_);
    peer_->Say(GoodHello());
    theirs_ = NextUpOf(server_watcher_).link;
  }
  void Say(const std::string& envelope) {
    ASSERT_TRUE(peer_->Keep(Data(++sequence_, envelope)));
  }
  void AskTo(const std::string& name, uint64_t ask_id) {
    Say(MessageTo(name, ask_id, std::numeric_limits<int64_t>::max()));
  }

  std::optional<RawPeer> peer_;
  uint64_t sequence_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, RawCancelTest, EachSocket(), NameOfTransport);

TEST_P(RawCancelTest, P14_CancelsOfNothingAreIgnored) {
  for (uint64_t i = 0; i < 1000; ++i) Say(CancelOf(i));
  AskTo("sink", 1);
  Say(CancelOf(1));  // answered by now, or not
  Say(CancelOf(1));
  AskTo("sink", 2);
  const LinkStats stats =
      StatsWhen(theirs_, [](const LinkStats& s) { return s.delivered == 2; });
  EXPECT_TRUE(stats.connected);
}

TEST_P(RawCancelTest, P14_AsksOfOneNumberAreCancelledOneByOneOrNotAtAll) {
  // In the mailbox of the worker, in that of the gated one, and in two queues.
  const auto full =
      SpawnOn<GatedSink>(*server_, {.name = "full", .mailbox_capacity = 1});
  for (int i = 0; i < 3; ++i) AskTo("worker", 7);
  for (int i = 0; i < 20; ++i) AskTo("gated", 7);
  for (int i = 0; i < 20; ++i) AskTo("full", 7);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.received == 43; });
  for (int i = 0; i < 50; ++i) Say(CancelOf(7));
  AskTo("sink", 8);
  StatsWhen(theirs_, [](const LinkStats& s) { return s.received == 44; });
  OpenGate();
  FindSoon<Door>(*server_, "full.door").Tell(Open{});
  const LinkStats after =
      StatsWhen(theirs_, [](const LinkStats& s) { return s.queued == 0; });
  EXPECT_TRUE(after.connected);
  EXPECT_EQ(after.received, after.delivered + after.abandoned);
  EXPECT_GE(after.cancelled, 1u);
  peer_->Close();
  NextDownOf(server_watcher_);
  (void)full;
}

}  // namespace
}  // namespace trolley::links_test
