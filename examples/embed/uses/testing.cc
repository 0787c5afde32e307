// SPDX-License-Identifier: Apache-2.0
//
// A test of an actor: its partner is a probe, and an hour takes no time.

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/probe.h"
#include "trolley/actors/testing/sim_bus.h"

namespace {

struct Ring {};
struct Begin {};

using Listener = trolley::Ref<trolley::Protocol<Ring>>;

class AlarmClock : public trolley::Actor {
 public:
  explicit AlarmClock(Listener listener) : listener_(listener) {}
  void On(const Begin&) { TellAfter(this, absl::Hours(1), Ring{}); }
  void On(const Ring&) { listener_.Tell(Ring{}); }

 private:
  const Listener listener_;
};

TEST(AlarmClockTest, RingsAfterAnHour) {
  trolley::testing::SimBus sim;
  trolley::testing::ProbeOf<Ring> listener(sim);
  auto clock = sim.Spawn<AlarmClock>({}, listener.ref());
  clock.Tell(Begin{});
  listener.ExpectNone(absl::Minutes(59));
  listener.Expect<Ring>(absl::Minutes(1));
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
