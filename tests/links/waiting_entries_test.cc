// SPDX-License-Identifier: Apache-2.0
//
// P21 across links: what a session keeps for its subscriber, and what it
// counts.

#include "trolley/actors/remote_topics/internal/waiting_entries.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

using topics::v1::Batch;

// The number of each publication in `batch`, and -n for n that were missed.
std::vector<int64_t> Read(const Batch& batch) {
  std::vector<int64_t> read;
  for (const auto& entry : batch.entries()) {
    if (entry.missed() > 0) {
      read.push_back(-static_cast<int64_t>(entry.missed()));
    }
    if (!entry.name().empty()) read.push_back(entry.sequence());
  }
  return read;
}

std::vector<int64_t> Next(WaitingEntries& entries, uint32_t most = 1 << 20) {
  Batch batch;
  const bool filled = entries.Fill(most, batch);
  EXPECT_EQ(filled, batch.entries_size() > 0);
  return Read(batch);
}

using Numbers = std::vector<int64_t>;

TEST(WaitingEntriesTest, P21_AnEntryStaysUntilItIsReceived) {
  WaitingEntries entries({});
  EXPECT_EQ(Next(entries), Numbers());
  for (int i = 1; i <= 3; ++i) entries.Add("n", "v", i);
  EXPECT_EQ(Next(entries), Numbers({1, 2, 3}));
  EXPECT_EQ(Next(entries), Numbers({1, 2, 3}));
  entries.Received(2);
  EXPECT_EQ(Next(entries), Numbers({3}));
  entries.Received(1);  // an old word
  EXPECT_EQ(Next(entries), Numbers({3}));
  entries.Received(99);
  EXPECT_EQ(Next(entries), Numbers());
}

TEST(WaitingEntriesTest, P21_WhatFindsNoRoomIsCountedWhereItWas) {
  WaitingEntries entries({.max_waiting = 2});
  for (int i = 1; i <= 5; ++i) entries.Add("n", "v", i);
  EXPECT_EQ(Next(entries), Numbers({1, 2}));
  entries.Received(1);
  entries.Add("n", "v", 6);
  entries.Miss(10);
  entries.Add("n", "v", 7);
  EXPECT_EQ(Next(entries), Numbers({2, -3, 6}));
  entries.Received(3);
  // Also without a newer publication, and once.
  EXPECT_EQ(Next(entries), Numbers({-11}));
  EXPECT_EQ(Next(entries), Numbers({-11}));
  entries.Received(4);
  EXPECT_EQ(Next(entries), Numbers());
}

TEST(WaitingEntriesTest, P21_BytesAreBounded) {
  WaitingEntries entries({.max_waiting_bytes = 100});
  entries.Add("n", std::string(98, 'v'), 1);
  entries.Add("n", "v", 2);
  entries.Add("n", "v", 3);
  EXPECT_EQ(Next(entries), Numbers({1}));
  entries.Received(1);
  entries.Add("n", std::string(99, 'v'), 4);
  EXPECT_EQ(Next(entries), Numbers({-2, 4}));
}

TEST(WaitingEntriesTest, P21_ALongOneBecomesACount) {
  WaitingEntries entries({});
  entries.Add("n", "v", 1);
  entries.Add("n", std::string(1000, 'v'), 2);
  entries.Add("n", "v", 3);
  EXPECT_EQ(Next(entries, 500), Numbers({1, -1, 3}));
  // What was counted stays so: the subscriber may have heard of it.
  EXPECT_EQ(Next(entries), Numbers({1, -1, 3}));
}

TEST(WaitingEntriesTest, P21_ABatchHasSoManyBytesAndOneEntryAtLeast) {
  WaitingEntries entries({});
  for (int i = 1; i <= 3; ++i) entries.Add("n", std::string(99, 'v'), i);
  EXPECT_EQ(Next(entries, 100), Numbers({1}));
  EXPECT_EQ(Next(entries, 2 * (100 + 64)), Numbers({1, 2}));
}

// Whatever happens, each publication comes or is counted.
TEST(WaitingEntriesTest, P21_TheBooksBalance) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::minstd_rand random(seed);
    WaitingEntries entries(
        {.max_waiting = 1 + seed % 7, .max_waiting_bytes = 10 + seed % 100});
    int64_t added = 0;
    int64_t seen = 0;
    uint64_t received = 0;
    for (int step = 0; step < 500; ++step) {
      const int what = random() % 4;
      if (what < 2) {
        entries.Add("n", std::string(random() % 30, 'v'), ++added);
      } else if (what == 2) {
        entries.Received(received);
      } else {
        Batch batch;
        entries.Fill(1 + random() % 60, batch);
        for (const auto& entry : batch.entries()) {
          if (entry.number() <= received) continue;
          ASSERT_EQ(entry.number(), received + 1);
          received = entry.number();
          seen += entry.missed();
          if (entry.name().empty()) continue;
          ASSERT_EQ(static_cast<int64_t>(entry.sequence()), ++seen);
        }
      }
    }
    do {
      entries.Received(received);
      Batch batch;
      if (!entries.Fill(1 << 20, batch)) break;
      for (const auto& entry : batch.entries()) {
        received = entry.number();
        seen += entry.missed() + (entry.name().empty() ? 0 : 1);
      }
    } while (true);
    EXPECT_EQ(seen, added);
  }
}

}  // namespace
}  // namespace trolley::internal
