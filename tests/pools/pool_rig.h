// SPDX-License-Identifier: Apache-2.0
//
// What the tests of pools have in common: a worker that writes down what it
// does, its messages, and a desk, which is a pool of such workers.
//
//   SimBus sim;
//   Diary diary;
//   Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 3});
//   desk.clerk.Tell(Note{1});
//
// Ownership: a Diary outlives the bus; declare it before the SimBus.
// Threads:   the test's.

#ifndef TROLLEY_TESTS_POOLS_POOL_RIG_H_
#define TROLLEY_TESTS_POOLS_POOL_RIG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {

// Tells. `takes`: how long the handler waits.
struct Note {
  uint64_t id = 0;
  absl::Duration takes = absl::ZeroDuration();
};
// An ask; the reply is the name of the worker.
struct Question {
  uint64_t id = 0;
  absl::Duration takes = absl::ZeroDuration();
};
// The handler throws.
struct Boom {
  uint64_t id = 0;
};
// The handler returns an error.
struct Refuse {
  uint64_t id = 0;
};

struct KeyOfId {
  template <typename M>
  uint64_t operator()(const M& m) const {
    return m.id;
  }
};
using ByKey = ConsistentHash<KeyOfId>;

// What the workers of a test have done.
struct Diary {
  std::vector<std::pair<std::string, uint64_t>> begun;  // worker, id
  std::vector<uint64_t> handled;                        // ids, in their order
  std::vector<uint64_t> cancelled;     // ids whose handlers were destroyed
  std::map<std::string, int> objects;  // by the name of the worker
  int live = 0;

  // The workers that began, in order, without the name of the pool.
  std::vector<std::string> Order() const {
    std::vector<std::string> order;
    for (const auto& [worker, id] : begun) {
      order.push_back(worker.substr(worker.rfind('/') + 1));
    }
    return order;
  }
};

class Clerk : public Actor {
 public:
  explicit Clerk(Diary* diary) : diary_(*diary) { ++diary_.live; }
  ~Clerk() override { --diary_.live; }

  MaybeTask<absl::Status> On(const Note& m) {
    Begin(m.id);
    if (m.takes > absl::ZeroDuration()) return Take(m.id, m.takes);
    diary_.handled.push_back(m.id);
    return absl::OkStatus();
  }
  Task<std::string> On(Question m) {
    Begin(m.id);
    if (m.takes > absl::ZeroDuration()) {
      Working working(diary_, m.id);
      co_await Sleep(m.takes);
      working.done = true;
    }
    diary_.handled.push_back(m.id);
    co_return name_;
  }
  void On(const Boom& m) {
    Begin(m.id);
    throw std::runtime_error("boom");
  }
  absl::Status On(const Refuse& m) {
    Begin(m.id);
    return absl::DataLossError(absl::StrCat("no ", m.id));
  }

 protected:
  void OnStart() override {
    name_ = address().ToString();
    ++diary_.objects[name_];
  }

 private:
  // In the frame of a handler.
  struct Working {
    Working(Diary& diary, uint64_t id) : diary(diary), id(id) {}
    ~Working() {
      if (!done) diary.cancelled.push_back(id);
    }
    Diary& diary;
    const uint64_t id;
    bool done = false;
  };

  Task<absl::Status> Take(uint64_t id, absl::Duration takes) {
    Working working(diary_, id);
    co_await Sleep(takes);
    working.done = true;
    diary_.handled.push_back(id);
    co_return absl::OkStatus();
  }
  void Begin(uint64_t id) { diary_.begun.push_back({name_, id}); }

  Diary& diary_;
  std::string name_;
};

using ClerkProtocol = Protocol<absl::Status(Note), std::string(Question), Boom,
                               absl::Status(Refuse), absl::Status(ResizePool),
                               PoolInfo(GetPoolInfo)>;

struct Desk {
  testing::SimBus& sim;
  Ref<ClerkProtocol> clerk;

  absl::StatusOr<std::string> Ask(uint64_t id,
                                  absl::Duration takes = absl::ZeroDuration(),
                                  absl::Duration timeout = absl::Minutes(1)) {
    return sim.Ask(clerk, Question{id, takes}, timeout);
  }
  // Asks, and does not wait. The outcome is in the result when it has come.
  std::shared_ptr<absl::StatusOr<std::string>> Begin(uint64_t id,
                                                     absl::Duration takes,
                                                     absl::Duration timeout) {
    auto got = std::make_shared<absl::StatusOr<std::string>>(
        absl::UnknownError("no outcome yet"));
    clerk.AskThen(
        Question{id, takes}, timeout,
        [got](absl::StatusOr<std::string> reply) { *got = std::move(reply); });
    return got;
  }
  absl::Status Resize(uint32_t workers,
                      absl::Duration timeout = absl::Minutes(1)) {
    return sim.Ask(clerk, ResizePool{workers}, timeout);
  }
  PoolInfo Info() {
    absl::StatusOr<PoolInfo> info =
        sim.Ask(clerk, GetPoolInfo{}, absl::Minutes(1));
    EXPECT_TRUE(info.ok()) << info.status();
    return info.ok() ? *std::move(info) : PoolInfo();
  }
};

// A SimBus whose log goes nowhere: workers throw on purpose.
inline testing::SimBusOptions Quiet(int loops, uint64_t seed) {
  return {.loops = loops, .seed = seed, .adjust = [](BusOptions& options) {
            options.log = [](absl::string_view) {};
          }};
}
// With one to three loops.
inline testing::SimBusOptions Quiet(uint64_t seed) {
  return Quiet(1 + static_cast<int>(seed % 3), seed);
}

// A pool called "desk", on loop 0.
template <typename Policy>
Ref<Pool<Clerk, Policy>> SpawnDesk(testing::SimBus& sim, Diary& diary,
                                   const PoolOptions& options = {},
                                   uint32_t mailbox = 1024) {
  Diary* const to = &diary;
  return sim.Spawn<Pool<Clerk, Policy>>(
      {.name = "desk", .loop = 0, .mailbox_capacity = mailbox}, options,
      [to] { return std::make_unique<Clerk>(to); });
}
template <typename Policy>
Desk OpenDesk(testing::SimBus& sim, Diary& diary,
              const PoolOptions& options = {}, uint32_t mailbox = 1024) {
  Desk desk{sim, SpawnDesk<Policy>(sim, diary, options, mailbox)};
  sim.RunUntilIdle();  // the workers have started
  return desk;
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_POOLS_POOL_RIG_H_
