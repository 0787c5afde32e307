// SPDX-License-Identifier: Apache-2.0
//
// References to a bus, which each loop counts apart. The last reference that is
// dropped is known as the last one, for any thread that made it and any thread
// that drops it (P5).

#include "trolley/bus/crossing/bus_references.h"

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley::internal {
namespace {

// What a loop has counted.
struct Apart {
  int64_t count = 0;
  bool ended = false;
};

// Loops and others make, pass on and drop references in an order drawn from
// `seed`; loops end now and then.
void Play(uint64_t seed) {
  std::mt19937_64 random(seed);
  BusReferences references;
  std::vector<Apart> loops(1 + random() % 3);
  size_t running = loops.size();
  size_t held = 1;
  for (size_t i = 0; i < loops.size(); ++i, ++held) {
    references.Add(nullptr);  // the loop's own
    references.BeginApart();
  }
  bool last = false;
  while (!last) {
    Apart& loop = loops[random() % loops.size()];
    int64_t* here = !loop.ended && random() % 3 > 0 ? &loop.count : nullptr;
    const uint64_t what = random() % 8;
    if (what < 3) {
      references.Add(here);
      ++held;
    } else if (what == 3 && !loop.ended) {
      references.EndApart(loop.count);
      loop.ended = true;
      --running;
      last = references.Drop(nullptr);  // the loop's own
      ASSERT_EQ(last, --held == 0);
    } else if (held > running) {  // a loop keeps its own until it ends
      last = references.Drop(here);
      ASSERT_EQ(last, --held == 0);
    }
  }
  EXPECT_EQ(running, 0u);
}

TEST(BusReferencesTest, P5OnlyTheLastDropIsTheLast) {
  ForEachSeed(GetRunOptions().Scale(2'000, 200'000), Play);
}

TEST(BusReferencesTest, P5ThreadsThatPassReferencesOnAgreeOnTheLast) {
  constexpr int kLoops = 3;
  constexpr int kEach = 20'000;
  for (int play = 0; play < 10; ++play) {
    BusReferences references;
    std::atomic<int> lasts{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kLoops; ++i) {
      references.Add(nullptr);
      references.BeginApart();
    }
    for (int i = 0; i < kLoops; ++i) {
      threads.emplace_back([&references, &lasts, i] {
        int64_t apart = 0;
        // Makes more than it drops, or the other way round: what is missing is
        // made or dropped by the thread below.
        for (int n = 0; n < kEach; ++n) {
          if (n % 3 == i) {
            lasts += references.Drop(&apart);
          } else {
            references.Add(&apart);
          }
        }
        references.EndApart(apart);
        lasts += references.Drop(nullptr);
      });
    }
    int left = 0;
    for (int i = 0; i < kLoops; ++i) {
      for (int n = 0; n < kEach; ++n) left += n % 3 == i ? -1 : 1;
    }
    for (int n = 0; n < left; ++n) lasts += references.Drop(nullptr);
    EXPECT_EQ(lasts, 0) << "the first one is held still";
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(lasts, 0);
    lasts += references.Drop(nullptr);
    EXPECT_EQ(lasts, 1);
  }
}

}  // namespace
}  // namespace trolley::internal
