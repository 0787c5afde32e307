// SPDX-License-Identifier: Apache-2.0
//
// P17, timers, compared with a sorted list: never early, equal deadlines in the
// order in which they were set, a cancelled one never, and each one once even
// if the loop is late.

#include "trolley/bus/loop/timer_queue.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley::internal {
namespace {

// The queue under test, or one with a mistake (mutants below).
class Queue {
 public:
  virtual ~Queue() = default;
  virtual void Set(Timer& timer, Instant deadline) {
    queue.Set(timer, deadline);
  }
  virtual void Cancel(Timer& timer) { timer.Cancel(); }
  virtual void FireDue(Instant now) { queue.FireDue(now); }
  TimerQueue queue;
};

class Recorder : public Timer {
 public:
  Recorder(int id, std::vector<int>* fired) : id_(id), fired_(*fired) {}
  void OnTimer() override { fired_.push_back(id_); }

 private:
  const int id_;
  std::vector<int>& fired_;
};

struct Shape {
  int timers = 40;
  int ahead = 20;          // deadlines: up to so many nanoseconds from now,
  int grain = 1;           // multiples of it
  size_t* most = nullptr;  // gets the most that were armed
};

// The first difference to a sorted list within `steps`, or as all that is left
// fires after them; empty if there is none.
std::string Differs(uint64_t seed, uint64_t steps, Queue& queue,
                    Shape shape = {}) {
  SimRandom random(seed);
  std::vector<int> fired;
  std::vector<std::unique_ptr<Recorder>> timers;
  for (int i = 0; i < shape.timers; ++i) {
    timers.push_back(std::make_unique<Recorder>(i, &fired));
  }
  std::map<std::pair<int64_t, uint64_t>, int> oracle;  // by deadline, order
  std::map<int, std::pair<int64_t, uint64_t>> armed;
  const auto disarm = [&](int i) {
    if (armed.count(i) == 0) return;
    oracle.erase(armed[i]);
    armed.erase(i);
  };
  int64_t now = 1000;
  for (uint64_t step = 0; step <= steps; ++step) {
    const std::string where = " at step " + std::to_string(step);
    const int i = random.Below(shape.timers);
    const bool last = step == steps;
    switch (last ? 3 : random.Below(4)) {
      case 0:
      case 1: {
        const int64_t ahead = now - 5 + random.Below(shape.ahead);
        const int64_t deadline = ahead - ahead % shape.grain;
        disarm(i);
        armed[i] = {deadline, step};
        oracle[armed[i]] = i;
        queue.Set(*timers[i], Instant::FromNanos(deadline));
        break;
      }
      case 2:
        disarm(i);
        queue.Cancel(*timers[i]);
        break;
      default: {
        now += last ? shape.ahead : random.Below(6);
        std::vector<int> expected;
        while (!oracle.empty() && oracle.begin()->first.first <= now) {
          expected.push_back(oracle.begin()->second);
          disarm(expected.back());
        }
        fired.clear();
        queue.FireDue(Instant::FromNanos(now));
        if (fired != expected) return "fired others" + where;
      }
    }
    if (timers[i]->armed() != (armed.count(i) > 0)) return "armed()" + where;
    const Instant next = oracle.empty()
                             ? Instant::Infinite()
                             : Instant::FromNanos(oracle.begin()->first.first);
    // It clears away what was cancelled, so it is not asked for each time.
    if (random.Below(8) == 0 && queue.queue.next() != next) {
      return "next()" + where;
    }
    if (queue.queue.size() != oracle.size()) return "size()" + where;
    if (shape.most != nullptr)
      *shape.most = std::max(*shape.most, armed.size());
  }
  return "";
}

TEST(TimerQueueTest, P17_AgreesWithASortedList) {
  const uint64_t steps = GetRunOptions().Scale(2'000, 20'000);
  ForEachSeed(50, [&](uint64_t seed) {
    Queue queue;
    EXPECT_EQ(Differs(seed, steps, queue), "");
  });
}

// More than it sweeps, with as many as fifty of one deadline.
TEST(TimerQueueTest, P17_AgreesWithASortedListWhenItIsLarge) {
  const uint64_t steps = GetRunOptions().Scale(60'000, 1'000'000);
  ForEachSeed(3, [&](uint64_t seed) {
    Queue queue;
    size_t most = 0;
    const Shape large = {
        .timers = 10'000, .ahead = 100'000, .grain = 700, .most = &most};
    EXPECT_EQ(Differs(seed, steps, queue, large), "");
    EXPECT_GT(most, 5'000u);
  });
}

TEST(TimerQueueTest, NothingKeepsCancelledTimers) {
  std::vector<int> fired;
  TimerQueue queue;
  for (int i = 0; i < 10'000; ++i) {
    Recorder timer(i, &fired);
    queue.Set(timer, Instant::FromNanos(1'000'000 - i));
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), Instant::Infinite());
  EXPECT_FALSE(queue.FireDue(Instant::FromNanos(2'000'000)));
}

// --- Mistakes that the comparison must find ---

class FiresEarly : public Queue {
  void FireDue(Instant now) override {
    queue.FireDue(now + absl::Nanoseconds(1));
  }
};
class ForgetsToCancel : public Queue {
  void Cancel(Timer& timer) override {
    if (++cancels_ % 10 != 0) timer.Cancel();
  }
  int cancels_ = 0;
};
class LosesEqualOnes : public Queue {
  void Set(Timer& timer, Instant deadline) override {
    // Equal deadlines in the reverse order: as a heap without sequence would.
    if (deadline == queue.next())
      deadline = Instant::FromNanos(deadline.nanos() - 1);
    queue.Set(timer, deadline);
  }
};

TEST(TimerQueueTest, P17_TheComparisonFindsMistakes) {
  FiresEarly early;
  EXPECT_NE(Differs(1, 2000, early), "");
  ForgetsToCancel forgets;
  EXPECT_NE(Differs(1, 2000, forgets), "");
  LosesEqualOnes equal;
  EXPECT_NE(Differs(1, 2000, equal), "");
}

TEST(TimerQueueTest, P17_ATimerMayDestroyItselfAndCancelOthersAsItFires) {
  TimerQueue queue;
  struct Other : Timer {
    void OnTimer() override { ADD_FAILURE() << "was cancelled"; }
  } other;
  struct Suicidal : Timer {
    explicit Suicidal(Timer* victim) : victim(victim) {}
    void OnTimer() override {
      victim->Cancel();
      delete this;
    }
    Timer* victim;
  };
  queue.Set(*new Suicidal(&other), Instant::FromNanos(5));
  queue.Set(other, Instant::FromNanos(5));
  queue.FireDue(Instant::FromNanos(5));
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueueTest, P17_AnArmedTimerOutlivesItsQueue) {
  std::vector<int> fired;
  Recorder timer(1, &fired);
  {
    TimerQueue queue;
    queue.Set(timer, Instant::FromNanos(5));
  }
  EXPECT_FALSE(timer.armed());
}

}  // namespace
}  // namespace trolley::internal
