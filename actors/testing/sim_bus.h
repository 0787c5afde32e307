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
// Virtual time moves only in RunFor(), RunUntil(), Ask(), and AskAndWait() of a
// Ref, from one timer to the next. So a timer fires exactly on time. Timers of
// one loop that are due at the same time fire in the order in which they were
// set.
//
// What the seed decides:
//
//   the simulated poller and system calls   poller/sim.h
//   which loop has the next turn            SimBusOptions::vary_turns
//   how many messages a loop handles in a   SimBusOptions::vary_turns
//   turn, and an actor in a slice
//
// In Explore() (actors/testing/explore.h) the last two are choices of the run.
// If a check fails, they are made as plain as possible. A SimBus of Explore()
// has the Choices of the run, and writes no log unless `adjust` says where.
//
// Ownership: owns the bus and the world under it. Every Ref and Address of the
//            bus ends before the SimBus does: declare the SimBus first.
// Threads:   one, that of the test. No handler may call it, except bus(),
//            Now(), Note(), seed() and world().
// Bounds:    SimBusOptions. An actor that always has work keeps RunUntilIdle()
//            and all that drives the bus for ever.
// Ends:      Finish(), or the destructor, which calls it.

#ifndef TROLLEY_ACTORS_TESTING_SIM_BUS_H_
#define TROLLEY_ACTORS_TESTING_SIM_BUS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/internal/drawn_turns.h"
#include "trolley/actors/testing/internal/turn_trace.h"
#include "trolley/actors/testing/run_trace.h"
#include "trolley/actors/testing/where.h"
#include "trolley/bus/address.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/options.h"
#include "trolley/bus/shutdown_report.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/sim.h"

namespace trolley::testing {

struct SimBusOptions {
  // How many loops the bus has, 1 to 255; a count.
  int loops = 1;
  // Not set: DefaultSeed() (actors/testing/seeds.h).
  std::optional<uint64_t> seed = {};
  // True: the seed draws LoopOptions::messages_per_turn and messages_per_slice
  // for each loop, and which loop has the next turn. False: the former keep
  // their defaults, and one loop comes after the other.
  bool vary_turns = true;
  // The run of Explore() that the bus is part of; null: none. It draws in place
  // of the seed, and is the default of `seed`.
  Choices* choices = nullptr;
  // Keeps a trace of so many lines; a count. 0: no trace, but kReplayLines if
  // TROLLEY_SEED is set. The lines of the log are part of it, and come to
  // standard error no more.
  size_t trace_lines = 0;
  static constexpr size_t kReplayLines = 1000;
  // Changes the options of the bus at the end, before it starts. It keeps the
  // factory of each loop, for_tests.clock and for_tests.single_threaded.
  std::function<void(BusOptions&)> adjust = nullptr;
};

class SimBus : private BusDriver {
 public:
  // Options that no bus can have end the process, with a line that says why.
  explicit SimBus(SimBusOptions options = {});
  SimBus(const SimBus&) = delete;
  SimBus& operator=(const SimBus&) = delete;
  ~SimBus();

  Bus& bus() { return bus_; }
  SimWorld& world() { return world_; }
  // Makes system calls of the bus fail, which lead to the world:
  // sim.sys().FailAll(SysCall::kConnect, ECONNREFUSED) (poller/fault_sys.h).
  FaultSys& sys() { return sys_; }
  uint64_t seed() const { return world_.seed(); }
  Instant Now() const { return bus_.Now(); }
  Ledger ledger() const { return bus_.ReadLedger(); }

  // As Bus::Spawn. An error fails the test, and the Ref is empty.
  template <typename A, typename... Args>
  Ref<A> Spawn(const SpawnOptions& options, Args&&... args) {
    absl::StatusOr<Ref<A>> spawned =
        bus_.Spawn<A>(options, std::forward<Args>(args)...);
    if (spawned.ok()) {
      NoteSpawn(spawned->address());
      return *std::move(spawned);
    }
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

  // Slows a loop: it has no turns for `length`, as if another program had its
  // processor. Messages for it wait, and its timers are late. It replaces an
  // earlier hold; a length of 0 or less ends it, and so does Finish(). A loop
  // that does not exist fails the test.
  void HoldLoop(int loop, absl::Duration length);

  // Adds a line to the trace, if one is kept.
  void Note(absl::string_view text);
  // Empty if none is kept.
  const RunTrace& trace() const { return *trace_; }

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
  // failed since the bus was made, prints the seed, how to run it again, and
  // its trace. Later calls return the first report; after it nothing runs any
  // more.
  const ShutdownReport& Finish();

 private:
  // BusDriver, for Ref::AskAndWait().
  void Drive(const std::function<bool()>& done,
             absl::Duration within) override {
    RunUntil(done, within);
  }
  BusOptions OptionsOfBus();
  std::function<uint64_t(uint64_t)> DrawFunction();
  void NoteSpawn(const Address& actor);

  const SimBusOptions options_;
  const int failures_before_;
  SimWorld world_;
  FaultSys sys_;
  SimRandom turn_random_;  // without SimBusOptions::choices
  internal::DrawnTurns turns_;
  RunTrace own_trace_;
  RunTrace* const trace_;
  std::optional<internal::TurnTrace> turn_trace_;  // if a trace is kept
  Bus bus_;
  std::optional<ShutdownReport> report_;
};

// Fails the test if `ledger` does not balance. `seed` stands in the failure.
void ExpectBalanced(const Ledger& ledger, uint64_t seed,
                    Where where = Where::Here());

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_SIM_BUS_H_
