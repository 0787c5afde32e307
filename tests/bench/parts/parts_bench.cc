// SPDX-License-Identifier: Apache-2.0
//
// The parts that are written on the public API, each beside the bare mechanism:
// watching, restarts, topics.
//
//   bazel run --config=opt //tests/bench/parts:parts_bench

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/latch.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {
namespace {

// --- watch_down: actors are spawned, watched and stopped, 100 at a time -----

class Mortal : public Actor {};

class Mourner : public Actor {
 public:
  struct Begin {};
  Mourner(uint64_t left, Latch& done) : left_(left), done_(done) {}
  void On(Begin) {
    watches_.clear();
    for (int i = 0; i < kAtATime; ++i) {
      auto mortal = Spawn<Mortal>({});
      if (!mortal.ok()) Die(mortal.status().ToString());
      watches_.emplace_back(Self(this), mortal->address());
      mortal->Stop();
    }
  }
  void On(const Down&) {
    --left_;
    if (left_ == 0) return done_.Open();
    if (left_ % kAtATime == 0) Self(this).Tell(Begin{});
  }

 private:
  uint64_t left_;
  Latch& done_;
  std::vector<Watch> watches_;
};

Figures WatchDown(double scale) {
  const uint64_t actors = Scaled(500'000, scale) / kAtATime * kAtATime;
  RunBus run({0});
  Latch done;
  auto mourner = run.Spawn<Mourner>(0, RunBus::kDefaultCapacity, actors, done);
  const int64_t start = Nanoseconds();
  mourner.Tell(Mourner::Begin{});
  done.Wait();
  const int64_t took = Nanoseconds() - start;
  run.Finish(actors);
  return Millions(actors, took);
}

// What it cannot do without: an object, and a callback at its end.
struct RawMortal {
  explicit RawMortal(std::function<void()> ended) : ended(std::move(ended)) {}
  ~RawMortal() { ended(); }
  std::function<void()> ended;
};

Figures RawCallback(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t actors = Scaled(5'000'000, scale);
    std::atomic<uint64_t> downs = 0;
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < actors; ++i) {
      std::make_unique<RawMortal>([&] { ++downs; }).reset();
    }
    const int64_t took = Nanoseconds() - start;
    return Millions(downs.load(), took);
  });
}

// --- supervisor_restart: a child throws, and tells when it is back ----------

struct Crash {};

class Crasher : public Actor {
 public:
  Crasher(std::atomic<uint64_t>* starts, uint64_t most, Latch* done)
      : starts_(starts), most_(most), done_(done) {}
  void OnStart() override {
    if (starts_->fetch_add(1) == most_) return done_->Open();
    Self(this).Tell(Crash{});
  }
  void On(Crash) { throw 1; }

 private:
  std::atomic<uint64_t>* const starts_;
  const uint64_t most_;
  Latch* const done_;
};

Figures Restart(double scale) {
  const uint64_t restarts = Scaled(100'000, scale);
  RunBus run({0});
  std::atomic<uint64_t> starts = 0;
  Latch done;
  SupervisorOptions options = {.max_restarts = 1,
                               .within = absl::ZeroDuration()};
  options.backoff.first = absl::ZeroDuration();
  const int64_t start = Nanoseconds();
  run.Spawn<Supervisor>(0, RunBus::kDefaultCapacity, options,
                        std::vector<ChildSpec>{Child<Crasher>(
                            {.name = "crasher"}, &starts, restarts, &done)});
  done.Wait();
  const int64_t took = Nanoseconds() - start;
  run.Finish(restarts / 2);
  return Millions(restarts, took);
}

// What it cannot do without: a throw, a catch and a new object.
Figures RawThrow(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t restarts = Scaled(1'000'000, scale);
    struct Object {
      virtual ~Object() = default;
      [[gnu::noinline]] virtual void Run() { throw 1; }
    };
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < restarts; ++i) {
      auto object = std::make_unique<Object>();
      try {
        object->Run();
      } catch (int) {
      }
    }
    const int64_t took = Nanoseconds() - start;
    return Millions(restarts, took);
  });
}

// --- pubsub_fanout: each publication goes to 100 subscribers ----------------

// Publishes, and again when the mailboxes are empty.
class Press : public Actor {
 public:
  struct Print {};
  Press(std::function<void()> publish, uint64_t news, Latch& done)
      : publish_(std::move(publish)), left_(news), done_(done) {}
  void On(Print) {
    if (left_-- == 0) return done_.Open();
    publish_();
    Self(this).Tell(Print{});
  }

 private:
  const std::function<void()> publish_;
  uint64_t left_;
  Latch& done_;
};

struct News {
  uint64_t number;
};

class Subscriber : public Actor {
 public:
  void On(const Published<News>& m) { sum_ += m.value.number; }
  void On(const Gap&) { Die("a subscriber has missed something"); }
  void On(const std::shared_ptr<const News>& m) { sum_ += m->number; }

 private:
  uint64_t sum_ = 0;
};

Figures RunPress(RunBus& run, uint64_t news, std::function<void()> publish) {
  Latch done;
  auto press = run.Spawn<Press>(0, RunBus::kDefaultCapacity, std::move(publish),
                                news, done);
  const int64_t start = Nanoseconds();
  press.Tell(Press::Print{});
  done.Wait();
  const int64_t took = Nanoseconds() - start;
  run.Finish(news * kSubscribers);
  return Millions(news * kSubscribers, took);
}

Figures Fanout(double scale) {
  RunBus run({0});
  Topics topics;
  for (int i = 0; i < kSubscribers; ++i) {
    auto subscriber = run.Spawn<Subscriber>(0, 4096);
    if (!topics.Subscribe<News>("news.*", subscriber).ok()) Die("no topic");
  }
  return RunPress(run, Scaled(50'000, scale), [&] {
    if (!topics.Publish<News>("news.today", 1u).ok()) Die("not published");
  });
}

// The publisher knows its subscribers, and sends each a shared pointer.
Figures SharedPointers(double scale) {
  RunBus run({0});
  std::vector<Ref<Subscriber>> all;
  for (int i = 0; i < kSubscribers; ++i) {
    all.push_back(run.Spawn<Subscriber>(0, 4096));
  }
  return RunPress(run, Scaled(50'000, scale), [&] {
    const auto news = std::make_shared<const News>(News{1});
    for (const Ref<Subscriber>& one : all) {
      if (one.Tell(news) != Delivery::kAccepted) Die("a mailbox is full");
    }
  });
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT(google-build-using-namespace)
  Bench bench;
  bench.Add(kWatchDown, "raw.callback", RawCallback);
  bench.Add(kWatchDown, "trolley", WatchDown);
  bench.Add(kSupervisorRestart, "raw.throw_new", RawThrow);
  bench.Add(kSupervisorRestart, "trolley", Restart);
  bench.Add(kPubsubFanout, "raw.shared_ptr", SharedPointers);
  bench.Add(kPubsubFanout, "trolley", Fanout);
  return bench.Main(argc, argv);
}
