// SPDX-License-Identifier: Apache-2.0
//
// Asks and coroutine handlers: deadlines, cycles, inherited context, and what
// happens to waiting askers when an actor ends. Mostly in simulated time.

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/interleaved.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Question {
  std::string text;
};
struct Poke {};
struct Later {
  absl::Duration after;
};

// Answers after a time.
class Oracle : public Actor {
 public:
  explicit Oracle(absl::Duration after) : after_(after) {}
  Task<std::string> On(Question m) {
    ++asked;
    if (after_ > absl::ZeroDuration()) co_await Sleep(after_);
    co_return m.text + "!";
  }
  static inline int asked = 0;

 private:
  const absl::Duration after_;
};

struct Heard {
  absl::Status status = absl::UnknownError("nothing yet");
  std::string text;
  Instant at;
  absl::Notification done;
};

class Asker : public Actor {
 public:
  Asker(Ref<Oracle> oracle, absl::Duration timeout, Heard* heard)
      : oracle_(std::move(oracle)), timeout_(timeout), heard_(*heard) {}
  Task<> On(Poke) {
    absl::StatusOr<std::string> reply;
    reply = co_await oracle_.Ask<Question>(timeout_, "who");
    heard_.status = reply.status();
    if (reply.ok()) heard_.text = *reply;
    heard_.at = context().Now();
    heard_.done.Notify();
  }

 private:
  Ref<Oracle> oracle_;
  absl::Duration timeout_;
  Heard& heard_;
};

// In virtual time, on one to three loops.
class AskTest : public BusFixture {};
INSTANTIATE_TEST_SUITE_P(Forms, AskTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2},
                                         BusForm{"sim", 3}),
                         BusFormName);

TEST_P(AskTest, ADeadlineEndsTheAskNeverEarly) {
  Bus& bus = Start();
  const Instant start = StateOf(bus)->clock().Now();
  Heard heard;
  auto oracle = *bus.Spawn<Oracle>({.loop = LoopAt(1)}, absl::Seconds(10));
  auto asker = *bus.Spawn<Asker>({.loop = 0}, oracle, absl::Seconds(2), &heard);
  asker.Tell(Poke{});
  Await(heard.done);
  EXPECT_EQ(heard.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(heard.at, start + absl::Seconds(2));
  // The reply comes later, is counted and dropped.
  Settle();
  EXPECT_EQ(StateOf(bus)->inbox(0).stats.late_replies.Read(), 1u);
  EXPECT_EQ(StateOf(bus)->inbox(0).stats.expired_asks.Read(), 1u);
  EXPECT_EQ(LoopOf(bus, 0).router().reply_slots().used(), 0u);
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(1)).clean);
}

TEST_P(AskTest, AnAskThatIsTooLateIsDroppedBeforeItsHandler) {
  Bus& bus = Start();
  Oracle::asked = 0;
  Heard first, second;
  auto oracle = *bus.Spawn<Oracle>({.loop = LoopAt(1)}, absl::Seconds(10));
  auto patient =
      *bus.Spawn<Asker>({.loop = 0}, oracle, absl::InfiniteDuration(), &first);
  auto hasty =
      *bus.Spawn<Asker>({.loop = LoopAt(2)}, oracle, absl::Seconds(1), &second);
  patient.Tell(Poke{});
  bus.RunUntilIdle();
  hasty.Tell(Poke{});
  Settle();
  EXPECT_EQ(first.text, "who!");
  EXPECT_EQ(second.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Oracle::asked, 1);
  EXPECT_EQ(bus.ReadLedger().expired, 1u);
}

TEST_P(AskTest, AskingOneThatEndsMeanwhileIsNotFound) {
  Bus& bus = Start();
  Heard suspended, queued, gone;
  auto oracle = *bus.Spawn<Oracle>({.loop = LoopAt(1)}, absl::Seconds(10));
  for (Heard* heard : {&suspended, &queued}) {
    (*bus.Spawn<Asker>({}, oracle, absl::InfiniteDuration(), heard))
        .Tell(Poke{});
  }
  bus.RunUntilIdle();
  oracle.Stop();
  Settle();
  (*bus.Spawn<Asker>({}, oracle, absl::InfiniteDuration(), &gone)).Tell(Poke{});
  Settle();
  for (Heard* heard : {&suspended, &queued, &gone}) {
    EXPECT_EQ(heard->status.code(), absl::StatusCode::kNotFound)
        << heard->status;
  }
  EXPECT_EQ(bus.ReadLedger().dead_lettered, 2u);
}

// --- Chains ---

struct Chain {
  int left;
};
struct Forward {};

// Asks the next one; the last one looks around.
class Link : public Actor {
 public:
  struct Seen {
    std::vector<std::string> text;
    Instant deadline;
    TraceContext trace;
  };
  Link(std::string name, Seen* seen) : name_(std::move(name)), seen_(*seen) {}
  void On(const Ref<Link>& next) { next_ = next; }
  Task<absl::Status> On(Chain m) {
    if (m.left == 0) {
      seen_.deadline = deadline();
      seen_.trace = trace();
      co_return absl::OkStatus();
    }
    Chain next{m.left - 1};
    co_return co_await next_.Ask(next, absl::InfiniteDuration());
  }
  Task<> On(Forward) {  // asks from a background task
    RunInBackground(AskInBackground());
    co_return;
  }

 private:
  Task<absl::Status> AskInBackground() {
    Chain two{1};
    const absl::Status status =
        co_await next_.Ask(two, absl::InfiniteDuration());
    seen_.text.push_back(status.ToString());
    co_return absl::OkStatus();
  }
  const std::string name_;
  Seen& seen_;
  Ref<Link> next_;
};

class StartsChain : public Actor {
 public:
  StartsChain(Ref<Link> first, int length, absl::Duration timeout,
              absl::Status* heard)
      : first_(std::move(first)),
        length_(length),
        timeout_(timeout),
        heard_(*heard) {}
  Task<> On(Poke) {
    Chain chain{length_};
    heard_ = co_await first_.Ask(chain, timeout_);
  }

 private:
  Ref<Link> first_;
  const int length_;
  const absl::Duration timeout_;
  absl::Status& heard_;
};

TEST_P(AskTest, ACycleFailsAtOnceWithItsPath) {
  Bus& bus = Start();
  Link::Seen seen;
  std::vector<Ref<Link>> links;
  for (const char* name : {"a", "b", "c"}) {
    links.push_back(*bus.Spawn<Link>(
        {.name = name, .loop = LoopAt(links.size())}, name, &seen));
  }
  for (int i = 0; i < 3; ++i) links[i].Tell(links[(i + 1) % 3]);
  absl::Status heard = absl::UnknownError("nothing yet");
  auto start = *bus.Spawn<StartsChain>({.name = "start"}, links[0], 10,
                                       absl::InfiniteDuration(), &heard);
  start.Tell(Poke{});
  bus.RunUntilIdle();  // no time passes
  EXPECT_EQ(heard.code(), absl::StatusCode::kFailedPrecondition) << heard;
  EXPECT_THAT(std::string(heard.message()), HasSubstr("a -> b -> c -> a"));
}

TEST_P(AskTest, AskingOneselfIsACycle) {
  Bus& bus = Start();
  Link::Seen seen;
  auto one = *bus.Spawn<Link>({.name = "one"}, "one", &seen);
  one.Tell(one);
  absl::Status heard = absl::UnknownError("nothing yet");
  (*bus.Spawn<StartsChain>({}, one, 2, absl::InfiniteDuration(), &heard))
      .Tell(Poke{});
  bus.RunUntilIdle();
  EXPECT_EQ(heard.code(), absl::StatusCode::kFailedPrecondition) << heard;
  EXPECT_THAT(std::string(heard.message()), HasSubstr("one -> one"));
}

TEST_P(AskTest, AnInterleavedActorMayBeAskedByThoseItAsks) {
  Bus& bus = Start();
  Link::Seen seen;
  auto a = SpawnInterleaved<Link>(bus, {.loop = 0}, "a", &seen);
  auto b = *bus.Spawn<Link>({.loop = LoopAt(1)}, "b", &seen);
  a.Tell(b);
  b.Tell(a);
  absl::Status heard = absl::UnknownError("nothing yet");
  (*bus.Spawn<StartsChain>({}, a, 2, absl::InfiniteDuration(), &heard))
      .Tell(Poke{});
  bus.RunUntilIdle();
  EXPECT_TRUE(heard.ok()) << heard;
}

TEST_P(AskTest, ABackgroundTaskMayAskWhoAsksItsActor) {
  Bus& bus = Start();
  Link::Seen seen;
  auto a = *bus.Spawn<Link>({.loop = 0}, "a", &seen);
  auto b = *bus.Spawn<Link>({.loop = LoopAt(1)}, "b", &seen);
  a.Tell(b);
  b.Tell(a);
  a.Tell(Forward{});  // a's task asks b, which asks a, which is free
  bus.RunUntilIdle();
  EXPECT_THAT(seen.text, ElementsAre("OK"));
}

TEST_P(AskTest, AChainInheritsTheSoonestDeadlineAndTheTrace) {
  Bus& bus = Start();
  const Instant start = StateOf(bus)->clock().Now();
  Link::Seen seen;
  auto a = *bus.Spawn<Link>({.loop = 0}, "a", &seen);
  auto b = *bus.Spawn<Link>({.loop = LoopAt(1)}, "b", &seen);
  a.Tell(b);
  absl::Status heard = absl::UnknownError("nothing yet");
  auto first = *bus.Spawn<StartsChain>({.loop = LoopAt(2)}, a, 1,
                                       absl::Seconds(3), &heard);
  const auto trace = TraceContext::FromTraceparent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_TRUE(trace.ok());
  first.TellWith({.trace = *trace}, Poke{});
  bus.RunUntilIdle();
  EXPECT_TRUE(heard.ok()) << heard;
  EXPECT_EQ(seen.deadline, start + absl::Seconds(3));
  EXPECT_EQ(seen.trace, *trace);
}

TEST_P(AskTest, MoreAsksThanAllowedAreRefusedExactly) {
  class Many : public Actor {
   public:
    Many(Ref<Oracle> oracle, std::vector<absl::Status>* heard)
        : oracle_(std::move(oracle)), heard_(*heard) {}
    Task<> On(Poke) {
      const auto reply =
          co_await oracle_.Ask<Question>(absl::InfiniteDuration(), "x");
      heard_.push_back(reply.status());
    }
    Ref<Oracle> oracle_;
    std::vector<absl::Status>& heard_;
  };
  for (int most : {0, 1, 5, 127, 128, 200, 300}) {
    Bus& bus = Start([&](BusOptions& options) {
      for (LoopOptions& loop : options.loops) loop.max_pending_asks = most;
    });
    std::vector<absl::Status> heard;
    auto oracle =
        SpawnInterleaved<Oracle>(bus, {.loop = LoopAt(1)}, absl::Seconds(1));
    auto many = SpawnInterleaved<Many>(bus, {.loop = 0}, oracle, &heard);
    for (int i = 0; i < most + 7; ++i) many.Tell(Poke{});
    bus.RunUntilIdle();
    EXPECT_EQ(heard.size(), 7u) << most;
    for (const absl::Status& status : heard) {
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    }
    Settle();
    EXPECT_EQ(heard.size(), most + 7u);
  }
}

// --- What waits in a handler ---

struct Step {
  int number;
};
class Serial : public Actor {
 public:
  explicit Serial(std::vector<std::string>* diary) : diary_(*diary) {}
  Task<> On(Step m) {
    diary_.push_back("begin " + std::to_string(m.number));
    co_await Sleep(absl::Seconds(1));
    diary_.push_back("end " + std::to_string(m.number));
  }

 private:
  std::vector<std::string>& diary_;
};

TEST_P(AskTest, AHandlerThatWaitsKeepsTheNextMessageOutUnlessInterleaved) {
  for (bool interleaved : {false, true}) {
    Bus& bus = Start();
    std::vector<std::string> diary;
    auto actor = interleaved ? SpawnInterleaved<Serial>(bus, {}, &diary)
                             : *bus.Spawn<Serial>({}, &diary);
    actor.Tell(Step{1});
    actor.Tell(Step{2});
    Settle();
    if (interleaved) {
      EXPECT_THAT(diary, ElementsAre("begin 1", "begin 2", "end 1", "end 2"));
    } else {
      EXPECT_THAT(diary, ElementsAre("begin 1", "end 1", "begin 2", "end 2"));
    }
  }
}

struct ByReference {
  std::shared_ptr<int> value;
};
class Keeper : public Actor {
 public:
  explicit Keeper(std::vector<int>* seen) : seen_(*seen) {}
  Task<> On(const ByReference& m) {
    seen_.push_back(*m.value);
    co_await Sleep(absl::Seconds(1));
    seen_.push_back(*m.value);  // the message is still there
  }

 private:
  std::vector<int>& seen_;
};

TEST_P(AskTest, TheMessageLivesUntilItsHandlerHasFinished) {
  Bus& bus = Start();
  std::vector<int> seen;
  auto keeper = *bus.Spawn<Keeper>({}, &seen);
  auto value = std::make_shared<int>(42);
  keeper.Tell(ByReference{value});
  bus.RunUntilIdle();
  EXPECT_EQ(value.use_count(), 2);
  Settle();
  EXPECT_THAT(seen, ElementsAre(42, 42));
  EXPECT_EQ(value.use_count(), 1);
}

// An ask that is not awaited is forgotten; its reply is dropped.
class Forgetful : public Actor {
 public:
  explicit Forgetful(Ref<Oracle> oracle) : oracle_(std::move(oracle)) {}
  Task<> On(Poke) {
    { auto asking = oracle_.Ask(Question{"x"}, absl::Seconds(100)); }
    co_return;
  }

 private:
  Ref<Oracle> oracle_;
};

TEST_P(AskTest, AnAskThatIsDestroyedIsForgotten) {
  Bus& bus = Start();
  auto oracle = *bus.Spawn<Oracle>({.loop = LoopAt(1)}, absl::Seconds(1));
  (*bus.Spawn<Forgetful>({.loop = 0}, oracle)).Tell(Poke{});
  bus.RunUntilIdle();
  EXPECT_EQ(LoopOf(bus, 0).router().reply_slots().used(), 0u);
  Settle();
  EXPECT_EQ(StateOf(bus)->inbox(0).stats.late_replies.Read(), 1u);
}

// --- On threads ---

// Says where it was destroyed.
struct Witness {
  std::thread::id* where;
  absl::Notification* gone;
  ~Witness() {
    *where = std::this_thread::get_id();
    gone->Notify();
  }
};
struct WhereAreYou {};
class Waiter : public Actor {
 public:
  Waiter(std::thread::id* home, std::thread::id* where,
         absl::Notification* gone)
      : home_(*home), where_(where), gone_(gone) {}
  Task<> On(WhereAreYou) {
    home_ = std::this_thread::get_id();
    Witness witness{where_, gone_};
    co_await Sleep(absl::InfiniteDuration());
  }

 private:
  std::thread::id& home_;
  std::thread::id* where_;
  absl::Notification* gone_;
};

using AskThreadsTest = BusFixture;
TROLLEY_FOR_EACH_BUS(AskThreadsTest);

TEST_P(AskThreadsTest, FramesAreDestroyedOnTheirOwnLoop) {
  for (bool shutdown : {false, true}) {
    Bus& bus = Start();
    std::thread::id home, where;
    absl::Notification gone;
    auto waiter = *bus.Spawn<Waiter>({.loop = LoopAt(1)}, &home, &where, &gone);
    waiter.Tell(WhereAreYou{});
    Look();
    if (shutdown) {
      const ShutdownReport report = bus.Shutdown(absl::Milliseconds(50));
      EXPECT_FALSE(report.clean);
      EXPECT_EQ(report.abandoned, 1u);
    } else {
      waiter.Stop();
      Await(gone);
    }
    // A loop that was slow to hear of the end goes on after Shutdown().
    if (!simulated()) gone.WaitForNotification();
    ASSERT_TRUE(gone.HasBeenNotified());
    EXPECT_EQ(home, where);
  }
}

TEST_P(AskThreadsTest, AThreadThatAsksIsAnsweredWhateverHappens) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has no blocking ask";
  Bus& bus = Start();
  auto oracle = *bus.Spawn<Oracle>({}, absl::ZeroDuration());
  EXPECT_EQ(oracle.AskAndWait(Question{"me"}, absl::InfiniteDuration()).value(),
            "me!");
  auto slow = *bus.Spawn<Oracle>({}, absl::InfiniteDuration());
  EXPECT_EQ(
      slow.AskAndWait(Question{"me"}, absl::Microseconds(1)).status().code(),
      absl::StatusCode::kDeadlineExceeded);
  slow = *bus.Spawn<Oracle>({}, absl::InfiniteDuration());
  std::thread stopper([slow] { slow.Stop(); });
  EXPECT_EQ(
      slow.AskAndWait(Question{"me"}, absl::InfiniteDuration()).status().code(),
      absl::StatusCode::kNotFound);
  stopper.join();
}

// Blocking on a loop is refused.
class Blocker : public Actor {
 public:
  explicit Blocker(Ref<Oracle> oracle) : oracle_(std::move(oracle)) {}
  absl::Status On(const Poke&) {
    return oracle_.AskAndWait(Question{"x"}, absl::InfiniteDuration()).status();
  }

 private:
  Ref<Oracle> oracle_;
};

TEST_P(AskThreadsTest, AnActorCannotBlockItsLoop) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has no blocking ask";
  Bus& bus = Start();
  auto oracle = *bus.Spawn<Oracle>({}, absl::ZeroDuration());
  auto blocker = *bus.Spawn<Blocker>({}, oracle);
  EXPECT_EQ(blocker.AskAndWait(Poke{}, absl::InfiniteDuration()).code(),
            absl::StatusCode::kFailedPrecondition);
}

// Each verb, of a Ref that was never set.
TEST(EmptyRefTest, AnEmptyRefOfAProtocolNamesNoActor) {
  const Ref<Protocol<Poke, absl::StatusOr<std::string>(Question)>> none;
  EXPECT_EQ(none.Tell(Poke{}), Delivery::kGone);
  EXPECT_EQ(none.TellWith({}, Poke{}), Delivery::kGone);
  EXPECT_EQ(none.AskAndWait(Question{"?"}, absl::Seconds(1)).status().code(),
            absl::StatusCode::kNotFound);
  absl::Status got;
  none.AskThen(
      Question{"?"}, absl::Seconds(1),
      [&](absl::StatusOr<std::string> reply) { got = reply.status(); });
  EXPECT_EQ(got.code(), absl::StatusCode::kNotFound);

  struct Asker : Actor {
    Ref<Protocol<Poke, absl::StatusOr<std::string>(Question)>> none;
    Task<absl::Status> On(Poke) {
      EXPECT_EQ(none.Tell(Poke{}), Delivery::kGone);
      absl::Status sent = co_await none.Send<Poke>();
      EXPECT_EQ(sent.code(), absl::StatusCode::kNotFound);
      sent = co_await none.SendWithin<Poke>(absl::Seconds(1));
      EXPECT_EQ(sent.code(), absl::StatusCode::kNotFound);
      auto asking = none.Ask<Question>(absl::Seconds(1), "?");
      EXPECT_EQ((co_await asking).status().code(), absl::StatusCode::kNotFound);
      auto waiting = none.AskWhenRoom<Question>(absl::Seconds(1), "?");
      co_return (co_await waiting).status();
    }
  };
  Bus bus = Bus::CreateOrDie({});
  EXPECT_EQ(
      bus.Spawn<Asker>({})->AskAndWait(Poke{}, absl::InfiniteDuration()).code(),
      absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace trolley
