// SPDX-License-Identifier: Apache-2.0
//
// One token passed around a ring of actors on one loop.

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kHops = 10'000'000;

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

Figures Ring(int size, double scale) {
  const uint64_t hops = Scaled(kHops, scale);
  RunBus run({0});
  absl::Notification done;
  std::vector<Ref<Member>> members;
  for (int i = 0; i < size; ++i) {
    members.push_back(run.Spawn<Member>(0, RunBus::kDefaultCapacity, done));
  }
  for (int i = 0; i < size; ++i) {
    members[i].Tell(Member::Next{members[(i + 1) % size]});
  }
  const int64_t start = Nanoseconds();
  members[0].Tell(Member::Token{hops});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(hops);
  return Millions(hops, took);
}

struct RawMember {
  virtual ~RawMember() = default;
  [[gnu::noinline]] virtual void Hit(uint64_t n) {
    if (n > 0) queue->emplace_back(next, n - 1);
  }
  std::deque<std::pair<RawMember*, uint64_t>>* queue = nullptr;
  RawMember* next = nullptr;
};

Figures RawRing(int size, double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t hops = Scaled(kHops, scale);
    std::deque<std::pair<RawMember*, uint64_t>> queue;
    std::vector<RawMember> members(size);
    for (int i = 0; i < size; ++i) {
      members[i].queue = &queue;
      members[i].next = &members[(i + 1) % size];
    }
    uint64_t count = 0;
    const int64_t start = Nanoseconds();
    queue.emplace_back(&members[0], hops);
    for (; !queue.empty(); ++count) {
      auto [member, n] = queue.front();
      queue.pop_front();
      member->Hit(n);
    }
    const int64_t took = Nanoseconds() - start;
    if (count != hops + 1) Die("a hop was lost");
    return Millions(hops, took);
  });
}

}  // namespace

void AddRing(Bench& bench) {
  for (auto [workload, size] : {std::pair(kRing100, 100), {kRing1000, 1000}}) {
    bench.Add(workload, "raw.deque_virtual",
              [size = size](double scale) { return RawRing(size, scale); });
    bench.Add(workload, "trolley",
              [size = size](double scale) { return Ring(size, scale); });
  }
}

}  // namespace trolley::bench
