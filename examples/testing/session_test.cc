// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/testing/session.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/testing/probe.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace examples {
namespace {

using trolley::testing::ProbeOf;
using trolley::testing::SimBus;

TEST(SessionTest, ABillComesWhenTheUserHasBeenQuietForAnHour) {
  SimBus sim;
  ProbeOf<Bill> desk(sim);
  auto session = sim.Spawn<Session>({.name = "session"}, desk.ref());
  session.Tell(Click{});
  sim.RunFor(absl::Minutes(59));
  session.Tell(Click{});
  desk.ExpectNone(absl::Minutes(59));
  EXPECT_EQ(desk.Expect<Bill>(absl::Minutes(1)).clicks, 2);
}

// On two loops the seed decides which loop runs first, and for how long.
TEST(SessionTest, NoClickIsLostWhateverTheOrder) {
  trolley::testing::ForEachSeed(20, [](uint64_t seed) {
    SimBus sim({.loops = 2, .seed = seed});
    ProbeOf<Bill> desk(sim, {.loop = 0});
    auto session = sim.Spawn<Session>({.loop = 1}, desk.ref());
    for (int i = 0; i < 100; ++i) session.Tell(Click{});
    EXPECT_EQ(desk.Expect<Bill>(absl::Hours(2)).clicks, 100);
  });
}

}  // namespace
}  // namespace examples
