// SPDX-License-Identifier: Apache-2.0
//
// Two buses that send messages, over each transport.

#include <unistd.h>

#include <climits>
#include <stdexcept>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/wire.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TransportsTest : public EachTransportTest {};

INSTANTIATE_TEST_SUITE_P(Over, TransportsTest, EachTransport(),
                         NameOfTransport);

TEST_P(TransportsTest, TellsAndAsksGoBothWays) {
  StartServer();
  StartClient();
  const Ref<Numbers> there = RemoteOf("sink");
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(there.Tell(PutOf(i)), Delivery::kAccepted);
  }
  // Behind the tells, so it counts them all.
  EXPECT_EQ(there.AskAndWait(AskOf(1000), kLong).value().value(), 1100u);
  EXPECT_EQ(sink_.AskAndWait(GetSeen{}, kLong).value().out_of_order, 0u);

  SpawnOn<Sink>(*client_, {.name = "clients-sink"});
  const LinkUp up = NextUpOf(server_watcher_);
  const bool known = transport().knows_the_process;
  EXPECT_EQ(up.peer_uid, known ? ::geteuid() : LinkUp::kUnknownUid);
  EXPECT_EQ(up.peer_pid, known ? ::getpid() : 0);
  EXPECT_TRUE(server_->FindAddress("listener/1").ok());
  const Ref<Numbers> back =
      SpawnOn<Remote<Numbers>>(*server_, {}, up.link, "clients-sink");
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(back.Tell(PutOf(i)), Delivery::kAccepted);
  }
  EXPECT_EQ(back.AskAndWait(AskOf(1), kLong).value().value(), 101u);

  const LinkStats ours = StatsOf(link_);
  const LinkStats theirs = StatsOf(up.link);
  EXPECT_EQ(ours.written, 101u);
  EXPECT_EQ(ours.received, 101u);
  EXPECT_EQ(ours.delivered, 101u);
  EXPECT_EQ(theirs.written, 101u);
  EXPECT_EQ(theirs.delivered, 101u);
  EXPECT_EQ(ours.bytes_out, theirs.bytes_in);
  EXPECT_EQ(ours.bytes_in, theirs.bytes_out);
  EXPECT_EQ(ours.frames_out, theirs.frames_in);
}

TEST_P(TransportsTest, ManyAsksAreUnderWayAtOnce) {
  StartServer();
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  const Ref<Numbers> sink = RemoteOf("sink");
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i) {
    askers.emplace_back([&gated, i] {
      EXPECT_EQ(gated.AskAndWait(AskOf(i), kLong).value().value(),
                static_cast<uint64_t>(i));
    });
  }
  StatsWhen(link_, [](const LinkStats& s) { return s.pending_asks >= 8; });
  // Others are answered meanwhile.
  EXPECT_EQ(sink.AskAndWait(AskOf(7), kLong).value().value(), 7u);
  OpenGate();
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(StatsOf(link_).pending_asks, 0u);
}

// The promise behind every bound: what is full pushes back, all the way.
TEST_P(TransportsTest, FullMailboxSlowsTheSenderAndLosesNothing) {
  if (!transport().listens) GTEST_SKIP() << kOnePeer;
  constexpr uint64_t kMessages = 100'000;
  constexpr uint32_t kWindow = 64 * 1024;
  constexpr size_t kFiller = 100;
  ServerOptions options = PatientListener();
  options.link.max_frame_bytes = 16 * 1024;
  options.link.credit_bytes = kWindow;
  StartServer(options);
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  const Ref<Streamer> streamer =
      SpawnOn<Streamer>(*client_, {}, gated, kMessages, kFiller);
  const LinkUp up = NextUpOf(server_watcher_);

  const Ref<Link> other = SpawnLink(*client_, {}, endpoint_, PatientLink());
  const Ref<Numbers> sink =
      SpawnOn<Remote<Numbers>>(*client_, {}, other, "sink");
  // What may be on its way at most: the target's mailbox, the credit window,
  // and the mailboxes of the Remote and of the link.
  const uint64_t bound =
      16 + kWindow / (kFiller + 24) + 2 * SpawnOptions().mailbox_capacity + 8;
  for (int looks = 0; looks < 200;) {
    const Progress progress = streamer.AskAndWait(GetProgress{}, kLong).value();
    ASSERT_LE(progress.sent, bound);
    const LinkStats theirs = StatsOf(up.link);
    ASSERT_LE(theirs.queued, kWindow / (kFiller + 24) + 1);
    if (theirs.queued > 0) ++looks;
    // A sender with a link of its own is not held up.
    ASSERT_EQ(sink.AskAndWait(AskOf(7), kLong).value().value(), 7u);
  }
  OpenGate();
  const Progress progress = streamer.AskAndWait(WaitUntilDone{}, kLong).value();
  EXPECT_EQ(progress.sent, kMessages);
  EXPECT_TRUE(progress.status.ok()) << progress.status;
  // Refused while its mailbox is full.
  const Seen seen = AskUntil(
      [&] { return gated_.AskAndWait(GetSeen{}, kLong).value_or(Seen()); },
      [](const Seen& now) { return now.count >= kMessages; });
  EXPECT_EQ(seen.count, kMessages);
  EXPECT_EQ(seen.out_of_order, 0u);
  EXPECT_EQ(StatsOf(link_).refused_by_peer, 0u);
}

// An answer needs no credit: X waits for it, and X alone could give credit.
TEST_P(TransportsTest, AnswerPassesMessagesThatWait) {
  ServerOptions options = PatientListener();
  options.link.max_frame_bytes = 1024;
  options.link.credit_bytes = 2 * (1024 + 24);
  StartServer(options);
  StartClient();
  SpawnOn<Sink>(*client_, {.name = "clients-sink"});
  const LinkUp up = NextUpOf(server_watcher_);
  ASSERT_TRUE(relay_
                  .AskAndWait(Ref<Numbers>(SpawnOn<Remote<Numbers>>(
                                  *server_, {}, up.link, "clients-sink")),
                              kLong)
                  .ok());
  // Fills the window with messages that the actor does not take.
  const Ref<Numbers> gated = RemoteOf("gated");
  for (int i = 1; i <= 200; ++i) gated.Tell(PutOf(i, 100));
  StatsWhen(up.link, [](const LinkStats& s) { return s.queued > 0; });
  // Asked by the server's relay; the client's answer passes.
  EXPECT_EQ(relay_.AskAndWait(AskOf(5), kLong).value().value(), 5u);
  OpenGate();
}

// Answers with its deadline, in nanoseconds.
class Clerk : public Actor {
 public:
  using Receives = Protocol<Answer(Ask)>;
  Answer On(const Ask&) {
    Answer answer;
    answer.set_value(deadline().nanos());
    return answer;
  }
};

// Asks "clerk" by its name, for an hour. The reply: both have one deadline.
class Chief : public Actor {
 public:
  struct Compare {};
  Task<absl::StatusOr<bool>> On(Compare) {
    absl::StatusOr<WireTarget> clerk = WireTarget::Find(context(), "clerk");
    if (!clerk.ok()) co_return clerk.status();
    const WireMessage message{.type = "trolley.links_test.Ask"};
    auto asking = clerk->Ask(message, absl::Hours(1));
    absl::StatusOr<WireMessage> reply = co_await asking;
    if (!reply.ok()) co_return reply.status();
    Answer answer;
    answer.ParseFromString(reply->bytes);
    co_return answer.value() == static_cast<uint64_t>(deadline().nanos());
  }
};

TEST_P(TransportsTest, AnAskByNameEndsWithTheMessageInHand) {
  StartServer();
  SpawnOn<Clerk>(*server_, {.name = "clerk"});
  const auto chief = SpawnOn<Chief>(*server_, {});
  const absl::StatusOr<bool> same = chief.AskAndWait(Chief::Compare{}, kLong);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_TRUE(*same);
}

TEST_P(TransportsTest, WhatOnlyAnActorMaySendIsRefusedElsewhere) {
  StartServer();
  client_ = NewBus(*client_sys_);  // its first actors have the ids of ours
  const WireTarget sink = *WireTarget::Find(*server_, "sink");
  const WireMessage message{.type = "trolley.links_test.Put"};
  absl::Status tried, sent, asked;
  const auto send = [&] {
    tried = sink.TrySend(message, {}).status();
    WireAsk ask(sink, message, {});
    ASSERT_TRUE(ask.sent().await_ready() && ask.reply().await_ready());
    sent = ask.sent().await_resume();
    asked = ask.reply().await_resume().status();
  };
  const auto expect_refused = [&] {
    for (const absl::Status& status : {tried, sent, asked}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    }
    tried = sent = asked = absl::OkStatus();
  };
  send();  // on a plain thread
  expect_refused();
  absl::Notification done;
  ASSERT_TRUE(client_->RunOnLoop(0, [&] {
    send();  // on a loop of another bus
    done.Notify();
  }));
  done.WaitForNotification();
  expect_refused();
  EXPECT_EQ(sink_.AskAndWait(GetSeen{}, kLong).value().count, 0u);
}

TEST_P(TransportsTest, AMessageThatProtobufCannotTakeIsRefused) {
  StartServer();
  const WireTarget sink = *WireTarget::Find(*server_, "sink");
  // Its bytes are not looked at.
  const absl::string_view long_bytes("", size_t{INT_MAX} + 1);
  const absl::Status told = sink.Tell({"trolley.links_test.Put", long_bytes});
  EXPECT_EQ(told.code(), absl::StatusCode::kInvalidArgument) << told;
}

// --- What goes wrong, and how it is said -----------------------------------

TEST_P(TransportsTest, UnknownActorIsNamed) {
  StartServer();
  StartClient();
  const absl::Status status =
      RemoteOf("nobody").AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no actor named \"nobody\" is running");
  // A tell comes back as well, and is counted.
  RemoteOf("nobody").Tell(PutOf(1));
  StatsWhen(link_, [](const LinkStats& s) { return s.refused_by_peer >= 2; });
}

// Throws at the first message.
class Bomb : public Actor {
 public:
  using Receives = Numbers;
  void On(const Put&) { throw std::runtime_error("disk full"); }
  Answer On(const Ask&) { throw std::runtime_error("no answer"); }
};

TEST_P(TransportsTest, ActorThatHasEndedIsNamedWithItsReason) {
  StartServer();
  StartClient();
  const Ref<Bomb> there = SpawnOn<Bomb>(*server_, {.name = "bank/slow"});
  const Ref<Numbers> bomb = RemoteOf("bank/slow");
  const absl::Status in_hand = bomb.AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(in_hand.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(
      in_hand.ToString(),
      AllOf(StartsWith("INTERNAL: bank/slow has ended: its handler of "),
            EndsWith("Ask threw: no answer")));
  AwaitEnd(there.address());
  // First by the lane that it had, then by none.
  for (int i = 0; i < 3; ++i) {
    const absl::Status after = bomb.AskAndWait(AskOf(1), kLong).status();
    EXPECT_EQ(after.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(after.ToString(), AllOf(HasSubstr("bank/slow"),
                                        EndsWith("Ask threw: no answer")));
  }
}

TEST_P(TransportsTest, TypeTheActorDoesNotTakeIsRejected) {
  StartServer();
  StartClient();
  using Strange = Protocol<Answer(Stranger)>;
  const Ref<Strange> strange =
      SpawnOn<Remote<Strange>>(*client_, {}, link_, "sink");
  const absl::Status status = strange.AskAndWait(Stranger(), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "\"sink\" does not take trolley.links_test.Stranger; it takes "
            "trolley.links_test.Put, trolley.links_test.Ask");
}

TEST_P(TransportsTest, PayloadThatDoesNotParseIsRejected) {
  StartServer();
  StartClient();
  LinkAsk ask;
  ask.route = LinkRoute::New("sink", "trolley.links_test.Ask");
  ask.bytes = "\xff\xff\xff";
  const absl::Status status = link_.AskAndWait(std::move(ask), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "the 3 bytes sent to \"sink\" are not a trolley.links_test.Ask");
}

TEST_P(TransportsTest, ReplyOfAnotherTypeIsAnError) {
  StartServer();
  StartClient();
  using Wrong = Protocol<Put(Ask)>;
  const Ref<Wrong> wrong = SpawnOn<Remote<Wrong>>(*client_, {}, link_, "sink");
  const absl::Status status = wrong.AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("trolley.links_test.Answer"),
            absl::string_view::npos)
      << status;
}

TEST_P(TransportsTest, HandlersOwnErrorTravelsWordForWord) {
  StartServer();
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  for (int code = 1; code <= 16; ++code) {
    Ask ask = AskOf(code);
    ask.set_fail_with(code);
    const absl::Status status = sink.AskAndWait(ask, kLong).status();
    EXPECT_EQ(static_cast<int>(status.code()), code);
    EXPECT_EQ(status.message(), absl::StrCat("as asked: ", code));
  }
}

TEST_P(TransportsTest, DeadlinePassesForAnActorThatDoesNotAnswer) {
  StartServer();
  StartClient();
  const absl::Status status =
      RemoteOf("gated").AskAndWait(AskOf(1), absl::Milliseconds(20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  StatsWhen(link_, [](const LinkStats& s) { return s.pending_asks == 0; });
  // Its answer comes too late; the asker no longer waits.
  OpenGate();
  EXPECT_EQ(RemoteOf("gated").AskAndWait(AskOf(2), kLong).value().value(), 2u);
}

TEST_P(TransportsTest, ExpiredMessageIsDroppedBeforeItsHandler) {
  StartServer();
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  gated.Tell(PutOf(1));
  const Instant soon =
      StateOf(*client_)->clock().Now() + absl::Milliseconds(20);
  ASSERT_EQ(gated.TellWith({.deadline = soon}, PutOf(2)), Delivery::kAccepted);
  gated.Tell(PutOf(2));
  const LinkUp up = NextUpOf(server_watcher_);
  // On a slow machine it has expired on its way to the link, or in it.
  AskUntil(
      [&] {
        return StatsOf(up.link).delivered + StatsOf(link_).not_sent +
               client_->ReadLedger().expired;
      },
      [](uint64_t arrived) { return arrived >= 3; });
  // What is left of its time is over when an ask of as long has ended.
  EXPECT_EQ(gated.AskAndWait(AskOf(1), absl::Milliseconds(20)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  OpenGate();
  const Seen seen = gated_.AskAndWait(GetSeen{}, kLong).value();
  EXPECT_EQ(seen.count, 2u);
  EXPECT_EQ(seen.out_of_order, 0u);
}

TEST_P(TransportsTest, MessageLongerThanThePeerTakesIsRefusedHere) {
  ServerOptions options = PatientListener();
  options.link.max_frame_bytes = 2000;
  StartServer(options);
  StartClient();
  LinkAsk ask;
  ask.route = LinkRoute::New("sink", "trolley.links_test.Ask");
  ask.bytes = std::string(2000, 'x');
  const absl::Status status = link_.AskAndWait(ask, kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
  EXPECT_EQ(StatsOf(link_).not_sent, 1u);
}

TEST_P(TransportsTest, AnswerLongerThanTheAskerTakesIsAnErrorForTheAsker) {
  StartServer();
  LinkOptions options = PatientLink();
  options.max_frame_bytes = 2000;
  StartClient(options);
  Ask ask = AskOf(1);
  ask.set_answer_bytes(2000);
  const absl::Status status = RemoteOf("sink").AskAndWait(ask, kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
}

TEST_P(TransportsTest, LongAnswersWaitForASlowReaderInsteadOfEndingIt) {
  ServerOptions options = PatientListener();
  options.link.outbox_bytes = 1000;
  StartServer(options);
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  std::vector<std::thread> askers;
  for (int i = 0; i < 16; ++i) {
    askers.emplace_back([&sink] {
      for (int j = 0; j < 20; ++j) {
        Ask ask = AskOf(1);
        ask.set_answer_bytes(500'000);
        const auto answer = sink.AskAndWait(ask, kLong);
        ASSERT_TRUE(answer.ok()) << answer.status();
        ASSERT_EQ(answer->filler().size(), 500'000u);
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(StatsOf(link_).connections, 1u);
}

TEST_P(TransportsTest, TraceTravels) {
  StartServer();
  StartClient();
  const std::string traceparent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  // An actor begins the trace and asks.
  class Tracer : public Actor {
   public:
    explicit Tracer(Ref<Numbers> to) : to_(to) {}
    Task<absl::StatusOr<Answer>> On(std::string traceparent) {
      SetTrace(*TraceContext::FromTraceparent(traceparent));
      co_return co_await to_.Ask(AskOf(1), kLong);
    }

   private:
    Ref<Numbers> to_;
  };
  const auto tracer = SpawnOn<Tracer>(*client_, {}, RemoteOf("sink"));
  EXPECT_EQ(tracer.AskAndWait(traceparent, kLong).value().traceparent(),
            traceparent);
}

TEST_P(TransportsTest, CycleOfAsksAcrossProcessesFailsAtOnceWithItsPath) {
  StartServer();
  StartClient();
  // client's "mine" -> server's "relay" -> client's "mine".
  const Ref<Relay> mine =
      SpawnOn<Relay>(*client_, {.name = "mine"}, RemoteOf("relay"));
  const LinkUp up = NextUpOf(server_watcher_);
  ASSERT_TRUE(relay_
                  .AskAndWait(Ref<Numbers>(SpawnOn<Remote<Numbers>>(
                                  *server_, {}, up.link, "mine")),
                              kLong)
                  .ok());
  // Asked by an actor, as a thread would not be in the chain.
  class Bridge : public Actor {
   public:
    explicit Bridge(Ref<Relay> to) : to_(to) {}
    Task<absl::StatusOr<Answer>> On(const Ask& ask) {
      co_return co_await to_.Ask(ask, kLong);
    }

   private:
    Ref<Relay> to_;
  };
  const auto bridge = SpawnOn<Bridge>(*client_, {.name = "bridge"}, mine);
  const absl::Status status = bridge.AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("/mine -> "), absl::string_view::npos)
      << status;
}

// As the first of a chain: passes an Ask of 1 on, and answers an Ask of 0.
class First : public Actor {
 public:
  using Receives = Protocol<Answer(Ask)>;
  explicit First(Ref<Numbers> to) : to_(to) {}
  Task<absl::StatusOr<Answer>> On(Ask ask) {
    if (ask.value() == 0) co_return Answer();
    co_return co_await to_.Ask(std::move(ask), kLong);
  }

 private:
  Ref<Numbers> to_;
};

// Told an Ask, it asks `to` and keeps the result.
class Confidant : public Actor {
 public:
  struct GetResult {};
  static constexpr bool kInterleaved = true;
  explicit Confidant(Ref<Numbers> to) : to_(to) {}
  Task<> On(Ask ask) {
    auto asking = to_.Ask(std::move(ask), kLong);
    result_ = (co_await asking).status();
    over_.Open();
  }
  Task<absl::Status> On(GetResult) {
    co_await over_.Wait();
    co_return result_;
  }

 private:
  Ref<Numbers> to_;
  Latch over_;
  absl::Status result_;
};

// Answers, and tells `confidant` to ask.
class Teller : public Actor {
 public:
  using Receives = Protocol<Answer(Ask)>;
  explicit Teller(Ref<Confidant> confidant) : confidant_(confidant) {}
  Answer On(const Ask&) {
    confidant_.Tell(AskOf(0));
    return Answer();
  }

 private:
  Ref<Confidant> confidant_;
};

TEST_P(TransportsTest, AnAskerOfAnotherProcessDoesNotWaitForATell) {
  StartServer();
  StartClient();
  const LinkUp up = NextUpOf(server_watcher_);
  const auto confidant = SpawnOn<Confidant>(
      *server_, {}, SpawnOn<Remote<Numbers>>(*server_, {}, up.link, "first"));
  SpawnOn<Teller>(*server_, {.name = "teller"}, confidant);
  const auto first =
      SpawnOn<First>(*client_, {.name = "first"}, RemoteOf("teller"));
  EXPECT_TRUE(first.AskAndWait(AskOf(1), kLong).ok());
  // It asks back, and its ask is no part of the first one.
  const absl::Status result =
      confidant.AskAndWait(Confidant::GetResult{}, kLong);
  EXPECT_TRUE(result.ok()) << result;
}

// Passes each ask on in a trace of its own.
class Marker : public Actor {
 public:
  using Receives = Protocol<Answer(Ask)>;
  explicit Marker(Ref<Numbers> to) : to_(to) {}
  Task<absl::StatusOr<Answer>> On(Ask ask) {
    SetTrace(*TraceContext::FromTraceparent(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    co_return co_await to_.Ask(std::move(ask), kLong);
  }

 private:
  Ref<Numbers> to_;
};

TEST_P(TransportsTest, ACycleOfAsksIsFoundWhereAHandlerBeginsATrace) {
  StartServer();
  StartClient();
  const LinkUp up = NextUpOf(server_watcher_);
  SpawnOn<Marker>(*server_, {.name = "marker"},
                  SpawnOn<Remote<Numbers>>(*server_, {}, up.link, "first"));
  const auto first =
      SpawnOn<First>(*client_, {.name = "first"}, RemoteOf("marker"));
  const absl::Status status = first.AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_P(TransportsTest, AsksUnderWayAreBounded) {
  StartServer();
  LinkOptions options = PatientLink();
  options.max_pending_asks = 4;
  StartClient(options);
  const Ref<Numbers> gated = RemoteOf("gated");
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back(
        [&gated] { EXPECT_TRUE(gated.AskAndWait(AskOf(1), kLong).ok()); });
  }
  StatsWhen(link_, [](const LinkStats& s) { return s.pending_asks >= 4; });
  EXPECT_EQ(gated.AskAndWait(AskOf(1), kLong).status().code(),
            absl::StatusCode::kResourceExhausted);
  OpenGate();
  for (std::thread& asker : askers) asker.join();
}

TEST_P(TransportsTest, ServerRefusesMoreAsksThanItKeeps) {
  ServerOptions options = PatientListener();
  options.link.max_pending_asks = 4;
  StartServer(options);
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back(
        [&gated] { EXPECT_TRUE(gated.AskAndWait(AskOf(1), kLong).ok()); });
  }
  const LinkUp up = NextUpOf(server_watcher_);
  StatsWhen(up.link, [](const LinkStats& s) { return s.delivered >= 4; });
  EXPECT_EQ(gated.AskAndWait(AskOf(1), kLong).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(StatsOf(up.link).refused, 1u);
  OpenGate();
  for (std::thread& asker : askers) asker.join();
}

// --- Coming and going ------------------------------------------------------

TEST_P(TransportsTest, NoServerIsSaidAtOnce) {
  StartClient();
  const absl::Status status =
      RemoteOf("sink").AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find(transport().nothing_there_text +
                                  WithoutPrefix(endpoint_)),
            absl::string_view::npos)
      << status;
}

TEST_P(TransportsTest, AskFailsWhenItsConnectionEnds) {
  StartServer();
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  absl::Status status;
  std::thread asker(
      [&] { status = gated.AskAndWait(AskOf(1), kLong).status(); });
  const LinkUp up = NextUpOf(server_watcher_);
  StatsWhen(up.link, [](const LinkStats& s) { return s.delivered >= 1; });
  up.link.Stop();
  asker.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_TRUE(down.reason.ok()) << down.reason;
  EXPECT_EQ(down.stats.fate_unknown, 1u);
}

TEST_P(TransportsTest, ReconnectsToARestartedServerAndSaysThatItIsAnother) {
  StartServer();
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  uint64_t last_instance = 0;
  for (int round = 0; round < 5; ++round) {
    const LinkUp up = NextUpOf(client_watcher_);
    EXPECT_NE(up.peer_instance_id, last_instance);
    last_instance = up.peer_instance_id;
    EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
    StopServer();
    NextDownOf(client_watcher_);
    StartServer();
  }
  NextUpOf(client_watcher_);
  EXPECT_EQ(StatsOf(link_).connections, 6u);
}

// The links of the first listener live on, with their names.
TEST_P(TransportsTest, AListenerThatIsSpawnedAgainPassesOverNamesThatAreTaken) {
  if (!transport().sockets) GTEST_SKIP() << kNoRawPeer;
  StartServer();
  RawPeer first(endpoint_);
  first.Say(GoodHello());
  NextUpOf(server_watcher_);
  listener_.Stop();
  AwaitEnd(listener_.address());
  ServerOptions options = PatientListener();
  options.link.watcher = server_watcher_;
  StartListener(options);
  RawPeer second(endpoint_);
  second.Say(GoodHello());
  ASSERT_EQ(second.Read(wire::kHelloBytes).size(), wire::kHelloBytes);
  const ListenerStats stats =
      listener_.AskAndWait(GetListenerStats{}, kLong).value();
  EXPECT_EQ(stats.accepted, 1u);
  EXPECT_EQ(stats.over_limit, 0u);
  EXPECT_TRUE(server_->FindAddress("listener/1").ok());
  EXPECT_TRUE(server_->FindAddress("listener/2").ok());
}

TEST_P(TransportsTest, APeerThatGetsNoLinkIsToldWhy) {
  if (!transport().sockets) GTEST_SKIP() << kNoRawPeer;
  BusOptions bus;
  bus.loops = {LoopOptions{.poller = PollerUnderTest(), .max_actors = 1}};
  server_ = *Bus::Create(std::move(bus));
  StartListener(PatientListener());
  RawPeer peer(endpoint_);
  const std::string said = peer.ReadToTheEnd();
  if (transport().tells_why) {
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), "TOO_MANY_CONNECTIONS");
  } else {
    EXPECT_EQ(said, "");
  }
  EXPECT_EQ(listener_.AskAndWait(GetListenerStats{}, kLong).value().over_limit,
            1u);
}

TEST_P(TransportsTest, LinkThatDoesNotReconnectEnds) {
  StartServer();
  LinkOptions options = PatientLink();
  options.reconnect = false;
  StartClient(options);
  const Ref<Numbers> sink = RemoteOf("sink");
  EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  StopServer();
  AwaitEnd(link_.address());
  EXPECT_EQ(sink.AskAndWait(AskOf(1), kLong).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(TransportsTest, DrainingServerTakesNoNewAsks) {
  StartServer();
  StartClient();
  const Ref<Numbers> gated = RemoteOf("gated");
  absl::StatusOr<Answer> answer;
  std::thread asker([&] { answer = gated.AskAndWait(AskOf(1), kLong); });
  const LinkUp up = NextUpOf(server_watcher_);
  StatsWhen(up.link, [](const LinkStats& s) { return s.delivered >= 1; });
  std::thread stopper([this] { StopServer(); });
  // The client hears GOAWAY; what it asks from then on it is told at once.
  const Ref<Numbers> sink = RemoteOf("sink");
  const absl::Status refused =
      AskUntil([&] { return sink.AskAndWait(AskOf(1), kLong).status(); },
               [](const absl::Status& told) { return !told.ok(); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  stopper.join();
  asker.join();
  // The gate was never opened, so this one could not be answered.
  EXPECT_FALSE(answer.ok());
}

TEST_P(TransportsTest, P6_TheActorsThatMessagesCameForAreForgottenInTime) {
  constexpr uint64_t kActors = 3000;
  constexpr uint64_t kMostRemembered = 1024;
  StartServer();
  StartClient();
  const LinkUp up = NextUpOf(server_watcher_);
  for (uint64_t i = 0; i < kActors; ++i) {
    const std::string name = absl::StrCat("sink/", i);
    const Ref<Sink> sink = SpawnOn<Sink>(*server_, {.name = name});
    const Ref<Numbers> remote = RemoteOf(name);
    ASSERT_EQ(remote.AskAndWait(AskOf(i), kLong).value().value(), i);
    remote.Stop();
    sink.Stop();
  }
  const LinkStats theirs = StatsOf(up.link);
  EXPECT_EQ(theirs.delivered, kActors);
  EXPECT_GT(theirs.targets, 0u);
  EXPECT_LE(theirs.targets, kMostRemembered);
}

TEST_P(TransportsTest, P11_NoDescriptorIsLeftAfter200Connections) {
  if (!transport().sockets) GTEST_SKIP() << "tests of their own count them";
  StartServer();
  int before = 0;
  for (int i = 0; i < 201; ++i) {
    StartClient();
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(i), kLong).ok());
    StopClient();
    NextDownOf(server_watcher_);
    AwaitOpen(0);
    // A connection's descriptor goes with the last of its coroutines.
    server_->Inspect(kLong).IgnoreError();
    if (i == 0) before = OpenDescriptors();
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace trolley::links_test
