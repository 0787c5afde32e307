// SPDX-License-Identifier: Apache-2.0
//
// An idle bus makes no system call. The test counts calls in Sys, through which
// all calls go, while another bus works.

#include <cstdint>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

struct Ping {};
class Echo : public Actor {
 public:
  int On(const Ping&) { return 1; }
};

using IdleTest = BusFixture;
INSTANTIATE_TEST_SUITE_P(Forms, IdleTest, testing::ValuesIn([] {
                           std::vector<BusForm> forms;
                           for (const BusForm& form : BusForms()) {
                             // These do not sleep: `busy` polls, the test
                             // drives the simulated one, and chaos makes wakes
                             // of its own.
                             if (form.simulated() || form.poller == "busy" ||
                                 form.chaos) {
                               continue;
                             }
                             forms.push_back(form);
                           }
                           return forms;
                         }()),
                         BusFormName);

TEST_P(IdleTest, AnIdleBusMakesNoSystemCall) {
  FaultSys sys(RealSys());
  Bus& bus = Start([&](BusOptions& options) { options.for_tests.sys = &sys; });
  std::vector<Ref<Echo>> echoes;
  for (int i = 0; i < loops(); ++i) {
    echoes.push_back(*bus.Spawn<Echo>({.loop = i}));
    ASSERT_TRUE(echoes[i].AskAndWait(Ping{}, absl::InfiniteDuration()).ok());
  }
  // Each loop is in, or on its way into, the one wait that ends with the next
  // message; from then on its calls stand still.
  uint64_t before = 0;
  auto other = Bus::Create({.loops = {{}, {}}});
  ASSERT_TRUE(other.ok());
  auto work = *(*other)->Spawn<Echo>({});
  const auto work_beside_it = [&] {
    for (int i = 0; i < 2000; ++i) {
      ASSERT_TRUE(work.AskAndWait(Ping{}, absl::InfiniteDuration()).ok());
    }
  };
  // Until the calls on the way to sleep are over.
  for (int calm = 0; calm < 3;) {
    const uint64_t now = sys.Total();
    calm = now == before ? calm + 1 : 0;
    before = now;
    work_beside_it();
  }
  before = sys.Total();
  for (int i = 0; i < 5; ++i) work_beside_it();
  EXPECT_EQ(sys.Total(), before);
  // And it would have been seen.
  ASSERT_TRUE(echoes[0].AskAndWait(Ping{}, absl::InfiniteDuration()).ok());
  EXPECT_GT(sys.Total(), before);
  Destroy();  // before `sys`
}

}  // namespace
}  // namespace trolley
