// SPDX-License-Identifier: Apache-2.0
//
// P17: each length of time of the test kit, at its extremes.

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/internal/drawn_turns.h"
#include "trolley/actors/testing/probe.h"
#include "trolley/actors/testing/run_trace.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::testing {
namespace {

struct Word {};
struct Query {};

class Silent : public Actor {
 public:
  Task<int> On(Query) {
    co_await Sleep(absl::InfiniteDuration());
    co_return 1;
  }
};

// How far the clock has to move: by all of it, or not at all when no timer is
// left to wait for.
absl::Duration Moved(const Extreme& e) {
  if (e.never()) return absl::ZeroDuration();
  return std::max(e.value, absl::ZeroDuration());
}

void ExpectMoved(const Extreme& e, absl::Duration moved) {
  // A part of a nanosecond may count as a whole one.
  EXPECT_GE(moved, absl::Floor(Moved(e), absl::Nanoseconds(1)));
  EXPECT_LE(moved, absl::Ceil(Moved(e), absl::Nanoseconds(1)));
}

TEST(TestKitExtremes, P17_RunFor) {
  ForEachExtreme("actors/testing/sim_bus.h RunFor(length)",
                 [](const Extreme& e) {
                   SimBus sim;
                   const Instant before = sim.Now();
                   sim.RunFor(e.value);
                   ExpectMoved(e, sim.Now() - before);
                 });
}

TEST(TestKitExtremes, P17_RunUntil) {
  ForEachExtreme("actors/testing/sim_bus.h RunUntil(within)",
                 [](const Extreme& e) {
                   SimBus sim;
                   const Instant before = sim.Now();
                   EXPECT_FALSE(sim.RunUntil([] { return false; }, e.value));
                   ExpectMoved(e, sim.Now() - before);
                   EXPECT_TRUE(sim.RunUntil([] { return true; }, e.value));
                 });
}

TEST(TestKitExtremes, P17_Ask) {
  ForEachExtreme("actors/testing/sim_bus.h Ask(timeout)", [](const Extreme& e) {
    SimBus sim;
    const auto silent = sim.Spawn<Silent>({});
    const absl::StatusOr<int> reply = sim.Ask(silent, Query{}, e.value);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded)
        << reply.status();
  });
}

TEST(TestKitExtremes, P17_Expect) {
  ForEachExtreme("actors/testing/probe.h Expect(within)", [](const Extreme& e) {
    SimBus sim;
    ProbeOf<Word> probe(sim);
    EXPECT_NONFATAL_FAILURE(probe.Expect<Word>(e.value), "nothing waits");
    probe.ref().Tell(Word{});
    sim.RunUntilIdle();
    probe.Expect<Word>(e.value);
    EXPECT_EQ(probe.waiting(), 0u);
  });
}

TEST(TestKitExtremes, P17_ExpectNext) {
  ForEachExtreme("actors/testing/probe.h ExpectNext(within)",
                 [](const Extreme& e) {
                   SimBus sim;
                   ProbeOf<Word> probe(sim);
                   EXPECT_NONFATAL_FAILURE(probe.ExpectNext<Word>(e.value),
                                           "nothing waits");
                   probe.ref().Tell(Word{});
                   sim.RunUntilIdle();
                   probe.ExpectNext<Word>(e.value);
                   EXPECT_EQ(probe.waiting(), 0u);
                 });
}

TEST(TestKitExtremes, P17_ExpectNone) {
  ForEachExtreme("actors/testing/probe.h ExpectNone(length)",
                 [](const Extreme& e) {
                   SimBus sim;
                   ProbeOf<Word> probe(sim);
                   const Instant before = sim.Now();
                   probe.ExpectNone(e.value);
                   ExpectMoved(e, sim.Now() - before);
                 });
}

TEST(TestKitExtremes, P17_HoldLoop) {
  ForEachExtreme("actors/testing/sim_bus.h HoldLoop(length)",
                 [](const Extreme& e) {
                   SimBus sim;
                   ProbeOf<Word> probe(sim);
                   const Instant before = sim.Now();
                   sim.HoldLoop(0, e.value);
                   probe.ref().Tell(Word{});
                   EXPECT_EQ(sim.RunUntil([&] { return probe.waiting() > 0; },
                                          absl::InfiniteDuration()),
                             !e.never());
                   ExpectMoved(e, sim.Now() - before);
                   sim.Finish();
                   EXPECT_EQ(probe.waiting(), 1u);
                 });
}

TEST(TestKitExtremes, P17_Hold) {
  ForEachExtreme("actors/testing/internal/drawn_turns.h Hold(until)",
                 [](const Extreme& e) {
                   SimWorld world(1);
                   internal::DrawnTurns turns(world.clock(), nullptr);
                   const Instant until = world.clock().Now() + e.value;
                   turns.Hold(2, until);
                   EXPECT_EQ(turns.Holds(2), world.clock().Now() < until);
                   EXPECT_FALSE(turns.Holds(1));
                   EXPECT_FALSE(turns.Holds(3));
                   const bool later = e.value > absl::ZeroDuration();
                   EXPECT_EQ(turns.NextRelease(),
                             later ? until : Instant::Infinite());
                   world.clock().AdvanceTo(until);
                   EXPECT_EQ(turns.Holds(2), e.never());
                 });
}

TEST(TestKitExtremes, P17_TraceLine) {
  ForEachExtreme("actors/testing/run_trace.h Add(at)", [](const Extreme& e) {
    RunTrace trace(1);
    trace.Add(e.value, "text");
    ASSERT_EQ(trace.lines().size(), 1u);
    const std::string& line = trace.lines()[0];
    EXPECT_EQ(line.find(absl::FormatDuration(e.value)), 0u) << line;
    EXPECT_EQ(line.substr(line.size() - 5), " text");
  });
}

}  // namespace
}  // namespace trolley::testing
