// SPDX-License-Identifier: Apache-2.0
//
// Two actors on one loop: one message between them, and a stream.

#include <cstdint>
#include <deque>
#include <utility>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kMessages = 10'000'000;

struct Ball {
  uint64_t left;
};

// Ping-pong -------------------------------------------------------------------

class Player : public Actor {
 public:
  struct Meet {
    Ref<Player> other;
  };
  explicit Player(absl::Notification& done) : done_(done) {}
  void On(const Meet& m) { other_ = m.other; }
  void On(const Ball& m) {
    if (m.left == 0) return done_.Notify();
    other_.Tell(Ball{m.left - 1});
  }

 private:
  absl::Notification& done_;
  Ref<Player> other_;
};

Figures PingPong(double scale) {
  const uint64_t messages = Scaled(kMessages, scale);
  RunBus run({0});
  absl::Notification done;
  auto one = run.Spawn<Player>(0, RunBus::kDefaultCapacity, done);
  auto other = run.Spawn<Player>(0, RunBus::kDefaultCapacity, done);
  one.Tell(Player::Meet{other});
  other.Tell(Player::Meet{one});
  const int64_t start = Nanoseconds();
  one.Tell(Ball{messages});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(messages);
  return Millions(messages, took);
}

// Stream ----------------------------------------------------------------------

class Source;

class Sink : public Actor {
 public:
  struct Count {
    uint64_t number;
  };
  // After a burst: the next one may come.
  struct Burst {
    Ref<Source> from;
  };
  void On(const Count& m) {
    sum_ += m.number;
    ++count_;
  }
  void On(const Burst& m);

 private:
  uint64_t sum_ = 0;
  uint64_t count_ = 0;
};

class Source : public Actor {
 public:
  struct Go {};
  Source(uint64_t messages, Ref<Sink> sink, absl::Notification& done)
      : left_(messages), sink_(std::move(sink)), done_(done) {}
  void OnStart() override { self_ = Self(this); }
  void On(Go) {
    if (left_ == 0) return done_.Notify();
    for (int i = 0; i < kStreamBurst && left_ > 0; ++i) {
      sink_.Tell(Sink::Count{left_--});
    }
    sink_.Tell(Sink::Burst{self_});
  }

 private:
  uint64_t left_;
  Ref<Sink> sink_;
  Ref<Source> self_;
  absl::Notification& done_;
};

void Sink::On(const Burst& m) { m.from.Tell(Source::Go{}); }

Figures Stream(double scale) {
  const uint64_t messages = Scaled(kMessages, scale);
  RunBus run({0});
  absl::Notification done;
  auto sink = run.Spawn<Sink>(0, RunBus::kDefaultCapacity);
  auto source =
      run.Spawn<Source>(0, RunBus::kDefaultCapacity, messages, sink, done);
  const int64_t start = Nanoseconds();
  source.Tell(Source::Go{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(messages);
  return Millions(messages, took);
}

// The mechanism underneath: a deque of targets and values, a virtual call -----

struct Object {
  virtual ~Object() = default;
  virtual void Hit(uint64_t n) = 0;
};
using Deque = std::deque<std::pair<Object*, uint64_t>>;

void RunAll(Deque& queue) {
  while (!queue.empty()) {
    auto [object, n] = queue.front();
    queue.pop_front();
    object->Hit(n);
  }
}

// Out of line, or the compiler guesses the one class there is.
struct RawPlayer : Object {
  [[gnu::noinline]] void Hit(uint64_t n) override {
    ++hits;
    if (n > 0) queue->emplace_back(other, n - 1);
  }
  Deque* queue = nullptr;
  Object* other = nullptr;
  uint64_t hits = 0;
};

Figures RawPingPong(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t messages = Scaled(kMessages, scale);
    Deque queue;
    RawPlayer a, b;
    a.queue = b.queue = &queue;
    a.other = &b;
    b.other = &a;
    const int64_t start = Nanoseconds();
    queue.emplace_back(&a, messages);
    RunAll(queue);
    const int64_t took = Nanoseconds() - start;
    if (a.hits + b.hits != messages + 1) Die("a hit was lost");
    return Millions(messages, took);
  });
}

struct RawSink : Object {
  [[gnu::noinline]] void Hit(uint64_t n) override {
    sum += n;
    ++hits;
  }
  uint64_t sum = 0, hits = 0;
};

struct RawSource : Object {
  [[gnu::noinline]] void Hit(uint64_t) override {
    for (int i = 0; i < kStreamBurst && left > 0; ++i, --left) {
      queue->emplace_back(sink, left);
    }
    if (left > 0) queue->emplace_back(this, 0);
  }
  Deque* queue = nullptr;
  Object* sink = nullptr;
  uint64_t left = 0;
};

Figures RawStream(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t messages = Scaled(kMessages, scale);
    Deque queue;
    RawSink sink;
    RawSource source;
    source.queue = &queue;
    source.sink = &sink;
    source.left = messages;
    const int64_t start = Nanoseconds();
    queue.emplace_back(&source, 0);
    RunAll(queue);
    const int64_t took = Nanoseconds() - start;
    if (sink.hits != messages) Die("a hit was lost");
    return Millions(messages, took);
  });
}

}  // namespace

void AddSameLoop(Bench& bench) {
  bench.Add(kSameLoopPingPong, "raw.deque_virtual", RawPingPong);
  bench.Add(kSameLoopPingPong, "trolley", PingPong);
  bench.Add(kSameLoopStream, "raw.deque_virtual", RawStream);
  bench.Add(kSameLoopStream, "trolley", Stream);
}

}  // namespace trolley::bench
