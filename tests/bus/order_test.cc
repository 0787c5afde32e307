// SPDX-License-Identifier: Apache-2.0
//
// P1, order for each pair: if two sends of one actor, or of one plain thread,
// to another actor are accepted, the first one is handled first.

#include <cstdint>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Numbered {
  int sender;
  uint64_t sequence;
};
struct WaitsForIt {  // the same, to a handler that suspends
  int sender;
  uint64_t sequence;
};
struct Count {};

// Checks that what each sender sends comes in order, without a gap.
class Receiver : public Actor {
 public:
  Receiver(uint64_t expected, absl::Notification* done)
      : missing_(expected), done_(done) {}

  void On(const Numbered& m) { Check(m.sender, m.sequence); }
  Task<> On(WaitsForIt m) {
    if (m.sequence % 7 == 0) co_await Sleep(absl::ZeroDuration());
    Check(m.sender, m.sequence);
  }

 private:
  void Check(int sender, uint64_t sequence) {
    const uint64_t expected = next_[sender]++;
    if (sequence != expected) {
      ADD_FAILURE() << "from sender " << sender << " came " << sequence
                    << " where " << expected << " was due";
    }
    if (--missing_ == 0) done_->Notify();
  }

  std::map<int, uint64_t> next_;
  uint64_t missing_;
  absl::Notification* done_;
};

struct Go {};

// Sends to every receiver in turn, a burst for each message to itself. What is
// refused is sent again: the order of the accepted ones is what counts.
class Sender : public Actor {
 public:
  Sender(int index, uint64_t count, std::vector<Ref<Receiver>> to)
      : index_(index), count_(count), to_(std::move(to)), next_(to_.size()) {}

  void OnStart() override { Self(this).Tell(Go{}); }

  Task<> On(Go) {
    bool more = false;
    for (size_t i = 0; i < to_.size(); ++i) {
      for (int burst = 0; burst < 20 && next_[i] < count_; ++burst) {
        const uint64_t sequence = next_[i];
        bool sent = false;
        if (sequence % 3 == 0) {
          sent = to_[i].Tell(Numbered{index_, sequence}) == Delivery::kAccepted;
        } else if (sequence % 3 == 1) {
          sent =
              to_[i].Tell(WaitsForIt{index_, sequence}) == Delivery::kAccepted;
        } else {
          sent = (co_await to_[i].Send(Numbered{index_, sequence})).ok();
        }
        if (!sent) break;
        ++next_[i];
      }
      more |= next_[i] < count_;
    }
    if (more) Self(this).Tell(Go{});
  }

 private:
  const int index_;
  const uint64_t count_;
  const std::vector<Ref<Receiver>> to_;
  std::vector<uint64_t> next_;
};

using OrderTest = BusFixture;
TROLLEY_FOR_EACH_BUS(OrderTest);

TEST_P(OrderTest, P1_OrderPerPairHoldsAcrossLoops) {
  constexpr int kSenders = 4;
  constexpr int kReceivers = 2;
  const uint64_t each = GetRunOptions().Scale(3'000, 1'250'000);
  Bus& bus = Start();
  absl::Notification done[kReceivers];
  std::vector<Ref<Receiver>> receivers;
  for (int i = 0; i < kReceivers; ++i) {
    receivers.push_back(
        *bus.Spawn<Receiver>({.loop = LoopAt(i), .mailbox_capacity = 100},
                             kSenders * each, &done[i]));
  }
  for (int i = 0; i < kSenders; ++i) {
    ASSERT_TRUE(
        bus.Spawn<Sender>({.loop = LoopAt(i % 3)}, i, each, receivers).ok());
  }
  for (absl::Notification& one : done) Await(one);
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  EXPECT_EQ(report.ledger.failed, 0u);
}

TEST_P(OrderTest, P1_OrderPerPairHoldsForPlainThreads) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has one thread";
  constexpr int kThreads = 3;
  const uint64_t each = GetRunOptions().Scale(5'000, 500'000);
  Bus& bus = Start();
  absl::Notification done;
  auto receiver =
      *bus.Spawn<Receiver>({.mailbox_capacity = 64}, kThreads * each, &done);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t sequence = 0; sequence < each;) {
        const Delivery delivery = sequence % 2 == 0
                                      ? receiver.Tell(Numbered{i, sequence})
                                      : receiver.Tell(WaitsForIt{i, sequence});
        if (delivery == Delivery::kAccepted) {
          ++sequence;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Await(done);
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(report.ledger.handled, kThreads * each);
}

// An actor hands its address on; a third party sends to it before its own loop
// has heard of it. The messages wait for it.
class Parent : public Actor {
 public:
  Parent(int child_loop, uint64_t count, absl::Notification* done)
      : child_loop_(child_loop), count_(count), done_(done) {}

  void On(const Go&) {
    auto child = Spawn<Receiver>({.loop = child_loop_}, 2 * count_, done_);
    // What this actor sends leaves its loop when the handler is over; what a
    // plain thread sends is there at once.
    std::thread([&] {
      for (uint64_t i = 0; i < count_; ++i) child->Tell(Numbered{1, i});
    }).join();
    for (uint64_t i = 0; i < count_; ++i) child->Tell(Numbered{0, i});
  }

 private:
  const int child_loop_;
  const uint64_t count_;
  absl::Notification* const done_;
};

TEST_P(OrderTest, P1_MessagesToAnActorJustSpawnedWaitForItsStart) {
  Bus& bus = Start();
  for (int round = 0; round < 50; ++round) {
    absl::Notification done;
    auto parent = bus.Spawn<Parent>({.loop = 0}, LoopAt(2), 20, &done);
    parent->Tell(Go{});
    Await(done);
    parent->Stop();
  }
}

}  // namespace
}  // namespace trolley
