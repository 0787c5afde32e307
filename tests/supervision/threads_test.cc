// SPDX-License-Identifier: Apache-2.0
//
// A supervisor whose children live on loops with threads, and crash while other
// threads send to them.

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Crash {};
struct Work {};
struct Echo {
  int number;
};

class Fragile : public Actor {
 public:
  explicit Fragile(std::atomic<int64_t>* objects) : objects_(*objects) {
    ++objects_;
  }
  ~Fragile() override { --objects_; }
  void On(const Crash&) { throw std::runtime_error("boom"); }
  void On(const Work&) {}
  int On(const Echo& m) { return m.number; }

 private:
  std::atomic<int64_t>& objects_;
};

TEST(SupervisionThreadsTest, P20_RefsWorkWhileTheirActorsCrashAndReturn) {
  constexpr int kLoops = 3;
  constexpr int kWorkers = 12;
  const uint64_t rounds = GetRunOptions().Scale(2'000, 200'000);
  for (const Strategy strategy :
       {Strategy::kOneForOne, Strategy::kOneForAll, Strategy::kRestForOne}) {
    std::atomic<int64_t> objects = 0;
    const auto bus = *Bus::Create({.loops = std::vector<LoopOptions>(kLoops),
                                   .log = [](absl::string_view) {}});
    std::vector<ChildSpec> groups;
    for (int g = 0; g < 3; ++g) {
      std::vector<ChildSpec> workers;
      for (int w = 0; w < kWorkers / 3; ++w) {
        workers.push_back(Child<Fragile>({.name = absl::StrCat(w),
                                          .loop = (g + w) % kLoops,
                                          .keep_mailbox = w % 2 == 0},
                                         &objects));
      }
      // A restart never counts, and comes at once.
      groups.push_back(Child<Supervisor>(
          {.name = absl::StrCat("g", g), .loop = g},
          SupervisorOptions{.strategy = strategy,
                            .within = absl::ZeroDuration(),
                            .backoff = {.first = absl::ZeroDuration()}},
          std::move(workers)));
    }
    const auto app =
        *bus->Spawn<Supervisor>({.name = "app"}, SupervisorOptions(), groups);
    ASSERT_EQ(app.AskAndWait(AwaitUp{}, absl::InfiniteDuration()),
              absl::OkStatus());
    std::vector<Ref<Fragile>> refs;
    for (int g = 0; g < 3; ++g) {
      for (int w = 0; w < kWorkers / 3; ++w) {
        refs.push_back(*bus->Find<Fragile>(absl::StrCat("app/g", g, "/", w)));
      }
    }
    const auto send = [&](uint64_t step) {
      for (uint64_t i = 0; i < rounds; ++i) {
        const Ref<Fragile>& ref = refs[i * step % refs.size()];
        if (i % 8 == 0) {
          ref.Tell(Crash{});
        } else {
          ref.Tell(Work{});
        }
      }
    };
    std::thread first([&] { send(5); }), second([&] { send(7); });
    first.join();
    second.join();
    ASSERT_EQ(app.AskAndWait(AwaitUp{}, absl::InfiniteDuration()),
              absl::OkStatus());
    // Crashes may still wait in mailboxes. An answer needs an object that has
    // come after all of them.
    for (int i = 0; i < kWorkers; ++i) {
      const absl::StatusOr<int> reply = AskUntil(
          [&] { return refs[i].AskAndWait(Echo{i}, absl::InfiniteDuration()); },
          [](const absl::StatusOr<int>& got) { return got.ok(); });
      EXPECT_EQ(*reply, i);
    }
    EXPECT_EQ(bus->CountActors(), 1u + 3 + kWorkers);
    const ShutdownReport report = bus->Shutdown(absl::InfiniteDuration());
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
    EXPECT_EQ(objects, 0);
  }
}

}  // namespace
}  // namespace trolley
