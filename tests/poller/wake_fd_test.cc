// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/wake_fd.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <limits>
#include <thread>
#include <vector>

#include "trolley/poller/fault_sys.h"

namespace trolley {
namespace {

class WakeFdTest : public testing::Test {
 protected:
  bool Readable() {
    pollfd item = {.fd = wake_.fd(), .events = POLLIN, .revents = 0};
    const timespec now = {};
    return sys_.Ppoll({&item, 1}, &now) == 1;
  }

  FaultSys sys_{RealSys()};
  WakeFd wake_{sys_, *WakeFd::Open(sys_)};
};

TEST_F(WakeFdTest, P11_IsCloexecAndNonblocking) {
  EXPECT_TRUE(IsCloexecAndNonblocking(sys_, wake_.fd()));
}

TEST_F(WakeFdTest, Pitfall33_AStormIsOneWriteForEachTake) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) wake_.Notify();
    EXPECT_TRUE(Readable());
    EXPECT_TRUE(wake_.Drain());
    EXPECT_FALSE(Readable());
    EXPECT_FALSE(wake_.Drain());
  }
  EXPECT_EQ(sys_.Count(SysCall::kWrite), 3u);
}

TEST_F(WakeFdTest, Pitfall34_AFullCounterStillWakes) {
  const uint64_t most = std::numeric_limits<uint64_t>::max() - 1;
  ASSERT_EQ(sys_.Write(wake_.fd(),
                       {reinterpret_cast<const char*>(&most), sizeof(most)}),
            8);
  sys_.ResetCounts();
  wake_.Notify();
  EXPECT_EQ(sys_.Count(SysCall::kWrite), 2u);  // EAGAIN, then an edge
  EXPECT_TRUE(wake_.Take());
}

TEST_F(WakeFdTest, P13_AFailingWriteIsTriedAgain) {
  for (const int error : {EINTR, EAGAIN, EIO}) {
    sys_.FailNth(SysCall::kWrite, 1, error, /*times=*/5);
    wake_.Notify();
    EXPECT_EQ(sys_.faults(), 5u);
    EXPECT_TRUE(Readable());
    EXPECT_TRUE(wake_.Drain());
  }
}

TEST_F(WakeFdTest, P13_NoDescriptorLeftIsAStatus) {
  sys_.FailAll(SysCall::kEventfd, EMFILE);
  const absl::StatusOr<ScopedFd> fd = WakeFd::Open(sys_);
  EXPECT_EQ(fd.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(fd.status().message(), "eventfd(for wakes): Too many open files");
}

// Each round two threads write a plain variable and notify: one of them makes
// the descriptor readable, the other finds the wake pending and adds nothing.
// What tells the reader to look is relaxed on purpose, so that ThreadSanitizer
// objects unless the two Notify() themselves order the plain writes.
TEST_F(WakeFdTest, Pitfall31_WhatWasDoneBeforeIsVisibleAfter) {
  constexpr int kRounds = 2000;
  constexpr int kThreads = 2;
  int plain[kThreads] = {};
  std::atomic<int> notified{0};
  std::atomic<int> round{0};
  std::vector<std::thread> threads;
  for (int& mine : plain) {
    threads.emplace_back([&, this] {
      for (int i = 1; i <= kRounds; ++i) {
        round.wait(i - 1);
        mine = i;
        wake_.Notify();
        notified.fetch_add(1, std::memory_order_relaxed);
        notified.notify_one();
      }
    });
  }
  for (int i = 1; i <= kRounds; ++i) {
    round.store(i);
    round.notify_all();
    for (int seen = 0;
         (seen = notified.load(std::memory_order_relaxed)) < kThreads * i;) {
      notified.wait(seen, std::memory_order_relaxed);
    }
    ASSERT_TRUE(Readable());
    ASSERT_TRUE(wake_.Drain());
    for (const int value : plain) ASSERT_EQ(value, i);
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sys_.Count(SysCall::kWrite), uint64_t{kRounds});
}

}  // namespace
}  // namespace trolley
