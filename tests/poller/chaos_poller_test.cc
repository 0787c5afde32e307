// SPDX-License-Identifier: Apache-2.0
//
// ChaosPoller, over every poller and for several seeds: it keeps the contract
// where it says so, and the faults that it promises really happen.

#include "trolley/tests/poller/chaos_poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "trolley/poller/clock.h"
#include "trolley/poller/sys.h"
#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

std::vector<ConformanceSubject> Subjects() {
  std::vector<ConformanceSubject> subjects;
  for (const NamedPoller& poller : BuiltinPollers()) {
    const std::string name(poller.name);
    const ChaosOptions options = {
        .seed = 7, .untrue_events = 0, .double_wakes = 0, .repeated_wakes = 0};
    ConformanceSubject subject =
        OnKernel("chaos_" + name, Chaos(poller.create, options));
    subject.spins = name == "busy";
    subject.may_be_refused = name == "io_uring";
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

INSTANTIATE_TEST_SUITE_P(P16, PollerConformance, testing::ValuesIn(Subjects()),
                         SubjectName);

constexpr int kPipes = 8;

// Waits 200 times over pipes of which the first half is readable, and tells
// what was seen.
struct Seen {
  std::set<std::vector<uint32_t>> batches;  // slots in their order
  int untrue = 0;
  int woken = 0;

  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen Watch(const PollerFactory& factory) {
  Seen seen;
  const auto made = factory(RealSys(), MonotonicClock());
  EXPECT_TRUE(made.ok()) << made.status();
  Poller& poller = **made;
  std::vector<TestPipe> pipes;
  for (uint32_t i = 0; i < kPipes; ++i) {
    pipes.emplace_back(RealSys());
    EXPECT_TRUE(poller
                    .Add(pipes[i].read.get(), {.slot = i, .generation = 1},
                         {Ready::kReadable})
                    .ok());
    if (i < kPipes / 2) {
      EXPECT_EQ(RealSys().Write(pipes[i].write.get(), {"x", 1}), 1);
    }
  }
  for (int i = 0; i < 200; ++i) {
    if (i % 10 == 0) poller.Wake();
    Event events[kPipes];
    const auto result = poller.Wait(absl::MakeSpan(events), Instant());
    EXPECT_TRUE(result.ok()) << result.status();
    std::vector<uint32_t> batch;
    for (size_t e = 0; e < result->events; ++e) {
      batch.push_back(events[e].token.slot);
      seen.untrue += events[e].token.slot >= kPipes / 2;
    }
    seen.batches.insert(batch);
    seen.woken += result->woken;
  }
  return seen;
}

ChaosOptions Calm() {
  return {.short_batches = 0,
          .reordering = 0,
          .interruptions = 0,
          .late_wakes = 0,
          .untrue_events = 0,
          .double_wakes = 0,
          .repeated_wakes = 0};
}

PollerFactory OverPoll(const ChaosOptions& options) {
  return Chaos(
      [](Sys& sys, const Clock& clock) {
        return CreatePoller("poll", sys, clock);
      },
      options);
}

TEST(ChaosPollerTest, WithoutChancesItChangesNothing) {
  const Seen seen = Watch(OverPoll(Calm()));
  EXPECT_EQ(seen, Watch([](Sys& sys, const Clock& clock) {
              return CreatePoller("poll", sys, clock);
            }));
  EXPECT_EQ(seen.woken, 20);
  EXPECT_EQ(seen.untrue, 0);
}

TEST(ChaosPollerTest, EachKindOfChaosHappens) {
  ChaosOptions only = Calm();
  only.short_batches = 500;
  bool short_one = false;
  for (const auto& batch : Watch(OverPoll(only)).batches) {
    short_one |= batch.size() < kPipes / 2;
  }
  EXPECT_TRUE(short_one);

  only = Calm();
  only.reordering = 500;
  EXPECT_GT(Watch(OverPoll(only)).batches.size(), 4);

  only = Calm();
  only.untrue_events = 500;
  EXPECT_GT(Watch(OverPoll(only)).untrue, 10);

  only = Calm();
  only.repeated_wakes = 500;
  EXPECT_GT(Watch(OverPoll(only)).woken, 22);
}

TEST(ChaosPollerTest, P18_ASeedFixesWhatIsDrawn) {
  const Seen one = Watch(OverPoll({.seed = 3}));
  EXPECT_EQ(one, Watch(OverPoll({.seed = 3})));
  EXPECT_NE(one, Watch(OverPoll({.seed = 4})));
  // Loops differ from one another.
  const PollerFactory factory = OverPoll({.seed = 3});
  EXPECT_EQ(one, Watch(factory));
  EXPECT_NE(one, Watch(factory));
}

// A poller that takes an interrupted call for an empty one would return early.
TEST(ChaosPollerTest, InterruptionsReachThePollerUnderIt) {
  for (const NamedPoller& poller : BuiltinPollers()) {
    ChaosOptions only = Calm();
    only.interruptions = 900;
    const auto made = Chaos(poller.create, only)(RealSys(), MonotonicClock());
    if (!made.ok()) continue;
    for (int i = 0; i < 20; ++i) {
      const Instant deadline = MonotonicClock().Now() + absl::Microseconds(200);
      Event events[1];
      const auto result = (*made)->Wait(absl::MakeSpan(events), deadline);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_GE(MonotonicClock().Now(), deadline) << poller.name;
    }
  }
}

}  // namespace
}  // namespace trolley
