// SPDX-License-Identifier: Apache-2.0
//
// P6, bounded memory: when a program has run for a while, a send allocates no
// memory, on one loop or across two, for tells, asks and sends that wait.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"

namespace {
std::atomic<uint64_t> allocations{0};
void* Allocate(size_t size, size_t alignment) {
  allocations.fetch_add(1);
  void* memory = std::aligned_alloc(
      alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}
}  // namespace

void* operator new(size_t size) { return Allocate(size, 16); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace trolley {
namespace {

struct Data {
  uint64_t words[4];
};
struct Question {};
struct Go {};
class Source;
struct Pass {
  Ref<Source> back;
};

class Sink : public Actor {
 public:
  void On(const Data& m) { sum_ += m.words[0]; }
  uint64_t On(const Question&) { return sum_; }
  void On(const Pass& m);

 private:
  uint64_t sum_ = 0;
};

// Sends some and waits until the sink has seen them: the loops never sleep and
// the mailbox is never full.
class Source : public Actor {
 public:
  Source(Ref<Sink> sink, uint64_t* sent)
      : sink_(std::move(sink)), sent_(*sent) {}
  void On(const Go&) {
    for (uint64_t i = 0; i < 20; ++i) {
      sent_ += sink_.Tell(Data{{i}}) == Delivery::kAccepted;
    }
    // Not awaited: its reply is dropped, and its slot used again.
    { auto asking = sink_.Ask(Question{}, absl::Seconds(1)); }
    sink_.Tell(Pass{Self(this)});
  }

 private:
  const Ref<Sink> sink_;
  uint64_t& sent_;
};

void Sink::On(const Pass& m) { m.back.Tell(Go{}); }

class AllocationTest : public BusFixture {};
INSTANTIATE_TEST_SUITE_P(Forms, AllocationTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2},
                                         BusForm{"sim", 3}),
                         BusFormName);

TEST_P(AllocationTest, P6_ASendAllocatesNothingInTheSteadyState) {
  Bus& bus = Start();
  uint64_t sent = 0;
  auto sink = *bus.Spawn<Sink>({.loop = LoopAt(1)});
  auto source = *bus.Spawn<Source>({.loop = 0}, sink, &sent);
  source.Tell(Go{});
  const auto run = [&](int turns) {
    for (int i = 0; i < turns; ++i) {
      for (int loop = 0; loop < loops(); ++loop) LoopOf(bus, loop).RunOnce();
    }
  };
  run(300);
  const uint64_t before = allocations;
  const uint64_t sent_before = sent;
  run(3000);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_GT(sent - sent_before, 10'000u);
  Destroy();  // before `sent`
}

}  // namespace
}  // namespace trolley
