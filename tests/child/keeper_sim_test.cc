// SPDX-License-Identifier: Apache-2.0
//
// The keeper of a child process in virtual time: when which signal is sent. The
// process is simulated: its pipes are those of the simulated world, and its end
// is what the test says.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/child/child_process.h"
#include "trolley/actors/child/internal/child_keeper.h"
#include "trolley/actors/child/internal/child_parts.h"
#include "trolley/actors/child/internal/child_port.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

using internal::ChildKeeper;
using internal::ChildParts;
using internal::ChildPort;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SimBus;

constexpr pid_t kPid = 7777;

// The calls for processes; the others are of the world under it.
class ProcessSys final : public Sys {
 public:
  explicit ProcessSys(SimBus& sim) : sim_(sim), begin_(sim.Now()) {
    int ends[2];
    EXPECT_EQ(world().Pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pidfd_ = ends[0];
    end_ = ScopedFd(world(), ends[1]);
  }

  // "15 at 0", in seconds since the beginning, for each signal to the group.
  std::vector<std::string> signals;
  int ends_by = SIGKILL;     // this signal ends it
  bool rest_killed = false;  // what was left of the group when it had ended
  bool reaped = false;

  ScopedFd TakePidfd() { return ScopedFd(*this, std::exchange(pidfd_, -1)); }
  void End(int signal) {
    ended_by_ = signal;
    end_.reset();  // the pidfd is readable
  }

  intptr_t Call(SysCall call, Args args) override {
    switch (call) {
      case SysCall::kKill: {
        EXPECT_EQ(args[0], -kPid);
        EXPECT_FALSE(reaped) << "the number may be that of another process";
        const int signal = static_cast<int>(args[1]);
        if (ended_by_ != 0) {
          rest_killed = signal == SIGKILL;
          return 0;
        }
        signals.push_back(absl::StrCat(
            signal, " at ", absl::ToInt64Seconds(sim_.Now() - begin_)));
        if (signal == ends_by) End(signal);
        return 0;
      }
      case SysCall::kPidfdSendSignal:
      case SysCall::kPpoll:
        return 0;
      case SysCall::kWaitid: {
        auto* const about = reinterpret_cast<siginfo_t*>(args[2]);
        if (ended_by_ == 0) return 0;
        about->si_pid = kPid;
        about->si_code = CLD_KILLED;
        about->si_status = ended_by_;
        reaped = reaped || (args[3] & WNOWAIT) == 0;
        return 0;
      }
      default:
        return world().Call(call, args);
    }
  }

 private:
  SimSys& world() { return sim_.world().sys(); }

  SimBus& sim_;
  const Instant begin_;
  int pidfd_ = -1;
  ScopedFd end_;
  int ended_by_ = 0;
};

class Listener : public Actor {
 public:
  explicit Listener(std::vector<std::string>* heard) : heard_(*heard) {}
  void On(const ChildOutput& m) { heard_.push_back(m.bytes); }
  void On(const ChildEnd& m) { heard_.push_back(m.ToString()); }

 private:
  std::vector<std::string>& heard_;
};

// A keeper with such a process. Ends the bus first, which uses it.
struct Kept {
  Kept(SimBus& of, absl::Duration grace) : sim(of), sys(of) {
    SimSys& world = sim.world().sys();
    int in[2], out[2];
    EXPECT_EQ(world.Pipe2(in, O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_EQ(world.Pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
    stdin_of_it = ScopedFd(world, in[0]);
    stdout_of_it = ScopedFd(world, out[1]);
    const ChildProcessOptions options{.argv = {"simulated"}, .grace = grace};
    port = std::make_shared<ChildPort>(options);
    const auto listener = sim.Spawn<Listener>({}, &heard);
    keeper = sim.Spawn<ChildKeeper>(
        {}, port,
        ChildParts{
            .process = internal::RunningProcess(sys, kPid, sys.TakePidfd()),
            .name = "simulated",
            .in = ScopedFd(world, in[1]),
            .out = ScopedFd(world, out[0]),
            .err = ScopedFd()},
        listener, options);
    sim.RunUntilIdle();
  }
  ~Kept() { sim.Finish(); }
  void Stop() {
    port->stop = true;
    port->changed.Notify();
  }

  SimBus& sim;
  ProcessSys sys;
  ScopedFd stdin_of_it, stdout_of_it;
  std::vector<std::string> heard;
  std::shared_ptr<ChildPort> port;
  Ref<ChildKeeper> keeper;
};

TEST(KeeperTest, TheGraceIsExact) {
  SimBus sim;
  Kept kept(sim, absl::Seconds(5));
  sim.RunFor(absl::Seconds(100));
  EXPECT_THAT(kept.sys.signals, IsEmpty());
  kept.Stop();
  sim.RunFor(absl::Seconds(4));
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 100"));
  EXPECT_THAT(kept.heard, IsEmpty());
  sim.RunFor(absl::Seconds(1));
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 100", "9 at 105"));
  EXPECT_THAT(kept.heard, ElementsAre("was ended by signal 9 (Killed)"));
  EXPECT_TRUE(kept.sys.reaped);
  EXPECT_EQ(sim.bus().CountActors(), 1u) << "the keeper has ended";
}

TEST(KeeperTest, AProcessThatEndsByTheFirstSignalGetsNoSecond) {
  SimBus sim;
  Kept kept(sim, absl::Seconds(5));
  kept.sys.ends_by = SIGTERM;
  kept.Stop();
  sim.RunFor(absl::Seconds(100));
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0"));
  EXPECT_THAT(kept.heard, ElementsAre("was ended by signal 15 (Terminated)"));
  EXPECT_TRUE(kept.sys.rest_killed);
}

TEST(KeeperTest, AStopWhileItStopsChangesNothing) {
  SimBus sim;
  Kept kept(sim, absl::Seconds(5));
  kept.Stop();
  for (int i = 0; i < 4; ++i) {
    sim.RunFor(absl::Seconds(1));
    kept.Stop();
  }
  sim.RunFor(absl::Seconds(1));
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0", "9 at 5"));
}

TEST(KeeperTest, AKillEndsTheGrace) {
  SimBus sim;
  Kept kept(sim, absl::InfiniteDuration());
  kept.Stop();
  sim.RunFor(absl::Seconds(3));
  kept.port->kill = true;
  kept.port->changed.Notify();
  sim.RunUntilIdle();
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0", "9 at 3"));
}

TEST(KeeperTest, AnOwnerThatHasGoneHearsNothing) {
  SimBus sim;
  Kept kept(sim, absl::Seconds(5));
  kept.port->forgotten = true;
  kept.Stop();
  Sys& world = sim.world().sys();
  EXPECT_EQ(world.Write(kept.stdout_of_it.get(), {"late\n", 5}), 5);
  sim.RunFor(absl::Seconds(5));
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0", "9 at 5"));
  EXPECT_THAT(kept.heard, IsEmpty());
  EXPECT_TRUE(kept.sys.reaped);
}

TEST(KeeperTest, P10_TheEndOfTheBusEndsTheProcess) {
  SimBus sim;
  Kept kept(sim, absl::Seconds(5));
  sim.Finish();
  EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0", "9 at 0"));
  EXPECT_TRUE(kept.sys.reaped);
}

TEST(KeeperTest, P17_TheExtremesOfTheGrace) {
  ForEachExtreme(
      "actors/child/child_process_options.h ChildProcessOptions::grace",
      [](const Extreme& e) {
        SimBus sim;
        Kept kept(sim, e.value);
        kept.Stop();
        sim.RunFor(absl::Hours(24 * 365));
        if (!e.positive()) {
          EXPECT_THAT(kept.sys.signals, ElementsAre("9 at 0"));
        } else if (e.soon()) {
          EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0", "9 at 0"));
        } else {
          EXPECT_THAT(kept.sys.signals, ElementsAre("15 at 0"));
        }
      });
}

}  // namespace
}  // namespace trolley
