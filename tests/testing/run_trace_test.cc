// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/run_trace.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::testing {
namespace {

TEST(RunTraceTest, HasALineForEachEvent) {
  RunTrace trace(10);
  trace.Add(absl::ZeroDuration(), "one");
  trace.Add(absl::Milliseconds(250), "two");
  trace.Add(absl::Hours(30) + absl::Nanoseconds(1), "three");
  EXPECT_EQ(trace.ToString(),
            "0        one\n"
            "250ms    two\n"
            "30h0.000000001s three\n");
  EXPECT_EQ(trace.left_out(), 0u);
}

TEST(RunTraceTest, KeepsTheLastLines) {
  RunTrace trace(2);
  for (const char* text : {"a", "b", "c", "d", "e"}) {
    trace.Add(absl::ZeroDuration(), text);
  }
  EXPECT_EQ(trace.lines().size(), 2u);
  EXPECT_EQ(trace.left_out(), 3u);
  EXPECT_EQ(trace.ToString(),
            "... 3 lines before these\n"
            "0        d\n"
            "0        e\n");
}

TEST(RunTraceTest, MayKeepNoLine) {
  RunTrace trace(0);
  trace.Add(absl::ZeroDuration(), "a");
  EXPECT_TRUE(trace.lines().empty());
  EXPECT_EQ(trace.left_out(), 1u);
}

TEST(RunTraceTest, CutsALongLine) {
  RunTrace trace(1);
  trace.Add(absl::ZeroDuration(), std::string(10'000, 'x'));
  ASSERT_EQ(trace.lines().size(), 1u);
  EXPECT_EQ(trace.lines()[0].size(), RunTrace::kMostLineBytes);
  EXPECT_TRUE(absl::EndsWith(trace.lines()[0], "x..."));
}

TEST(RunTraceTest, TheHashIsThatOfAllLines) {
  const auto hash_of = [](size_t most, std::vector<std::string> lines) {
    RunTrace trace(most);
    for (const std::string& line : lines) trace.Add(absl::Seconds(1), line);
    return trace.hash();
  };
  EXPECT_EQ(hash_of(1, {"a", "b"}), hash_of(9, {"a", "b"}));
  EXPECT_NE(hash_of(1, {"a", "b"}), hash_of(1, {"x", "b"}));
  EXPECT_NE(hash_of(1, {"ab"}), hash_of(1, {"a", "b"}));
  EXPECT_NE(hash_of(1, {"a"}), hash_of(1, {}));
}

// --- The trace of a bus ---

struct Work {
  bool fails = false;
};
struct Wait {};
class Worker : public Actor {
 public:
  void On(const Work& m) {
    if (m.fails) throw std::runtime_error("no money");
  }
  void On(const Wait&) { TellAfter(this, absl::Milliseconds(250), Work{}); }
};

struct Nap {};
class Sleeper : public Actor {
 public:
  void On(const Work&) {}
  Task<absl::Status> On(Nap) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }
};

// With short names for the messages.
std::string Short(absl::string_view trace) {
  return absl::StrReplaceAll(
      trace, {{"trolley::testing::{anonymous}::Work\n", "WORK\n"},
              {"trolley::testing::{anonymous}::Work ", "WORK "},
              {"trolley::testing::{anonymous}::Nap\n", "NAP\n"},
              {"trolley::testing::{anonymous}::Wait\n", "WAIT\n"}});
}

SimBusOptions Traced(size_t lines) {
  return {.loops = 2, .seed = 1, .vary_turns = false, .trace_lines = lines};
}

TEST(RunTraceTest, ABusTellsWhatHappenedOnIt) {
  SimBus sim(Traced(100));
  auto worker = sim.Spawn<Worker>({.name = "worker", .loop = 1});
  auto nameless = sim.Spawn<Worker>({.loop = 0});
  sim.RunUntilIdle();
  for (int i = 0; i < 3; ++i) worker.Tell(Work{});
  nameless.Tell(Wait{});
  sim.RunFor(absl::Seconds(1));
  sim.Note("now it fails");
  worker.Tell(Work{.fails = true});
  worker.Tell(Work{});
  sim.RunUntilIdle();
  worker.Tell(Work{});
  sim.Finish();
  EXPECT_EQ(Short(sim.trace().ToString()),
            "0        spawn worker on loop 1\n"
            "0        spawn #0.0.1 on loop 0\n"
            "0        test: 2 actors more\n"
            "0        loop 0: #0.0.1 starts\n"
            "0        loop 1: worker starts\n"
            "0        test: 4 accepted\n"
            "0        loop 0: #0.0.1 handled WAIT\n"
            "0        loop 0: 1 handled\n"
            "0        loop 1: worker handled WORK\n"
            "0        loop 1: worker handled WORK\n"
            "0        loop 1: worker handled WORK\n"
            "0        loop 1: 3 handled\n"
            "250ms    loop 0: #0.0.1 handled WORK of #0.0.1\n"
            "250ms    loop 0: 1 handled, 1 accepted\n"
            "1s       now it fails\n"
            "1s       test: 2 accepted\n"
            "1s       log: worker (trolley::testing::{anonymous}::Worker) "
            "ends: its handler of WORK threw: no money\n"
            "1s       loop 1: worker failed at WORK\n"
            "1s       loop 1: worker ends\n"
            "1s       loop 1: worker never took WORK\n"
            "1s       loop 1: 1 failed, 1 dead-lettered, 1 actor fewer\n"
            "1s       test: 1 refused\n"
            "1s       loop 0: #0.0.1 ends\n"
            "1s       loop 0: 1 actor fewer\n");
}

// Every end that a message may have.
TEST(RunTraceTest, ABusTellsWhatBecameOfEachMessage) {
  SimBus sim(Traced(100));
  auto sleeper = sim.Spawn<Sleeper>({.name = "sleeper",
                                     .mailbox_capacity = 1,
                                     .overflow = Overflow::kDropOldest});
  sim.RunUntilIdle();
  sleeper.Tell(Nap{});
  sim.RunUntilIdle();
  sleeper.TellWith({.deadline = sim.Now() + absl::Milliseconds(1)}, Work{});
  sim.RunFor(absl::Milliseconds(2));
  sleeper.Tell(Work{});
  sleeper.Tell(Work{});
  sim.RunFor(absl::Seconds(1));
  sleeper.Tell(Nap{});
  sim.RunUntilIdle();
  sleeper.Tell(Work{});
  sleeper.Stop();
  sim.RunUntilIdle();
  std::string text = sim.trace().ToString();
  for (const char* line :
       {"sleeper starts", "sleeper waits in NAP", "sleeper handled NAP",
        "sleeper was too late for WORK", "sleeper dropped WORK",
        "sleeper handled WORK", "sleeper ends", "sleeper never took NAP",
        "sleeper never took WORK"}) {
    EXPECT_TRUE(absl::StrContains(Short(text), line)) << line << "\n" << text;
  }
}

TEST(RunTraceTest, ATraceDoesNotChangeTheRun) {
  const auto play = [](size_t lines) {
    Choices choices(7);
    SimBus sim({.loops = 3, .choices = &choices, .trace_lines = lines});
    for (int i = 0; i < 6; ++i) {
      sim.Spawn<Worker>({.loop = i % 3}).Tell(Wait{});
    }
    sim.RunFor(absl::Seconds(1));
    sim.Finish();
    return choices.recorded().turns;
  };
  EXPECT_EQ(play(0), play(1'000));
}

TEST(RunTraceTest, WithoutATraceNoLineIsKept) {
  SimBus sim;
  sim.Note("nothing");
  sim.Spawn<Worker>({}).Tell(Work{});
  sim.RunUntilIdle();
  EXPECT_TRUE(sim.trace().lines().empty());
  EXPECT_EQ(sim.trace().left_out(), 0u);
}

TEST(RunTraceTest, TheSinkOfTheTestHasTheLogToo) {
  std::vector<std::string> lines;
  SimBusOptions options = Traced(10);
  options.adjust = [&](BusOptions& of_bus) {
    of_bus.log = [&](absl::string_view line) { lines.emplace_back(line); };
  };
  SimBus sim(options);
  sim.bus().Log("hello");
  EXPECT_EQ(lines, std::vector<std::string>{"hello"});
  EXPECT_EQ(sim.trace().ToString(), "0        log: hello\n");
  sim.Finish();
}

TEST(RunTraceDeathTest, ATestThatFailsPrintsItsTrace) {
  EXPECT_EXIT(
      {
        {
          SimBus sim(Traced(10));
          sim.Note("before");
          ADD_FAILURE() << "on purpose, in the child of a death test";
        }
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "run it again by: .*\n0        before\n");
}

TEST(RunTraceDeathTest, AFailureOfBeforeIsNotOneOfThisBus) {
  EXPECT_EXIT(
      {
        ADD_FAILURE() << "on purpose, in the child of a death test";
        { SimBus sim(Traced(10)); }
        std::fputs("end\n", stderr);
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "^end\n$");
}

}  // namespace
}  // namespace trolley::testing
