// SPDX-License-Identifier: Apache-2.0
//
// Batcher: when a batch is due, what it has, and that each item is given once.

#include "trolley/actors/patterns/batcher.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using Batch = std::vector<int>;
using Batches = std::vector<Batch>;

class BatcherTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  Batcher<int>& Make(BatcherOptions options) {
    return *made_.emplace_back(std::make_unique<Batcher<int>>(options));
  }

  // A coroutine that takes batches until the batcher is closed.
  void Take(Batcher<int>& batcher) {
    Begin(lab_, [this, &batcher](Lab& lab) -> Task<absl::Status> {
      for (;;) {
        Batch batch = co_await batcher.Next();
        if (batch.empty()) break;
        batches_.push_back(std::move(batch));
        taken_at_.push_back(absl::ToInt64Milliseconds(lab.Now() - start_));
      }
      ended_ = true;
      co_return absl::OkStatus();
    });
    sim_.RunUntilIdle();
  }
  // Adds first, first + 1, ...
  void Add(Batcher<int>& batcher, int first, int count) {
    EXPECT_EQ(RunIn(sim_, lab_,
                    [&](Lab&) -> Task<absl::Status> {
                      for (int i = first; i < first + count; ++i) {
                        EXPECT_EQ(batcher.Add(i), absl::OkStatus());
                      }
                      co_return absl::OkStatus();
                    }),
              absl::OkStatus());
    sim_.RunUntilIdle();
  }
  absl::Status AddOne(Batcher<int>& batcher, int item, size_t bytes) {
    return RunIn(sim_, lab_, [&](Lab&) -> Task<absl::Status> {
      co_return batcher.Add(item, bytes);
    });
  }

  std::vector<std::unique_ptr<Batcher<int>>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  const Instant start_ = sim_.Now();
  Batches batches_;
  std::vector<int64_t> taken_at_;
  bool ended_ = false;
};

TEST_F(BatcherTest, AFullBatchIsDueAtOnce) {
  Batcher<int>& batcher = Make({.items = 3, .age = absl::Seconds(1)});
  Take(batcher);
  Add(batcher, 0, 2);
  EXPECT_TRUE(batches_.empty());
  Add(batcher, 2, 5);
  EXPECT_EQ(batches_, (Batches{{0, 1, 2}, {3, 4, 5}}));
  EXPECT_EQ(batcher.size(), 1u);
}

TEST_F(BatcherTest, TheOldestItemSaysWhen) {
  Batcher<int>& batcher = Make({.items = 100, .age = absl::Milliseconds(10)});
  Take(batcher);
  Add(batcher, 0, 1);
  sim_.RunFor(absl::Milliseconds(7));
  Add(batcher, 1, 1);
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(batches_, (Batches{{0, 1}}));
  EXPECT_EQ(taken_at_, (std::vector<int64_t>{10}));
  Add(batcher, 2, 1);
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(batches_.size(), 2u);
  EXPECT_EQ(taken_at_[1], 57 + 10);
}

TEST_F(BatcherTest, BytesMakeABatchFull) {
  Batcher<int>& batcher =
      Make({.items = 100, .bytes = 100, .age = absl::InfiniteDuration()});
  Take(batcher);
  EXPECT_EQ(AddOne(batcher, 0, 60), absl::OkStatus());
  EXPECT_EQ(AddOne(batcher, 1, 39), absl::OkStatus());
  EXPECT_TRUE(batches_.empty());
  EXPECT_EQ(AddOne(batcher, 2, 60), absl::OkStatus());
  sim_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{0, 1}}));
  // One that is larger than a batch goes alone.
  EXPECT_EQ(AddOne(batcher, 3, 1000), absl::OkStatus());
  sim_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{0, 1}, {2}, {3}}));
}

TEST_F(BatcherTest, TooManyItemsOrBytesAreRefused) {
  Batcher<int>& batcher =
      Make({.items = 2, .waiting = 3, .waiting_bytes = 100});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(AddOne(batcher, i, 1), absl::OkStatus());
  }
  EXPECT_EQ(AddOne(batcher, 3, 1),
            absl::ResourceExhaustedError(
                "BatcherOptions::waiting = 3 items wait for a batch"));
  Take(batcher);  // takes two, for two are a batch
  EXPECT_EQ(AddOne(batcher, 3, 100),
            absl::ResourceExhaustedError(
                "1 bytes wait for a batch, and with 100 more they would be "
                "above BatcherOptions::waiting_bytes = 100"));
  EXPECT_EQ(AddOne(batcher, 3, 99), absl::OkStatus());
  EXPECT_EQ(AddOne(batcher, 4, SIZE_MAX).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(batcher.stats().refused, 3u);
}

TEST_F(BatcherTest, P23_CloseGivesTheRestAndThenNothing) {
  Batcher<int>& batcher = Make({.items = 3, .age = absl::InfiniteDuration()});
  Add(batcher, 0, 7);
  Take(batcher);
  EXPECT_EQ(batches_.size(), 2u);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    batcher.Close();
                    co_return batcher.Add(9);
                  }),
            absl::FailedPreconditionError(
                "the batcher is closed, and takes no more items"));
  sim_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{0, 1, 2}, {3, 4, 5}, {6}}));
  EXPECT_TRUE(ended_);
}

TEST_F(BatcherTest, P23_ACancelledTakerLosesNothing) {
  Batcher<int>& batcher = Make({.items = 2, .age = absl::InfiniteDuration()});
  Begin(
      lab_,
      [&](Lab&) -> Task<absl::Status> {
        batches_.push_back(co_await batcher.Next());
        co_return absl::OkStatus();
      },
      absl::Milliseconds(5));
  sim_.RunFor(absl::Milliseconds(50));
  Add(batcher, 0, 2);
  EXPECT_TRUE(batches_.empty());
  Take(batcher);
  EXPECT_EQ(batches_, (Batches{{0, 1}}));
}

TEST_F(BatcherTest, TakeAllTakesWhatIsNotDue) {
  Batcher<int>& batcher = Make({.items = 2, .age = absl::Hours(1)});
  Add(batcher, 0, 5);
  EXPECT_EQ(batcher.TakeAll(), (Batch{0, 1, 2, 3, 4}));
  EXPECT_EQ(batcher.size(), 0u);
  EXPECT_TRUE(batcher.TakeAll().empty());
  EXPECT_EQ(batcher.stats().given, 5u);
}

TEST_F(BatcherTest, OptionsOutOfRangeAreNamed) {
  Batcher<int>& none = Make({.items = 0});
  EXPECT_EQ(AddOne(none, 0, 1),
            absl::InvalidArgumentError(
                "BatcherOptions::items is 0; it is 1 to 1099511627776"));
  for (const BatcherOptions& options : std::vector<BatcherOptions>{
           {.bytes = 0}, {.waiting = 0}, {.waiting_bytes = 0}}) {
    EXPECT_EQ(ValidateBatcherOptions(options).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// --- Seeds -----------------------------------------------------------------

// Each call adds its number. A background task, and calls that are cancelled,
// take batches. Each number comes out once, and in order.
class Collector : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kAdded = 0, kBatches = 1, kRefused = 2;
  void OnStart() {
    RunInBackground([this]() -> Task<absl::Status> {
      for (;;) Out(co_await numbers_.Next());
    });
  }

 private:
  Task<absl::Status> Call(Go m) override {
    if (world().OneIn(4)) {
      Out(co_await numbers_.Next());
      co_return absl::OkStatus();
    }
    const absl::Status added = numbers_.Add(static_cast<int>(m.number));
    if (!added.ok()) co_return added;
    in_.push_back(static_cast<int>(m.number));
    if (world().OneIn(4)) {
      (void)co_await world().AnyPartner().Ask(world().NextWork(1),
                                              absl::Milliseconds(15));
    }
    co_return absl::OkStatus();
  }
  void Out(const std::vector<int>& batch) {
    EXPECT_LE(batch.size(), 4u);
    out_.insert(out_.end(), batch.begin(), batch.end());
  }
  void CheckAtRest() override {
    const BatcherStats& s = numbers_.stats();
    EXPECT_EQ(s.added, in_.size());
    EXPECT_EQ(s.added, s.given + numbers_.size());
    std::vector<int> all = out_;
    const std::vector<int> rest = numbers_.TakeAll();
    if (world().calm) {
      EXPECT_TRUE(rest.empty());
    }
    all.insert(all.end(), rest.begin(), rest.end());
    EXPECT_EQ(all, in_);
    world().counts[kAdded] += static_cast<int64_t>(s.added);
    world().counts[kBatches] += static_cast<int64_t>(s.batches);
    world().counts[kRefused] += static_cast<int64_t>(s.refused);
  }

  Batcher<int> numbers_{
      {.items = 4, .age = absl::Milliseconds(8), .waiting = 6}};
  std::vector<int> in_, out_;
};

TEST(BatcherSeeds, P23_EachItemIsGivenOnceAndInOrder) {
  int64_t added = 0, batches = 0, refused = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Collector>(seed, [&](StormWorld& world, bool) {
      added += world.counts[Collector::kAdded];
      batches += world.counts[Collector::kBatches];
      refused += world.counts[Collector::kRefused];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(added, 1000);
  EXPECT_GT(batches, 1000);
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace trolley::testing
