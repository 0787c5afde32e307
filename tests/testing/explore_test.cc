// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/explore.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/testing/caught.h"
#include "trolley/tests/testing/clean_environment.h"

namespace trolley::testing {
namespace {

using List = std::vector<uint64_t>;
using ExploreTest = CleanEnvironment;

// --- A bug that only some orders of the loops show ---

struct Configure {};
struct Use {};
struct Go {};

// The bug: nothing makes the configuration come before the first use.
class Server : public Actor {
 public:
  void On(const Configure&) { configured_ = true; }
  void On(const Use&) { EXPECT_TRUE(configured_) << "used too soon"; }

 private:
  bool configured_ = false;
};
template <typename M>
class Sender : public Actor {
 public:
  explicit Sender(Ref<Server> server) : server_(std::move(server)) {}
  void On(const Go&) { server_.Tell(M{}); }

 private:
  const Ref<Server> server_;
};

void RunServer(const SimBusOptions& options) {
  SimBus sim(options);
  auto server = sim.Spawn<Server>({.name = "server", .loop = 0});
  auto owner =
      sim.Spawn<Sender<Configure>>({.name = "owner", .loop = 1}, server);
  auto user = sim.Spawn<Sender<Use>>({.name = "user", .loop = 2}, server);
  owner.Tell(Go{});
  user.Tell(Go{});
  sim.RunUntilIdle();
}
void ServerBody(Choices& choices) {
  RunServer({.loops = 3, .choices = &choices});
}

TEST_F(ExploreTest, ThePlainOrderDoesNotShowTheBug) {
  RunServer({.loops = 3, .vary_turns = false});
  Choices plain(1, {});
  ServerBody(plain);
}

TEST_F(ExploreTest, P18_FindsABugOfTheOrderAndShrinksItToOneTurn) {
  Explored found;
  const Caught caught =
      Catch([&] { found = Explore({.runs = 1'000}, ServerBody); });
  ASSERT_TRUE(found.failed.has_value());
  EXPECT_EQ(caught.failures.size(), 1u) << "failures of other runs";
  EXPECT_TRUE(absl::StrContains(caught.failures[0], "used too soon"));
  EXPECT_EQ(found.choices, List{});
  // All turns but one are as in the plain order.
  EXPECT_EQ(found.turns.size() -
                std::count(found.turns.begin(), found.turns.end(), 0),
            1u)
      << found.text;
  EXPECT_TRUE(absl::StrContains(found.text, "spawn server on loop 0"));
  EXPECT_TRUE(absl::StrContains(found.text, "loop 2: 1 handled, 1 accepted"));

  // The line that was printed finds the same again.
  EXPECT_TRUE(
      absl::StrContains(caught.printed, ReplayLine(*found.failed) + "\n"));
  setenv("TROLLEY_SEED", std::to_string(*found.failed).c_str(), 1);
  Explored again;
  const Caught caught_again =
      Catch([&] { again = Explore({.runs = 1'000}, ServerBody); });
  EXPECT_EQ(again.failed, found.failed);
  EXPECT_EQ(again.seeds, 1u);
  EXPECT_EQ(again.text, found.text);
  EXPECT_EQ(caught_again.failures, caught.failures);
  EXPECT_EQ(caught_again.printed, caught.printed);
}

// --- How often the body runs ---

TEST_F(ExploreTest, ABodyThatPassesRunsOnceForEachSeed) {
  List seeds;
  Explored explored;
  const Caught caught = Catch([&] {
    explored = Explore({.runs = 25}, [&](Choices& choices) {
      seeds.push_back(choices.seed());
      choices.Below(10);
    });
  });
  ASSERT_EQ(seeds.size(), 25u);
  for (uint64_t i = 0; i < 25; ++i) EXPECT_EQ(seeds[i], i + 1);
  EXPECT_EQ(explored.seeds, 25u);
  EXPECT_EQ(explored.shrinks, 0u);
  EXPECT_FALSE(explored.failed.has_value());
  EXPECT_EQ(explored.text, "");
  EXPECT_EQ(caught.printed, "");
  EXPECT_TRUE(caught.failures.empty());
}

TEST_F(ExploreTest, TheEnvironmentOverridesTheSeeds) {
  uint64_t calls = 0;
  const auto count = [&](Choices&) { ++calls; };
  setenv("TROLLEY_SEEDS", "7", 1);
  EXPECT_EQ(Explore({.runs = 25}, count).seeds, 7u);
  EXPECT_EQ(calls, 7u);
  EXPECT_EQ(Catch([&] { Explore({.runs = 0}, count); }).failures.size(), 0u);
  unsetenv("TROLLEY_SEEDS");
  EXPECT_EQ(Catch([&] { Explore({.runs = 0}, count); }).failures.size(), 1u);
}

TEST_F(ExploreTest, TheSearchEndsAtItsBound) {
  for (const uint64_t most : {0, 1, 10, 50}) {
    uint64_t calls = 0;
    Explored found;
    const Caught caught = Catch([&] {
      found =
          Explore({.runs = 1'000, .most_shrinks = most}, [&](Choices& choices) {
            ++calls;
            uint64_t large = 0;
            for (int i = 0; i < 200; ++i) {
              large += choices.Below(1'000) >= 100;
            }
            EXPECT_LT(large, 90u);
          });
    });
    EXPECT_EQ(found.failed, 1u);
    EXPECT_EQ(found.shrinks, most);
    // The run that failed, once more to be sure, the search, the last one.
    EXPECT_EQ(calls, 3 + most);
    EXPECT_EQ(caught.failures.size(), 1u);
  }
}

// --- What is found ---

TEST_F(ExploreTest, FindsTheLeastNumberThatFails) {
  Explored found;
  Catch([&] {
    found = Explore({.runs = 1'000}, [](Choices& choices) {
      const uint64_t a = choices.Below(1'000);
      choices.Below(50);
      EXPECT_LT(a, 543u);
    });
  });
  EXPECT_EQ(found.choices, List{543});
}

TEST_F(ExploreTest, FindsTheShortestListOfElements) {
  Explored found;
  Catch([&] {
    found = Explore({.runs = 1'000}, [](Choices& choices) {
      uint64_t sum = 0;
      choices.Repeat(50, [&] {
        const uint64_t kind = choices.Below(3);
        const uint64_t amount = choices.Below(10);
        if (kind == 1) sum += amount;
        return true;
      });
      EXPECT_LT(sum, 12u);
    });
  });
  // Two elements (begins, kind, amount); one cannot do it.
  EXPECT_EQ(found.choices, (List{1, 1, 3, 1, 1, 9}));
}

TEST_F(ExploreTest, StaysWithTheFailureThatItFoundFirst) {
  Explored found;
  const Caught caught = Catch([&] {
    found = Explore({.runs = 1'000}, [](Choices& choices) {
      const uint64_t a = choices.Below(1'000);
      if (a >= 500) {
        ADD_FAILURE() << "large";
      } else if (a < 10) {
        ADD_FAILURE() << "small";
      }
    });
  });
  ASSERT_EQ(caught.failures.size(), 1u);
  if (absl::StrContains(caught.failures[0], "large")) {
    EXPECT_EQ(found.choices, List{500});
  } else {
    EXPECT_EQ(found.choices, List{});
  }
}

TEST_F(ExploreTest, ReportsEachFailureOfTheShortestRunAtItsLine) {
  ::testing::TestPartResultArray results;
  ::testing::internal::CaptureStderr();
  int line = 0;
  {
    ::testing::ScopedFakeTestPartResultReporter catcher(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &results);
    Explore({.runs = 3}, [&](Choices& choices) {
      SCOPED_TRACE("inside");
      line = __LINE__ + 1;
      EXPECT_EQ(choices.Below(5), 5u);
      ASSERT_TRUE(false) << "second";
    });
  }
  ::testing::internal::GetCapturedStderr();
  ASSERT_EQ(results.size(), 2);
  EXPECT_EQ(results.GetTestPartResult(0).line_number(), line);
  EXPECT_TRUE(
      absl::StrContains(results.GetTestPartResult(0).message(), "inside"));
  EXPECT_TRUE(
      absl::StrContains(results.GetTestPartResult(0).message(), "Which is: 0"))
      << results.GetTestPartResult(0).message();
  EXPECT_TRUE(
      absl::StrContains(results.GetTestPartResult(1).message(), "second"));
}

TEST_F(ExploreTest, AnExceptionIsAFailure) {
  Explored found;
  const Caught caught = Catch([&] {
    found = Explore({.runs = 100}, [](Choices& choices) {
      if (choices.Below(10) >= 4) throw std::runtime_error("on purpose");
    });
  });
  EXPECT_EQ(found.choices, List{4});
  ASSERT_EQ(caught.failures.size(), 1u);
  EXPECT_TRUE(
      absl::StrContains(caught.failures[0], "the body threw: on purpose"));
  EXPECT_EQ(Catch([&] {
              Explore({.runs = 1}, [](Choices&) { throw 7; });
            }).failures.size(),
            1u);
}

TEST_F(ExploreTest, ABodyThatDependsOnSomethingElseIsToldSo) {
  int calls = 0;
  Explored found;
  const Caught caught = Catch([&] {
    found = Explore({.runs = 100}, [&](Choices& choices) {
      choices.Below(10);
      if (++calls == 5) ADD_FAILURE() << "only once";
    });
  });
  EXPECT_EQ(found.failed, 5u);
  EXPECT_EQ(found.shrinks, 0u);
  ASSERT_EQ(caught.failures.size(), 2u);
  EXPECT_TRUE(absl::StrContains(caught.failures[0], "only once"));
  EXPECT_TRUE(absl::StrContains(caught.failures[1],
                                "did not fail in the same "
                                "way again"));
}

TEST_F(ExploreTest, TheBodyMayEndAtItsFirstFailure) {
  uint64_t after = 0;
  Catch([&] {
    Explore({.runs = 10}, [&](Choices& choices) {
      EXPECT_FALSE(choices.failed());
      EXPECT_LT(choices.Below(10), 3u);
      if (choices.failed()) return;
      ++after;
    });
  });
  EXPECT_LT(after, 10u);
}

struct Throw {};
class Thrower : public Actor {
 public:
  void On(const Throw&) { throw std::runtime_error("logged"); }
};

TEST_F(ExploreTest, TheLogOfARunIsPrintedOnlyForTheShortestOne) {
  const Caught caught = Catch([&] {
    Explore({.runs = 50}, [](Choices& choices) {
      SimBus sim({.choices = &choices});
      sim.Spawn<Thrower>({}).Tell(Throw{});
      sim.RunUntilIdle();
      EXPECT_LT(choices.Below(20), 15u);
    });
  });
  ASSERT_EQ(caught.failures.size(), 1u);
  const size_t first = caught.printed.find("threw: logged");
  ASSERT_NE(first, std::string::npos) << caught.printed;
  EXPECT_EQ(caught.printed.find("threw: logged", first + 1), std::string::npos)
      << caught.printed;
}

}  // namespace
}  // namespace trolley::testing
