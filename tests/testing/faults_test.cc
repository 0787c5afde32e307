// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/faults.h"

#include <errno.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/testing/probe.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/watch.h"

namespace trolley::testing {
namespace {

struct Job {
  int number = 0;
};
struct Count {};
struct OpenPipe {};

class Worker : public Actor {
 public:
  Worker() = default;
  explicit Worker(int done) : done_(done) {}
  void On(const Job&) { ++done_; }
  int On(const Count&) { return done_; }
  absl::StatusOr<int> On(const OpenPipe&) {
    int fds[2];
    const int made = context().sys().Pipe2(fds, 0);
    return made;
  }

 private:
  int done_ = 0;
};

TEST(FaultsTest, AMailboxIsFull) {
  SimBus sim;
  auto worker = sim.Spawn<Worker>({.mailbox_capacity = 7});
  EXPECT_EQ(FillMailbox(sim, worker, Job{}), 7u);
  EXPECT_EQ(worker.Tell(Job{}), Delivery::kFull);
  EXPECT_EQ(FillMailbox(sim, worker, Job{}), 0u);
  sim.RunUntilIdle();
  EXPECT_EQ(*sim.Ask(worker, Count{}, absl::Seconds(1)), 7);
}

TEST(FaultsTest, AMailboxThatDropsTheOldestEndsTheFillingToo) {
  SimBus sim;
  auto worker = sim.Spawn<Worker>(
      {.mailbox_capacity = 7, .overflow = Overflow::kDropOldest});
  EXPECT_EQ(FillMailbox(sim, worker, Job{}), 7u + SpawnOptions::kMostOnTheWay);
  sim.RunUntilIdle();
  EXPECT_EQ(*sim.Ask(worker, Count{}, absl::Seconds(1)), 7);
}

TEST(FaultsTest, TheMailboxOfAnEndedActorTakesNothing) {
  SimBus sim;
  auto worker = sim.Spawn<Worker>({});
  EXPECT_EQ(Kill(sim, worker.address()), Delivery::kAccepted);
  EXPECT_EQ(FillMailbox(sim, worker, Job{}), 0u);
  EXPECT_EQ(Kill(sim, worker.address()), Delivery::kGone);
}

TEST(FaultsTest, AKilledActorLeavesItsMessagesBehind) {
  SimBus sim({.loops = 2});
  auto worker = sim.Spawn<Worker>({.loop = 1});
  sim.RunUntilIdle();
  FillMailbox(sim, worker, Job{});
  EXPECT_EQ(Kill(sim, worker.address()), Delivery::kAccepted);
  EXPECT_EQ(sim.bus().CountActors(), 0u);
  EXPECT_EQ(sim.ledger().dead_lettered, 1024u);
  EXPECT_EQ(sim.ledger().handled, 0u);
}

TEST(FaultsTest, AnActorOfALoopThatIsHeldEndsLater) {
  SimBus sim;
  auto worker = sim.Spawn<Worker>({});
  sim.RunUntilIdle();
  sim.HoldLoop(0, absl::Seconds(1));
  EXPECT_EQ(Kill(sim, worker.address()), Delivery::kAccepted);
  EXPECT_EQ(sim.bus().CountActors(), 1u);
  sim.RunFor(absl::Seconds(1));
  EXPECT_EQ(sim.bus().CountActors(), 0u);
}

// Keeps a seat, and fills it again when its actor fails.
class Keeper : public Actor {
 public:
  explicit Keeper(std::vector<std::string>& reasons) : reasons_(reasons) {}
  void OnStart() override {
    seat_ = *Seat::Reserve<Worker>(Self(this), {.name = "worker"}, [] {
      return std::make_unique<Crashing<Worker>>(100);
    });
    seat_.Fill();
  }
  void On(const SeatTaken&) {}
  void On(const SeatEmpty& m) {
    reasons_.push_back(m.reason.ToString());
    seat_.Fill();
  }

 private:
  std::vector<std::string>& reasons_;
  Seat seat_;
};

TEST(FaultsTest, AnActorThrows) {
  std::vector<std::string> lines;
  SimBus sim({.adjust = [&](BusOptions& options) {
    options.log = [&](absl::string_view line) { lines.emplace_back(line); };
  }});
  auto crashing = sim.Spawn<Crashing<Worker>>({.name = "worker"}, 41);
  const Ref<Worker> worker(crashing.address());
  worker.Tell(Job{});
  EXPECT_EQ(*sim.Ask(worker, Count{}, absl::Seconds(1)), 42);
  EXPECT_EQ(CrashIt(sim, crashing, {.why = "no disk"}), Delivery::kAccepted);
  EXPECT_EQ(sim.ledger().failed, 1u);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(absl::StrContains(lines[0], "threw: no disk")) << lines[0];
  EXPECT_EQ(CrashIt(sim, crashing), Delivery::kGone);
  sim.Finish();
}

TEST(FaultsTest, AnActorOfASeatThrowsAndAnotherOneComes) {
  std::vector<std::string> reasons;
  SimBus sim({.adjust = [](BusOptions& options) {
    options.log = [](absl::string_view) {};
  }});
  sim.Spawn<Keeper>({}, reasons);
  sim.RunUntilIdle();
  const Ref<Worker> worker(*sim.bus().FindAddress("worker"));
  worker.Tell(Job{});
  EXPECT_EQ(*sim.Ask(worker, Count{}, absl::Seconds(1)), 101);
  CrashIt(sim, Ref<Crashing<Worker>>(worker.address()));
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_TRUE(absl::StrContains(reasons[0], "the test wants it")) << reasons[0];
  EXPECT_EQ(*sim.Ask(worker, Count{}, absl::Seconds(1)), 100);
  sim.Finish();
}

TEST(FaultsTest, SystemCallsAreRefused) {
  SimBus sim;
  auto worker = sim.Spawn<Worker>({});
  sim.sys().FailAll(SysCall::kPipe2, EMFILE);
  EXPECT_EQ(*sim.Ask(worker, OpenPipe{}, absl::Seconds(1)), -EMFILE);
  EXPECT_EQ(sim.sys().faults(), 1u);
  sim.sys().StopFailing();
  EXPECT_EQ(*sim.Ask(worker, OpenPipe{}, absl::Seconds(1)), 0);
  EXPECT_EQ(sim.sys().Count(SysCall::kPipe2), 2u);
}

TEST(FaultsTest, TheTraceNamesThem) {
  SimBus sim({.trace_lines = 100});
  auto crashing =
      sim.Spawn<Crashing<Worker>>({.name = "worker", .mailbox_capacity = 3});
  FillMailbox(sim, crashing, Job{});
  sim.RunUntilIdle();
  CrashIt(sim, crashing);
  Kill(sim, crashing.address());
  sim.HoldLoop(0, absl::Seconds(1));
  const std::string trace = sim.trace().ToString();
  for (const char* line :
       {"fill the mailbox of worker with 3 messages\n", "crash worker\n",
        "kill worker\n", "hold loop 0 for 1s\n"}) {
    EXPECT_TRUE(absl::StrContains(trace, line)) << line << trace;
  }
}

}  // namespace
}  // namespace trolley::testing
