// SPDX-License-Identifier: Apache-2.0
//
// Wakes: none is lost, none is reported twice, none waits for ever, and each
// orders memory.

#include <atomic>
#include <thread>

#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

bool Woken(const Reports& reports) { return reports.woken; }

TEST_P(PollerConformance, Pitfall30_AWakeBeforeTheWaitIsNotLost) {
  poller().Wake();
  EXPECT_TRUE(WaitUntil(Woken).woken);
}

TEST_P(PollerConformance, Pitfall30_AWakeDuringTheWaitEndsIt) {
  for (int i = 0; i < 20 && !HasFailure(); ++i) {
    rig().WhileWaiting([this] { poller().Wake(); });
    Reports reports;
    const WaitResult result = WaitOnce(reports, 8, Instant::Infinite());
    EXPECT_TRUE(result.woken);
    EXPECT_EQ(result.events, 0u);
  }
}

TEST_P(PollerConformance, AWakeIsReportedOnceAndSeveralAreOne) {
  for (int wakes = 1; wakes <= 100; wakes *= 10) {
    for (int i = 0; i < wakes; ++i) poller().Wake();
    Reports reports;
    EXPECT_TRUE(WaitOnce(reports, 8, Instant()).woken);
    EXPECT_FALSE(Look().woken);
  }
}

TEST_P(PollerConformance, Pitfall18_AThousandWakesOneAfterTheOther) {
  for (int i = 0; i < 1000; ++i) {
    poller().Wake();
    Reports reports;
    ASSERT_TRUE(WaitOnce(reports, 8, Instant::Infinite()).woken) << i;
  }
}

TEST_P(PollerConformance, Pitfall32_AWakeByTheLoopsOwnThreadIsNotLost) {
  const TestPipe pipe(sys());
  Write(pipe.write.get());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  WaitFor(token);
  poller().Wake();  // as a handler does that sends to its own loop
  ReadAll(pipe.read.get());
  EXPECT_TRUE(WaitUntil(Woken).woken);
}

TEST_P(PollerConformance, AWakeIsNotStarvedByReadyDescriptors) {
  constexpr int kCount = 30;
  std::vector<TestPipe> pipes;
  for (int i = 0; i < kCount; ++i) {
    pipes.emplace_back(sys());
    Write(pipes.back().write.get());
    Add(pipes.back().read.get(), Ready::kReadable);
  }
  for (int i = 0; i < 5; ++i) {
    poller().Wake();
    // "The running Wait, or else the next one", even with room for one event.
    Reports reports;
    EXPECT_TRUE(WaitOnce(reports, /*room=*/1, Instant()).woken);
    EXPECT_FALSE(Look(/*room=*/1, /*waits=*/3).woken);
  }
}

TEST_P(PollerConformance, AWakeDoesNotHideEvents) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  for (int i = 0; i < 20; ++i) {
    Write(pipe.write.get());
    poller().Wake();
    const Reports reports = Look();
    EXPECT_TRUE(reports.woken);
    EXPECT_EQ(reports.Of(token), Ready::kReadable);
    ReadAll(pipe.read.get());
  }
}

// The payload is a plain variable: ThreadSanitizer objects unless the wake
// itself orders it before the Wait that reported the wake.
TEST_P(PollerConformance, Pitfall31_WhatWasDoneBeforeAWakeIsVisibleAfterIt) {
  if (virtual_time()) GTEST_SKIP() << "a simulated wait never blocks";
  constexpr int kRounds = 500;
  int payload = 0;
  std::atomic<int> taken{0};
  std::thread producer([&] {
    for (int i = 1; i <= kRounds; ++i) {
      payload = i;
      poller().Wake();
      taken.wait(i - 1);
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    EXPECT_TRUE(WaitUntil(Woken).woken);
    EXPECT_EQ(payload, i);
    taken.store(i);
    taken.notify_one();
  }
  producer.join();
}

// Each producer waits until its own number has come through before it sends the
// next, so that the last wake of a producer, if it is lost, stops the test for
// good. A later wake of another producer makes up for any wake before it.
TEST_P(PollerConformance, Pitfall30_ManyThreadsWakeAndNoneIsForgotten) {
  if (virtual_time()) GTEST_SKIP() << "a simulated wait never blocks";
  constexpr int kThreads = 4;
  constexpr int kRounds = 500;
  struct Mailbox {
    std::atomic<int> sent{0};
    std::atomic<int> taken{0};
  };
  Mailbox boxes[kThreads];
  std::vector<std::thread> producers;
  for (Mailbox& box : boxes) {
    producers.emplace_back([this, &box] {
      for (int i = 1; i <= kRounds; ++i) {
        box.sent.store(i);
        poller().Wake();
        box.taken.wait(i - 1);
      }
    });
  }
  for (int done = 0; done < kThreads * kRounds;) {
    WaitUntil(Woken);
    for (Mailbox& box : boxes) {
      const int sent = box.sent.load();
      if (sent == box.taken.load()) continue;
      box.taken.store(sent);
      box.taken.notify_one();
      ++done;
    }
  }
  for (std::thread& thread : producers) thread.join();
}

TEST_P(PollerConformance, Pitfall37_MadeOnOneThreadAndRunOnAnother) {
  if (virtual_time()) GTEST_SKIP() << "a simulated world has one thread";
  // Not used on this thread before: a thread_bound poller binds on first use.
  const TestPipe pipe(sys());
  std::thread other([&] {
    const Token token = Add(pipe.read.get(), Ready::kReadable);
    Write(pipe.write.get());
    EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable);
    poller().Wake();
    EXPECT_TRUE(WaitUntil(Woken).woken);
    Remove(pipe.read.get(), token);
  });
  other.join();
  poller().Wake();  // allowed, although no thread waits any more
}

TEST_P(PollerConformance, Pitfall35_ComingAndGoingUnderWakes) {
  for (int i = 0; i < 100; ++i) {
    const absl::StatusOr<std::unique_ptr<Poller>> other =
        rig().NewPoller(sys());
    ASSERT_TRUE(other.ok()) << other.status();
    (*other)->Wake();
    if (i % 2 == 0) continue;  // destroyed with the wake pending
    Event event;
    const auto result = (*other)->Wait({&event, 1}, Instant());
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->woken);
  }
  EXPECT_FALSE(Look().woken) << "a wake went to the wrong poller";
}

}  // namespace
}  // namespace trolley
