// SPDX-License-Identifier: Apache-2.0
//
// P17: each length of time of actors/behaviour, at its extremes, in virtual
// time. Those of run_until_signal.h are in run_until_signal_test.cc.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/behaviour/every.h"
#include "trolley/actors/behaviour/idle_timeout.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/behaviour/names.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/actors/behaviour/shutdown_phases.h"
#include "trolley/actors/behaviour/tell_at.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

using trolley::testing::SimBus;

constexpr absl::Duration kYear = absl::Hours(24 * 365);

// `over` at once, in 290 years, or never.
void ExpectOver(SimBus& sim, const Extreme& e,
                const std::function<bool()>& over) {
  const auto step_to = [&](Instant at) {
    if (at > sim.Now()) sim.RunFor(at - sim.Now());
  };
  const Instant start = sim.Now();
  sim.RunUntilIdle();
  step_to(start + absl::Nanoseconds(1));
  EXPECT_EQ(over(), e.soon());
  step_to(start + 100 * kYear);
  EXPECT_EQ(over(), e.soon());
  step_to(Instant::FromNanos(Instant::Infinite().nanos() - 1));
  EXPECT_EQ(over(), !e.never());
}

struct Go {
  absl::Duration length;
};
struct Beat {};
struct Due {};
struct Late {};

// Does what its messages say, and counts what it is told then.
class Waiting : public Actor {
 public:
  explicit Waiting(int* over) : over_(*over) {}
  void On(const Due&) { ++over_; }
  void On(const Tick<Beat>&) { ++over_; }
  void On(const Idle&) { ++over_; }

 protected:
  int& over_;
};

class TellsAt : public Waiting {
 public:
  using Waiting::On;
  using Waiting::Waiting;
  void On(const Go& m) { TellAt(this, context().Now() + m.length, Due{}); }
};
class TellsLater : public Waiting {
 public:
  using Waiting::On;
  using Waiting::Waiting;
  void On(const Go& m) { internal::ActorVerbs::TellLater<Due>(this, m.length); }
};
class Idles : public Waiting {
 public:
  using Waiting::On;
  using Waiting::Waiting;
  void On(const Go& m) { idle_.Start(this, m.length); }

 private:
  IdleTimeout idle_;
};

template <typename A>
void ExpectWaits(const Extreme& e) {
  int over = 0;
  SimBus sim;
  sim.Spawn<A>({}, &over).Tell(Go{e.value});
  ExpectOver(sim, e, [&] { return over == 1; });
}

TEST(BehaviourExtremes, P17_TellAt) {
  ForEachExtreme("actors/behaviour/tell_at.h TellAt(at)", ExpectWaits<TellsAt>);
}

TEST(BehaviourExtremes, P17_TellLater) {
  ForEachExtreme("actors/behaviour/internal/actor_verbs.h TellLater(after)",
                 ExpectWaits<TellsLater>);
}

TEST(BehaviourExtremes, P17_IdleTimeout) {
  ForEachExtreme("actors/behaviour/idle_timeout.h Start(limit)",
                 ExpectWaits<Idles>);
}

// A period that is too short is refused; a jitter, too.
struct Options {
  EveryOptions options;
};
class Beats : public Waiting {
 public:
  using Waiting::On;
  using Waiting::Waiting;
  absl::Status On(const Options& m) { return beat_.Start(this, m.options); }

 private:
  Every<Beat> beat_;
};

TEST(BehaviourExtremes, P17_EveryPeriod) {
  ForEachExtreme("actors/behaviour/every_options.h EveryOptions::period",
                 [](const Extreme& e) {
                   int over = 0;
                   SimBus sim;
                   const auto beats = sim.Spawn<Beats>({}, &over);
                   const absl::Status started = sim.Ask(
                       beats, Options{{.period = e.value}}, absl::Seconds(1));
                   if (e.soon()) {
                     EXPECT_TRUE(absl::IsInvalidArgument(started)) << started;
                     return;
                   }
                   EXPECT_TRUE(started.ok()) << started;
                   ExpectOver(sim, e, [&] { return over == 1; });
                 });
}

TEST(BehaviourExtremes, P17_EveryJitter) {
  ForEachExtreme(
      "actors/behaviour/every_options.h EveryOptions::jitter",
      [](const Extreme& e) {
        int over = 0;
        SimBus sim;
        const auto beats = sim.Spawn<Beats>({}, &over);
        const EveryOptions second{.period = absl::Seconds(1),
                                  .jitter = e.value};
        const absl::Status started =
            sim.Ask(beats, Options{second}, absl::Seconds(1));
        const bool fits =
            e.value >= absl::ZeroDuration() && e.value <= absl::Seconds(1);
        EXPECT_EQ(started.ok(), fits) << started;
        if (fits) {
          sim.RunFor(absl::Milliseconds(1001));
          EXPECT_EQ(over, 1);
        }
        // With a period as long as the jitter.
        if (e.value < EveryOptions::kShortestPeriod) return;
        const EveryOptions both{
            .period = e.value, .jitter = e.value, .at_start = true};
        EXPECT_TRUE(sim.Ask(beats, Options{both}, absl::Seconds(1)).ok());
        sim.RunFor(kYear);
      });
}

class Asks : public Actor {
 public:
  Asks(Blocking blocking, const Bus& bus)
      : blocking_(std::move(blocking)), names_(bus) {}

  Task<absl::Status> On(Go m) {
    co_return co_await blocking_.Run([] {}, m.length);
  }
  Task<absl::Status> On(Late) {
    co_return (co_await names_.Await<Asks>("nobody", length)).status();
  }
  void On(const absl::Duration& m) { length = m; }

 private:
  const Blocking blocking_;
  const Names names_;
  absl::Duration length;
};

// The function takes no virtual time: it is done unless the deadline has passed
// when it is sent.
TEST(BehaviourExtremes, P17_BlockingRun) {
  ForEachExtreme(
      "actors/behaviour/blocking.h Run(timeout)", [](const Extreme& e) {
        SimBus sim;
        auto pool = *BlockingPool::Create(sim.bus(), {.threads = 0});
        const auto asks =
            sim.Spawn<Asks>({}, pool->blocking(), std::cref(sim.bus()));
        const absl::Status ran = sim.Ask(asks, Go{e.value}, absl::Seconds(1));
        if (e.positive()) {
          EXPECT_TRUE(ran.ok()) << ran;
        } else {
          EXPECT_TRUE(absl::IsDeadlineExceeded(ran)) << ran;
        }
      });
}

// In 290 years there are too many looks for a test, so a minute stands for
// them.
void ExpectAwaits(const Extreme& e) {
  std::optional<absl::Status> over;
  SimBus sim;
  auto pool = *BlockingPool::Create(sim.bus(), {.threads = 0});
  const auto asks = sim.Spawn<Asks>({}, pool->blocking(), std::cref(sim.bus()));
  asks.Tell(absl::Duration(e.value));
  asks.AskThen(Late{}, absl::InfiniteDuration(),
               [&](absl::Status status) { over = std::move(status); });
  sim.RunFor(absl::Nanoseconds(1));
  EXPECT_EQ(over.has_value(), e.soon());
  if (e.soon()) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(*over)) << *over;
  }
  sim.RunFor(absl::Minutes(1));
  EXPECT_EQ(over.has_value(), e.soon());
}

TEST(BehaviourExtremes, P17_NamesAwait) {
  ForEachExtreme("actors/behaviour/names.h Await(timeout)", ExpectAwaits);
  ForEachExtreme("actors/behaviour/names.h AwaitOn(timeout)", ExpectAwaits);
}

// A handler that waits as long as an Instant can be, but one nanosecond. So
// what ends in 290 years stops it, and what never ends does not.
class Sleeps : public Actor {
 public:
  Task<> On(Go) {
    co_await Sleep(Instant::FromNanos(Instant::Infinite().nanos() - 1) -
                   context().Now());
  }
};

PhasesReport RunPhases(absl::Duration limit, absl::Duration deadline) {
  SimBus sim;
  const auto sleeps = sim.Spawn<Sleeps>({});
  sleeps.Tell(Go{});
  sim.RunUntilIdle();
  ShutdownPhases phases(sim.bus());
  EXPECT_TRUE(phases.Add("sleeps", limit, {sleeps.address()}).ok());
  return phases.Run(deadline, [&](const auto& done, auto within) {
    return sim.RunUntil(done, within);
  });
}

void ExpectPhaseTakes(const Extreme& e, const PhaseReport& phase) {
  EXPECT_EQ(phase.actors[0].end,
            e.never() ? PhaseEnd::kInTime : PhaseEnd::kStopped);
  if (e.soon()) {
    EXPECT_LE(phase.took, absl::Nanoseconds(1));
  } else if (!e.never()) {
    EXPECT_EQ(phase.took, e.value);
  }
}

TEST(BehaviourExtremes, P17_PhasesAdd) {
  ForEachExtreme("actors/behaviour/shutdown_phases.h Add(limit)",
                 [](const Extreme& e) {
                   const PhasesReport report =
                       RunPhases(e.value, absl::InfiniteDuration());
                   ExpectPhaseTakes(e, report.phases[0]);
                 });
}

TEST(BehaviourExtremes, P17_PhasesRun) {
  ForEachExtreme(
      "actors/behaviour/shutdown_phases.h Run(deadline)", [](const Extreme& e) {
        const PhasesReport report =
            RunPhases(absl::InfiniteDuration(), e.value);
        if (e.positive()) {
          ExpectPhaseTakes(e, report.phases[0]);
        } else {
          EXPECT_EQ(report.phases[0].actors[0].end, PhaseEnd::kNoTime);
          EXPECT_EQ(report.took, absl::ZeroDuration());
        }
      });
}

}  // namespace
}  // namespace trolley
