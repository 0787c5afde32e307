// SPDX-License-Identifier: Apache-2.0
//
// P17: each length of time of the test kit, at its extremes.

#include <algorithm>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/probe.h"
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

}  // namespace
}  // namespace trolley::testing
