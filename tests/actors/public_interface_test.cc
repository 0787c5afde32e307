// SPDX-License-Identifier: Apache-2.0
//
// What links, bridges and callback code build on: an ask with a callback, being
// told of an actor's end, running something on a loop, looking at one actor,
// and the threads of a bus. Public headers only.

#include <pthread.h>
#include <sched.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = ExitReason::Kind;

struct Double {
  int n = 0;
};
struct Wait {};
struct Boom {};
struct WhoWaits {};

class Calculator : public Actor {
 public:
  int On(const Double& m) { return 2 * m.n; }
  Task<int> On(Wait) {
    co_await Sleep(absl::Hours(1));
    co_return 0;
  }
  void On(const Boom&) { throw std::runtime_error("no power"); }
  std::vector<std::string> On(const WhoWaits&) {
    std::vector<std::string> all = askers();
    // The instance of the bus is random.
    for (std::string& asker : all) asker = asker.substr(asker.find('/') + 1);
    all.push_back(is_ask() ? "asked" : "told");
    return all;
  }
};

class PublicInterfaceTest : public BusFixture {
 protected:
  // What AskThen says of `message`, in the end.
  template <typename M>
  absl::StatusOr<int> AskThen(const Ref<Calculator>& to, M message,
                              absl::Duration timeout) {
    std::optional<absl::StatusOr<int>> heard;
    int calls = 0;
    absl::Notification called;
    to.AskThen(std::move(message), timeout, [&](absl::StatusOr<int> reply) {
      ++calls;
      heard = std::move(reply);
      called.Notify();
    });
    Await(called);
    EXPECT_EQ(calls, 1);
    return *heard;
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, PublicInterfaceTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2},
                                         BusForm{"epoll", 2}),
                         BusFormName);

TEST_P(PublicInterfaceTest, AnAskWithACallbackHearsTheReply) {
  auto actor = *Start().Spawn<Calculator>({.loop = LoopAt(1)});
  EXPECT_THAT(AskThen(actor, Double{21}, absl::Hours(1)).value_or(-1), 42);
}

TEST_P(PublicInterfaceTest, AnAskWithACallbackHearsEachError) {
  auto actor = *Start().Spawn<Calculator>(
      {.name = "calc", .loop = LoopAt(1), .mailbox_capacity = 1});
  // The deadline passes while the handler waits.
  const absl::Status late =
      AskThen(actor, Wait{}, absl::Milliseconds(10)).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded) << late;
  EXPECT_THAT(std::string(late.message()),
              HasSubstr("calc did not reply within 10ms"));
  // It throws.
  std::optional<absl::Status> thrown;
  absl::Notification heard;
  actor.AskThen(Boom{}, absl::Hours(1), [&](absl::Status status) {
    thrown = std::move(status);
    heard.Notify();
  });
  Await(heard);
  EXPECT_EQ(thrown->code(), absl::StatusCode::kInternal) << *thrown;
  EXPECT_THAT(std::string(thrown->message()), HasSubstr("no power"));
  // It has ended; the callback is called at once.
  const absl::Status gone = AskThen(actor, Double{1}, absl::Hours(1)).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound) << gone;
  EXPECT_EQ(
      AskThen(Ref<Calculator>(), Double{1}, absl::Hours(1)).status().code(),
      absl::StatusCode::kNotFound);
  bus().Shutdown(absl::Seconds(10));
  EXPECT_TRUE(bus().ReadLedger().Balances()) << bus().ReadLedger().ToString();
}

TEST_P(PublicInterfaceTest, AnAskWithACallbackIsRefusedByAFullMailbox) {
  auto actor = *Start().Spawn<Calculator>({.mailbox_capacity = 1});
  absl::Notification first;
  actor.AskThen(Wait{}, absl::Milliseconds(50),
                [&](absl::StatusOr<int>) { first.Notify(); });
  const absl::Status full =
      AskThen(actor, Double{1}, absl::Milliseconds(50)).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  Await(first);
}

// Throws when it is moved for the fuse-th time.
class Fickle {
 public:
  explicit Fickle(int fuse) : fuse_(fuse) {}
  Fickle(Fickle&& other) : fuse_(other.fuse_ - 1) {
    if (fuse_ < 0) throw std::runtime_error("fickle");
  }
  Fickle& operator=(Fickle&&) = delete;

 private:
  const int fuse_;
};
struct GetFickle {
  int fuse = 0;
};
class Giver : public Actor {
 public:
  Fickle On(const GetFickle& m) { return Fickle(m.fuse); }
};

TEST_P(PublicInterfaceTest, P8_AReplyThatThrowsIsAnErrorForTheCallback) {
  Bus& bus = Start();
  int answers = 0;
  int replies_threw = 0;
  for (int fuse = 0; fuse < 10; ++fuse) {
    SCOPED_TRACE(fuse);
    auto giver = *bus.Spawn<Giver>({.loop = LoopAt(1)});
    absl::Notification called;
    giver.AskThen(GetFickle{fuse}, absl::Hours(1),
                  [&](const absl::StatusOr<Fickle>& reply) {
                    const std::string error(reply.status().message());
                    answers += reply.ok();
                    replies_threw += error == "the reply threw: fickle";
                    EXPECT_TRUE(reply.ok() || absl::IsInternal(reply.status()))
                        << reply.status();
                    called.Notify();
                  });
    Await(called);
  }
  EXPECT_GT(answers, 0);
  EXPECT_GT(replies_threw, 0);
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(10)).ledger.Balances());
}

TEST_P(PublicInterfaceTest, TheEndOfAnActorIsToldOnceWithItsReason) {
  Bus& bus = Start();
  struct Case {
    const char* name;
    void (*end)(const Ref<Calculator>& actor);
    Kind kind;
  };
  const Case cases[] = {
      {"stop", [](const Ref<Calculator>& actor) { actor.Stop(); },
       Kind::kStopped},
      {"drain", [](const Ref<Calculator>& actor) { actor.Stop(true); },
       Kind::kDrained},
      {"throw", [](const Ref<Calculator>& actor) { actor.Tell(Boom{}); },
       Kind::kFailed},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto actor = *bus.Spawn<Calculator>({.name = c.name, .loop = LoopAt(1)});
    std::vector<ActorEnd> ends;
    absl::Notification told, told_again;
    actor.address().WhenEnded([&](const ActorEnd& end) {
      ends.push_back(end);
      told.Notify();
    });
    const EndWatch forgotten = actor.address().WhenEnded(
        [&](const ActorEnd&) { ADD_FAILURE() << "it was taken back"; });
    actor.address().ForgetWhenEnded(forgotten);
    c.end(actor);
    Await(told);
    EXPECT_EQ(ends[0].reason.kind, c.kind);
    EXPECT_EQ(ends[0].last.id, actor.id());
    // The name is free by then.
    EXPECT_TRUE(bus.Spawn<Calculator>({.name = c.name}).ok());
    // Told of an end that has been.
    actor.address().WhenEnded([&](const ActorEnd& end) {
      ends.push_back(end);
      told_again.Notify();
    });
    Await(told_again);
    EXPECT_EQ(ends[1].reason.kind, c.kind);
    EXPECT_FALSE(ends[1].last.id);
    EXPECT_EQ(ends.size(), 2u);
  }
}

TEST_P(PublicInterfaceTest, TheEndOfTheBusEndsItsActors) {
  Bus& bus = Start();
  auto actor = *bus.Spawn<Calculator>({.loop = LoopAt(1)});
  std::vector<Kind> kinds;
  const auto note = [&](const ActorEnd& end) {
    kinds.push_back(end.reason.kind);
  };
  actor.address().WhenEnded(note);
  bus.Shutdown(absl::Seconds(10));
  EXPECT_THAT(kinds, ElementsAre(Kind::kBusEnded));
  // Its loop has ended, too: in the call.
  actor.address().WhenEnded(note);
  EXPECT_THAT(kinds, ElementsAre(Kind::kBusEnded, Kind::kBusEnded));
  Address().WhenEnded(note);
  EXPECT_EQ(kinds.back(), Kind::kUnknown);
}

// More actors have ended since in the same place than a cell has reasons for.
TEST_P(PublicInterfaceTest, AnEndOfLongAgoIsToldAfterTheEndOfTheBus) {
  Bus& bus = Start();
  std::vector<Address> ended;
  for (int i = 0; i < 100; ++i) {
    absl::Notification told;
    auto actor = *bus.Spawn<Calculator>({.loop = LoopAt(1)});
    ended.push_back(actor.address());
    actor.address().WhenEnded([&](const ActorEnd&) { told.Notify(); });
    actor.Stop();
    Await(told);
  }
  bus.Shutdown(absl::Seconds(10));
  size_t told = 0;
  for (const Address& actor : ended) {
    actor.WhenEnded([&](const ActorEnd&) { ++told; });
  }
  EXPECT_EQ(told, ended.size());
}

TEST_P(PublicInterfaceTest, SomethingRunsOnALoopUntilItHasEnded) {
  Bus& bus = Start();
  ASSERT_EQ(bus.loops(), loops());
  for (int loop = 0; loop < bus.loops(); ++loop) {
    int index = -1;
    absl::Notification ran;
    EXPECT_TRUE(bus.RunOnLoop(loop, [&] {
      index = ActorContext::OfThisThread()->loop_index();
      ran.Notify();
    }));
    Await(ran);
    EXPECT_EQ(index, loop);
  }
  EXPECT_FALSE(ActorContext::OfThisThread().has_value());
  bus.Shutdown(absl::Seconds(10));
  EXPECT_FALSE(bus.RunOnLoop(0, [] { ADD_FAILURE(); }));
}

TEST_P(PublicInterfaceTest, WhatIsNotOfThisBusIsRefused) {
  Bus& bus = Start();
  for (const int loop : {-1, loops(), 1000}) {
    EXPECT_FALSE(bus.RunOnLoop(loop, [] { ADD_FAILURE(); })) << loop;
  }
  const auto other = *Bus::Create({.loops = {{}, {}, {}, {}}});
  const auto theirs = *other->Spawn<Calculator>({.loop = 3});
  EXPECT_FALSE(bus.InspectActor(
      theirs.address(), [](std::optional<ActorInfo>) { ADD_FAILURE(); }));
}

TEST_P(PublicInterfaceTest, OneActorIsLookedAt) {
  Bus& bus = Start();
  auto actor = *bus.Spawn<Calculator>({.name = "one", .loop = LoopAt(1)});
  const auto look = [&] {
    std::optional<ActorInfo> seen;
    absl::Notification looked;
    EXPECT_TRUE(
        bus.InspectActor(actor.address(), [&](std::optional<ActorInfo> info) {
          seen = std::move(info);
          looked.Notify();
        }));
    Await(looked);
    return seen;
  };
  const auto alive = look();
  ASSERT_TRUE(alive.has_value());
  EXPECT_EQ(alive->name, "one");
  absl::Notification ended;
  actor.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  actor.Stop();
  Await(ended);
  EXPECT_FALSE(look().has_value());
  EXPECT_FALSE(bus.InspectActor(Address(), [](std::optional<ActorInfo>) {}));
}

class Middle : public Actor {
 public:
  explicit Middle(Ref<Calculator> next) : next_(next) {}
  Task<std::vector<std::string>> On(WhoWaits) {
    auto asking = next_.Ask(WhoWaits{}, absl::Hours(1));
    auto reply = co_await asking;
    co_return reply.ok() ? *reply : std::vector<std::string>{"none"};
  }

 private:
  const Ref<Calculator> next_;
};

class Front : public Actor {
 public:
  Front(Ref<Middle> next, std::vector<std::string>* heard,
        absl::Notification* done)
      : next_(next), heard_(heard), done_(done) {}
  Task<> On(Wait) {
    auto asking = next_.Ask(WhoWaits{}, absl::Hours(1));
    auto reply = co_await asking;
    if (reply.ok()) *heard_ = *reply;
    done_->Notify();
  }

 private:
  const Ref<Middle> next_;
  std::vector<std::string>* const heard_;
  absl::Notification* const done_;
};

TEST_P(PublicInterfaceTest, AMessageKnowsTheActorsThatWaitForItsAnswer) {
  Bus& bus = Start();
  auto last = *bus.Spawn<Calculator>({.name = "last", .loop = LoopAt(1)});
  auto middle = *bus.Spawn<Middle>({.name = "middle"}, last);
  std::vector<std::string> heard;
  absl::Notification done;
  auto front = *bus.Spawn<Front>({.name = "front"}, middle, &heard, &done);
  front.Tell(Wait{});
  Await(done);
  EXPECT_THAT(heard, ElementsAre("front", "middle", "asked"));
}

// --- The threads of a bus ---------------------------------------------------

std::string NameOfThisThread() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof(name));
  return name;
}

std::vector<int> CpusOfThisThread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::pthread_getaffinity_np(::pthread_self(), sizeof(set), &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

TEST(LoopThreadsTest, HaveTheirNamesAndTheirCpus) {
  const std::vector<int> ours = CpusOfThisThread();
  const int last = ours.back();
  auto bus = Bus::CreateOrDie(
      {.loops = {{}, {.thread_name = "of orders", .cpus = {last}}}});
  std::vector<std::string> names(2);
  std::vector<std::vector<int>> cpus(2);
  for (int loop = 0; loop < 2; ++loop) {
    absl::Notification ran;
    bus.RunOnLoop(loop, [&] {
      names[loop] = NameOfThisThread();
      cpus[loop] = CpusOfThisThread();
      ran.Notify();
    });
    ran.WaitForNotification();
  }
  EXPECT_THAT(names, ElementsAre("loop 0", "of orders"));
  EXPECT_EQ(cpus[0], ours);
  EXPECT_THAT(cpus[1], ElementsAre(last));
}

TEST(LoopThreadsTest, WhatCannotBeIsRefusedByName) {
  struct Case {
    LoopOptions options;
    const char* field;
  };
  const Case cases[] = {
      {{.thread_name = "more than 15 bytes"}, "LoopOptions::thread_name"},
      {{.thread_name = std::string("a\0b", 3)}, "LoopOptions::thread_name"},
      {{.cpus = {-1}}, "LoopOptions::cpus"},
      {{.cpus = {1 << 20}}, "LoopOptions::cpus"},
      {{.cpus = {LoopOptions::kHighestCpu}}, "loop 0"},
  };
  for (const Case& c : cases) {
    const absl::Status refused = Bus::Create({.loops = {c.options}}).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(c.field));
  }
}

}  // namespace
}  // namespace trolley
