// SPDX-License-Identifier: Apache-2.0
//
// The contract of the hand-off, transition by transition. SteeredAtomic runs a
// step of the test just before the step under test, and so makes the races
// happen that a test cannot wait for. The random part at the end is for
// ThreadSanitizer and AddressSanitizer.

#include "trolley/bus/crossing/handoff.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

struct Node {
  Node* next = nullptr;
  int value = 0;
  int sender = 0;
};

std::vector<int> Values(const Node* list) {
  std::vector<int> values;
  for (; list != nullptr; list = list->next) values.push_back(list->value);
  return values;
}

using Numbers = std::vector<int>;

// std::atomic with a seam before the two steps that race or wait, and with a
// wait that looks at the value once and then returns for a notification only.
thread_local std::function<void()> before_exchange;
thread_local std::function<void()> before_wait;

struct Parking {
  std::mutex mutex;
  std::condition_variable changed;
  bool parked = false;
} parking;

template <class T>
class SteeredAtomic : public std::atomic<T> {
 public:
  constexpr SteeredAtomic(T value) : std::atomic<T>(value) {}  // NOLINT

  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) {
    if (before_exchange) std::exchange(before_exchange, nullptr)();
    // Strong: the only failures are those that we steer.
    return this->compare_exchange_strong(expected, desired, success, failure);
  }
  void wait(T old, std::memory_order order) const {
    if (before_wait) before_wait();
    std::unique_lock lock(parking.mutex);
    if (this->load(order) != old) return;
    parking.parked = true;
    parking.changed.notify_all();
    parking.changed.wait(lock, [] { return !parking.parked; });
  }
  void notify_one() {
    std::lock_guard lock(parking.mutex);
    parking.parked = false;
    parking.changed.notify_all();
  }
};

using Steered = Handoff<Node, SteeredAtomic>;
using Pushed = Handoff<Node>::Pushed;

class HandoffTest : public testing::Test {
 protected:
  HandoffTest() {
    for (int i = 0; i < 10; ++i) nodes_[i].value = i;
  }
  void TearDown() override {
    before_exchange = nullptr;
    before_wait = nullptr;
  }

  Pushed Push(int i) { return handoff_.Push(&nodes_[i], &nodes_[i]); }
  // Hands over first, first + 1, ... last as one chain.
  Pushed PushChain(int first, int last) {
    for (int i = last; i > first; --i) nodes_[i].next = &nodes_[i - 1];
    return handoff_.Push(&nodes_[last], &nodes_[first]);
  }
  Numbers Take() { return Values(handoff_.Take()); }
  Numbers Close() { return Values(handoff_.Close()); }

  Handoff<Node> handoff_;
  std::array<Node, 10> nodes_;
};

TEST_F(HandoffTest, TakeOfNothingIsNothing) {
  EXPECT_EQ(handoff_.Take(), nullptr);
  EXPECT_FALSE(handoff_.HasWork());
}

TEST_F(HandoffTest, P1_PushesComeOutOldestFirst) {
  EXPECT_EQ(Push(0), Pushed::kQueued);
  EXPECT_EQ(Push(1), Pushed::kQueued);
  EXPECT_EQ(Push(2), Pushed::kQueued);
  EXPECT_TRUE(handoff_.HasWork());
  EXPECT_EQ(Take(), (Numbers{0, 1, 2}));
  EXPECT_FALSE(handoff_.HasWork());
  EXPECT_EQ(handoff_.Take(), nullptr);
}

TEST_F(HandoffTest, P1_ChainsKeepOrderWithinAndAmongThemselves) {
  PushChain(0, 2);
  Push(3);
  PushChain(4, 5);
  EXPECT_EQ(Take(), (Numbers{0, 1, 2, 3, 4, 5}));
}

TEST_F(HandoffTest, P1_NodesCanBePushedAgainAfterATake) {
  PushChain(0, 2);
  EXPECT_EQ(Take(), (Numbers{0, 1, 2}));
  Push(2);
  Push(0);
  EXPECT_EQ(Take(), (Numbers{2, 0}));
}

TEST_F(HandoffTest, P4_AnAwakeConsumerIsNotWoken) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Push(i), Pushed::kQueued) << i;
  handoff_.Take();
}

TEST_F(HandoffTest, P4_OnlyTheFirstPushIntoASleepMustWake) {
  ASSERT_TRUE(handoff_.Arm());
  EXPECT_EQ(Push(0), Pushed::kQueuedMustWake);
  EXPECT_EQ(Push(1), Pushed::kQueued);
  EXPECT_EQ(PushChain(2, 4), Pushed::kQueued);
  handoff_.WakeDone();
  EXPECT_EQ(Take(), (Numbers{0, 1, 2, 3, 4}));
  // The sleep is over: the consumer has not armed again.
  EXPECT_EQ(Push(5), Pushed::kQueued);
  handoff_.Take();
}

TEST_F(HandoffTest, P3_EverySleepCanBeWoken) {
  for (int sleep = 0; sleep < 10; ++sleep) {
    ASSERT_TRUE(handoff_.Arm());
    EXPECT_EQ(Push(sleep), Pushed::kQueuedMustWake) << sleep;
    handoff_.WakeDone();
    EXPECT_EQ(Take(), (Numbers{sleep}));
  }
}

TEST_F(HandoffTest, P3_ArmIsRefusedWhileSomethingIsQueued) {
  Push(0);
  EXPECT_FALSE(handoff_.Arm());
  EXPECT_EQ(Take(), (Numbers{0}));
  EXPECT_TRUE(handoff_.Arm());
}

TEST_F(HandoffTest, P3_ArmIsRefusedAfterAPushIntoTheSleep) {
  ASSERT_TRUE(handoff_.Arm());
  EXPECT_EQ(Push(0), Pushed::kQueuedMustWake);
  EXPECT_FALSE(handoff_.Arm());
  handoff_.WakeDone();
  EXPECT_EQ(Take(), (Numbers{0}));
}

TEST_F(HandoffTest, P3_ArmingTwiceStaysArmedAndPromisesOneWake) {
  ASSERT_TRUE(handoff_.Arm());
  ASSERT_TRUE(handoff_.Arm());
  EXPECT_EQ(Push(0), Pushed::kQueuedMustWake);
  handoff_.WakeDone();
  EXPECT_EQ(Close(), (Numbers{0}));  // hangs if two wakes are awaited
}

TEST_F(HandoffTest, P4_TakeAfterAnotherWakeDisarms) {
  ASSERT_TRUE(handoff_.Arm());
  EXPECT_EQ(handoff_.Take(), nullptr);  // woken by a descriptor, say
  EXPECT_EQ(Push(0), Pushed::kQueued);
  EXPECT_EQ(Close(), (Numbers{0}));  // hangs if the arm counts as a promise
}

TEST_F(HandoffTest, P5_ClosedRefusesAndTheChainStaysTheCallers) {
  EXPECT_EQ(handoff_.Close(), nullptr);
  EXPECT_EQ(PushChain(0, 2), Pushed::kClosed);
  EXPECT_EQ(Values(&nodes_[2]), (Numbers{2, 1, 0}));
  EXPECT_EQ(handoff_.Take(), nullptr);
  EXPECT_FALSE(handoff_.HasWork());
  EXPECT_FALSE(handoff_.Arm());
  EXPECT_EQ(Push(3), Pushed::kClosed);  // nothing above opened it again
}

TEST_F(HandoffTest, P2_CloseReturnsWhatIsQueuedOldestFirst) {
  Push(0);
  PushChain(1, 3);
  EXPECT_EQ(Close(), (Numbers{0, 1, 2, 3}));
}

TEST_F(HandoffTest, P5_CloseOfASleepWithoutAWakeDoesNotWait) {
  ASSERT_TRUE(handoff_.Arm());
  EXPECT_EQ(handoff_.Close(), nullptr);
  EXPECT_EQ(Push(0), Pushed::kClosed);
}

TEST_F(HandoffTest, P5_CloseAfterAllWakesAreDoneReturns) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(handoff_.Arm());
    ASSERT_EQ(Push(i), Pushed::kQueuedMustWake);
    handoff_.Take();
    handoff_.WakeDone();
  }
  EXPECT_EQ(handoff_.Close(), nullptr);
}

// Races, made to happen: the step in `before_exchange` runs between Push()'s
// look at the word and its exchange.

TEST_F(HandoffTest, P3_ArmJustBeforeThePushIsSeen) {
  Steered handoff;
  bool armed = false;
  before_exchange = [&] { armed = handoff.Arm(); };
  EXPECT_EQ(handoff.Push(&nodes_[0], &nodes_[0]),
            Steered::Pushed::kQueuedMustWake);
  EXPECT_TRUE(armed);
  handoff.WakeDone();
  EXPECT_EQ(Values(handoff.Take()), (Numbers{0}));
}

TEST_F(HandoffTest, P4_DisarmJustBeforeThePushIsSeen) {
  Steered handoff;
  ASSERT_TRUE(handoff.Arm());
  before_exchange = [&] { EXPECT_EQ(handoff.Take(), nullptr); };
  EXPECT_EQ(handoff.Push(&nodes_[0], &nodes_[0]), Steered::Pushed::kQueued);
  EXPECT_EQ(Values(handoff.Close()), (Numbers{0}));
}

TEST_F(HandoffTest, P1_ThePushThatLostTheRaceGoesBehind) {
  Steered handoff;
  before_exchange = [&] { handoff.Push(&nodes_[1], &nodes_[1]); };
  handoff.Push(&nodes_[0], &nodes_[0]);
  EXPECT_EQ(Values(handoff.Take()), (Numbers{1, 0}));
}

TEST_F(HandoffTest, P2_TakeJustBeforeThePushLosesNothing) {
  Steered handoff;
  handoff.Push(&nodes_[1], &nodes_[1]);
  Numbers taken;
  before_exchange = [&] { taken = Values(handoff.Take()); };
  handoff.Push(&nodes_[0], &nodes_[0]);
  EXPECT_EQ(taken, (Numbers{1}));
  EXPECT_EQ(Values(handoff.Take()), (Numbers{0}));
}

TEST_F(HandoffTest, P2_AnAddressThatRecurredIsHarmless) {
  Steered handoff;
  handoff.Push(&nodes_[1], &nodes_[1]);
  before_exchange = [&] {
    handoff.Take();
    nodes_[1].value = 7;  // a new message in the same node, on another
    handoff.Push(&nodes_[2], &nodes_[2]);
    handoff.Push(&nodes_[1], &nodes_[1]);
  };
  handoff.Push(&nodes_[0], &nodes_[0]);
  EXPECT_EQ(Values(handoff.Take()), (Numbers{2, 7, 0}));
}

TEST_F(HandoffTest, P5_CloseJustBeforeThePushRefusesIt) {
  Steered handoff;
  handoff.Push(&nodes_[2], &nodes_[2]);
  Numbers closed_with;
  before_exchange = [&] { closed_with = Values(handoff.Close()); };
  nodes_[1].next = &nodes_[0];
  EXPECT_EQ(handoff.Push(&nodes_[1], &nodes_[0]), Steered::Pushed::kClosed);
  EXPECT_EQ(closed_with, (Numbers{2}));
  EXPECT_EQ(Values(&nodes_[1]), (Numbers{1, 0}));  // not linked to theirs
}

// Close() and wakes in flight.

TEST_F(HandoffTest, P5_CloseWaitsForEveryWakeInFlight) {
  Steered handoff;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(handoff.Arm());
    ASSERT_EQ(handoff.Push(&nodes_[i], &nodes_[i]),
              Steered::Pushed::kQueuedMustWake);
    // Found in each of the ways: by Take, by Take, by Close.
    if (i < 2) {
      EXPECT_EQ(Values(handoff.Take()), (Numbers{i}));
    }
  }
  int waits = 0;
  before_wait = [&] {
    ++waits;
    handoff.WakeDone();
  };
  EXPECT_EQ(Values(handoff.Close()), (Numbers{2}));
  EXPECT_EQ(waits, 3);
}

TEST_F(HandoffTest, P5_CloseThatSleepsIsWokenByTheWakeItWaitsFor) {
  Steered handoff;
  std::latch pushed(1);
  bool closed = false;  // guarded by parking.mutex
  ASSERT_TRUE(handoff.Arm());
  std::thread pusher([&] {
    EXPECT_EQ(handoff.Push(&nodes_[0], &nodes_[0]),
              Steered::Pushed::kQueuedMustWake);
    pushed.count_down();
    {
      std::unique_lock lock(parking.mutex);
      parking.changed.wait(lock, [&] { return parking.parked || closed; });
      EXPECT_FALSE(closed);
    }
    handoff.WakeDone();
  });
  pushed.wait();
  EXPECT_EQ(Values(handoff.Close()), (Numbers{0}));  // hangs if not woken
  {
    std::lock_guard lock(parking.mutex);
    closed = true;
    parking.changed.notify_all();
  }
  pusher.join();
}

// A poller that can only be woken. `open` is plain on purpose: a wake that
// comes too late is a race that TSan sees, and `late` counts it otherwise.
class WakeOnlyPoller {
 public:
  void Wake() {
    {
      std::lock_guard lock(mutex_);
      ++wakes_;
      awake_ = true;
      condition_.notify_one();
    }
    // After the lock, so that only WakeDone() orders it before the end.
    if (!open_) late_.fetch_add(1, std::memory_order_relaxed);
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return awake_; });
    awake_ = false;
  }
  void CloseDescriptor() { open_ = false; }
  int late() const { return late_.load(std::memory_order_relaxed); }
  int wakes() const { return wakes_; }

 private:
  bool open_ = true;
  std::atomic<int> late_ = 0;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool awake_ = false;
  int wakes_ = 0;
};

struct Inbox {
  Handoff<Node> handoff;
  WakeOnlyPoller poller;

  Pushed Send(Node* newest, Node* oldest) {
    Pushed pushed = handoff.Push(newest, oldest);
    if (pushed == Pushed::kQueuedMustWake) {
      poller.Wake();
      handoff.WakeDone();
    }
    return pushed;
  }
  // Blocks until something is there; counts its sleeps.
  Node* Receive(int* sleeps) {
    for (;;) {
      if (Node* list = handoff.Take()) return list;
      if (handoff.Arm()) {
        ++*sleeps;
        poller.Wait();
      }
    }
  }
};

TEST(HandoffThreadsTest, P3_P4_OneMessageInFlightAlwaysArrives) {
  constexpr int kMessages = 20000;  // a loss is a hang: nothing else wakes
  Inbox there, back;
  int sleeps_there = 0, sleeps_back = 0;
  std::thread echo([&] {
    for (int i = 0; i < kMessages; ++i) {
      Node* node = there.Receive(&sleeps_there);
      ASSERT_EQ(node->next, nullptr);
      node->value = -node->value;
      back.Send(node, node);
    }
    EXPECT_EQ(there.handoff.Close(), nullptr);
  });
  Node node;
  for (int i = 1; i <= kMessages; ++i) {
    node.value = i;
    there.Send(&node, &node);
    Node* answer = back.Receive(&sleeps_back);
    ASSERT_EQ(answer, &node);
    ASSERT_EQ(node.value, -i);
  }
  echo.join();
  EXPECT_EQ(back.handoff.Close(), nullptr);
  EXPECT_LE(there.poller.wakes(), sleeps_there);
  EXPECT_LE(back.poller.wakes(), sleeps_back);
}

// Pushers hold their reference and go on pushing when the consumer closes in
// the middle, 400 times; the poller goes at once.
TEST(HandoffThreadsTest, P1_P2_P5_ChurnBooksBalanceAndNoWakeIsLate) {
  constexpr int kLifetimes = 400;
  constexpr int kPushers = 6;
  constexpr int kPerPusher = 60;
  uint64_t taken_before_close = 0, refused_in_all = 0, sleeps_in_all = 0;
  for (int life = 0; life < kLifetimes; ++life) {
    auto inbox = std::make_shared<Inbox>();
    std::vector<std::vector<Node>> nodes(kPushers,
                                         std::vector<Node>(kPerPusher));
    std::atomic<int> accepted = 0, refused = 0;
    std::latch start(kPushers + 1);
    std::vector<std::thread> pushers;
    for (int p = 0; p < kPushers; ++p) {
      pushers.emplace_back([&, inbox, p] {
        std::vector<Node>& mine = nodes[p];
        start.arrive_and_wait();
        for (int i = 0; i < kPerPusher;) {
          const int first = i;
          const int count = 1 + (i + p) % 3;  // chains of 1 to 3
          for (; i < first + count && i < kPerPusher; ++i) {
            mine[i].value = i + 1;
            mine[i].sender = p;
            if (i > first) mine[i].next = &mine[i - 1];
          }
          Pushed pushed = inbox->Send(&mine[i - 1], &mine[first]);
          (pushed == Pushed::kClosed ? refused : accepted) += i - first;
        }
      });
    }
    // Closes after this many, from "at once" to "nearly all".
    const int enough = life % (kPushers * kPerPusher);
    int handled = 0, sleeps = 0;
    std::array<int, kPushers> last = {};
    auto handle = [&](const Node* list) {
      for (; list != nullptr; list = list->next, ++handled) {
        EXPECT_LT(last[list->sender], list->value);
        last[list->sender] = list->value;
      }
    };
    start.arrive_and_wait();
    while (handled < enough) handle(inbox->Receive(&sleeps));
    taken_before_close += handled;
    handle(inbox->handoff.Close());
    inbox->poller.CloseDescriptor();
    for (std::thread& pusher : pushers) pusher.join();
    EXPECT_EQ(handled, accepted.load());
    EXPECT_EQ(accepted + refused, kPushers * kPerPusher);
    EXPECT_EQ(inbox->poller.late(), 0);
    EXPECT_LE(inbox->poller.wakes(), sleeps);
    refused_in_all += refused;
    sleeps_in_all += sleeps;
  }
  // The churn met what it is about.
  EXPECT_GT(taken_before_close, 0u);
  EXPECT_GT(refused_in_all, 0u);
  RecordProperty("refused", std::to_string(refused_in_all));
  RecordProperty("sleeps", std::to_string(sleeps_in_all));
}

}  // namespace
}  // namespace trolley::internal
