// SPDX-License-Identifier: Apache-2.0
//
// RunStorm: runs an actor with a pattern through everything that can come in
// between. All of it is drawn from one seed:
//
//   - calls with timeouts, most of them too short, so handlers are cancelled
//   - partners that answer, answer late, answer errors, never answer, or throw
//   - actors that are stopped, partners too; both are spawned again
//   - the end: all calls end, or the bus shuts down in the middle
//
//   class Caller : public StormCaller {
//    public:
//     using StormCaller::StormCaller;
//    private:
//     Task<absl::Status> Call(Go m) override;      // uses the pattern
//     void CheckAtRest() override;                 // nothing is taken
//     Bulkhead bulkhead_;
//   };
//   ForEachSeed(300, [](uint64_t seed) { RunStorm<Caller>(seed); });
//
// CheckAtRest() is called when all calls have ended, and in OnStop(), when all
// coroutines of the actor are destroyed. The ledger balances at the end, and
// each call has got one reply.
//
// Ownership: RunStorm() owns all of it.
// Threads:   that of the test.

#ifndef TROLLEY_TESTS_PATTERNS_STORM_H_
#define TROLLEY_TESTS_PATTERNS_STORM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/bus/inspect.h"
#include "trolley/tests/patterns/lab.h"

namespace trolley::testing {

// What a partner is asked to do.
struct Work {
  enum class Fate : uint8_t { kAnswer, kFail, kNever, kThrow };
  Fate fate = Fate::kAnswer;
  int ms = 0;
  int value = 0;
};

class Partner : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Task<absl::StatusOr<int>> On(Work m) {
    if (m.ms > 0) co_await Sleep(absl::Milliseconds(m.ms));
    switch (m.fate) {
      case Work::Fate::kAnswer:
        break;
      case Work::Fate::kFail:
        co_return absl::UnavailableError("as drawn");
      case Work::Fate::kNever:
        co_await Sleep(absl::InfiniteDuration());
        break;
      case Work::Fate::kThrow:
        throw std::runtime_error("as drawn");
    }
    co_return m.value;
  }
};

// What all actors of a storm share. Everything runs on one thread.
struct StormWorld {
  explicit StormWorld(uint64_t seed) : random(seed * 2 + 1) {}

  uint64_t Below(uint64_t bound) { return random.Below(bound); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  Work NextWork(int value) {
    if (calm) return {.value = value};
    Work work = {.ms = static_cast<int>(Below(20)), .value = value};
    const uint64_t fate = Below(40);
    if (fate < 8) work.fate = Work::Fate::kFail;
    if (fate >= 8 && fate < 12) work.fate = Work::Fate::kNever;
    if (fate == 12) work.fate = Work::Fate::kThrow;
    return work;
  }
  const Ref<Partner>& AnyPartner() { return partners[Below(partners.size())]; }

  SimRandom random;
  std::vector<Ref<Partner>> partners;
  bool calm = false;  // true: from now on all goes well
  uint64_t calls = 0;
  uint64_t replies = 0;
  uint64_t ok = 0;
  // For the callers: whatever they count over all of their lives.
  std::vector<int64_t> counts = std::vector<int64_t>(1024);
};

struct Go {
  uint64_t number;  // of the call, from 0
};
struct CheckRest {};

class StormCaller : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit StormCaller(StormWorld* world) : world_(*world) {}

  Task<absl::Status> On(Go m) { co_return co_await Call(m); }
  void On(const CheckRest&) {
    CheckAtRest();
    rested_ = true;
  }
  void OnStop() { CheckAtRest(); }

 protected:
  virtual Task<absl::Status> Call(Go m) = 0;
  virtual void CheckAtRest() = 0;

  StormWorld& world() { return world_; }
  using Actor::context;

 private:
  StormWorld& world_;
  bool rested_ = false;
};

// `Caller` derives from StormCaller. `at_end` runs when the bus has ended.
template <typename Caller>
void RunStorm(
    uint64_t seed, const std::function<void(StormWorld&, bool rested)>& at_end =
                       [](StormWorld&, bool) {}) {
  StormWorld world(seed);
  std::vector<bool> partner_lives(2), caller_lives(2);
  SimBus sim({.loops = 1 + static_cast<int>(seed % 2), .seed = seed});
  std::vector<Ref<Caller>> callers(2);
  world.partners.resize(2);
  // Spawns again what has ended.
  const auto repair = [&] {
    for (size_t i = 0; i < 2; ++i) {
      if (!partner_lives[i]) {
        partner_lives[i] = true;
        world.partners[i] = sim.Spawn<Partner>({.mailbox_capacity = 16});
        world.partners[i].address().WhenEnded(
            [&partner_lives, i](const ActorEnd&) { partner_lives[i] = false; });
      }
      if (!caller_lives[i]) {
        caller_lives[i] = true;
        callers[i] = sim.Spawn<Caller>({.mailbox_capacity = 256}, &world);
        callers[i].address().WhenEnded(
            [&caller_lives, i](const ActorEnd&) { caller_lives[i] = false; });
      }
    }
  };
  repair();
  const auto call = [&] {
    const absl::Duration timeout = world.OneIn(3)
                                       ? absl::Seconds(30)
                                       : absl::Milliseconds(world.Below(40));
    callers[world.Below(callers.size())].AskThen(Go{world.calls++}, timeout,
                                                 [&world](absl::Status status) {
                                                   ++world.replies;
                                                   if (status.ok()) ++world.ok;
                                                 });
  };
  for (uint64_t steps = 20 + world.Below(80); steps > 0; --steps) {
    for (uint64_t n = world.Below(6); n > 0; --n) call();
    if (world.OneIn(2)) sim.RunFor(absl::Milliseconds(world.Below(10)));
    if (world.OneIn(25)) world.partners[world.Below(2)].Stop(world.OneIn(2));
    if (world.OneIn(25)) callers[world.Below(2)].Stop(world.OneIn(2));
    if (world.OneIn(4)) sim.RunUntilIdle();
    repair();
  }
  const bool rests = !world.OneIn(3);
  if (rests) {
    sim.RunFor(absl::Seconds(40));
    EXPECT_EQ(world.replies, world.calls);
    world.calm = true;
    repair();
    sim.RunFor(absl::Hours(1));
    for (const Ref<Caller>& caller : callers) {
      EXPECT_EQ(sim.Ask(caller, CheckRest{}, absl::Seconds(1)),
                absl::OkStatus());
    }
  }
  sim.Finish();
  EXPECT_EQ(world.replies, world.calls);
  at_end(world, rests);
}

}  // namespace trolley::testing

#endif  // TROLLEY_TESTS_PATTERNS_STORM_H_
