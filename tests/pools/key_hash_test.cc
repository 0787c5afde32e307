// SPDX-License-Identifier: Apache-2.0
//
// To which worker a key belongs: the same in every run, even, and with few
// moves when a pool grows. The figures have bounds that a fair choice keeps
// with a margin of six standard deviations; the keys are fixed, so a test that
// passes once passes always.

#include "trolley/actors/pools/internal/key_hash.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

// Three kinds of keys as programs have them.
std::vector<uint64_t> Hashes(int kind, int count) {
  std::vector<uint64_t> hashes;
  for (int i = 0; i < count; ++i) {
    switch (kind) {
      case 0:
        hashes.push_back(HashKey(i));
        break;
      case 1:
        hashes.push_back(HashKey(uint64_t{4096} * i));
        break;
      default:
        hashes.push_back(HashKey(absl::StrCat("user-", i)));
    }
  }
  return hashes;
}

TEST(KeyHashTest, EveryRunGivesAKeyTheSameWorker) {
  enum class Color : uint8_t { kRed = 7 };
  EXPECT_EQ(HashKey(Color::kRed), HashKey(7));
  EXPECT_EQ(HashKey(-1), HashKey(int64_t{-1}));
  EXPECT_EQ(HashKey(std::string("ab")), HashKey(absl::string_view("ab")));
  EXPECT_NE(HashKey("a"), HashKey(std::string("a\0", 2)));
  EXPECT_NE(HashKey("ab"), HashKey("ba"));
  EXPECT_NE(HashKey(""), HashKey(0));
  const uint32_t numbers[] = {
      WorkerOfKey(HashKey(1), 100), WorkerOfKey(HashKey(2), 100),
      WorkerOfKey(HashKey("alice"), 100), WorkerOfKey(HashKey("bob"), 100)};
  EXPECT_THAT(numbers, ::testing::ElementsAre(18, 79, 31, 67));
}

TEST(KeyHashTest, KeysAreSpreadEvenly) {
  constexpr int kKeys = 100'000;
  for (int kind = 0; kind < 3; ++kind) {
    const std::vector<uint64_t> hashes = Hashes(kind, kKeys);
    for (const uint32_t workers : {1u, 2u, 3u, 7u, 64u, 1000u}) {
      SCOPED_TRACE(absl::StrCat("kind ", kind, ", ", workers, " workers"));
      std::vector<int> keys(workers);
      for (const uint64_t hash : hashes) {
        const uint32_t worker = WorkerOfKey(hash, workers);
        ASSERT_LT(worker, workers);
        ++keys[worker];
      }
      const double expected = 1.0 * kKeys / workers;
      for (const int got : keys) {
        EXPECT_NEAR(got, expected, 6 * std::sqrt(expected));
      }
    }
  }
}

TEST(KeyHashTest, P22_OneMoreWorkerTakesItsShareAndNoKeyMovesElsewhere) {
  constexpr int kKeys = 100'000;
  for (int kind = 0; kind < 3; ++kind) {
    const std::vector<uint64_t> hashes = Hashes(kind, kKeys);
    for (const uint32_t workers : {1u, 2u, 3u, 10u, 99u, 1023u}) {
      SCOPED_TRACE(absl::StrCat("kind ", kind, ", ", workers, " workers"));
      int moved = 0;
      for (const uint64_t hash : hashes) {
        const uint32_t before = WorkerOfKey(hash, workers);
        const uint32_t after = WorkerOfKey(hash, workers + 1);
        if (after == before) continue;
        ASSERT_EQ(after, workers) << "it moved between two old workers";
        ++moved;
      }
      const double expected = 1.0 * kKeys / (workers + 1);
      EXPECT_NEAR(moved, expected, 6 * std::sqrt(expected));
    }
  }
}

TEST(KeyHashTest, TheLargestPoolAndTheLargestNumbersWork) {
  for (const uint64_t hash : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
    EXPECT_EQ(WorkerOfKey(hash, 1), 0u);
    EXPECT_LT(WorkerOfKey(hash, UINT32_MAX), UINT32_MAX);
  }
}

}  // namespace
}  // namespace trolley::internal
