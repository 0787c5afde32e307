// SPDX-License-Identifier: Apache-2.0
//
// How fast actors come and go, and what one that waits takes in memory.

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kSpawned = 2'000'000;
constexpr uint64_t kIdle = 1'000'000;
constexpr int kAtATime = 100;

// Spawned, sent a message, and ended by it.
class Mayfly : public Actor {
 public:
  struct Live {};
  explicit Mayfly(uint64_t& ended) : ended_(ended) {}
  ~Mayfly() override { ++ended_; }
  void On(Live) { Stop(); }

 private:
  uint64_t& ended_;
};

class Pond : public Actor {
 public:
  struct More {};
  Pond(uint64_t left, uint64_t& ended, absl::Notification& done)
      : left_(left), ended_(ended), done_(done) {}
  void On(More) {
    if (left_ == 0) return done_.Notify();
    for (int i = 0; i < kAtATime && left_ > 0; ++i, --left_) {
      auto child = Spawn<Mayfly>({}, ended_);
      if (!child.ok()) Die(child.status().ToString());
      child->Tell(Mayfly::Live{});
    }
    Self(this).Tell(More{});
  }

 private:
  uint64_t left_;
  uint64_t& ended_;
  absl::Notification& done_;
};

Figures SpawnDestroy(double scale) {
  const uint64_t actors = Scaled(kSpawned, scale);
  RunBus run({0});
  uint64_t ended = 0;
  absl::Notification done;
  auto pond = run.Spawn<Pond>(0, RunBus::kDefaultCapacity, actors, ended, done);
  const int64_t start = Nanoseconds();
  pond.Tell(Pond::More{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(actors);
  if (ended != actors) Die("an actor did not end");
  return Millions(actors, took);
}

struct RawActor {
  explicit RawActor(uint64_t& ended) : ended(ended) {}
  virtual ~RawActor() { ++ended; }
  [[gnu::noinline]] virtual void Live() { delete this; }
  uint64_t& ended;
};

Figures RawNewDelete(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t actors = Scaled(10 * kSpawned, scale);
    uint64_t ended = 0;
    RawActor* batch[kAtATime];
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < actors; i += kAtATime) {
      for (RawActor*& actor : batch) actor = new RawActor(ended);
      for (RawActor* actor : batch) actor->Live();
    }
    const int64_t took = Nanoseconds() - start;
    return Millions(ended, took);
  });
}

// Memory ----------------------------------------------------------------------

class Idler : public Actor {
 public:
  struct Live {};
  void On(Live) { ++lives_; }

 private:
  uint64_t lives_ = 0;
};

class Nest : public Actor {
 public:
  struct Fill {
    uint64_t actors;
  };
  explicit Nest(absl::Notification& done) : done_(done) {}
  void On(const Fill& m) {
    for (int i = 0; i < kAtATime; ++i) {
      auto child = Spawn<Idler>({});
      if (!child.ok()) Die(child.status().ToString());
      child->Tell(Idler::Live{});
    }
    if (m.actors <= kAtATime) {
      TellAfter(this, absl::Milliseconds(1), Filled{});
    } else {
      Self(this).Tell(Fill{m.actors - kAtATime});
    }
  }
  struct Filled {};
  void On(Filled) { done_.Notify(); }

 private:
  absl::Notification& done_;
};

// Each of them has handled one message, so that nothing is put off.
Figures IdleBytes(double scale) {
  const uint64_t actors = Scaled(kIdle, scale);
  RunBus run({0});
  absl::Notification done;
  auto nest = run.Spawn<Nest>(0, RunBus::kDefaultCapacity, done);
  const double before = ResidentBytes();
  nest.Tell(Nest::Fill{actors});
  done.WaitForNotification();
  const double after = ResidentBytes();
  run.Finish(actors);
  return (after - before) / static_cast<double>(actors);
}

struct RawIdler {
  virtual ~RawIdler() = default;
  virtual void Live() { ++lives; }
  uint64_t lives = 0;
};

Figures RawIdleBytes(double scale) {
  const uint64_t actors = Scaled(kIdle, scale);
  std::vector<std::unique_ptr<RawIdler>> all(actors);
  for (auto& actor : all) actor.reset();  // the vector itself does not count
  const double before = ResidentBytes();
  for (auto& actor : all) {
    actor = std::make_unique<RawIdler>();
    actor->Live();
  }
  return (ResidentBytes() - before) / static_cast<double>(actors);
}

}  // namespace

void AddSpawn(Bench& bench) {
  bench.Add(kSpawnDestroy, "raw.new_delete", RawNewDelete);
  bench.Add(kSpawnDestroy, "trolley", SpawnDestroy);
  bench.Add(kIdleActorBytes, "raw.new_object", RawIdleBytes);
  bench.Add(kIdleActorBytes, "trolley", IdleBytes);
}

}  // namespace trolley::bench
