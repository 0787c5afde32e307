// SPDX-License-Identifier: Apache-2.0
//
// A tree of actors that adds up the numbers of its leaves.

#include <cstdint>
#include <utility>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

// Inner nodes too.
uint64_t ActorsFor(uint64_t leaves) {
  uint64_t actors = 0;
  for (; leaves > 0; leaves /= kSkynetChildren) actors += leaves;
  return actors;
}

class Node : public Actor {
 public:
  struct Sum {
    uint64_t value;
  };
  struct Root {
    absl::Notification& done;
    uint64_t sum = 0;
    int loops = 1;
  };
  Node(Ref<Node> parent, uint64_t first, uint64_t leaves, Root& root)
      : parent_(std::move(parent)),
        first_(first),
        leaves_(leaves),
        root_(root) {}

  void OnStart() override {
    if (leaves_ == 1) return Report(first_);
    const Ref<Node> self = Self(this);
    const uint64_t share = leaves_ / kSkynetChildren;
    for (int i = 0; i < kSkynetChildren; ++i) {
      // Only the root spreads its children over the loops.
      const int loop = parent_ ? SpawnOptions::kAnyLoop : i % root_.loops;
      auto child =
          Spawn<Node>({.loop = loop}, self, first_ + i * share, share, root_);
      if (!child.ok()) Die(child.status().ToString());
    }
  }
  void On(const Sum& m) {
    sum_ += m.value;
    if (++answers_ == kSkynetChildren) Report(sum_);
  }

 private:
  void Report(uint64_t sum) {
    if (parent_) {
      parent_.Tell(Sum{sum});
    } else {
      root_.sum = sum;
      root_.done.Notify();
    }
    Stop();
  }

  const Ref<Node> parent_;
  const uint64_t first_;
  const uint64_t leaves_;
  Root& root_;
  uint64_t sum_ = 0;
  int answers_ = 0;
};

Figures Skynet(double scale) {
  const uint64_t leaves = SkynetLeaves(scale);
  RunBus run({0, 1});
  absl::Notification done;
  Node::Root root{.done = done, .loops = 2};
  const int64_t start = Nanoseconds();
  run.Spawn<Node>(0, RunBus::kDefaultCapacity, Ref<Node>(), 0, leaves, root);
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(0);
  if (root.sum != leaves * (leaves - 1) / 2) Die("skynet added wrongly");
  return Millions(ActorsFor(leaves), took);
}

// By recursion, an object for each node.
struct RawNode {
  virtual ~RawNode() = default;
  [[gnu::noinline]] virtual uint64_t Add(uint64_t first, uint64_t leaves) {
    if (leaves == 1) return first;
    RawNode* children[kSkynetChildren];
    for (RawNode*& child : children) child = new RawNode;
    uint64_t sum = 0;
    const uint64_t share = leaves / kSkynetChildren;
    for (int i = 0; i < kSkynetChildren; ++i) {
      sum += children[i]->Add(first + i * share, share);
      delete children[i];
    }
    return sum;
  }
};

Figures RawSkynet(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t leaves = SkynetLeaves(scale);
    const int64_t start = Nanoseconds();
    RawNode root;
    const uint64_t sum = root.Add(0, leaves);
    const int64_t took = Nanoseconds() - start;
    if (sum != leaves * (leaves - 1) / 2) Die("skynet added wrongly");
    return Millions(ActorsFor(leaves), took);
  });
}

}  // namespace

void AddSkynet(Bench& bench) {
  bench.Add(kSkynet, "raw.new_delete", RawSkynet);
  bench.Add(kSkynet, "trolley", Skynet);
}

}  // namespace trolley::bench
