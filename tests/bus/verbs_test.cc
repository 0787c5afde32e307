// SPDX-License-Identifier: Apache-2.0
//
// The table of actors/actor.h: what each verb of an actor does at each moment
// of its life. Every cell is tested on every form of a bus. A verb or a moment
// without its cells does not compile.
//
// A failure is a crash, a hang, a sanitizer's report, another result than that
// of the table, or a ledger that does not balance.

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/stream.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"

namespace trolley {
namespace {

enum Moment {
  kConstructor,
  kOnStart,
  kHandler,
  kSuspended,   // a handler that has been resumed
  kBackground,  // a background task that has been resumed
  kOnDrain,
  kOnStop,
  kDestructor,
  kMoments
};
constexpr const char* kMomentNames[kMoments] = {
    "constructor", "OnStart", "handler", "suspended",
    "background",  "OnDrain", "OnStop",  "destructor"};
// How a moment looks in the story of a life.
constexpr char kLetters[kMoments + 1] = "CSHUBDPX";

// What a probe did, seen from outside. Outlives it.
struct Record {
  void Lived(Moment moment) {
    absl::MutexLock lock(&mutex);
    life += kLetters[moment];
  }
  void Say(std::string what) {
    absl::MutexLock lock(&mutex);
    result = std::move(what);
  }
  char LastOfLife() {
    absl::MutexLock lock(&mutex);
    return life.back();
  }
  std::string Result() {
    absl::MutexLock lock(&mutex);
    return result;
  }

  absl::Mutex mutex;
  std::string life ABSL_GUARDED_BY(mutex);
  std::string result ABSL_GUARDED_BY(mutex);
  std::atomic<int> ticks = 0;
  std::atomic<int> tasks_run = 0;
  absl::Notification spoken;  // the moment of the verb has passed
  absl::Notification gone;
  // Copies are held by the messages and tasks that the verb begins.
  std::shared_ptr<int> token = std::make_shared<int>(0);
};

struct Tick {
  std::shared_ptr<int> token;
};
struct Go {};

class Child : public Actor {
 public:
  void On(const Tick&) {}
};

class Probe : public Actor {
 public:
  using Act = std::string (*)(Probe&);

  Probe(Record* record, Moment when, Act act)
      : record(*record), when_(when), act_(act) {
    Pass(kConstructor);
  }
  ~Probe() override {
    Pass(kDestructor);
    if (!record.spoken.HasBeenNotified()) record.spoken.Notify();
    record.gone.Notify();
  }

  void On(const Tick&) { ++record.ticks; }
  Task<absl::Status> On(Go) {
    Pass(kHandler);
    co_await Sleep(absl::Nanoseconds(1));
    Pass(kSuspended);
    co_return absl::OkStatus();
  }

  // What is protected in an actor, for the verbs below.
  using Actor::address;
  using Actor::askers;
  using Actor::CancelTimer;
  using Actor::context;
  using Actor::deadline;
  using Actor::exit_reason;
  using Actor::HoldMailbox;
  using Actor::is_ask;
  using Actor::RunInBackground;
  using Actor::sender;
  using Actor::SetTrace;
  using Actor::Sleep;
  using Actor::Spawn;
  using Actor::Stop;
  using Actor::TellLast;
  using Actor::trace;
  Ref<Probe> self() const { return Self(this); }
  TimerId TickAfter(absl::Duration after) {
    return TellAfter(this, after, Tick{record.token});
  }
  Task<absl::Status> RunTask(std::shared_ptr<int> /*held*/,
                             absl::Status result) {
    ++record.tasks_run;
    co_await Sleep(absl::ZeroDuration());
    co_return result;
  }
  Task<absl::Status> FailAtOnce(std::shared_ptr<int> /*held*/) {
    ++record.tasks_run;
    co_return absl::InternalError("this task fails");
  }

  Record& record;

 protected:
  void OnStart() override {
    Pass(kOnStart);
    if (when_ == kBackground) RunInBackground(Later());
  }
  void OnDrain() override { Pass(kOnDrain); }
  void OnStop() override { Pass(kOnStop); }

 private:
  Task<absl::Status> Later() {
    co_await Sleep(absl::ZeroDuration());
    Pass(kBackground);
    co_return absl::OkStatus();
  }
  void Pass(Moment moment) {
    record.Lived(moment);
    if (moment != when_) return;
    record.Say(act_(*this));
    if (!record.spoken.HasBeenNotified()) record.spoken.Notify();
  }

  const Moment when_;
  const Act act_;
};

// What is looked at when the probe has gone: its life, or the result.
enum Look { kResult, kLife, kTicks, kTasks };

struct Verb {
  const char* name;
  Look look;
  Probe::Act act;
  std::array<const char*, kMoments> expected;  // "": either will do
  // The result in an object that no Spawn() made; "dies": the program ends,
  // with a word on why; "": not a verb of its own.
  const char* of_no_bus;
};

std::string Code(const absl::Status& status) {
  return absl::StatusCodeToString(status.code());
}

const Verb kVerbs[] = {
    {"Self",
     kResult,
     [](Probe& p) { return p.self().address().ToString(); },
     {"probe", "probe", "probe", "probe", "probe", "probe", "probe", "probe"},
     "no actor"},
    {"context",
     kResult,
     [](Probe& p) { return absl::StrCat("loop ", p.context().loop_index()); },
     {"loop 0", "loop 0", "loop 0", "loop 0", "loop 0", "loop 0", "loop 0",
      "loop 0"},
     "dies"},
    {"deadline and trace",
     kResult,
     [](Probe& p) -> std::string {
       const bool traced = p.trace().valid();
       EXPECT_EQ(traced, !p.deadline().is_infinite());
       EXPECT_FALSE(p.sender());
       return traced ? "in hand" : "none";
     },
     {"none", "none", "in hand", "in hand", "none", "none", "none", "none"},
     "none"},
    {"SetTrace",
     kResult,
     [](Probe& p) -> std::string {
       TraceContext other;
       other.trace_id[0] = other.span_id[0] = 9;
       p.SetTrace(other);
       return p.trace() == other ? "set" : "nothing";
     },
     {"nothing", "nothing", "set", "set", "nothing", "nothing", "nothing",
      "nothing"},
     "nothing"},
    {"Stop",
     kLife,
     [](Probe& p) -> std::string {
       p.Stop();
       return "nothing";
     },
     {"CX", "CSPX", "CSHPX", "CSHUPX", "", "CSHUDPX", "CSHUDPX", "CSHUDPX"},
     "nothing"},
    {"Ref::Stop",
     kLife,
     [](Probe& p) -> std::string {
       p.self().Stop();
       return "nothing";
     },
     {"CSPX", "CSPX", "CSHPX", "CSHUPX", "", "CSHUDPX", "CSHUDPX", "CSHUDPX"},
     "nothing"},
    {"throws",
     kLife,
     [](Probe& p) -> std::string {
       if (p.record.LastOfLife() == 'X') return "nothing";  // it may not there
       throw std::runtime_error("this probe throws");
     },
     {"C", "CSX", "CSHPX", "CSHUPX", "", "CSHUDPX", "CSHUDPX", "CSHUDPX"},
     ""},
    {"TellAfter, at once",
     kTicks,
     [](Probe& p) -> std::string {
       p.TickAfter(absl::ZeroDuration());
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "", "0", "0"},
     "nothing"},
    {"TellAfter, later",
     kTicks,
     [](Probe& p) -> std::string {
       p.TickAfter(absl::InfiniteDuration());
       return "nothing";
     },
     {"0", "0", "0", "0", "0", "0", "0", "0"},
     "nothing"},
    {"CancelTimer",
     kResult,
     [](Probe& p) -> std::string {
       const TimerId id = p.TickAfter(absl::ZeroDuration());
       const bool cancelled = p.CancelTimer(id);
       EXPECT_FALSE(p.CancelTimer(id)) << "twice";
       return cancelled ? "cancelled" : "nothing";
     },
     {"cancelled", "cancelled", "cancelled", "cancelled", "cancelled",
      "cancelled", "cancelled", "nothing"},
     "nothing"},
    {"RunInBackground",
     kTasks,
     [](Probe& p) -> std::string {
       p.RunInBackground(p.RunTask(p.record.token, absl::OkStatus()));
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "1", "1", "0"},
     "nothing"},
    {"RunInBackground of what fails at once",
     kLife,
     [](Probe& p) -> std::string {
       p.RunInBackground(p.FailAtOnce(p.record.token));
       return "nothing";
     },
     {"CSPX", "CSPX", "CSHPX", "CSHUPX", "", "CSHUDPX", "CSHUDPX", "CSHUDPX"},
     "nothing"},
    {"RunInBackground of what fails later",
     kTasks,
     [](Probe& p) -> std::string {
       p.RunInBackground(
           p.RunTask(p.record.token, absl::InternalError("fails later")));
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "1", "1", "0"},
     "nothing"},
    {"Spawn",
     kResult,
     [](Probe& p) -> std::string {
       absl::StatusOr<Ref<Child>> child = p.Spawn<Child>({});
       if (!child.ok()) return Code(child.status());
       child->Tell(Tick{p.record.token});
       return absl::StrCat("loop ", child->id().loop());
     },
     {"loop 0", "loop 0", "loop 0", "loop 0", "loop 0", "loop 0", "loop 0",
      "loop 0"},
     "FAILED_PRECONDITION"},
    {"Tell to itself",
     kTicks,
     [](Probe& p) -> std::string {
       p.self().Tell(Tick{p.record.token});
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "", "0", "0"},
     "nothing"},
    {"TellLast to itself",
     kResult,
     [](Probe& p) -> std::string {
       return std::string(
           DeliveryName(p.TellLast(p.self(), Tick{p.record.token})));
     },
     {"accepted", "accepted", "accepted", "accepted", "accepted", "accepted",
      "accepted", "accepted"},
     "gone"},
    {"exit_reason",
     kResult,
     [](Probe& p) -> std::string { return p.exit_reason().ToString(); },
     {"", "", "", "", "", "", "its bus shut down", "its bus shut down"},
     ""},
    {"Ask without co_await",
     kResult,
     [](Probe& p) -> std::string {
       auto asking = p.self().Ask(Tick{p.record.token}, absl::Hours(1));
       return asking.await_ready() ? "refused" : "sent";
     },
     // In a handler, it would be a cycle.
     {"refused", "sent", "refused", "refused", "sent", "sent", "sent", "sent"},
     "refused"},
    {"AskWhenRoom without co_await",
     kResult,
     [](Probe& p) -> std::string {
       auto asking = p.self().AskWhenRoom(Tick{p.record.token}, absl::Hours(1));
       return asking.await_ready() ? "refused" : "sent";
     },
     {"refused", "sent", "refused", "refused", "sent", "sent", "sent", "sent"},
     "refused"},
    {"AskThen to itself",
     kTicks,
     [](Probe& p) -> std::string {
       p.self().AskThen(Tick{p.record.token}, absl::Hours(1),
                        [](absl::Status) {});
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "", "0", "0"},
     "nothing"},
    {"Send to itself",
     kResult,
     [](Probe& p) -> std::string {
       auto sending = p.self().Send(Tick{p.record.token});
       return Code(sending.await_resume());
     },
     {"FAILED_PRECONDITION", "OK", "OK", "OK", "OK", "", "OK", "OK"},
     "NOT_FOUND"},
    {"SendWithin to itself",
     kResult,
     [](Probe& p) -> std::string {
       auto sending = p.self().SendWithin(Tick{p.record.token}, absl::Hours(1));
       return Code(sending.await_resume());
     },
     {"FAILED_PRECONDITION", "OK", "OK", "OK", "OK", "", "OK", "OK"},
     "NOT_FOUND"},
    {"TellWith to itself",
     kTicks,
     [](Probe& p) -> std::string {
       p.self().TellWith({}, Tick{p.record.token});
       return "nothing";
     },
     {"1", "1", "1", "1", "1", "", "0", "0"},
     "nothing"},
    {"is_ask and askers",
     kResult,
     [](Probe& p) -> std::string {
       return absl::StrCat(p.is_ask() ? "an ask" : "no ask", ", ",
                           p.askers().size(), " askers");
     },
     {"no ask, 0 askers", "no ask, 0 askers", "no ask, 0 askers",
      "no ask, 0 askers", "no ask, 0 askers", "no ask, 0 askers",
      "no ask, 0 askers", "no ask, 0 askers"},
     "no ask, 0 askers"},
    {"Sleep without co_await",
     kResult,
     [](Probe& p) -> std::string {
       auto sleeping = p.Sleep(absl::Hours(1));
       static_cast<void>(sleeping);
       return "nothing";
     },
     {"nothing", "nothing", "nothing", "nothing", "nothing", "nothing",
      "nothing", "nothing"},
     "dies"},
    {"HoldMailbox",
     kResult,
     [](Probe& p) -> std::string {
       try {
         p.HoldMailbox();
         return "held";
       } catch (const std::logic_error&) {
         return "refused";
       }
     },
     {"refused", "refused", "held", "held", "refused", "refused", "refused",
      "refused"},
     "refused"},
    {"AskAndWait",
     kResult,
     [](Probe& p) -> std::string {
       return Code(
           p.self().AskAndWait(Tick{p.record.token}, absl::ZeroDuration()));
     },
     {"", "FAILED_PRECONDITION", "FAILED_PRECONDITION", "FAILED_PRECONDITION",
      "FAILED_PRECONDITION", "FAILED_PRECONDITION", "FAILED_PRECONDITION",
      "FAILED_PRECONDITION"},
     "NOT_FOUND"},
    {"Stream",
     kResult,
     [](Probe& p) -> std::string {
       int fds[2];
       EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                            0, fds),
                 0);
       Sys& sys = p.context().sys();
       ScopedFd(RealSys(), fds[1]);
       Stream stream(p.context(), ScopedFd(RealSys(), fds[0]));
       return &stream.sys() == &sys ? "made" : "of another bus";
     },
     {"made", "made", "made", "made", "made", "made", "made", "made"},
     "dies"},
};

// Spawns a probe: from the thread of the test, or from an actor.
class Spawner : public Actor {
 public:
  using Made = std::function<void(absl::StatusOr<Ref<Probe>>)>;
  struct Make {
    Record* record;
    Moment when;
    Probe::Act act;
    Made made;
  };
  void On(const Make& m) {
    try {
      m.made(
          Spawn<Probe>({.name = "probe", .loop = 0}, m.record, m.when, m.act));
    } catch (const std::runtime_error&) {
      m.made(absl::InternalError("the constructor threw"));
    }
  }
};

class VerbsTest : public BusFixture {
 protected:
  // Plays one cell. `from`: the loop of the actor that spawns; -1: none does.
  void Play(const Verb& verb, Moment when, int from) {
    SCOPED_TRACE(absl::StrCat(verb.name, " in the ", kMomentNames[when],
                              ", spawned from ", from));
    Bus& bus = Start();
    auto record = std::make_unique<Record>();
    const absl::StatusOr<Ref<Probe>> probe =
        from < 0 ? SpawnHere(bus, *record, verb, when)
                 : SpawnFrom(bus, from, *record, verb, when);
    if (probe.ok()) {
      TraceContext trace;
      trace.trace_id[0] = trace.span_id[0] = 7;
      probe->TellWith({.deadline = StateOf(bus)->clock().Now() + absl::Hours(1),
                       .trace = trace},
                      Go{});
      // A moment of the end comes with the end.
      if (when < kOnDrain) Await(record->spoken);
      AwaitQuiet();
      bus.Shutdown(absl::Seconds(10));
      Await(record->gone);
    }
    const ShutdownReport report = bus.Shutdown(absl::Seconds(10));
    EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
    EXPECT_TRUE(report.survivors.empty()) << report.ToString();
    Destroy();
    EXPECT_EQ(record->token.use_count(), 1) << "something was kept";
    const std::string expected = verb.expected[when];
    if (!expected.empty()) {
      EXPECT_EQ(Found(verb.look, *record), expected);
    }
  }

 private:
  // Until what is due now has been done: a look goes through each loop.
  void AwaitQuiet() {
    if (simulated()) return Settle();
    for (uint64_t before = ~uint64_t{0};;) {
      Look();
      const Ledger now = bus().ReadLedger();
      if (now.queued() == 0 && now.handled == before) return;
      before = now.handled;
    }
  }
  static absl::StatusOr<Ref<Probe>> SpawnHere(Bus& bus, Record& record,
                                              const Verb& verb, Moment when) {
    try {
      return bus.Spawn<Probe>({.name = "probe", .loop = 0}, &record, when,
                              verb.act);
    } catch (const std::runtime_error&) {
      return absl::InternalError("the constructor threw");
    }
  }
  absl::StatusOr<Ref<Probe>> SpawnFrom(Bus& bus, int loop, Record& record,
                                       const Verb& verb, Moment when) {
    auto spawner = bus.Spawn<Spawner>({.loop = loop});
    EXPECT_TRUE(spawner.ok()) << spawner.status();
    absl::StatusOr<Ref<Probe>> result;
    absl::Notification made;
    spawner->Tell(Spawner::Make{&record, when, verb.act,
                                [&](absl::StatusOr<Ref<Probe>> probe) {
                                  result = std::move(probe);
                                  made.Notify();
                                }});
    Await(made);
    return result;
  }
  static std::string Found(enum Look look, Record& record) {
    absl::MutexLock lock(&record.mutex);
    switch (look) {
      case kResult:
        return record.result;
      case kLife:
        return record.life;
      case kTicks:
        return absl::StrCat(record.ticks.load());
      case kTasks:
        return absl::StrCat(record.tasks_run.load());
    }
    return "";
  }
};
TROLLEY_FOR_EACH_BUS(VerbsTest);

TEST_P(VerbsTest, EveryVerbDoesWhatTheTableSaysAtEveryMoment) {
  for (const Verb& verb : kVerbs) {
    for (int when = 0; when < kMoments; ++when) {
      Play(verb, static_cast<Moment>(when), /*from=*/-1);
    }
  }
}

TEST_P(VerbsTest, AConstructorRunByAnActorSpeaksForTheNewborn) {
  for (const Verb& verb : kVerbs) {
    // Loop 0 is where the probe lives; the last is another, if there is one.
    for (int from : {0, LoopAt(2)}) Play(verb, kConstructor, from);
  }
}

TEST(VerbsWithoutABusTest, EveryVerbOfAnObjectOfNoBusIsHarmlessOrSaysWhy) {
  for (const Verb& verb : kVerbs) {
    SCOPED_TRACE(verb.name);
    const std::string expected = verb.of_no_bus;
    if (expected.empty()) continue;
    Record record;
    if (expected == "dies") {
      EXPECT_DEATH(Probe(&record, kConstructor, verb.act),
                   "no Spawn\\(\\) has made an actor");
      continue;
    }
    Probe(&record, kConstructor, verb.act);
    EXPECT_EQ(record.Result(), expected);
    EXPECT_EQ(record.ticks, 0);
    EXPECT_EQ(record.tasks_run, 0);
    EXPECT_EQ(record.token.use_count(), 1);
  }
}

// Its end makes another, for ever.
class Hydra : public Actor {
 public:
  explicit Hydra(std::atomic<int>* born) : born_(*born) { ++born_; }
  ~Hydra() override { Spawn<Hydra>({}, &born_).IgnoreError(); }
  void On(const Go&) {}

 private:
  std::atomic<int>& born_;
};

TEST_P(VerbsTest, AnActorWhoseEndSpawnsAnotherCannotKeepTheBus) {
  Bus& bus = Start();
  std::atomic<int> born = 0;
  ASSERT_TRUE(bus.Spawn<Hydra>({}, &born).ok());
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(10)).survivors.empty());
  Destroy();
  EXPECT_GE(born, 2);
}

class Thrower : public Actor {
 public:
  explicit Thrower(bool throws) {
    Self(this).Tell(Go{});
    TellAfter(this, absl::Hours(1), Go{});
    EXPECT_TRUE(Spawn<Child>({}).ok());
    if (throws) throw std::runtime_error("no actor after all");
  }
  void On(const Go&) {}
};

TEST_P(VerbsTest, AConstructorThatThrowsLeavesNothingBehind) {
  Bus& bus = Start([](BusOptions& options) {
    for (LoopOptions& loop : options.loops) loop.max_actors = 24;
  });
  for (int round = 0; round < 10; ++round) {
    EXPECT_THROW(
        bus.Spawn<Thrower>({.name = "thrower", .loop = 0}, true).IgnoreError(),
        std::runtime_error);
    EXPECT_FALSE(bus.Find<Thrower>("thrower").ok());
    Look();  // its loop has heard of it
  }
  // Ten children live; the cells of the ten that threw are free again.
  for (int i = 0; i < 7; ++i) {
    const auto spawned = bus.Spawn<Thrower>({.loop = 0}, false);
    EXPECT_TRUE(spawned.ok()) << spawned.status();
  }
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(10)).ledger.Balances());
}

}  // namespace
}  // namespace trolley
