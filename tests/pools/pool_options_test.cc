// SPDX-License-Identifier: Apache-2.0
//
// Each option of a pool at its extremes works, or is InvalidArgument with its
// name; and each length of time (P17).

#include "trolley/actors/pools/pool_options.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/poller/extreme_durations.h"
#include "trolley/tests/pools/pool_rig.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;
using testing::SimBus;

constexpr absl::Duration kSecond = absl::Seconds(1);

// Uses a pool with these options up to a restart.
template <typename Policy>
absl::Status Use(const PoolOptions& options) {
  Diary diary;
  SimBus sim(Quiet(/*loops=*/2, /*seed=*/1));
  const auto pool = SpawnDesk<Policy>(sim, diary, options);
  sim.RunUntilIdle();
  if (absl::Status valid = ValidatePoolOptions(options); !valid.ok()) {
    const absl::Status refused = sim.Ask(pool, Question{1}, kSecond).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr(std::string(valid.message())));
    return valid;
  }
  if (options.workers == 0) {
    return sim.Ask(pool, ResizePool{1}, kSecond);
  }
  const absl::Status asked = sim.Ask(pool, Question{1}, kSecond).status();
  pool.Tell(Boom{2});
  sim.RunUntilIdle();
  const bool ended = pool.Tell(Note{3}) == Delivery::kGone;
  EXPECT_EQ(ended, options.max_restarts == 0);
  return asked;
}

TEST(PoolOptionsTest, EachOptionAtItsExtremesWorksOrIsNamed) {
  const auto each = [](PoolOptions& o, auto visit) {
    TROLLEY_FIELDS(o, visit, workers, loops, worker_mailbox,
                   worker_mailbox_bytes, max_asks, max_restarts, restart_window,
                   restart_backoff, longest_backoff);
  };
  AtExtremes<PoolOptions>(each, [](const PoolOptions& options) {
    return Use<RoundRobin>(options);
  });
  AtExtremes<PoolOptions>(each, [](const PoolOptions& options) {
    return Use<WorkPulling>(options);
  });
}

TEST(PoolOptionsTest, TheMostWorkersWork) {
  EXPECT_TRUE(Use<LeastLoaded>({.workers = PoolOptions::kMostWorkers}).ok());
  EXPECT_EQ(Use<ByKey>({.workers = PoolOptions::kMostWorkers + 1}),
            absl::InvalidArgumentError(
                "PoolOptions::workers is 1025; it is 0 to 1024"));
}

TEST(PoolOptionsTest, ALoopThatIsNotThereEndsThePool) {
  for (const int loop : {-2, 2, 255, 1 << 30}) {
    Diary diary;
    SimBus sim(Quiet(/*loops=*/2, /*seed=*/1));
    const auto pool = SpawnDesk<RoundRobin>(sim, diary, {.loops = {0, loop}});
    const absl::Status refused = sim.Ask(pool, Question{1}, kSecond).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("INVALID_ARGUMENT"));
    EXPECT_EQ(diary.live, 0);
  }
}

// A pool whose only worker throws twice: the second restart has the pause.
struct Twice {
  Diary diary;
  SimBus sim{Quiet(/*loops=*/1, /*seed=*/1)};
  Desk desk;
  explicit Twice(PoolOptions options)
      : desk((options.workers = 1, OpenDesk<RoundRobin>(sim, diary, options))) {
    desk.clerk.Tell(Boom{1});
    desk.clerk.Tell(Boom{2});
    sim.RunUntilIdle();
  }
};

// The pause is `expected`, unless that is never.
void ExpectPause(const PoolOptions& options, const Extreme& expected) {
  Twice twice(options);
  if (!expected.positive()) {
    EXPECT_EQ(twice.diary.live, 1);
    return;
  }
  EXPECT_EQ(twice.diary.live, 0);
  if (expected.never()) {
    twice.sim.RunFor(absl::Hours(24 * 365) * 100);
    EXPECT_EQ(twice.diary.live, 0);
  } else {
    twice.sim.RunFor(absl::Ceil(expected.value, absl::Nanoseconds(1)));
    EXPECT_EQ(twice.diary.live, 1);
  }
}

TEST(PoolExtremes, P17_RestartBackoff) {
  ForEachExtreme("actors/pools/pool_options.h PoolOptions::restart_backoff",
                 [](const Extreme& e) {
                   ExpectPause({.restart_backoff = e.value,
                                .longest_backoff = absl::InfiniteDuration()},
                               e);
                 });
}

TEST(PoolExtremes, P17_LongestBackoff) {
  ForEachExtreme("actors/pools/pool_options.h PoolOptions::longest_backoff",
                 [](const Extreme& e) {
                   ExpectPause({.restart_backoff = absl::InfiniteDuration(),
                                .longest_backoff = e.value},
                               e);
                 });
}

TEST(PoolExtremes, P17_RestartWindow) {
  ForEachExtreme("actors/pools/pool_options.h PoolOptions::restart_window",
                 [](const Extreme& e) {
                   Twice twice({.max_restarts = 1, .restart_window = e.value});
                   // Both at one time: without a window none counts.
                   EXPECT_EQ(twice.diary.live, e.positive() ? 0 : 1);
                 });
}

}  // namespace
}  // namespace trolley
