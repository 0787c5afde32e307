// SPDX-License-Identifier: Apache-2.0
//
// The bus keeps the name and the reason of an actor that has ended, for later
// askers. An ask that gets no reply in time says for which actor and how long
// it waited.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"

// With a name that every compiler writes the same way.
namespace bank {

struct Boom {};
struct SlowBoom {};

}  // namespace bank

namespace trolley::internal {
namespace {

using bank::Boom;
using bank::SlowBoom;
using ::testing::HasSubstr;
using Kind = ExitReason::Kind;

struct Query {};
struct Hold {};

enum class How {
  kStopped,
  kStoppedItself,
  kDrained,
  kHandlerThrew,
  kOnStartThrew,
  kOnStopThrew,
  kTaskThrew,
};

struct Case {
  How how;
  Kind kind;
  std::string reason;
};
const std::vector<Case>& Cases() {
  static const auto& cases = *new std::vector<Case>{
      {How::kStopped, Kind::kStopped, "it was stopped"},
      {How::kStoppedItself, Kind::kStopped, "it was stopped"},
      {How::kDrained, Kind::kDrained,
       "it was stopped after what was in its mailbox"},
      {How::kHandlerThrew, Kind::kFailed,
       "its handler of bank::Boom threw: disk full"},
      {How::kOnStartThrew, Kind::kFailed, "OnStart threw: disk full"},
      {How::kOnStopThrew, Kind::kFailed, "OnStop threw: disk full"},
      {How::kTaskThrew, Kind::kFailed, "its background task threw: disk full"},
  };
  return cases;
}

class Mortal : public Actor {
 public:
  // What waits behind an ask that timed out goes on waiting.
  static constexpr absl::Duration kOvertime = absl::InfiniteDuration();

  explicit Mortal(How how, std::shared_ptr<absl::Notification> gone = nullptr,
                  std::shared_ptr<std::string> why = nullptr)
      : how_(how), gone_(std::move(gone)), why_(std::move(why)) {}
  ~Mortal() override {
    if (why_ != nullptr) *why_ += exit_reason().ToString();
    if (gone_ != nullptr) gone_->Notify();
  }
  void OnStart() override {
    if (how_ == How::kOnStartThrew) Throw();
    if (how_ == How::kTaskThrew) RunInBackground(Background());
  }
  void OnStop() override {
    if (why_ != nullptr) *why_ = exit_reason().ToString() + "; ";
    if (how_ == How::kOnStopThrew) Throw();
  }
  void On(const Boom&) {
    if (how_ == How::kStoppedItself) return Stop();
    Throw();
  }
  Task<> On(SlowBoom) {
    co_await Sleep(absl::Nanoseconds(1));
    Throw();
  }
  int On(const Query&) { return 7; }
  Task<int> On(Hold) {
    co_await Sleep(absl::Hours(1));
    co_return 8;
  }

 private:
  Task<absl::Status> Background() {
    co_await Sleep(absl::Nanoseconds(1));
    Throw();
    co_return absl::OkStatus();
  }
  static void Throw() { throw std::runtime_error("disk full"); }

  const How how_;
  const std::shared_ptr<absl::Notification> gone_;
  const std::shared_ptr<std::string> why_;  // as OnStop; as the destructor
};

// Asks or sends, and says what became of it.
struct Go {
  Ref<Mortal> whom;
  bool hold = false;
  absl::Duration timeout = absl::InfiniteDuration();
};
struct GoSend {
  Ref<Mortal> whom;
};
struct GoBoom {
  Ref<Mortal> whom;
};
struct Heard {
  absl::Status status;
  absl::Notification done;
};
class Client : public Actor {
 public:
  explicit Client(Heard* heard) : heard_(*heard) {}
  Task<> On(Go m) {
    if (m.hold) {
      auto ask = m.whom.Ask(Hold{}, m.timeout);
      heard_.status = (co_await ask).status();
    } else {
      auto ask = m.whom.Ask(Query{}, m.timeout);
      heard_.status = (co_await ask).status();
    }
    heard_.done.Notify();
  }
  Task<> On(GoBoom m) {
    auto ask = m.whom.Ask(SlowBoom{}, absl::InfiniteDuration());
    heard_.status = co_await ask;
    heard_.done.Notify();
  }
  Task<> On(GoSend m) {
    auto send = m.whom.Send(Query{});
    heard_.status = co_await send;
    heard_.done.Notify();
  }

 private:
  Heard& heard_;
};

class ExitTest : public BusFixture {
 protected:
  ~ExitTest() override { Destroy(); }  // before what the actors refer to

  template <typename Message>
  absl::Status Hear(int loop, Message message) {
    Heard heard;
    auto client = bus().Spawn<Client>({.loop = LoopAt(loop)}, &heard);
    EXPECT_EQ(client->Tell(std::move(message)), Delivery::kAccepted);
    Await(heard.done);
    client->Stop();
    Look();
    return heard.status;
  }

  // Spawns one, ends it so, and returns when it has ended.
  Ref<Mortal> EndOne(How how, const std::string& name, int loop,
                     std::shared_ptr<std::string> why = nullptr) {
    auto gone = std::make_shared<absl::Notification>();
    Ref<Mortal> mortal = *bus().Spawn<Mortal>(
        {.name = name, .loop = LoopAt(loop)}, how, gone, std::move(why));
    if (how == How::kHandlerThrew || how == How::kStoppedItself) {
      mortal.Tell(Boom{});
    } else if (how != How::kOnStartThrew && how != How::kTaskThrew) {
      mortal.Stop(/*drain=*/how == How::kDrained);
    }
    Await(*gone);
    Look();
    return mortal;
  }
};
TROLLEY_FOR_EACH_BUS(ExitTest);

TEST_P(ExitTest, P8_AnAskerOfAnActorThatHasEndedLearnsItsNameAndWhy) {
  Start();
  for (const std::string& name : {std::string(), std::string("bank/slow")}) {
    for (const Case& c : Cases()) {
      SCOPED_TRACE(absl::StrCat(name, ": ", c.reason));
      const Ref<Mortal> mortal = EndOne(c.how, name, /*loop=*/1);
      const std::string known =
          name.empty() ? mortal.id().ToString() : "bank/slow";
      EXPECT_EQ(mortal.address().ToString(), known);
      EXPECT_EQ(StateOf(bus())->ExitOf(mortal.id()).kind, c.kind);
      EXPECT_EQ(StateOf(bus())->ExitOf(mortal.id()).error.ok(),
                c.kind != Kind::kFailed);
      // All of what people read.
      const std::string text =
          absl::StrCat("NOT_FOUND: ", known, " has ended: ", c.reason);
      EXPECT_EQ(Hear(1, Go{mortal}).ToString(), text);  // of the same loop
      EXPECT_EQ(Hear(0, Go{mortal}).ToString(), text);  // of another
      EXPECT_EQ(Hear(1, GoSend{mortal}).ToString(), text);
      EXPECT_EQ(Hear(0, GoSend{mortal}).ToString(), text);
      EXPECT_EQ(mortal.AskAndWait(Query{}, absl::InfiniteDuration())
                    .status()
                    .ToString(),
                text);
      EXPECT_EQ(mortal.address().Explain(mortal.Tell(Query{})).ToString(),
                text);
      if (name.empty()) continue;
      EXPECT_EQ(bus().Find<Mortal>(name).status().ToString(),
                absl::StrCat("NOT_FOUND: no actor named \"bank/slow\" is "
                             "running; the last one has ended: ",
                             c.reason));
    }
  }
}

TEST_P(ExitTest, P9_AnActorLearnsWhyItEnds) {
  Start();
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.reason);
    auto why = std::make_shared<std::string>();
    EndOne(c.how, "bank/slow", /*loop=*/1, why);
    // OnStop() is not called if OnStart() threw. One that throws itself is
    // asked before the throw.
    const std::string in_on_stop = c.how == How::kOnStartThrew ? ""
                                   : c.how == How::kOnStopThrew
                                       ? "it was stopped; "
                                       : c.reason + "; ";
    EXPECT_EQ(*why, in_on_stop + c.reason);
  }
}

TEST_P(ExitTest, P8_AsksQueuedBehindAThrowAreToldOfIt) {
  Start();
  for (const std::string& name : {std::string(), std::string("bank/slow")}) {
    Ref<Mortal> mortal = *bus().Spawn<Mortal>({.name = name, .loop = LoopAt(1)},
                                              How::kHandlerThrew);
    const std::string text = absl::StrCat(
        "NOT_FOUND: ", name.empty() ? mortal.id().ToString() : name,
        " has ended: its handler of bank::SlowBoom threw: disk full");
    std::vector<std::unique_ptr<Heard>> heard;
    std::vector<Ref<Client>> clients;
    for (int loop : {0, 1, 2}) {
      heard.push_back(std::make_unique<Heard>());
      clients.push_back(
          *bus().Spawn<Client>({.loop = LoopAt(loop)}, heard.back().get()));
    }
    // Whatever comes first: the end, or one or another ask.
    mortal.Tell(SlowBoom{});
    for (const Ref<Client>& client : clients) client.Tell(Go{mortal});
    if (!simulated()) {
      EXPECT_EQ(mortal.AskAndWait(Query{}, absl::InfiniteDuration())
                    .status()
                    .ToString(),
                text);
    }
    for (const auto& one : heard) {
      Await(one->done);
      EXPECT_EQ(one->status.ToString(), text);
    }
    for (const Ref<Client>& client : clients) client.Stop();
    Look();
  }
}

TEST_P(ExitTest, P8_TheAskInHandIsToldToo) {
  Start();
  Ref<Mortal> mortal =
      *bus().Spawn<Mortal>({.name = "bank/slow"}, How::kStopped);
  EXPECT_EQ(Hear(1, GoBoom{mortal}).ToString(),
            "INTERNAL: bank/slow has ended: its handler of "
            "bank::SlowBoom threw: disk full");
  Look();

  Heard heard;
  mortal = *bus().Spawn<Mortal>({.name = "bank/slow"}, How::kStopped);
  auto client = *bus().Spawn<Client>({.loop = LoopAt(2)}, &heard);
  client.Tell(Go{.whom = mortal, .hold = true});
  AskUntil([&] { return Look().loops[mortal.id().loop()].suspended_messages; },
           [](uint64_t suspended) { return suspended > 0; });
  mortal.Stop();
  Await(heard.done);
  EXPECT_EQ(heard.status.ToString(),
            "NOT_FOUND: bank/slow has ended: it was stopped; it had begun to "
            "handle this");
  client.Stop();
  Look();
}

TEST_P(ExitTest, P10_AskingAfterTheShutdownNamesTheActor) {
  Start();
  const Ref<Mortal> mortal =
      *bus().Spawn<Mortal>({.name = "bank/slow"}, How::kStopped);
  Look();
  const BusState::Ptr state = StateOf(bus());
  bus().Shutdown(absl::Seconds(60));
  Destroy();
  EXPECT_EQ(mortal.address().ToString(), "bank/slow");
  EXPECT_EQ(
      mortal.AskAndWait(Query{}, absl::InfiniteDuration()).status().ToString(),
      "UNAVAILABLE: the bus is shutting down; bank/slow takes no new work");
  EXPECT_EQ(mortal.address().Explain(Delivery::kGone).ToString(),
            "NOT_FOUND: bank/slow has ended: its bus shut down");
  EXPECT_EQ(state->ExitOf(mortal.id()).kind, Kind::kBusEnded);
}

TEST_P(ExitTest, AnAskThatWaitsInVainSaysForWhomAndHowLong) {
  Start();
  const Ref<Mortal> mortal =
      *bus().Spawn<Mortal>({.name = "accounts/alice"}, How::kStopped);
  const std::string text =
      "DEADLINE_EXCEEDED: accounts/alice did not reply within 2ms";
  const absl::Duration timeout = absl::Milliseconds(2);
  EXPECT_EQ(
      Hear(0, Go{.whom = mortal, .hold = true, .timeout = timeout}).ToString(),
      text);
  // On a slow machine the first ask may have expired in the mailbox. This one
  // has no deadline, so it keeps the actor busy for the next two asks.
  mortal.Tell(Hold{});
  AskUntil([&] { return Look().loops[mortal.id().loop()].suspended_messages; },
           [](uint64_t suspended) { return suspended > 0; });
  // It waits in the mailbox, behind the other one.
  EXPECT_EQ(Hear(2, Go{.whom = mortal, .timeout = timeout}).ToString(), text);
  if (simulated()) return;  // a plain thread would wait for ever
  EXPECT_EQ(mortal.AskAndWait(Query{}, timeout).status().ToString(), text);
}

// The message has expired in the mailbox before its asker looks.
TEST_P(ExitTest, AMessageThatExpiresSaysTheSameToAPlainThread) {
  Start();
  const Ref<Mortal> mortal =
      *bus().Spawn<Mortal>({.name = "accounts/alice"}, How::kStopped);
  if (simulated()) GTEST_SKIP() << "a plain thread would wait for ever";
  EXPECT_EQ(
      mortal.AskAndWait(Query{}, absl::Nanoseconds(1)).status().ToString(),
      "DEADLINE_EXCEEDED: accounts/alice did not reply within 0");
}

TEST_P(ExitTest, P6_OfThoseThatHaveEndedTheLastFewAreKept) {
  Start([](BusOptions& options) { options.ended_actors_kept = 2; });
  std::vector<Ref<Mortal>> ended;
  for (const char* name : {"a", "b", "c", "d"}) {
    ended.push_back(EndOne(How::kHandlerThrew, name, 0));
  }
  for (int i : {0, 1}) {
    EXPECT_EQ(ended[i].address().ToString(), ended[i].id().ToString());
    EXPECT_THAT(std::string(Hear(1, Go{ended[i]}).message()),
                HasSubstr(ended[i].id().ToString() + " has ended"));
    EXPECT_FALSE(
        StateOf(bus())->exit_records().Find(ended[i].id()).has_value());
  }
  EXPECT_EQ(ended[2].address().ToString(), "c");
  EXPECT_EQ(Hear(1, Go{ended[3]}).message(),
            "d has ended: its handler of bank::Boom threw: disk full");
  EXPECT_EQ(bus().Find<Mortal>("a").status().message(),
            "no actor named \"a\" is running");

  Start([](BusOptions& options) { options.ended_actors_kept = 0; });
  const Ref<Mortal> none = EndOne(How::kHandlerThrew, "a", 0);
  EXPECT_EQ(Hear(1, Go{none}).message(),
            absl::StrCat(none.id().ToString(), " has ended: it threw"));
}

// Spawns on its own loop, where the place that came free last is the next.
struct Breed {
  How how;
  Ref<Mortal>* child;
  std::shared_ptr<absl::Notification> born, gone;
};
class Mother : public Actor {
 public:
  void On(const Breed& m) {
    *m.child = *Spawn<Mortal>({}, m.how, m.gone);
    m.child->Stop(/*drain=*/m.how == How::kDrained);
    m.born->Notify();
  }
};

// The reason of an actor without a name stands in its place, until the next
// one has ended there.
TEST_P(ExitTest, P8_TheReasonIsNeverThatOfALaterActorOfTheSameCell) {
  Start();
  const Ref<Mother> mother = *bus().Spawn<Mother>({.loop = 0});
  const auto breed = [&](How how) {
    Ref<Mortal> child;
    Breed breed{.how = how,
                .child = &child,
                .born = std::make_shared<absl::Notification>(),
                .gone = std::make_shared<absl::Notification>()};
    mother.Tell(breed);
    Await(*breed.born);
    Await(*breed.gone);
    Look();
    return child;
  };
  const BusState& state = *StateOf(bus());
  const Ref<Mortal> first = breed(How::kDrained);
  EXPECT_EQ(state.ExitOf(first.id()).kind, Kind::kDrained);
  // More than the bits of the generation that are kept with the reason.
  for (int i = 1; i <= 40; ++i) {
    const Ref<Mortal> later = breed(How::kStopped);
    ASSERT_EQ(later.id().slot(), first.id().slot());
    ASSERT_EQ(state.ExitOf(first.id()).kind, Kind::kUnknown) << i;
    ASSERT_EQ(state.ExitOf(later.id()).kind, Kind::kStopped) << i;
  }
  EXPECT_EQ(first.address().Explain(Delivery::kGone).message(),
            first.id().ToString() + " has ended");
}

// --- Actors on their way to their loop -------------------------------------

// Does in its handler what the test says.
class Parent : public Actor {
 public:
  struct Do {
    std::function<void(Parent&)> what;
  };
  void On(const Do& m) { m.what(*this); }

  template <typename A, typename... Args>
  absl::StatusOr<Ref<A>> SpawnOne(const SpawnOptions& options, Args&&... args) {
    return Spawn<A>(options, std::forward<Args>(args)...);
  }
};

// Does in its constructor what the test says.
class Constructed : public Actor {
 public:
  explicit Constructed(const std::function<void(Ref<Constructed>)>& what) {
    what(Self(this));
  }
  void On(const Boom&) {}
  int On(const Query&) { return 7; }
};

// The same for an actor whose messages leave the process. It has no link.
class Leading : public Actor {
 public:
  static constexpr bool kLeadsOverALink = true;
  explicit Leading(const std::function<void(Ref<Leading>)>& what) {
    what(Self(this));
  }
  Ref<Constructed> link() const { return {}; }
};

// The end of one actor, for a test that waits for it.
struct ToldEnd {
  std::function<void(const ActorEnd&)> Callback() {
    return [this](const ActorEnd& told_end) {
      ++times;
      end = told_end;
      told.Notify();
    };
  }
  std::atomic<int> times{0};
  ActorEnd end;  // once it was told
  absl::Notification told;
};

// The spawn leaves the loop at the end of the turn, and the watch at once.
TEST_P(ExitTest, AnActorOnItsWayToItsLoopIsWatchedUntilItsEnd) {
  Start();
  const Ref<Parent> parent = *bus().Spawn<Parent>({.loop = 0});
  ToldEnd told;
  Ref<Mortal> child;
  absl::Notification born;
  parent.Tell(Parent::Do{[&](Parent& self) {
    child = *self.SpawnOne<Mortal>({.name = "bank/slow", .loop = LoopAt(1)},
                                   How::kStopped);
    child.address().WhenEnded(told.Callback());
    born.Notify();
  }});
  Await(born);
  Look();
  EXPECT_EQ(told.times, 0);
  child.Stop();
  Await(told.told);
  Look();
  EXPECT_EQ(told.times, 1);
  EXPECT_EQ(told.end.reason.kind, Kind::kStopped);
  EXPECT_EQ(told.end.last.id, child.id());
}

TEST_P(ExitTest, AnActorIsWatchedFromItsConstructorOn) {
  Start();
  ToldEnd told;
  const auto watch = [&](const Ref<Constructed>& self) {
    self.address().WhenEnded(told.Callback());
  };
  auto actor = *bus().Spawn<Constructed>({.loop = LoopAt(1)}, watch);
  Look();
  EXPECT_EQ(told.times, 0);
  actor.Stop();
  Await(told.told);
  EXPECT_EQ(told.end.reason.kind, Kind::kStopped);
  EXPECT_EQ(told.end.last.id, actor.id());
}

TEST_P(ExitTest, AnActorWhoseConstructorThrewHasEndedBecauseOfThat) {
  for (const bool ahead : {false, true}) {
    SCOPED_TRACE(ahead ? "a message has come ahead of it" : "");
    Start();
    ToldEnd told;
    Address address;
    const auto what = [&](const Ref<Constructed>& self) {
      address = self.address();
      if (ahead) {
        EXPECT_EQ(self.Tell(Boom{}), Delivery::kAccepted);
      }
      address.WhenEnded(told.Callback());
      throw std::runtime_error("disk full");
    };
    EXPECT_THROW(
        bus()
            .Spawn<Constructed>({.name = "bank/slow", .loop = LoopAt(1)}, what)
            .IgnoreError(),
        std::runtime_error);
    Await(told.told);
    EXPECT_EQ(told.end.reason.kind, Kind::kFailed);
    EXPECT_FALSE(told.end.last.id) << "it has never been an actor";
    EXPECT_EQ(address.Explain(Delivery::kGone).ToString(),
              "NOT_FOUND: bank/slow has ended: its constructor threw");
    EXPECT_EQ(bus().FindAddress("bank/slow").status().code(),
              absl::StatusCode::kNotFound);
    Look();  // a cell is free when its watchers have been told
    EXPECT_EQ(bus().CountActors(), 0u);
    // Also if no record of it is kept.
    Start([](BusOptions& options) { options.ended_actors_kept = 0; });
    const auto just_throw = [&](const Ref<Constructed>& self) {
      address = self.address();
      throw std::runtime_error("disk full");
    };
    EXPECT_THROW(
        bus().Spawn<Constructed>({.loop = LoopAt(1)}, just_throw).IgnoreError(),
        std::runtime_error);
    Look();
    EXPECT_EQ(StateOf(bus())->ExitOf(address.id()).kind, Kind::kFailed);
  }
}

TEST_P(ExitTest, TheLastFiguresOfAnActorAreThoseFromBeforeItsEnd) {
  for (const bool stopped : {true, false}) {
    Start();
    const Ref<Mortal> mortal = *bus().Spawn<Mortal>(
        {.name = "bank/slow", .loop = LoopAt(1), .mailbox_capacity = 77},
        How::kStopped);
    ToldEnd told;
    mortal.address().WhenEnded(told.Callback());
    Look();
    if (stopped) {
      mortal.Stop();
      Await(told.told);
    } else {
      bus().Shutdown(absl::Seconds(60));
    }
    ASSERT_TRUE(told.told.HasBeenNotified());
    const ActorInfo& last = told.end.last;
    EXPECT_EQ(last.id, mortal.id());
    EXPECT_EQ(last.name, "bank/slow");
    EXPECT_EQ(last.state, stopped ? "draining" : "running");
    EXPECT_EQ(last.capacity, 77u);
    EXPECT_EQ(last.start_sequence, 0u);
    EXPECT_NE(last.actor_class, nullptr);
  }
}

// --- A loop that ends by itself, because its poller broke ------------------

enum class When {
  kActorRuns,
  kSpawnIsHandedOver,
  kSpawnIsInAnOutbox,
  kConstructorRuns,
  kConstructorThrows,
};

class BrokenLoopTest : public ExitTest {
 protected:
  // Ends the last loop at this moment of the life of an actor. `ahead`: a
  // message comes ahead of the actor. `watched`: its constructor watches it.
  void EndTheLoop(When when, bool ahead, bool watched) {
    const int loop = loops() - 1;
    const SpawnOptions options = {.name = "bank/slow", .loop = loop};
    ToldEnd told;
    Address address;
    const auto note = [&](const Ref<Constructed>& self) {
      address = self.address();
      if (ahead) {
        EXPECT_EQ(self.Tell(Boom{}), Delivery::kAccepted);
      }
      if (watched) address.WhenEnded(told.Callback());
    };
    const auto end_loop = [&] { LoopOf(bus(), loop).End(); };
    if (when == When::kConstructorRuns) {
      const auto made = bus().Spawn<Constructed>(options, [&](auto self) {
        note(self);
        LoopOf(bus(), loop).RunOnce();
        end_loop();
      });
      EXPECT_EQ(made.status().ToString(),
                absl::StrCat("UNAVAILABLE: loop ", loop,
                             " has ended: its poller broke"));
    } else if (when == When::kConstructorThrows) {
      const auto end_and_throw = [&](const Ref<Constructed>& self) {
        note(self);
        end_loop();
        throw std::runtime_error("disk full");
      };
      EXPECT_THROW(
          bus().Spawn<Constructed>(options, end_and_throw).IgnoreError(),
          std::runtime_error);
    } else if (when == When::kSpawnIsInAnOutbox) {
      auto parent = *bus().Spawn<Parent>({.loop = 0});
      parent.Tell(Parent::Do{[&](Parent& self) {
        EXPECT_TRUE(self.SpawnOne<Constructed>(options, note).ok());
        end_loop();
      }});
      bus().RunUntilIdle();
      parent.Stop();
      bus().RunUntilIdle();
    } else {
      EXPECT_TRUE(bus().Spawn<Constructed>(options, note).ok());
      if (when == When::kActorRuns) bus().RunUntilIdle();
      end_loop();
    }
    EXPECT_EQ(told.times, watched ? 1 : 0);
    EXPECT_EQ(bus().CountActors(), 0u);
    EXPECT_EQ(Ref<Constructed>(address).Tell(Boom{}), Delivery::kGone);
    EXPECT_EQ(address.Explain(Delivery::kGone).ToString(),
              absl::StrCat("NOT_FOUND: bank/slow has ended: ",
                           when == When::kConstructorThrows && !watched
                               ? "its constructor threw"
                               : "its loop ended"));
    EXPECT_EQ(bus().Spawn<Mortal>(options, How::kStopped).status().code(),
              absl::StatusCode::kUnavailable);
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, BrokenLoopTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2}),
                         BusFormName);

TEST_P(BrokenLoopTest, ALoopThatEndsByItselfKeepsNoNameAndNoActor) {
  for (const When when :
       {When::kActorRuns, When::kSpawnIsHandedOver, When::kSpawnIsInAnOutbox,
        When::kConstructorRuns, When::kConstructorThrows}) {
    if (when == When::kSpawnIsInAnOutbox && loops() == 1) continue;
    for (const bool ahead : {false, true}) {
      for (const bool watched : {false, true}) {
        SCOPED_TRACE(absl::StrCat("when ", static_cast<int>(when),
                                  ahead ? ", ahead" : "",
                                  watched ? ", watched" : ""));
        Start();
        EndTheLoop(when, ahead, watched);
        if (loops() == 1) continue;
        // The bus goes on: other loops take actors, and the name is free.
        for (int i = 0; i < 2; ++i) {
          EXPECT_TRUE(bus().Spawn<Mortal>({}, How::kStopped).ok());
        }
        EXPECT_TRUE(
            bus().Spawn<Mortal>({.name = "bank/slow"}, How::kStopped).ok());
      }
    }
  }
}

// An actor of an earlier time was a link that was down. Until the new actor has
// said its link, it counts as connected.
TEST_P(ExitTest, ALinkEntryOfAnEarlierActorOfTheSlotCountsNoMore) {
  Start();
  const Ref<Parent> parent = *bus().Spawn<Parent>({.loop = 0});
  BusState& state = *StateOf(bus());
  absl::Notification done;
  Ref<Mortal> link;
  parent.Tell(Parent::Do{[&](Parent& self) {
    link = *self.SpawnOne<Mortal>({}, How::kStopped);
    state.SetConnected(link.id(), false);
    link.Stop();
  }});
  AskUntil([&] { return Look().actors.size(); },
           [](size_t actors) { return actors == 1; });
  parent.Tell(Parent::Do{[&](Parent& self) {
    const auto look = [&](const Ref<Leading>& next) {
      EXPECT_EQ(next.id().slot(), link.id().slot());
      EXPECT_TRUE(state.IsConnected(next.id()));
    };
    EXPECT_TRUE(self.SpawnOne<Leading>({}, look).ok());
    done.Notify();
  }});
  Await(done);
}

TEST(ExitRecordsTest, P6_ALongTextIsCutBetweenCharacters) {
  ExitRecords exit_records(1);
  std::string text;
  while (text.size() < 3'000'000) text += "\xc3\xa9";
  exit_records.Add(ActorId(0, 1, 1), "x",
                   {.kind = Kind::kFailed, .error = absl::InternalError(text)});
  const auto kept = exit_records.FindName("x");
  ASSERT_TRUE(kept.has_value());
  const std::string cut(kept->reason.error.message());
  EXPECT_EQ(cut, text.substr(0, cut.size() - 3) + "...");
  EXPECT_LE(cut.size(), ExitRecords::kMaxErrorBytes + 3);
  EXPECT_EQ(cut.size() % 2, 1u);  // pairs of bytes, and the three dots
}

}  // namespace
}  // namespace trolley::internal
