// SPDX-License-Identifier: Apache-2.0
//
// Deadlines: a Wait is never early and not late without limit, and an idle
// poller uses no CPU time. Only these cases read a clock.

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <thread>

#include "absl/time/time.h"
#include "trolley/tests/poller/conformance.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

TEST_P(PollerConformance, NeverBeforeTheDeadline) {
  const TestPipe pipe(sys());
  Add(pipe.read.get(), Ready::kReadable);
  for (const int64_t micros : {1, 50, 400, 999, 1000, 1001, 3700, 20'000}) {
    const Instant deadline = clock().Now() + absl::Microseconds(micros);
    Reports reports;
    WaitOnce(reports, 8, deadline);
    EXPECT_TRUE(reports.empty());
    EXPECT_GE(clock().Now(), deadline) << micros << " us";
  }
}

TEST_P(PollerConformance, APastDeadlineLooksAndDoesNotWait) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  const Instant past[] = {Instant(), Instant::FromNanos(-1),
                          Instant::FromNanos(1), clock().Now()};
  for (const Instant deadline : past) {
    Reports reports;
    WaitOnce(reports, 8, deadline);  // returns: that is the case
    EXPECT_TRUE(reports.empty());
    Write(pipe.write.get());
    WaitOnce(reports, 8, deadline);
    EXPECT_EQ(reports.Of(token), Ready::kReadable);
    ReadAll(pipe.read.get());
  }
}

TEST_P(PollerConformance, WhatIsReadyComesBeforeTheDeadline) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  Write(pipe.write.get());
  Reports reports;
  WaitOnce(reports, 8, clock().Now() + absl::Hours(24));
  EXPECT_EQ(reports.Of(token), Ready::kReadable);
}

TEST_P(PollerConformance, Pitfall25_FarDeadlinesDoNotWrapAround) {
  const Instant far[] = {clock().Now() + absl::Hours(24 * 60),
                         clock().Now() + absl::Hours(24 * 365 * 200),
                         Instant::FromNanos(Instant::Infinite().nanos() - 1)};
  for (const Instant deadline : far) ExpectWaitsUntilWoken(deadline);
}

TEST_P(PollerConformance, Pitfall25_DeadlinesAtTheirEnds) {
  ForEachExtreme("poller/poller.h Wait(deadline)", [this](const Extreme& e) {
    const Instant deadline = e.After(clock().Now());
    if (!e.soon()) return ExpectWaitsUntilWoken(deadline);
    Reports reports;
    WaitOnce(reports, 8, deadline);  // returns: that is the case
    EXPECT_FALSE(reports.woken);
  });
}

TEST_P(PollerConformance, Pitfall25_WaitingCostsNoProcessorTime) {
  if (virtual_time()) GTEST_SKIP() << "no time passes";
  if (GetParam().spins) GTEST_SKIP() << "spins by design";
  const TestPipe pipe(sys());
  Add(pipe.read.get(), Ready::kReadable);
  ExpectNothingComesAndNothingSpins();
}

TEST_P(PollerConformance, Pitfall12_HangupWithEmptyInterestDoesNotSpin) {
  for (const Trigger trigger : Triggers()) {
    TestSockets pair(sys());
    const Token token = Add(pair.a.get(), Ready::kNone, trigger);
    TestSockets other(sys());
    const Token other_token = Add(other.a.get(), Ready::kReadable, trigger);
    Modify(other.a.get(), other_token, Ready::kNone, trigger);
    pair.b.reset();
    other.b.reset();
    ExpectNothingComesAndNothingSpins();
    Modify(pair.a.get(), token, Ready::kReadable, trigger);
    EXPECT_TRUE(Any(Look().Of(token) & Ready::kHangup));
    Remove(pair.a.get(), token);
    Remove(other.a.get(), other_token);
  }
}

// A bug of the caller, which must not cost it a processor.
TEST_P(PollerConformance, Pitfall22_ADescriptorClosedTooEarlyDoesNotSpin) {
  for (const Trigger trigger : Triggers()) {
    TestPipe pipe(sys());
    const int number = pipe.read.get();
    const Token token = Add(number, Ready::kReadable, trigger);
    Look();
    pipe.read.reset();  // without Remove
    pipe.write.reset();
    Look();  // a poller that pins the file may report its end, once
    ExpectNothingComesAndNothingSpins();
    Remove(number, token);
  }
}

TEST_P(PollerConformance, Pitfall11_HalfCloseIsNothingToWhoOnlyWrites) {
  for (const Trigger trigger : Triggers()) {
    TestSockets pair(sys());
    FillUp(pair.a.get());
    const Token token = Add(pair.a.get(), Ready::kWritable, trigger);
    ASSERT_EQ(sys().Shutdown(pair.b.get(), SHUT_WR), 0);
    ExpectNothingComesAndNothingSpins();
    ReadAll(pair.b.get());
    const Reports after = Look(/*room=*/4, /*waits=*/5);
    EXPECT_EQ(after.Of(token), Ready::kWritable);
    if (trigger == Trigger::kLevel) {
      EXPECT_EQ(after.Times(token), 5);
    } else if (trigger == Trigger::kOneshot) {
      EXPECT_EQ(after.Times(token), 1);
    }
    Remove(pair.a.get(), token);
  }
}

// The best of many tries, because a machine may be busy but not always. One in
// which it did not sleep says nothing: on a busy machine the deadline may have
// passed before the wait began.
TEST_P(PollerConformance, SubMillisecondDeadlinesAreKeptWhereClaimed) {
  if (!capabilities().sub_ms) GTEST_SKIP() << "no sub_ms";
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < 300 && best > absl::Microseconds(700); ++i) {
    const Instant deadline = clock().Now() + absl::Microseconds(100);
    const ProcessorWatch watch;
    Reports reports;
    WaitOnce(reports, 8, deadline);
    if (!sleeps_to_wait() || watch.Slept()) {
      best = std::min(best, clock().Now() - deadline);
    }
  }
  EXPECT_LE(best, absl::Microseconds(700));
}

void DoNothing(int /*signal*/) {}

// A signal each 500 us, sent until the wait ends or two seconds are over. A
// poller that starts over after each signal returns only then.
TEST_P(PollerConformance, Pitfall24_SignalsNeitherEndNorProlongAWait) {
  if (virtual_time()) GTEST_SKIP() << "a simulated world has no signals";
  struct sigaction action = {};
  action.sa_handler = DoNothing;  // without SA_RESTART
  struct sigaction previous = {};
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &previous), 0);

  const pthread_t waiting = ::pthread_self();
  std::atomic<bool> returned{false};
  const Instant start = clock().Now();
  const Instant storm_ends = start + absl::Seconds(3);
  std::thread sender([&] {
    while (!returned.load() && clock().Now() < storm_ends) {
      ::pthread_kill(waiting, SIGUSR2);
      const timespec pause = {.tv_sec = 0, .tv_nsec = 500'000};
      ::nanosleep(&pause, nullptr);
    }
  });
  // Long beside any pause between two signals on a busy machine.
  const Instant deadline = start + absl::Milliseconds(300);
  Reports reports;
  WaitOnce(reports, 8, deadline);
  const Instant end = clock().Now();
  returned.store(true);
  sender.join();
  ::sigaction(SIGUSR2, &previous, nullptr);

  EXPECT_TRUE(reports.empty());
  EXPECT_GE(end, deadline) << "a signal ended the wait";
  EXPECT_LT(end, storm_ends) << "signals prolonged the wait";
}

}  // namespace
}  // namespace trolley
