// SPDX-License-Identifier: Apache-2.0
//
// The pages of the children of a supervisor (GetChildrenPage), and how a reader
// gets them without the class Supervisor (SupervisionTree).

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/supervision/supervision_tree.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

using Code = absl::StatusCode;
using testing::SimBus;

struct Crash {};

class Worker : public Actor {
 public:
  void On(const Crash&) { throw std::runtime_error("boom"); }
};

// Its start takes an hour.
class SlowWorker : public Actor {
 public:
  Task<absl::Status> OnStartTask() {
    co_await Sleep(absl::Hours(1));
    co_return absl::OkStatus();
  }
};

std::vector<ChildSpec> Workers(int count) {
  std::vector<ChildSpec> specs;
  for (int i = 0; i < count; ++i) {
    specs.push_back(Child<Worker>({.name = absl::StrCat("w", i)}));
  }
  return specs;
}

ChildrenPage PageOf(SimBus& sim, const Ref<Supervisor>& app,
                    GetChildrenPage ask) {
  auto page = sim.Ask(app, ask, absl::Seconds(1));
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? *std::move(page) : ChildrenPage();
}

// Calls visit(page) for all pages; `most` draws the size of the next one.
void ForEachPage(SimBus& sim, const Ref<Supervisor>& app,
                 const std::function<uint32_t()>& most,
                 const std::function<void(const ChildrenPage&)>& visit) {
  GetChildrenPage ask;
  do {
    ask.most = most();
    const ChildrenPage page = PageOf(sim, app, ask);
    visit(page);
    // A page that leads back would have no end.
    if (page.next != 0) {
      ASSERT_GT(page.next, ask.after);
    }
    ask.after = page.next;
  } while (ask.after != 0);
}

// The names on each page, such as "w0 w1 | w2".
std::string PagesOf(SimBus& sim, const Ref<Supervisor>& app, uint32_t most) {
  std::vector<std::string> pages;
  ForEachPage(
      sim, app, [most] { return most; },
      [&](const ChildrenPage& page) {
        pages.push_back(absl::StrJoin(
            page.children, " ", [](std::string* to, const ChildInfo& child) {
              absl::StrAppend(to, child.name);
            }));
      });
  return absl::StrJoin(pages, " | ");
}

TEST(ChildrenPagesTest, EachChildIsOnOnePage) {
  SimBus sim;
  const auto app =
      sim.Spawn<Supervisor>({.name = "app"}, SupervisorOptions(), Workers(5));
  sim.RunUntilIdle();
  EXPECT_EQ(PagesOf(sim, app, 2), "w0 w1 | w2 w3 | w4");
  EXPECT_EQ(PagesOf(sim, app, 5), "w0 w1 w2 w3 w4");
  EXPECT_EQ(PagesOf(sim, app, 0), PagesOf(sim, app, 1));
  EXPECT_EQ(PageOf(sim, app, {.after = ~uint64_t{0}}).children.size(), 0u);
  const auto none =
      sim.Spawn<Supervisor>({.name = "none"}, SupervisorOptions(), Workers(0));
  EXPECT_EQ(PagesOf(sim, none, 2), "");
}

TEST(ChildrenPagesTest, APageHasALimitOfItsOwn) {
  SimBus sim;
  const auto app = sim.Spawn<Supervisor>(
      {.name = "app"},
      SupervisorOptions{.max_children = SupervisorOptions::kMostChildren},
      Workers(SupervisorOptions::kMostChildren));
  sim.RunUntilIdle();
  std::vector<size_t> sizes;
  std::set<std::string> names;
  ForEachPage(
      sim, app, [] { return ~uint32_t{0}; },
      [&](const ChildrenPage& page) {
        sizes.push_back(page.children.size());
        for (const ChildInfo& child : page.children) names.insert(child.name);
      });
  EXPECT_EQ(sizes, (std::vector<size_t>{1000, 1000, 1000, 1000, 96}));
  EXPECT_EQ(names.size(), 4096u);
}

// Children come and go between the pages.
TEST(ChildrenPagesTest, AChildThatStaysIsOnOnePage) {
  testing::ForEachSeed(30, [](uint64_t seed) {
    SimBus sim({.seed = seed});
    std::minstd_rand random(seed);
    const auto draw = [&](int below) {
      return static_cast<int>(random() % below);
    };
    const auto app =
        sim.Spawn<Supervisor>({.name = "app"}, SupervisorOptions(), Workers(0));
    std::vector<std::string> there;
    int made = 0;
    const auto start = [&] {
      there.push_back(absl::StrCat("d", made++));
      auto started =
          sim.Ask(app, StartChild{Child<Worker>({.name = there.back()})},
                  absl::Seconds(1));
      ASSERT_TRUE(started.ok()) << started.status();
    };
    for (int i = 0; i < 12; ++i) start();
    std::set<std::string> stay(there.begin(), there.end());
    std::multiset<std::string> seen;
    const auto change = [&] {
      if (draw(2) == 0 || there.empty()) {
        if (made < 40) start();
        return;
      }
      const int gone = draw(static_cast<int>(there.size()));
      stay.erase(there[gone]);
      EXPECT_TRUE(sim.Ask(app, StopChild{there[gone]}, absl::Minutes(1)).ok());
      there.erase(there.begin() + gone);
    };
    ForEachPage(
        sim, app, [&] { return 1 + draw(4); },
        [&](const ChildrenPage& page) {
          for (const ChildInfo& child : page.children) seen.insert(child.name);
          for (int changes = draw(3); changes > 0; --changes) change();
        });
    for (const std::string& name : stay) EXPECT_EQ(seen.count(name), 1u);
    for (const std::string& name : seen) EXPECT_EQ(seen.count(name), 1u);
  });
}

TEST(ChildrenPagesTest, TellsTheStateOfTheSupervisorAndOfItsChildren) {
  SimBus sim;
  const auto app = sim.Spawn<Supervisor>(
      {.name = "app"}, SupervisorOptions{.backoff = {.first = absl::Hours(9)}},
      std::vector<ChildSpec>{
          Child<Worker>({.name = "a"}), Child<SlowWorker>({.name = "slow"}),
          Child<Supervisor>({.name = "db"}, SupervisorOptions(), Workers(1))});
  sim.RunUntilIdle();
  ChildrenPage page = PageOf(sim, app, {});
  EXPECT_EQ(page.state, ChildState::kStarting);
  ASSERT_EQ(page.children.size(), 3u);
  EXPECT_EQ(page.children[1].state, ChildState::kStarting);
  EXPECT_EQ(page.children[2].state, ChildState::kWaiting);
  EXPECT_FALSE(page.children[1].is_supervisor);
  EXPECT_TRUE(page.children[2].is_supervisor);
  sim.RunFor(absl::Hours(1));
  EXPECT_EQ(PageOf(sim, app, {}).state, ChildState::kUp);
  EXPECT_EQ(PageOf(sim, *sim.bus().Find<Supervisor>("app/db"), {}).state,
            ChildState::kUp);

  Ref<Worker>(page.children[0].address).Tell(Crash{});
  sim.RunUntilIdle();
  page = PageOf(sim, app, {.most = 1});
  EXPECT_EQ(page.state, ChildState::kStarting);
  EXPECT_EQ(page.children[0].state, ChildState::kWaiting);
  EXPECT_EQ(page.children[0].restarts, 0u);
  EXPECT_EQ(page.children[0].last_exit.kind, ExitReason::Kind::kFailed);
  sim.RunFor(absl::Hours(9));
  EXPECT_EQ(PageOf(sim, app, {.most = 1}).children[0].restarts, 1u);

  Ref<Worker>(page.children[0].address).Tell(Crash{});
  app.Tell(StopTree{});
  auto reply = std::make_shared<std::optional<absl::StatusOr<ChildrenPage>>>();
  app.AskThen(GetChildrenPage{}, absl::Seconds(1),
              [reply](auto got) { *reply = std::move(got); });
  sim.RunUntilIdle();
  ASSERT_TRUE(reply->has_value() && (*reply)->ok());
  EXPECT_EQ((**reply)->state, ChildState::kStopping);
}

// --- SupervisionTree ---------------------------------------------------------

// Asks for a page through a TreeSource, and runs what is due.
std::optional<absl::StatusOr<ChildrenPage>> Read(
    SimBus& sim, const std::string& name,
    absl::Duration timeout = absl::Seconds(1)) {
  const TreeSource tree = SupervisionTree({"app"});
  auto reply = std::make_shared<std::optional<absl::StatusOr<ChildrenPage>>>();
  tree.read(sim.bus(), name, {}, timeout,
            [reply](absl::StatusOr<ChildrenPage> got) {
              EXPECT_FALSE(reply->has_value());
              *reply = std::move(got);
            });
  sim.RunUntilIdle();
  return *reply;
}

TEST(SupervisionTreeTest, ReadsASupervisorByItsName) {
  SimBus sim;
  EXPECT_EQ(SupervisionTree({"app", "jobs"}).roots,
            (std::vector<std::string>{"app", "jobs"}));
  EXPECT_EQ(Read(sim, "app")->status().code(), Code::kNotFound);
  sim.Spawn<Worker>({.name = "plain"});
  EXPECT_EQ(Read(sim, "plain")->status().code(), Code::kFailedPrecondition);
  // It is looked up each time: it started later.
  sim.Spawn<Supervisor>({.name = "app"}, SupervisorOptions(), Workers(2));
  sim.RunUntilIdle();
  EXPECT_EQ((*Read(sim, "app"))->children.size(), 2u);
  sim.Spawn<Supervisor>({.name = "full", .mailbox_capacity = 1},
                        SupervisorOptions(), Workers(0));
  const auto full = *sim.bus().Find<Supervisor>("full");
  full.Tell(StopTree{});  // waits, and holds the one credit
  EXPECT_EQ(Read(sim, "full")->status().code(), Code::kResourceExhausted);
}

TEST(SupervisionTreeTest, TheTimeout) {
  ForEachExtreme("actors/supervision/tree_source.h void(timeout)",
                 [](const Extreme& e) {
                   SimBus sim;
                   // Its child has failed, so no object takes the ask.
                   sim.Spawn<Supervisor>(
                       {.name = "app"},
                       SupervisorOptions{.max_restarts = 9,
                                         .backoff = {.first = absl::Hours(1)}},
                       std::vector<ChildSpec>{Child<Supervisor>(
                           {.name = "db"}, SupervisorOptions{.max_restarts = 0},
                           Workers(1))});
                   sim.RunUntilIdle();
                   sim.bus().Find<Worker>("app/db/w0")->Tell(Crash{});
                   sim.RunUntilIdle();
                   const auto reply = Read(sim, "app/db", e.value);
                   // The time of the test stands still.
                   if (e.positive()) {
                     EXPECT_FALSE(reply.has_value());
                   } else {
                     ASSERT_TRUE(reply.has_value());
                     EXPECT_EQ(reply->status().code(), Code::kDeadlineExceeded);
                   }
                 });
}

}  // namespace
}  // namespace trolley
