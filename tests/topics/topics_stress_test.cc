// SPDX-License-Identifier: Apache-2.0
//
// Topics on two loops with threads: every publication is delivered or is in a
// gap, in the order of its publisher. The figures of a subscription are
// compared with what its actor has seen when the bus has ended.
//
//   topics_stress_test_full   10,000,000 publications past a stopped subscriber

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/bus/latch.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Tick {
  int publisher;
  uint64_t number;  // of that publisher, from 1
};
// Asked, so that all that came before it has been handled.
struct Sync {};

Bus TwoLoops() {
  return Bus::CreateOrDie(
      {.loops = {{.poller = "epoll"}, {.poller = "epoll"}}});
}

// What a subscriber has seen. Its actor writes it; the test reads it when the
// bus has ended.
struct Seen {
  uint64_t publications = 0;
  uint64_t missed = 0;
  uint64_t out_of_order = 0;  // not larger than the last of its publisher
  uint64_t not_in_a_gap = 0;  // with one publisher: the numbers do not add up
  uint64_t holes = 0;         // a number of a publisher is left out
  std::vector<uint64_t> last = std::vector<uint64_t>(8);
  uint64_t missed_since = 0;
  bool first = true;
};

class Counter : public Actor {
 public:
  // Opens `reached` with publication number `at` that it gets.
  explicit Counter(Seen* seen, Latch* reached = nullptr, uint64_t at = 0)
      : seen_(seen), reached_(reached), at_(at) {}
  // And waits for `go` in the handler of its first one, which opens `waits`.
  Counter(Seen* seen, Latch* reached, uint64_t at, Latch* go, Latch* waits)
      : seen_(seen), reached_(reached), at_(at), go_(go), waits_(waits) {}

  void On(const Published<Tick>& m) {
    if (Latch* go = std::exchange(go_, nullptr)) {
      waits_->Open();
      go->Wait();
    }
    if (++seen_->publications == at_) reached_->Open();
    uint64_t& last = seen_->last[m.value.publisher];
    if (m.value.number <= last) ++seen_->out_of_order;
    if (last != 0 && m.value.number > last + 1) ++seen_->holes;
    if (!std::exchange(seen_->first, false) &&
        m.value.number != last + 1 + seen_->missed_since) {
      ++seen_->not_in_a_gap;
    }
    seen_->missed_since = 0;
    last = m.value.number;
  }
  void On(const Gap& gap) {
    seen_->missed += gap.missed;
    seen_->missed_since += gap.missed;
  }
  void On(const Sync&) {}

 private:
  Seen* const seen_;
  Latch* const reached_;
  const uint64_t at_;
  Latch* go_ = nullptr;
  Latch* const waits_ = nullptr;
};

void ExpectAgreement(const SubscriptionStats& stats, const Seen& seen) {
  EXPECT_EQ(stats.matched, stats.delivered + stats.in_gaps + stats.pending_gap);
  EXPECT_EQ(stats.delivered, seen.publications);
  EXPECT_EQ(stats.in_gaps, seen.missed);
  EXPECT_EQ(seen.out_of_order, 0u);
}

void ExpectBalance(Bus& bus) {
  const ShutdownReport report = bus.Shutdown(absl::InfiniteDuration());
  EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
}

TEST(TopicsStressTest,
     P21_AStoppedSubscriberMissesAnExactNumberAndTheFastOneNone) {
  const uint64_t publications = GetRunOptions().Scale(200'000, 10'000'000);
  constexpr uint32_t kMailbox = 16;
  constexpr uint32_t kBatch = 50'000;  // no more wait for the fast one
  Seen fast_seen, stopped_seen;
  Latch go, waits, emptied;
  Bus bus = TwoLoops();
  Topics topics;
  const auto fast = bus.Spawn<Counter>(
      {.loop = 0, .mailbox_capacity = 2 * kBatch}, &fast_seen);
  const auto stopped =
      bus.Spawn<Counter>({.loop = 1, .mailbox_capacity = kMailbox},
                         &stopped_seen, &emptied, kMailbox, &go, &waits);
  const SubscriptionId fast_id = *topics.Subscribe<Tick>("t.*", *fast);
  const SubscriptionId stopped_id = *topics.Subscribe<Tick>("t.>", *stopped);

  uint64_t number = 0;
  ASSERT_TRUE(topics.Publish<Tick>("t.a", 0, ++number).ok());
  waits.Wait();
  while (number < publications) {
    ASSERT_TRUE(topics.Publish<Tick>("t.a", 0, ++number).ok());
    if (number % kBatch != 0) continue;
    ASSERT_TRUE(fast->AskAndWait(Sync{}, absl::InfiniteDuration()).ok());
  }
  SubscriptionStats stats = *topics.Stats(stopped_id);
  EXPECT_EQ(stats.matched, publications);
  EXPECT_EQ(stats.delivered, kMailbox);
  EXPECT_EQ(stats.pending_gap, publications - kMailbox);

  go.Open();
  emptied.Wait();  // but for the message in hand
  ASSERT_EQ(topics.Publish<Tick>("t.a", 0, ++number)->delivered, 2u);
  stats = *topics.Stats(stopped_id);
  const SubscriptionStats fast_stats = *topics.Stats(fast_id);
  ExpectBalance(bus);
  ExpectAgreement(stats, stopped_seen);
  ExpectAgreement(fast_stats, fast_seen);
  EXPECT_EQ(stats.matched, number);
  EXPECT_EQ(stats.pending_gap, 0u);
  EXPECT_EQ(stats.gaps, 1u);
  EXPECT_EQ(stopped_seen.missed, publications - kMailbox);
  EXPECT_EQ(stopped_seen.not_in_a_gap, 0u);
  EXPECT_EQ(stopped_seen.last[0], number);
  EXPECT_EQ(fast_seen.publications, number);
  EXPECT_EQ(fast_seen.missed, 0u);
  EXPECT_EQ(fast_seen.not_in_a_gap, 0u);
}

struct Begin {};

// Publishes from the thread of a loop.
class Publisher : public Actor {
 public:
  Publisher(Topics topics, int index, uint64_t most, std::atomic<int>* left,
            Latch* done)
      : topics_(std::move(topics)),
        index_(index),
        most_(most),
        left_(left),
        done_(done) {}
  // In many handlers, so that the loop also runs subscribers.
  void On(const Begin&) {
    for (int i = 0; i < 20 && number_ < most_; ++i) {
      EXPECT_TRUE(topics_.Publish<Tick>("t.a", index_, ++number_).ok());
    }
    if (number_ < most_) {
      Self(this).Tell(Begin{});
    } else if (--*left_ == 0) {
      done_->Open();
    }
  }

 private:
  const Topics topics_;
  const int index_;
  const uint64_t most_;
  std::atomic<int>* const left_;
  Latch* const done_;
  uint64_t number_ = 0;
};

TEST(TopicsStressTest, P21_EachPublisherOfFourThreadsKeepsItsOrder) {
  const uint64_t each = GetRunOptions().Scale(20'000, 1'000'000);
  constexpr int kSubscribers = 4;
  std::vector<Seen> seen(kSubscribers);
  std::vector<SubscriptionId> ids;
  Bus bus = TwoLoops();
  Topics topics;
  for (int i = 0; i < kSubscribers; ++i) {
    const auto counter = bus.Spawn<Counter>(
        {.loop = i % 2, .mailbox_capacity = i < 2 ? 32u : 4096u}, &seen[i]);
    ids.push_back(*topics.Subscribe<Tick>(i % 2 == 0 ? "t.a" : ">", *counter));
  }
  std::atomic<int> left = 2;
  Latch done;
  for (int i = 0; i < 2; ++i) {
    const auto publisher =
        bus.Spawn<Publisher>({.loop = i}, topics, i, each, &left, &done);
    EXPECT_EQ(publisher->Tell(Begin{}), Delivery::kAccepted);
  }
  std::vector<std::thread> threads;
  for (int i = 2; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t number = 1; number <= each; ++number) {
        EXPECT_TRUE(topics.Publish<Tick>("t.a", i, number).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.Wait();
  std::vector<SubscriptionStats> stats;
  for (const SubscriptionId id : ids) stats.push_back(*topics.Stats(id));
  EXPECT_EQ(topics.Stats().publications, 4 * each);
  ExpectBalance(bus);
  uint64_t gaps = 0;
  for (int i = 0; i < kSubscribers; ++i) {
    SCOPED_TRACE(absl::StrCat("subscriber ", i));
    EXPECT_EQ(stats[i].matched, 4 * each);
    ExpectAgreement(stats[i], seen[i]);
    gaps += stats[i].gaps;
  }
  EXPECT_GT(gaps, 0u) << "no mailbox was full";
}

// Each round subscribes a new actor while two threads publish without a pause,
// each on a name of its own. The window for an error is short. So there are
// many rounds with many replays.
TEST(TopicsStressTest,
     P21_BetweenReplaysAndNewerOnesThereIsNoHoleAndNoRepetition) {
  constexpr uint32_t kKept = 50;
  const uint64_t rounds = GetRunOptions().Scale(2'000, 50'000);
  std::vector<std::unique_ptr<Seen>> seen;
  Bus bus = TwoLoops();
  absl::StatusOr<Topics> topics = Topics::Create({.kept_per_name = kKept});
  ASSERT_TRUE(topics.ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> publishers;
  for (int i = 0; i < 2; ++i) {
    publishers.emplace_back([&, i] {
      for (uint64_t number = 1; !stop; ++number) {
        EXPECT_TRUE(
            topics->Publish<Tick>(absl::StrCat("t.", i), i, number).ok());
      }
    });
  }
  uint64_t complete = 0;
  for (uint64_t i = 0; i < rounds; ++i) {
    seen.push_back(std::make_unique<Seen>());
    Latch reached;
    const auto counter = bus.Spawn<Counter>(
        {.loop = static_cast<int>(i % 2), .mailbox_capacity = 1u << 20},
        seen.back().get(), &reached, 2 * kKept + 10);
    const SubscriptionId id =
        *topics->Subscribe<Tick>("t.*", *counter, {.replay = kKept});
    reached.Wait();
    complete += topics->Unsubscribe(id)->pending_gap == 0 ? 1 : 0;
  }
  stop = true;
  for (std::thread& publisher : publishers) publisher.join();
  ExpectBalance(bus);
  EXPECT_EQ(complete, rounds) << "a mailbox was full";
  for (uint64_t i = 0; i < rounds; ++i) {
    ASSERT_EQ(seen[i]->out_of_order, 0u) << "round " << i;
    ASSERT_EQ(seen[i]->holes, 0u) << "round " << i;
  }
}

TEST(TopicsStressTest, P21_SubscribersComeAndGoWhileOthersPublish) {
  Bus bus = TwoLoops();
  Topics topics;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t number = 1; !stop; ++number) {
        EXPECT_TRUE(
            topics.Publish<Tick>(absl::StrCat("t.", number % 3), i, number)
                .ok());
      }
    });
  }
  const uint64_t rounds = GetRunOptions().Scale(300, 10'000);
  std::vector<std::unique_ptr<Seen>> seen;
  for (uint64_t i = 0; i < rounds; ++i) {
    seen.push_back(std::make_unique<Seen>());
    const auto counter = bus.Spawn<Counter>(
        {.loop = static_cast<int>(i % 2), .mailbox_capacity = 64},
        seen.back().get());
    const SubscriptionId id = *topics.Subscribe<Tick>("t.*", *counter);
    if (i % 3 == 0) {
      EXPECT_TRUE(topics.Unsubscribe(id).ok());
    }
    if (i % 3 != 2) {
      Latch ended;
      counter->address().WhenEnded([&](const ActorEnd&) { ended.Open(); });
      counter->address().Stop();
      ended.Wait();
    } else if (i % 6 == 5) {
      counter->address().Stop(/*drain=*/true);
    }
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  ExpectBalance(bus);
  for (const auto& s : seen) EXPECT_EQ(s->out_of_order, 0u);
  EXPECT_EQ(topics.Stats().subscriptions, 0u);
}

}  // namespace
}  // namespace trolley
