// SPDX-License-Identifier: Apache-2.0
//
// A supervisor restarts an actor whose handlers are in the middle of patterns:
// what they had ends with the object, and the next one is at rest.

#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/single_flight.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

struct Buy {
  Work work;
};
struct Boom {};

// Has one slot, and one work for all.
class Shop : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Shop(Ref<Partner> partner) : partner_(std::move(partner)) {}

  Task<absl::Status> On(Buy m) {
    const Work work = m.work;
    const auto ask = [&] {
      return partner_.Ask(work, absl::InfiniteDuration());
    };
    const auto slotted = [&] { return slots_.Run(ask); };
    const auto retried = [&] { return retry_.Run(slotted); };
    const absl::StatusOr<int> got = co_await flights_.Run(work.value, retried);
    co_return got.status();
  }
  void On(const Boom&) { throw std::runtime_error("boom"); }

 protected:
  void OnStop() override {
    EXPECT_EQ(slots_.running(), 0u);
    EXPECT_EQ(slots_.waiting(), 0u);
    EXPECT_EQ(flights_.keys(), 0u);
  }

 private:
  const Ref<Partner> partner_;
  Retry retry_{{.first_pause = absl::Hours(1)}};
  Bulkhead slots_{{.at_once = 1, .waiting = 1}};
  SingleFlight<int, absl::StatusOr<int>> flights_;
};

TEST(PatternRestarts, P23_ARestartEndsTheCallsAndTheNextObjectIsAtRest) {
  ForEachSeed(30, [](uint64_t seed) {
    SimBus sim({.loops = 2, .seed = seed, .adjust = [](BusOptions& options) {
                  options.log = [](absl::string_view) {};
                }});
    const auto partner = sim.Spawn<Partner>({.loop = 1});
    sim.Spawn<Supervisor>(
        {.name = "app"},
        SupervisorOptions{.backoff = {.first = absl::ZeroDuration()}},
        std::vector<ChildSpec>{Child<Shop>({.name = "shop"}, partner)});
    sim.RunUntilIdle();
    const Ref<Shop> shop = *sim.bus().Find<Shop>("app/shop");
    std::vector<absl::Status> replies;
    const auto buy = [&](Work::Fate fate, int value) {
      shop.AskThen(
          Buy{{.fate = fate, .value = value}}, absl::InfiniteDuration(),
          [&](absl::Status got) { replies.push_back(std::move(got)); });
    };
    buy(Work::Fate::kFail, 1);  // pauses before its retry
    sim.RunUntilIdle();
    buy(Work::Fate::kNever, 2);  // has the slot
    buy(Work::Fate::kNever, 2);  // shares the work
    buy(Work::Fate::kNever, 3);  // waits for the slot
    sim.RunUntilIdle();
    EXPECT_TRUE(replies.empty());
    EXPECT_EQ(sim.ledger().queued(),
              5u);  // these four, and that of the partner
    shop.Tell(Boom{});
    sim.RunUntilIdle();
    EXPECT_EQ(replies.size(), 4u);
    for (const absl::Status& reply : replies) EXPECT_FALSE(reply.ok());
    // The handler of the partner was cancelled, with the ask for it.
    sim.RunFor(absl::Milliseconds(100));
    EXPECT_EQ(sim.ledger().queued(), 0u) << sim.ledger().ToString();
    // The same Ref reaches the next object, whose slot is free.
    buy(Work::Fate::kAnswer, 2);
    sim.RunUntilIdle();
    ASSERT_EQ(replies.size(), 5u);
    EXPECT_EQ(replies.back(), absl::OkStatus());
  });
}

}  // namespace
}  // namespace trolley::testing
