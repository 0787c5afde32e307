// SPDX-License-Identifier: Apache-2.0
//
// What more actors, more loops and larger messages cost.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/queue_stream.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

double Each(uint64_t count, int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / static_cast<double>(count);
}

// Actors ----------------------------------------------------------------------

class Member : public Actor {
 public:
  struct Next {
    Ref<Member> next;
  };
  struct Token {
    uint64_t left;
  };
  explicit Member(absl::Notification& done) : done_(done) {}
  void On(const Next& m) { next_ = m.next; }
  void On(const Token& m) {
    if (m.left == 0) return done_.Notify();
    next_.Tell(Token{m.left - 1});
  }

 private:
  absl::Notification& done_;
  Ref<Member> next_;
};

uint64_t Hops(uint64_t actors, double scale) {
  return std::max(2 * actors, Scaled(2'000'000, scale));
}

Figures Actors(int actors, double scale) {
  const auto order = ScaleOrder(static_cast<int>(Scaled(actors, scale)));
  const size_t size = order.size();
  const uint64_t hops = Hops(size, scale);
  RunBus run({0});
  absl::Notification done;
  std::vector<Ref<Member>> members;
  for (size_t i = 0; i < size; ++i) {
    members.push_back(run.Spawn<Member>(0, RunBus::kDefaultCapacity, done));
  }
  for (size_t i = 0; i < size; ++i) {
    members[order[i]].Tell(Member::Next{members[order[(i + 1) % size]]});
  }
  const int64_t start = Nanoseconds();
  members[0].Tell(Member::Token{hops});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(hops);
  return Each(hops, took);
}

struct RawMember {
  virtual ~RawMember() = default;
  [[gnu::noinline]] virtual void Hit(uint64_t n) {
    if (n > 0) queue->emplace_back(next, n - 1);
  }
  std::deque<std::pair<RawMember*, uint64_t>>* queue = nullptr;
  RawMember* next = nullptr;
};

Figures RawActors(int actors, double scale) {
  return OnCpu0([&]() -> Figures {
    const auto order = ScaleOrder(static_cast<int>(Scaled(actors, scale)));
    const size_t size = order.size();
    const uint64_t hops = Hops(size, scale);
    std::deque<std::pair<RawMember*, uint64_t>> queue;
    std::vector<std::unique_ptr<RawMember>> members(size);
    for (auto& member : members) member = std::make_unique<RawMember>();
    for (size_t i = 0; i < size; ++i) {
      members[order[i]]->queue = &queue;
      members[order[i]]->next = members[order[(i + 1) % size]].get();
    }
    const int64_t start = Nanoseconds();
    queue.emplace_back(members[0].get(), hops);
    while (!queue.empty()) {
      auto [member, n] = queue.front();
      queue.pop_front();
      member->Hit(n);
    }
    return Each(hops, Nanoseconds() - start);
  });
}

// Loops -----------------------------------------------------------------------

struct Number {
  uint64_t value;
};

class Sink : public Actor {
 public:
  Sink(uint64_t messages, std::atomic<int>& working, absl::Notification& done)
      : left_(messages), working_(working), done_(done) {}
  void On(const Number&) {
    if (--left_ == 0 && --working_ == 0) done_.Notify();
  }

 private:
  uint64_t left_;
  std::atomic<int>& working_;
  absl::Notification& done_;
};

class Source : public Actor {
 public:
  struct Go {};
  Source(uint64_t messages, Ref<Sink> sink)
      : messages_(messages), sink_(std::move(sink)) {}
  Task<absl::Status> On(Go) {
    for (uint64_t i = 1; i <= messages_; ++i) {
      if (sink_.Tell(Number{i}) == Delivery::kAccepted) continue;
      absl::Status sent = co_await sink_.Send(Number{i});
      if (!sent.ok()) Die(sent.ToString());
    }
    co_return absl::OkStatus();
  }

 private:
  const uint64_t messages_;
  const Ref<Sink> sink_;
};

// Pinned while there is a CPU for each.
Figures Loops(int loops, double scale) {
  const uint64_t messages = Scaled(4'000'000, scale) / loops;
  std::vector<int> cpus;
  for (int i = 0; i < loops; ++i) {
    cpus.push_back(loops > 2 ? RunBus::kAnywhere : i);
  }
  RunBus run(cpus);
  std::atomic<int> working = loops;
  absl::Notification done;
  std::vector<Ref<Source>> sources;
  for (int i = 0; i < loops; ++i) {
    auto sink =
        run.Spawn<Sink>((i + 1) % loops, kWindow, messages, working, done);
    sources.push_back(
        run.Spawn<Source>(i, RunBus::kDefaultCapacity, messages, sink));
  }
  const int64_t start = Nanoseconds();
  for (const auto& source : sources) source.Tell(Source::Go{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(messages * loops);
  return Millions(messages * loops, took);
}

// Sizes -----------------------------------------------------------------------

// Half a gigabyte in all, at most.
uint64_t MessagesOf(int bytes, double scale) {
  const uint64_t full =
      std::clamp<uint64_t>((512ull << 20) / bytes, 500, 1'000'000);
  return std::max<uint64_t>(200, static_cast<uint64_t>(full * scale));
}

// A byte of each cache line.
uint64_t LookAt(const std::string& text) {
  uint64_t sum = 0;
  for (size_t at = 0; at < text.size(); at += 64) sum += text[at] == 'f';
  return sum;
}

struct Text {
  std::string bytes;
};

class TextSink : public Actor {
 public:
  TextSink(uint64_t messages, uint64_t& seen, absl::Notification& done)
      : left_(messages), seen_(seen), done_(done) {}
  void On(const Text& m) {
    seen_ += LookAt(m.bytes);
    if (--left_ == 0) done_.Notify();
  }

 private:
  uint64_t left_;
  uint64_t& seen_;
  absl::Notification& done_;
};

class TextSource : public Actor {
 public:
  struct Go {};
  TextSource(uint64_t messages, int bytes, Ref<TextSink> sink)
      : messages_(messages), bytes_(bytes), sink_(std::move(sink)) {}
  Task<absl::Status> On(Go) {
    for (uint64_t i = 0; i < messages_; ++i) {
      absl::Status sent = co_await sink_.Send<Text>(std::string(bytes_, 'f'));
      if (!sent.ok()) Die(sent.ToString());
    }
    co_return absl::OkStatus();
  }

 private:
  const uint64_t messages_;
  const int bytes_;
  const Ref<TextSink> sink_;
};

// Waiting at most: 64 MiB of the largest.
uint32_t RoomFor(int bytes) { return bytes > 16384 ? 64 : 1024; }

void CheckSeen(uint64_t seen, uint64_t messages, int bytes) {
  if (seen != messages * ((bytes + 63) / 64)) Die("a message was changed");
}

Figures Texts(int bytes, double scale) {
  const uint64_t messages = MessagesOf(bytes, scale);
  RunBus run({0, 1});
  uint64_t seen = 0;
  absl::Notification done;
  auto sink = run.Spawn<TextSink>(0, RoomFor(bytes), messages, seen, done);
  auto source =
      run.Spawn<TextSource>(1, RunBus::kDefaultCapacity, messages, bytes, sink);
  const int64_t start = Nanoseconds();
  source.Tell(TextSource::Go{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(messages);
  CheckSeen(seen, messages, bytes);
  return Each(messages, took);
}

// A ring of one writer and one reader.
Figures RawTexts(int bytes, double scale) {
  const uint64_t messages = MessagesOf(bytes, scale);
  const uint64_t room = RoomFor(bytes);
  std::vector<std::string> ring(room);
  alignas(64) std::atomic<uint64_t> put = 0;
  alignas(64) std::atomic<uint64_t> taken = 0;
  uint64_t seen = 0;
  const int64_t start = Nanoseconds();
  std::thread sink([&] {
    PinTo(0);
    for (uint64_t i = 0; i < messages; ++i) {
      while (put.load(std::memory_order_acquire) == i) Pause();
      const std::string text = std::move(ring[i % room]);
      taken.store(i + 1, std::memory_order_release);
      seen += LookAt(text);
    }
  });
  std::thread source([&] {
    PinTo(1);
    for (uint64_t i = 0; i < messages; ++i) {
      std::string text(bytes, 'f');
      while (taken.load(std::memory_order_acquire) + room == i) Pause();
      ring[i % room] = std::move(text);
      put.store(i + 1, std::memory_order_release);
    }
  });
  source.join();
  sink.join();
  const int64_t took = Nanoseconds() - start;
  CheckSeen(seen, messages, bytes);
  return Each(messages, took);
}

}  // namespace

void AddScale(Bench& bench) {
  for (int actors : kActorScales) {
    bench.Add(ScaleActors(actors), "raw.deque_virtual",
              [=](double scale) { return RawActors(actors, scale); });
    bench.Add(ScaleActors(actors), "trolley",
              [=](double scale) { return Actors(actors, scale); });
  }
  for (int loops : kLoopScales) {
    bench.Add(ScaleLoops(loops), "trolley",
              [=](double scale) { return Loops(loops, scale); });
  }
  for (int bytes : kMessageScales) {
    bench.Add(ScaleMessage(bytes), "raw.spsc_ring",
              [=](double scale) { return RawTexts(bytes, scale); });
    bench.Add(ScaleMessage(bytes), "trolley",
              [=](double scale) { return Texts(bytes, scale); });
  }
}

}  // namespace trolley::bench
