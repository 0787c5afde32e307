// SPDX-License-Identifier: Apache-2.0
//
// Supervision, topics, pools and asks that are cancelled, together, on one to
// three loops in virtual time. Whatever a seed lets happen, the ledger balances
// and no ask stays open.
//
//   mixed_test        100 seeds
//   mixed_test_full   2,000 seeds
//
// A run is a tree: a pool of clerks, and an office of clients and readers. Its
// actors fail, are restarted, are resized, and escalate; then there is a new
// tree. In the end all comes to rest, or the bus shuts down in the middle.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/bus/run_options.h"
#include "trolley/tests/mixed/mixed_actors.h"
#include "trolley/tests/mixed/mixed_books.h"

namespace trolley {
namespace {

class MixedRun {
 public:
  MixedRun(uint64_t seed, MixedTotals* totals)
      : books_(seed, totals),
        sim_({.loops = 1 + static_cast<int>(seed % 3),
              .seed = seed,
              .adjust = [](BusOptions& options) {
                options.log = [](absl::string_view) {};
              }}) {
    witness_ = sim_.Spawn<Witness>({.name = "witness", .mailbox_capacity = 8},
                                   &books_, &testimony_);
    subscription_ = *topics_.Subscribe<Tick>("t.*", witness_);
  }

  void Run() {
    for (uint64_t steps = 30 + books_.Below(50); steps > 0; --steps) {
      if (!sim_.bus().FindAddress("root").ok()) SpawnTree();
      for (uint64_t n = books_.Below(3); n > 0; --n) Disturb();
      sim_.RunFor(books_.UpTo(25));
    }
    if (books_.OneIn(3)) {
      sim_.Finish();  // in the middle
    } else {
      books_.calm = true;
      sim_.RunFor(absl::Minutes(10));
      CheckAtRest();
      if (books_.OneIn(2)) StopTree();
      sim_.Finish();
    }
    EXPECT_TRUE(sim_.Finish().ledger.Balances())
        << sim_.Finish().ledger.ToString();
    EXPECT_EQ(books_.open_asks, 0) << "a coroutine is left";
    EXPECT_EQ(replies_, asked_) << "an ask of the test stays unanswered";
    for (const auto& [id, times] : books_.begun) {
      EXPECT_EQ(times, 1) << "message " << id << " was handled more than once";
    }
  }

  const Ledger& ledger() { return sim_.Finish().ledger; }

 private:
  // --- The tree --------------------------------------------------------------

  int Loop() { return static_cast<int>(books_.Below(sim_.bus().loops())); }

  ChildOptions Options(std::string name, uint32_t mailbox) {
    return {
        .name = std::move(name),
        .loop = Loop(),
        .mailbox_capacity = mailbox,
        .urgent_reserve = static_cast<uint32_t>(books_.Below(3)),
        .overflow = books_.OneIn(2) ? Overflow::kRefuse : Overflow::kDropOldest,
        .keep_mailbox = books_.OneIn(2),
        .stop_within = books_.UpTo(20)};
  }
  SupervisorOptions Budget(uint64_t most) {
    constexpr Strategy kStrategies[] = {
        Strategy::kOneForOne, Strategy::kOneForAll, Strategy::kRestForOne};
    return {.strategy = kStrategies[books_.Below(3)],
            .max_restarts = static_cast<uint32_t>(books_.Below(most)),
            .within = absl::Milliseconds(1 + books_.Below(300)),
            .backoff = {.first = books_.UpTo(10), .most = books_.UpTo(40)}};
  }

  template <typename Policy>
  ChildSpec PoolChild() {
    using Clerks = Pool<Clerk, Policy>;
    find_pool_ = [this]() -> absl::StatusOr<Ref<ClerkWay>> {
      const auto found = sim_.bus().FindAddress("root/pool");
      if (!found.ok()) return found.status();
      return Ref<ClerkWay>(Ref<Clerks>(*found));
    };
    const PoolOptions options = {
        .workers = static_cast<uint32_t>(books_.Below(4)),
        .worker_mailbox = 1 + static_cast<uint32_t>(books_.Below(4)),
        .max_asks = 2 + static_cast<uint32_t>(books_.Below(10)),
        .max_restarts = 4,
        .restart_window = books_.UpTo(200),
        .restart_backoff = books_.UpTo(3),
        .longest_backoff = absl::Milliseconds(20)};
    MixedBooks* const books = &books_;
    const std::function<std::unique_ptr<Clerk>()> make = [books] {
      return std::make_unique<Clerk>(books);
    };
    return Child<Clerks>(
        Options("pool", 8 + books_.Below(16)),
        [options, make] { return std::make_unique<Clerks>(options, make); });
  }
  ChildSpec AnyPool() {
    switch (books_.Below(3)) {
      case 0:
        return PoolChild<RoundRobin>();
      case 1:
        return PoolChild<LeastLoaded>();
      default:
        return PoolChild<WorkPulling>();
    }
  }
  ChildSpec ReaderChild(std::string name) {
    return Child<Reader>(Options(std::move(name), 3 + books_.Below(16)),
                         &books_, topics_);
  }

  void SpawnTree() {
    // The one before has ended, and all of it.
    sim_.RunFor(absl::Seconds(1));
    ASSERT_EQ(sim_.bus().CountActors(), 1u);
    ASSERT_EQ(topics_.Stats().subscriptions, 1u);
    ++books_.generation;
    ++books_.totals.roots;
    children_.clear();
    std::vector<ChildSpec> office;
    ChildSpec pool = AnyPool();
    for (uint64_t i = 0; i < 3; ++i) {
      const std::string name = absl::StrCat("client", i);
      children_.push_back("root/office/" + name);
      office.push_back(Child<Client>(Options(name, 4 + books_.Below(16)),
                                     &books_, topics_,
                                     books_.generation * 10 + i, find_pool_));
    }
    for (const char* name : {"reader0", "reader1"}) {
      children_.push_back(absl::StrCat("root/office/", name));
      office.push_back(ReaderChild(name));
    }
    ChildOptions of_office = Options("office", 64);
    of_office.overflow = Overflow::kRefuse;
    of_office.stop_within = absl::Seconds(1);
    const Ref<Supervisor> root = sim_.Spawn<Supervisor>(
        {.name = "root", .loop = Loop()}, Budget(12),
        std::vector<ChildSpec>{
            std::move(pool), Child<Supervisor>(std::move(of_office), Budget(10),
                                               std::move(office))});
    sim_.RunUntilIdle();
    Watch(root.address());
    for (const std::string& name : children_) {
      const auto found = sim_.bus().FindAddress(name);
      if (found.ok()) Watch(*found);
    }
  }

  void Watch(Address actor) {
    if (witness_.Tell(WatchIt{std::move(actor)}) == Delivery::kAccepted) {
      ++watches_;
    }
  }

  // --- What comes from outside -----------------------------------------------

  // Counts its replies, so that each ask is seen to have one.
  template <typename A, typename M>
  void Begin(const Ref<A>& to, M message) {
    ++asked_;
    to.AskThen(std::move(message), books_.UpTo(100),
               [this](const auto&) { ++replies_; });
  }
  void Disturb() {
    const auto office = sim_.bus().FindAddress("root/office");
    const auto pool = find_pool_();
    switch (books_.Below(5)) {
      case 0:
      case 1: {
        const std::string& name = children_[books_.Below(children_.size())];
        const auto child = sim_.bus().FindAddress(name);
        if (!child.ok()) break;
        if (absl::StrContains(name, "reader")) {
          Ref<Reader>(*child).Tell(Crash{});
        } else {
          Ref<Client>(*child).Tell(Crash{});
        }
        break;
      }
      case 2:
        if (!pool.ok()) break;
        Begin(*pool, ResizePool{static_cast<uint32_t>(books_.Below(5))});
        pool->Tell(Crash{});
        break;
      case 3:
        if (!office.ok()) break;
        Begin(Ref<Supervisor>(*office),
              RestartChild{absl::StrCat("client", books_.Below(3))});
        break;
      default:
        if (!office.ok()) break;
        if (books_.OneIn(2)) {
          Begin(Ref<Supervisor>(*office), StopChild{"guest"});
        } else {
          Begin(Ref<Supervisor>(*office), StartChild{ReaderChild("guest")});
        }
    }
  }

  // --- The end ---------------------------------------------------------------

  void CheckAtRest() {
    testing::ExpectBalanced(sim_.ledger(), sim_.seed());
    EXPECT_EQ(books_.open_asks, 0) << "an ask stays unanswered";
    EXPECT_EQ(replies_, asked_);
    const SubscriptionStats stats = *topics_.Stats(subscription_);
    uint64_t published = 0;
    for (const auto& [publisher, number] : books_.published) {
      published += number;
    }
    EXPECT_EQ(stats.matched, published);
    EXPECT_EQ(stats.delivered, testimony_.seen);
    EXPECT_EQ(stats.in_gaps, testimony_.missed);
    EXPECT_EQ(published,
              testimony_.seen + testimony_.missed + stats.pending_gap);
    const auto root = sim_.bus().FindAddress("root");
    if (!root.ok()) return ExpectTheTreeToHaveEnded();
    CheckChildrenOf(Ref<Supervisor>(*root));
    const auto pool = find_pool_();
    ASSERT_TRUE(pool.ok()) << pool.status();
    const auto info = sim_.Ask(*pool, GetPoolInfo{}, absl::Seconds(1));
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_EQ(info->asks, 0u);
    EXPECT_EQ(info->waiting, 0u);
    for (const PoolWorkerInfo& worker : info->workers) {
      EXPECT_TRUE(worker.running) << worker.name;
      EXPECT_EQ(worker.load, 0u) << worker.name;
    }
  }
  // Each child is up; one that is not would have made its supervisor end.
  void CheckChildrenOf(const Ref<Supervisor>& supervisor) {
    const auto children = sim_.Ask(supervisor, GetChildren{}, absl::Seconds(1));
    ASSERT_TRUE(children.ok()) << children.status();
    for (const ChildInfo& child : *children) {
      EXPECT_EQ(child.state, ChildState::kUp)
          << child.name << ": " << child.last_exit.ToString();
      if (child.name == "office") {
        CheckChildrenOf(Ref<Supervisor>(child.address));
      }
    }
  }
  void StopTree() {
    const auto root = sim_.bus().FindAddress("root");
    if (root.ok()) Ref<Supervisor>(*root).Tell(trolley::StopTree{});
    sim_.RunFor(absl::Minutes(1));
    ExpectTheTreeToHaveEnded();
  }
  void ExpectTheTreeToHaveEnded() {
    EXPECT_EQ(sim_.bus().CountActors(), 1u);
    EXPECT_EQ(topics_.Stats().subscriptions, 1u);
    EXPECT_EQ(testimony_.downs, watches_);
  }

  Testimony testimony_;
  MixedBooks books_;
  Topics topics_ = *Topics::Create({.kept_per_name = 2});
  uint64_t asked_ = 0, replies_ = 0;
  uint64_t watches_ = 0;
  testing::SimBus sim_;
  Ref<Witness> witness_;
  SubscriptionId subscription_;
  Client::Find find_pool_;
  std::vector<std::string> children_;  // the names, without the guest
};

TEST(MixedTest, P2_AllPartsTogetherBalanceWhateverHappens) {
  MixedTotals totals;
  Ledger sum;
  uint64_t seeds = 0;
  ForEachSeed(GetRunOptions().Scale(100, 2'000), [&](uint64_t seed) {
    MixedRun run(seed, &totals);
    run.Run();
    sum += run.ledger();
    ++seeds;
  });
  std::printf("%" PRIu64 " seeds, %" PRIu64 " trees, %" PRIu64
              " crashes; asks answered %" PRIu64 ", given up %" PRIu64
              "; handlers told %" PRIu64 ", cut off %" PRIu64
              "; published %" PRIu64 ", missed %" PRIu64 "\n%s\n",
              seeds, totals.roots, totals.crashes, totals.answered,
              totals.given_up, totals.told_by_token, totals.cut_off,
              totals.published, totals.missed, sum.ToString().c_str());
  if (seeds < 100) return;  // one seed is run again
  // It was a storm.
  EXPECT_GT(totals.roots, seeds);
  EXPECT_GT(totals.crashes, 10 * seeds);
  EXPECT_GT(totals.answered, 10 * seeds);
  EXPECT_GT(totals.given_up, seeds);
  EXPECT_GT(totals.told_by_token, seeds / 10);
  EXPECT_GT(totals.cut_off, seeds);
  EXPECT_GT(totals.missed, seeds);
  EXPECT_GT(sum.refused, seeds);
  EXPECT_GT(sum.expired, seeds);
  EXPECT_GT(sum.dead_lettered, seeds);
  EXPECT_GT(sum.dropped, 0u);
}

}  // namespace
}  // namespace trolley
