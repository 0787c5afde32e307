// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in coroutines that no compiler sees. Each ends its actor with a text
// that explains it, or gives a Status; none is undefined behaviour. Also: code
// that looks like a mistake but is allowed.

#include <fcntl.h>

#include <cerrno>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/async_mutex.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/stream.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/interleaved.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

constexpr char kSentence[] = "works in a coroutine handler only";

struct Answer {};
struct Go {};

class Target : public Actor {
 public:
  explicit Target(absl::Duration after = absl::ZeroDuration())
      : after_(after) {}
  MaybeTask<int> On(Answer) {
    if (after_ > absl::ZeroDuration()) return Later();
    return 42;
  }

 private:
  Task<int> Later() {
    co_await Sleep(after_);
    co_return 42;
  }
  const absl::Duration after_;
};

// A coroutine that the library does not run: it starts at once, and destroys
// itself.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { thrown = std::current_exception(); }
  };
  // What the last one threw.
  static void Rethrow() {
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  static inline std::exception_ptr thrown;
};

class MisuseTest : public BusFixture {
 protected:
  void SetUp() override {
    // Every line is looked at.
    Start([](BusOptions& options) {
      options.log_limits.interval = absl::ZeroDuration();
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, MisuseTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2}),
                         BusFormName);

// --- Awaited where no handler is in hand ---

// What can be awaited, once each.
class Awaiters : public Actor {
 public:
  enum Kind { kAsk, kSend, kSleep, kWait, kTurn, kRead, kCall, kHold, kKinds };

  Awaiters(Kind kind, Ref<Target> target) : kind_(kind), target_(target) {}
  ~Awaiters() override { ++ended; }

  void On(Go) {
    if (kind_ == kHold) return HoldMailbox();
    Awaited(*this);
    Detached::Rethrow();
  }
  // The same, from OnStart.
  void OnStart() override {
    if (from_start) On(Go{});
  }

  static inline bool from_start = false;
  static inline int ended = 0;
  static inline int went_on = 0;

 private:
  Detached Awaited(Awaiters& self) {
    Stream stream(context(), Pipe());
    char byte[1];
    // Full, so that a send has to wait.
    while (target_.Tell(Answer{}) == Delivery::kAccepted) {
    }
    AsyncCondition signal;
    AsyncMutex mutex;
    auto held = mutex.Acquire();
    held.await_ready();
    switch (kind_) {
      case kAsk:
        (void)co_await Ask_();
        break;
      case kSend:
        (void)co_await target_.Send(Answer{});
        break;
      case kSleep:
        co_await self.Sleep(absl::Seconds(1));
        break;
      case kWait:
        co_await signal.Wait();
        break;
      case kTurn:
        (void)co_await mutex.Acquire();
        break;
      case kRead:
        (void)co_await stream.Read(absl::MakeSpan(byte));
        break;
      case kCall:
        (void)co_await stream.Do(Ready::kReadable, SysCall::kRead,
                                 [] { return -EAGAIN; });
        break;
      default:
        break;
    }
    ++went_on;
  }
  // Of an actor that is not full.
  AskAwaiter<absl::StatusOr<int>> Ask_() {
    return (*Spawn<Target>({})).Ask(Answer{}, absl::Seconds(1));
  }
  ScopedFd Pipe() {
    int ends[2];
    Sys& sys = context().sys();
    sys.Pipe2(ends, O_NONBLOCK | O_CLOEXEC);
    writer_ = ScopedFd(sys, ends[1]);
    return ScopedFd(sys, ends[0]);
  }

  const Kind kind_;
  Ref<Target> target_;
  ScopedFd writer_;
};

TEST_P(MisuseTest, P8_WhatIsAwaitedOutsideAHandlerEndsItsActor) {
  int lines = 0;
  for (bool from_start : {false, true}) {
    Awaiters::from_start = from_start;
    for (int kind = 0; kind < Awaiters::kKinds; ++kind) {
      SCOPED_TRACE(testing::Message()
                   << "kind " << kind << (from_start ? " in OnStart" : ""));
      Awaiters::ended = Awaiters::went_on = 0;
      auto target =
          *bus().Spawn<Target>({.loop = LoopAt(1), .mailbox_capacity = 4});
      auto actor = *bus().Spawn<Awaiters>(
          {.loop = 0}, static_cast<Awaiters::Kind>(kind), target);
      actor.Tell(Go{});
      Settle();
      EXPECT_EQ(Awaiters::ended, 1);
      EXPECT_EQ(Awaiters::went_on, 0);
      EXPECT_EQ(log().Count({kSentence}), ++lines);
      EXPECT_EQ(LoopOf(bus(), 0).router().reply_slots().used(), 0u);
      target.Stop();
      Settle();
    }
  }
  EXPECT_TRUE(bus().Shutdown(absl::Seconds(1)).clean);
  EXPECT_TRUE(bus().ReadLedger().Balances()) << bus().ReadLedger().ToString();
}

TEST_P(MisuseTest, WhatIsAwaitedOnAThreadWithoutALoopThrowsThere) {
  AsyncCondition signal;
  const auto wait = [&signal]() -> Detached { co_await signal.Wait(); };
  wait();
  EXPECT_THROW(Detached::Rethrow(), std::logic_error);
  const auto task = []() -> Task<> { co_return; };
  const auto await = [&task]() -> Task<> { co_await task(); };
  // A task that no loop runs as a handler.
  Task<> outer = await();
  auto frame = outer.Release();
  frame.resume();
  EXPECT_TRUE(frame.done());
  EXPECT_THROW(frame.promise().Result(), std::logic_error);
  frame.destroy();
  // These say so by their result.
  auto target = *bus().Spawn<Target>({});
  std::optional<absl::Status> asked, sent;
  const auto verbs = [&]() -> Detached {
    asked = (co_await target.Ask(Answer{}, absl::Seconds(1))).status();
    sent = co_await target.Send(Answer{});
  };
  verbs();
  EXPECT_EQ(asked->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(sent->code(), absl::StatusCode::kFailedPrecondition);
}

// --- An operation that is awaited again, by two, or by another actor ---

class Twice : public Actor {
 public:
  struct Ask {};
  struct AskOfNobody {};
  struct Send {};
  struct SendToNobody {};
  struct Task_ {};
  struct Both {};

  Twice(Ref<Target> target, std::vector<absl::Status>* heard)
      : target_(target), heard_(*heard) {}
  Task<> On(Ask) {
    auto ask = target_.Ask(Answer{}, absl::Seconds(1));
    heard_.push_back((co_await ask).status());
    heard_.push_back((co_await ask).status());
  }
  Task<> On(AskOfNobody) {
    auto ask = Ref<Target>().Ask(Answer{}, absl::Seconds(1));
    heard_.push_back((co_await ask).status());
    heard_.push_back((co_await ask).status());
  }
  Task<> On(Send) {
    auto send = target_.Send(Answer{});
    heard_.push_back(co_await send);
    heard_.push_back(co_await send);
  }
  Task<> On(SendToNobody) {
    auto send = Ref<Target>().Send(Answer{});
    heard_.push_back(co_await send);
    heard_.push_back(co_await send);
  }
  Task<> On(Both) {
    auto ask = target_.Ask(Answer{}, absl::Seconds(1));
    RunInBackground([&ask, this]() -> Task<absl::Status> {
      auto& same = ask;
      heard_.push_back((co_await same).status());  // the first to wait
      co_return absl::OkStatus();
    });
    heard_.push_back((co_await ask).status());
    co_await Sleep(absl::Seconds(2));
  }
  Task<> On(Task_) {
    Task<> task = Nothing();
    co_await std::move(task);
    co_await std::move(task);
  }

 private:
  Task<> Nothing() { co_return; }

  Ref<Target> target_;
  std::vector<absl::Status>& heard_;
};

template <typename M>
std::vector<absl::StatusCode> Heard(Bus& bus, int loop,
                                    const std::function<void()>& settle) {
  std::vector<absl::Status> heard;
  auto target = *bus.Spawn<Target>({.loop = loop});
  (*bus.Spawn<Twice>({.loop = 0}, target, &heard)).template Tell<M>();
  settle();
  std::vector<absl::StatusCode> codes;
  for (const absl::Status& status : heard) codes.push_back(status.code());
  return codes;
}

TEST_P(MisuseTest, AnOperationResolvesOnce) {
  using absl::StatusCode;
  using testing::ElementsAre;
  const auto settle = [this] { Settle(); };
  EXPECT_THAT(Heard<Twice::Ask>(bus(), LoopAt(1), settle),
              ElementsAre(StatusCode::kOk, StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      Heard<Twice::AskOfNobody>(bus(), LoopAt(1), settle),
      ElementsAre(StatusCode::kNotFound, StatusCode::kFailedPrecondition));
  EXPECT_THAT(Heard<Twice::Send>(bus(), LoopAt(1), settle),
              ElementsAre(StatusCode::kOk, StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      Heard<Twice::SendToNobody>(bus(), LoopAt(1), settle),
      ElementsAre(StatusCode::kNotFound, StatusCode::kFailedPrecondition));
  EXPECT_THAT(Heard<Twice::Both>(bus(), LoopAt(1), settle),
              ElementsAre(StatusCode::kFailedPrecondition, StatusCode::kOk));
  EXPECT_THAT(Heard<Twice::Task_>(bus(), LoopAt(1), settle), ElementsAre());
  EXPECT_EQ(log().Count({"a Task is awaited once"}), 1);
}

// Runs a task that it has awaited before.
class RunsAgain : public Actor {
 public:
  Task<> On(Go) {
    Task<absl::Status> task = Nothing();
    (co_await std::move(task)).IgnoreError();
    RunInBackground(std::move(task));
  }

 private:
  Task<absl::Status> Nothing() { co_return absl::OkStatus(); }
};

TEST_P(MisuseTest, P8_ATaskThatHasRunEndsTheActorThatRunsItAgain) {
  auto actor = *bus().Spawn<RunsAgain>({});
  actor.Tell(Go{});
  Settle();
  EXPECT_EQ(actor.Tell(Go{}), Delivery::kGone);
  EXPECT_EQ(log().Count({"a Task runs once"}), 1);
}

#ifndef NDEBUG
TEST(AsyncConditionTest, ResumeOneNeedsACoroutineThatWaits) {
  AsyncCondition condition;
  EXPECT_DEATH(condition.ResumeOne(), "no coroutine waits");
}
#endif

// Awaits what another actor of its loop has asked.
class Thief : public Actor {
 public:
  explicit Thief(AskAwaiter<absl::StatusOr<int>>** ask) : ask_(*ask) {}
  Task<> On(Go) {
    auto& ask = *ask_;
    (void)co_await ask;
  }

 private:
  AskAwaiter<absl::StatusOr<int>>*& ask_;
};
class Lender : public Actor {
 public:
  Lender(Ref<Target> target, Ref<Thief> thief,
         AskAwaiter<absl::StatusOr<int>>** ask, absl::Status* heard)
      : target_(target), thief_(thief), ask_(*ask), heard_(*heard) {}
  Task<> On(Go) {
    auto ask = target_.Ask(Answer{}, absl::Seconds(1));
    ask_ = &ask;
    thief_.Tell(Go{});
    co_await Sleep(absl::ZeroDuration());
    heard_ = (co_await ask).status();
  }

 private:
  Ref<Target> target_;
  Ref<Thief> thief_;
  AskAwaiter<absl::StatusOr<int>>*& ask_;
  absl::Status& heard_;
};

TEST_P(MisuseTest, P8_AnAskOfAnotherActorIsNotAwaited) {
  AskAwaiter<absl::StatusOr<int>>* ask = nullptr;
  absl::Status heard = absl::UnknownError("nothing yet");
  const Ref<Target> target =
      *bus().Spawn<Target>({.loop = LoopAt(1)}, absl::Milliseconds(1));
  auto thief = *bus().Spawn<Thief>({.loop = 0}, &ask);
  auto lender = *bus().Spawn<Lender>({.loop = 0}, target, thief, &ask, &heard);
  lender.Tell(Go{});
  Settle();
  EXPECT_TRUE(heard.ok()) << heard;
  EXPECT_EQ(thief.Tell(Go{}), Delivery::kGone);
  EXPECT_EQ(log().Count({kSentence}), 1);
}

// --- The verbs of an actor on the thread of another loop ---

// Calls its verbs where another actor has ended.
class Misplaced : public Actor {
 public:
  enum Verb { kStop, kTell, kCancel, kRun, kSpawn, kContext, kTrace, kVerbs };

  explicit Misplaced(int* calls) : calls_(*calls) {}
  void On(Go) {}
  void On(const Address& other) {
    other.WhenEnded([this](const ActorEnd&) {
      for (int verb = 0; verb < kVerbs; ++verb) {
        EXPECT_DEATH(Call(static_cast<Verb>(verb)), "not that of its loop")
            << verb;
        ++calls_;
      }
    });
  }

 private:
  void Call(Verb verb) {
    switch (verb) {
      case kStop:
        return Stop();
      case kTell:
        TellAfter(this, absl::Hours(1), Go{});
        return;
      case kCancel:
        CancelTimer(TimerId{1});
        return;
      case kRun:
        return RunInBackground(
            []() -> Task<absl::Status> { co_return absl::OkStatus(); });
      case kSpawn:
        return Spawn<Target>({}).IgnoreError();
      case kContext:
        (void)context().Now();
        return;
      case kTrace:
        return SetTrace({});
      case kVerbs:
        return;
    }
  }

  int& calls_;
};

TEST_P(MisuseTest, AVerbOnTheThreadOfAnotherLoopEndsTheProgramWithAReason) {
  if (loops() == 1) GTEST_SKIP() << "there is no other loop";
  int calls = 0;
  auto target = *bus().Spawn<Target>({.loop = 1});
  auto misplaced = *bus().Spawn<Misplaced>({.loop = 0}, &calls);
  misplaced.Tell(target.address());
  Settle();
  target.Stop();
  Settle();
  EXPECT_EQ(calls, Misplaced::kVerbs);
  // It is as it was.
  EXPECT_EQ(misplaced.Tell(Go{}), Delivery::kAccepted);
  Settle();
}

TEST_P(MisuseTest, AVerbOnALoopOfAnotherBusEndsTheProgramWithAReason) {
  BusOptions options;
  options.for_tests.single_threaded = true;
  const auto other = *Bus::Create(std::move(options));
  int calls = 0;
  auto target = *other->Spawn<Target>({});
  auto misplaced = *bus().Spawn<Misplaced>({.loop = 0}, &calls);
  // The two have the same id.
  EXPECT_EQ(target.id(), misplaced.id());
  misplaced.Tell(target.address());
  Settle();
  other->RunUntilIdle();
  target.Stop();
  other->RunUntilIdle();
  EXPECT_EQ(calls, Misplaced::kVerbs);
}

// --- HoldMailbox ---

class Holder : public Actor {
 public:
  struct Background {};
  struct Late {
    int number;
  };
  explicit Holder(std::vector<int>* seen) : seen_(*seen) {}
  void On(Background) {
    RunInBackground([this]() -> Task<absl::Status> {
      HoldMailbox();
      co_return absl::OkStatus();
    });
  }
  // Holds it when it has waited once.
  Task<> On(Late m) {
    co_await Sleep(absl::Seconds(1));
    HoldMailbox();
    seen_.push_back(m.number);
    if (m.number == 3) Self(this).Tell(7);
    co_await Sleep(absl::Seconds(m.number));
    seen_.push_back(-m.number);
  }
  void On(int number) { seen_.push_back(number); }

 private:
  std::vector<int>& seen_;
};

// An object of an actor's class that was not spawned has no mailbox, also in a
// coroutine handler of an actor.
class Impostor : public Actor {
 public:
  Task<> On(Go) {
    co_await Sleep(absl::ZeroDuration());
    NotSpawned object;
    object.Hold();
  }

 private:
  struct NotSpawned : Actor {
    void Hold() { HoldMailbox(); }
  };
};

TEST_P(MisuseTest, P8_AnObjectThatIsNoActorHasNoMailboxToHold) {
  auto impostor = *bus().Spawn<Impostor>({});
  impostor.Tell(Go{});
  Settle();
  EXPECT_EQ(impostor.Tell(Go{}), Delivery::kGone);
  EXPECT_EQ(log().Count({"HoldMailbox()", kSentence}), 1);
}

TEST_P(MisuseTest, P8_ABackgroundTaskHasNoMailboxToHold) {
  std::vector<int> seen;
  auto holder = *bus().Spawn<Holder>({}, &seen);
  holder.Tell(Holder::Background{});
  Settle();
  EXPECT_EQ(holder.Tell(1), Delivery::kGone);
  EXPECT_EQ(log().Count({"HoldMailbox()", kSentence}), 1);
}

TEST_P(MisuseTest, P1_AHandlerMayHoldItsMailboxAfterItHasWaited) {
  std::vector<int> seen;
  auto holder = SpawnInterleaved<Holder>(bus(), {}, &seen);
  holder.Tell(Holder::Late{3});
  holder.Tell(Holder::Late{5});
  Settle();
  // The mailbox is held until both are over.
  EXPECT_THAT(seen, testing::ElementsAre(3, 5, -3, -5, 7));
}

// --- Coroutines without an end, or without what they captured ---

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wreturn-type"
class Endless : public Actor {
 public:
  struct AtOnce {};
  struct Later {};
  struct Inner {};
  Task<int> On(AtOnce) {
    if (!bus_ends_) co_await std::suspend_never();
  }
  Task<int> On(Later) { co_await Sleep(absl::Seconds(1)); }
  Task<int> On(Inner) { co_return co_await Nothing(); }

 private:
  Task<int> Nothing() { co_await Sleep(absl::Seconds(1)); }
  bool bus_ends_ = false;
};
#pragma GCC diagnostic pop

template <typename M>
class AsksEndless : public Actor {
 public:
  AsksEndless(Ref<Endless> endless, absl::Status* heard)
      : endless_(endless), heard_(*heard) {}
  Task<> On(Go) {
    const absl::StatusOr<int> answer =
        co_await endless_.template Ask<M>(absl::InfiniteDuration());
    heard_ = answer.status();
  }

 private:
  Ref<Endless> endless_;
  absl::Status& heard_;
};

template <typename M>
absl::Status AskEndless(Bus& bus, int loop,
                        const std::function<void()>& settle) {
  absl::Status heard;
  auto endless = *bus.Spawn<Endless>({.loop = loop});
  (*bus.Spawn<AsksEndless<M>>({.loop = 0}, endless, &heard)).Tell(Go{});
  settle();
  EXPECT_EQ(endless.Tell(M{}), Delivery::kGone);
  return heard;
}

TEST_P(MisuseTest, P8_ACoroutineWithoutItsCoReturnHasThrown) {
  const auto settle = [this] { Settle(); };
  for (const absl::Status& heard :
       {AskEndless<Endless::AtOnce>(bus(), LoopAt(1), settle),
        AskEndless<Endless::Later>(bus(), LoopAt(1), settle),
        AskEndless<Endless::Inner>(bus(), LoopAt(1), settle)}) {
    EXPECT_EQ(heard.code(), absl::StatusCode::kInternal) << heard;
    EXPECT_THAT(std::string(heard.message()),
                HasSubstr("without a co_return of its value"));
  }
}

class Captures : public Actor {
 public:
  struct Kept {};
  explicit Captures(std::shared_ptr<std::string> text)
      : text_(std::move(text)) {}

  void On(Kept) {
    RunInBackground([this, text = text_,
                     n = std::string(100, 'x')]() -> Task<absl::Status> {
      co_await Sleep(absl::Seconds(1));
      *text += n;
      ++over;
      co_return absl::OkStatus();
    });
  }
  static inline int over = 0;

 private:
  std::shared_ptr<std::string> text_;
};

TEST_P(MisuseTest, ALambdaIsKeptWhileItsTaskRuns) {
  Captures::over = 0;
  auto text = std::make_shared<std::string>("y");
  auto actor = *bus().Spawn<Captures>({}, text);
  actor.Tell(Captures::Kept{});
  bus().RunUntilIdle();
  EXPECT_EQ(text.use_count(), 3);
  Settle();
  EXPECT_EQ(text->size(), 101u);
  EXPECT_EQ(text.use_count(), 2);
  EXPECT_EQ(Captures::over, 1);
  // Cancelled, it goes with its actor.
  actor.Tell(Captures::Kept{});
  bus().RunUntilIdle();
  actor.Stop();
  Settle();
  EXPECT_EQ(text.use_count(), 1);
  EXPECT_EQ(Captures::over, 1);
}

}  // namespace
}  // namespace trolley
