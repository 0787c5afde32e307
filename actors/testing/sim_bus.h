// SPDX-License-Identifier: Apache-2.0
//
// SimBus: a whole bus for a test, on the thread of the test. It has a simulated
// poller, virtual time and one seed. No test waits for real time, and the same
// seed gives the same run.
//
//   trolley::testing::SimBus sim({.loops = 2});
//   auto account = sim.Spawn<Account>({.name = "alice"}, 100);
//   account.Tell(Deposit{25});
//   EXPECT_EQ(*sim.Ask(account, GetBalance{}, absl::Seconds(1)), 125);
//   sim.RunFor(absl::Hours(1));   // virtual: fires the timers of an hour
//
// Virtual time moves only in RunFor(), RunUntil() and Ask(), from one timer to
// the next. So a timer fires exactly on time. Timers of one loop that are due
// at the same time fire in the order in which they were set, and one loop has
// its turn after the other.
//
// What the seed decides: the choices of the simulated poller and system calls
// (poller/sim.h), and how many messages a loop handles in a turn and an actor
// in a slice (SimBusOptions::vary_turns). The latter changes the interleaving
// of the actors and of the loops.
//
// Ownership: owns the bus and the world under it. Every Ref and Address of the
//            bus ends before the SimBus does: declare the SimBus first.
// Threads:   one, that of the test. No handler may call it, except bus(),
//            Now(), seed() and world().
// Bounds:    SimBusOptions. An actor that always has work keeps RunUntilIdle()
//            and all that drives the bus for ever.
// Ends:      Finish(), or the destructor, which calls it.

#ifndef TROLLEY_ACTORS_TESTING_SIM_BUS_H_
#define TROLLEY_ACTORS_TESTING_SIM_BUS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/testing/where.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/options.h"
#include "trolley/bus/shutdown_report.h"
#include "trolley/poller/sim.h"

namespace trolley::testing {

struct SimBusOptions {
  // How many loops the bus has, 1 to 255; a count.
  int loops = 1;
  // Not set: DefaultSeed() (actors/testing/seeds.h).
  std::optional<uint64_t> seed = {};
  // True: the seed draws LoopOptions::messages_per_turn and messages_per_slice
  // for each loop. False: both keep their defaults.
  bool vary_turns = true;
  // Changes the options of the bus at the end, before it starts. It keeps the
  // factory of each loop, for_tests.clock and for_tests.single_threaded. It may
  // put a FaultSys over for_tests.sys.
  std::function<void(BusOptions&)> adjust = nullptr;
};

class SimBus {
 public:
  // Options that no bus can have end the process, with a line that says why.
  explicit SimBus(SimBusOptions options = {});
  SimBus(const SimBus&) = delete;
  SimBus& operator=(const SimBus&) = delete;
  ~SimBus();

  Bus& bus() { return bus_; }
  SimWorld& world() { return world_; }
  uint64_t seed() const { return world_.seed(); }
  Instant Now() const { return bus_.Now(); }
  Ledger ledger() const { return bus_.ReadLedger(); }

  // As Bus::Spawn. An error fails the test, and the Ref is empty.
  template <typename A, typename... Args>
  Ref<A> Spawn(const SpawnOptions& options, Args&&... args) {
    absl::StatusOr<Ref<A>> spawned =
        bus_.Spawn<A>(options, std::forward<Args>(args)...);
    if (spawned.ok()) return *std::move(spawned);
    ADD_FAILURE() << "SimBus::Spawn of \"" << options.name
                  << "\": " << spawned.status();
    return Ref<A>();
  }

  // Runs all loops until none has work that is due. Time does not move.
  void RunUntilIdle();
  // Moves the clock by `length`, and runs each timer on the way when it is due.
  // Lengths follow poller/instant.h. An infinite one runs until no timer is
  // left, so for ever if an actor sets one after the other.
  void RunFor(absl::Duration length);
  // The same until `done` returns true, or until `within` has passed. Returns
  // what `done` returned last.
  bool RunUntil(const std::function<bool()>& done, absl::Duration within);

  // Asks, and runs the bus in virtual time until the reply or the deadline.
  // Returns what Ref::AskAndWait returns, with the same errors.
  template <typename Target, typename M>
  auto Ask(const Ref<Target>& ref, M&& message, absl::Duration timeout)
      -> decltype(ref.AskAndWait(std::forward<M>(message), timeout)) {
    using Reply = decltype(ref.AskAndWait(std::forward<M>(message), timeout));
    // Shared: the reply may come after the deadline.
    auto reply = std::make_shared<std::optional<Reply>>();
    ref.AskThen(std::forward<M>(message), timeout,
                [reply](Reply got) { reply->emplace(std::move(got)); });
    if (!RunUntil([&] { return reply->has_value(); }, timeout)) {
      return absl::DeadlineExceededError(
          absl::StrCat(ref.address().ToString(), " has not replied within ",
                       absl::FormatDuration(timeout), " of virtual time"));
    }
    return std::move(**reply);
  }

  // Shuts the bus down and checks its ledger (ExpectBalanced). If the test has
  // failed, prints the seed and how to run it again. Later calls return the
  // first report; after it nothing runs any more.
  const ShutdownReport& Finish();

 private:
  const SimBusOptions options_;
  SimWorld world_;
  Bus bus_;
  std::optional<ShutdownReport> report_;
};

// Fails the test if `ledger` does not balance. `seed` stands in the failure.
void ExpectBalanced(const Ledger& ledger, uint64_t seed,
                    Where where = Where::Here());

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_SIM_BUS_H_
