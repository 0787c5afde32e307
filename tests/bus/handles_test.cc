// SPDX-License-Identifier: Apache-2.0
//
// P5, handles never dangle: threads send to actors of buses that end meanwhile.
// Other threads open and close descriptors, which get the numbers that the
// descriptors of a bus had. No byte may reach a wrong descriptor.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley::internal {
namespace {

struct Ping {};
class Echo : public Actor {
 public:
  int On(const Ping&) { return 1; }
};

using HandlesTest = BusFixture;
TROLLEY_FOR_EACH_BUS(HandlesTest);

TEST_P(HandlesTest, P5_AHandleOutlivesItsActorAndItsBus) {
  Bus& bus = Start();
  Ref<Echo> echo = *bus.Spawn<Echo>({.name = "echo"});
  EXPECT_EQ(echo.address().ToString(), "echo");
  bus.Shutdown(absl::Seconds(5));
  Destroy();
  EXPECT_EQ(echo.Tell(Ping{}), Delivery::kDraining);
  EXPECT_EQ(echo.Stop(), Delivery::kGone);
  EXPECT_FALSE(echo.AskAndWait(Ping{}, absl::InfiniteDuration()).ok());
  EXPECT_EQ(Ref<Echo>().Tell(Ping{}), Delivery::kGone);
  EXPECT_EQ(Ref<Echo>().Stop(), Delivery::kGone);
  EXPECT_EQ(Ref<Echo>().address().ToString(), "no actor");
}

// An old handle must not reach the next actor in the same place.
TEST_P(HandlesTest, P5_AnOldHandleNeverReachesTheNextActor) {
  Bus& bus = Start([](BusOptions& options) {
    for (LoopOptions& loop : options.loops) loop.max_actors = 1;
  });
  std::vector<Ref<Echo>> old;
  for (int i = 0; i < 20; ++i) {
    auto echo = bus.Spawn<Echo>({.loop = 0});
    while (!echo.ok()) {  // the one before has not ended yet
      Look();
      echo = bus.Spawn<Echo>({.loop = 0});
    }
    for (const Ref<Echo>& one : old) {
      ASSERT_EQ(one.Tell(Ping{}), Delivery::kGone);
    }
    old.push_back(*echo);
    echo->Stop();
  }
  EXPECT_EQ(bus.Shutdown(absl::Seconds(5)).ledger.handled, 0u);
}

TEST_P(HandlesTest, P5_NoStrayByteWhileBusesComeAndGo) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has no descriptor";
  const uint64_t lifetimes = GetRunOptions().Scale(60, 20'000);
  absl::Mutex mutex;
  std::vector<Ref<Echo>> refs;
  std::atomic<bool> over{false};
  std::atomic<uint64_t> stray{0}, sent{0}, pipes{0};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      SimRandom random(i);
      while (!over) {
        Ref<Echo> ref;
        {
          absl::MutexLock lock(&mutex);
          if (!refs.empty()) ref = refs[random.Below(refs.size())];
        }
        if (random.Chance(20)) {
          ref.Stop();
        } else {
          ref.Tell(Ping{});
        }
        ++sent;
        sent.notify_one();
      }
    });
  }
  threads.emplace_back([&] {
    while (!over) {
      int fds[2][2];
      for (auto& pair : fds) ASSERT_EQ(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
      std::this_thread::yield();
      for (auto& pair : fds) {
        char byte;
        stray += read(pair[0], &byte, 1) > 0;
        close(pair[0]);
        close(pair[1]);
        ++pipes;
      }
    }
  });
  BusState::Ptr state;
  for (uint64_t i = 0; i < lifetimes; ++i) {
    Bus& bus = Start();
    for (int loop = 0; loop < loops(); ++loop) {
      Ref<Echo> echo = *bus.Spawn<Echo>({.loop = loop});
      absl::MutexLock lock(&mutex);
      refs.push_back(std::move(echo));
      if (refs.size() > 16) refs.erase(refs.begin());
    }
    const uint64_t target = sent + 50;
    for (uint64_t now = sent; now < target; now = sent) sent.wait(now);
    state = StateOf(bus);
    Destroy();
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  // Late senders were counted too, as refused.
  EXPECT_TRUE(state->ReadLedger().Balances()) << state->ReadLedger().ToString();
  EXPECT_EQ(stray.load(), 0u);
  EXPECT_GT(pipes.load(), 0u);
}

}  // namespace
}  // namespace trolley::internal
