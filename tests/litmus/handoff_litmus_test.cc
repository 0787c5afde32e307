// SPDX-License-Identifier: Apache-2.0
//
// The store-load litmus test over the real hand-off type. It is built at -O2
// and without sanitizers, which would hide the effect. In each round two
// threads use a new hand-off at the same moment: one pushes, the other arms. A
// wake is lost if the consumer may sleep and the pusher was not told to wake
// it.
//
// FlagHandoff, which is wrong, runs beside it. How often it loses a wake
// depends on which CPUs run the threads, so its count is printed and not
// checked. A litmus test that finds nothing is not a proof;
// tests/model/handoff.pml is.
//
// --rounds=N  instead of 2,000,000. The figure of P3 is 10^8.

#include <sched.h>

#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/litmus/flag_handoff.h"
#include "trolley/bus/crossing/handoff.h"

namespace trolley::internal {
namespace {

uint64_t rounds_wanted = 2'000'000;

struct Node {
  Node* next = nullptr;
};

// The first two CPUs this process may use; the same one twice if there is one.
struct CpuPair {
  int first = -1;
  int second = -1;
};
CpuPair TwoCpus() {
  cpu_set_t allowed;
  CpuPair pair;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return pair;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    (pair.first < 0 ? pair.first : pair.second) = cpu;
    if (pair.second >= 0) break;
  }
  return pair;
}

void PinTo(int cpu) {
  if (cpu < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof(one), &one);
}

// Lets two threads off within a cache line's trip of each other; std::barrier
// would let off the last to arrive long before it has woken the other.
class StartLine {
 public:
  void ArriveAndWait() {
    const uint64_t arrival = arrived_.fetch_add(1, std::memory_order_acq_rel);
    const uint64_t all = (arrival / 2 + 1) * 2;
    for (int spins = 0; arrived_.load(std::memory_order_acquire) < all;) {
      // The other may need this CPU to get here.
      if (++spins % 10000 == 0) std::this_thread::yield();
    }
  }

 private:
  std::atomic<uint64_t> arrived_ = 0;
};

struct Outcome {
  uint64_t rounds = 0;
  uint64_t push_came_first = 0;
  uint64_t arm_came_first = 0;
  uint64_t lost = 0;     // asleep, and no pusher wakes it
  uint64_t unasked = 0;  // awake, but a pusher was told to wake it
};

template <class H>
Outcome RunRounds(const char* name) {
  // Few enough to stay in a cache, many enough to make a barrier rare.
  constexpr int kCells = 512;
  struct Cell {
    H handoff;
    Node node;
    // Written by one side each, read after the barrier.
    alignas(64) bool must_wake = false;
    alignas(64) bool sleeps = false;
  };
  std::vector<Cell> cells(kCells);
  const uint64_t sweeps = (rounds_wanted + kCells - 1) / kCells;
  const CpuPair cpus = TwoCpus();
  StartLine both;
  // The two sweep in step only by chance: each starts a little later than the
  // other in turn, so that every distance between them occurs.
  auto delay = [](uint64_t sweep, int side) {
    volatile int spin = 0;
    const int turns = static_cast<int>((sweep / 2) % 40 * 4);
    if (static_cast<int>(sweep % 2) == side) {
      while (spin < turns) spin = spin + 1;
    }
  };
  std::thread pusher([&] {
    PinTo(cpus.second);
    for (uint64_t sweep = 0; sweep < sweeps; ++sweep) {
      both.ArriveAndWait();
      delay(sweep, 1);
      for (Cell& cell : cells) {
        cell.must_wake = cell.handoff.Push(&cell.node, &cell.node) ==
                         H::Pushed::kQueuedMustWake;
      }
      both.ArriveAndWait();
    }
  });
  Outcome outcome;
  std::thread consumer([&] {
    PinTo(cpus.first);
    for (uint64_t sweep = 0; sweep < sweeps; ++sweep) {
      both.ArriveAndWait();
      delay(sweep, 0);
      for (Cell& cell : cells) cell.sleeps = cell.handoff.Arm();
      both.ArriveAndWait();
      for (Cell& cell : cells) {
        ++outcome.rounds;
        (cell.sleeps ? outcome.arm_came_first : outcome.push_came_first) += 1;
        outcome.lost += cell.sleeps && !cell.must_wake;
        outcome.unasked += !cell.sleeps && cell.must_wake;
        if (cell.must_wake) cell.handoff.WakeDone();
        EXPECT_EQ(cell.handoff.Take(), &cell.node);
      }
    }
  });
  pusher.join();
  consumer.join();
  std::printf("%-12s %" PRIu64 " rounds on CPUs %d and %d: %" PRIu64
              " armed first, %" PRIu64 " pushed first, %" PRIu64
              " wakes lost\n",
              name, outcome.rounds, cpus.first, cpus.second,
              outcome.arm_came_first, outcome.push_came_first, outcome.lost);
  return outcome;
}

TEST(HandoffLitmusTest, P3_NoWakeIsLostBetweenArmAndPush) {
  const Outcome wrong = RunRounds<FlagHandoff<Node>>("FlagHandoff");
  const Outcome outcome = RunRounds<Handoff<Node>>("Handoff");
  EXPECT_EQ(outcome.lost, 0u);
  EXPECT_EQ(outcome.unasked, 0u);  // P4
  EXPECT_GE(outcome.rounds, rounds_wanted);
  RecordProperty("flag_handoff_lost", std::to_string(wrong.lost));
}

}  // namespace
}  // namespace trolley::internal

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr char kRounds[] = "--rounds=";
  for (int i = 1; i < argc; ++i) {
    char* end = nullptr;
    const bool known = std::strncmp(argv[i], kRounds, sizeof(kRounds) - 1) == 0;
    if (known) {
      trolley::internal::rounds_wanted =
          std::strtoull(argv[i] + sizeof(kRounds) - 1, &end, 10);
    }
    if (!known || *end != '\0' || trolley::internal::rounds_wanted == 0) {
      std::fprintf(stderr, "usage: %s [--rounds=N]\n", argv[0]);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
