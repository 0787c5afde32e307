// SPDX-License-Identifier: Apache-2.0
//
// A pool whose workers are on the threads of three loops, while plain threads
// ask, tell and resize it, and workers throw. The counts must agree at the end.

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pools/pool.h"

namespace trolley {
namespace {

constexpr absl::Duration kLong = absl::Minutes(5);

struct Counts {
  std::atomic<uint64_t> tells = 0;
  std::atomic<uint64_t> asks = 0;
  std::atomic<int> live = 0;
};

struct Tell {
  uint64_t key;
};
struct Double {
  uint64_t key;
};
struct Throw {
  uint64_t key;
};

struct KeyOf {
  template <typename M>
  uint64_t operator()(const M& m) const {
    return m.key;
  }
};

class Worker : public Actor {
 public:
  explicit Worker(Counts* counts) : counts_(*counts) { ++counts_.live; }
  ~Worker() override { --counts_.live; }
  void On(const Tell&) { ++counts_.tells; }
  uint64_t On(const Double& m) {
    ++counts_.asks;
    return 2 * m.key;
  }
  void On(const Throw&) { throw std::runtime_error("as told"); }

 private:
  Counts& counts_;
};

using Way = Protocol<Tell, uint64_t(Double), Throw, absl::Status(ResizePool),
                     PoolInfo(GetPoolInfo)>;

template <typename Policy>
void ExpectNoLoss(const char* name) {
  SCOPED_TRACE(name);
  constexpr uint64_t kEach = 1500;
  Counts counts;
  {
    Bus bus = Bus::CreateOrDie(
        {.loops = {{}, {}, {}}, .log = [](absl::string_view) {}});
    Counts* const to = &counts;
    const Ref<Way> pool = *bus.Spawn<Pool<Worker, Policy>>(
        {.name = "pool", .loop = 0},
        PoolOptions{.workers = 3, .restart_window = absl::ZeroDuration()},
        [to] { return std::make_unique<Worker>(to); });
    std::atomic<uint64_t> told = 0, answered = 0, thrown = 0;
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] {
        for (uint64_t n = 0; n < kEach; ++n) {
          const uint64_t key = 2 * n + i;
          const absl::StatusOr<uint64_t> reply =
              pool.AskAndWait(Double{key}, kLong);
          ASSERT_TRUE(reply.ok()) << reply.status();
          EXPECT_EQ(*reply, 2 * key);
          ++answered;
          if (pool.Tell(Tell{key}) == Delivery::kAccepted) ++told;
          if (n % 100 == 50 && pool.AskAndWait(Throw{key}, kLong).code() ==
                                   absl::StatusCode::kInternal) {
            ++thrown;
          }
        }
      });
    }
    threads.emplace_back([&] {
      for (uint32_t n = 0; n < 60; ++n) {
        const absl::Status resized =
            pool.AskAndWait(ResizePool{1 + n * 5 % 7}, kLong);
        EXPECT_TRUE(resized.ok()) << resized;
      }
    });
    for (std::thread& thread : threads) thread.join();
    const absl::StatusOr<PoolInfo> info = pool.AskAndWait(GetPoolInfo{}, kLong);
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_EQ(info->refused_full + info->refused_empty + info->refused_asks +
                  info->refused_cause,
              0u);
    EXPECT_EQ(info->asks, 0u);
    EXPECT_TRUE(pool.AskAndWait(ResizePool{0}, kLong).ok());
    EXPECT_EQ(counts.live, 0);
    EXPECT_EQ(answered, 2 * kEach);
    EXPECT_EQ(counts.asks, 2 * kEach);
    EXPECT_EQ(counts.tells, told);
    EXPECT_EQ(told, 2 * kEach);
    EXPECT_EQ(thrown, 2 * kEach / 100);
    const ShutdownReport report = bus.Shutdown(kLong);
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
    EXPECT_EQ(report.ledger.dead_lettered, 0u) << report.ToString();
  }
}

TEST(PoolThreadsTest, P22_NothingIsLostOnThreads) {
  ExpectNoLoss<RoundRobin>("RoundRobin");
  ExpectNoLoss<LeastLoaded>("LeastLoaded");
  ExpectNoLoss<ConsistentHash<KeyOf>>("ConsistentHash");
  ExpectNoLoss<WorkPulling>("WorkPulling");
}

}  // namespace
}  // namespace trolley
