// SPDX-License-Identifier: Apache-2.0
//
// Cases that only io_uring has: how the kernel refuses it, and what the poller
// does when the kernel ends a request that should stay (pitfalls 42 and 49).

#include "trolley/poller/uring/io_uring_poller.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "trolley/poller/completions.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"

namespace trolley::internal {
namespace {

bool Contains(const absl::Status& status, const std::string& text) {
  return status.ToString().find(text) != std::string::npos;
}

TEST(IoUringPollerTest, Pitfall49_ARefusalSaysWhichCallWhichErrnoAndWhy) {
  struct Case {
    int error;
    absl::StatusCode code;
    const char* why;
  };
  for (const Case& c :
       {Case{EPERM, absl::StatusCode::kPermissionDenied,
             "kernel.io_uring_disabled"},
        Case{ENOSYS, absl::StatusCode::kUnimplemented, "seccomp"},
        Case{ENOMEM, absl::StatusCode::kResourceExhausted, "RLIMIT_MEMLOCK"}}) {
    FaultSys sys(RealSys());
    sys.FailAll(SysCall::kIoUringSetup, c.error);
    const auto made = IoUringPoller::Create(sys, MonotonicClock());
    EXPECT_EQ(made.status().code(), c.code) << made.status();
    EXPECT_TRUE(Contains(made.status(), "io_uring_setup")) << made.status();
    EXPECT_TRUE(Contains(made.status(), c.why)) << made.status();
    if (c.error == ENOMEM) continue;  // worth another try
    EXPECT_EQ(sys.Count(SysCall::kIoUringSetup), 1u) << "asked again";
  }
}

// The kernel frees a ring some time after it was closed.
TEST(IoUringPollerTest, MemoryThatIsMissingIsAskedForAgainNowAndThen) {
  FaultSys sys(RealSys());
  sys.FailNth(SysCall::kIoUringSetup, 1, ENOMEM, 3);
  const auto made = IoUringPoller::Create(sys, MonotonicClock());
  if (!made.ok() &&
      made.status().code() != absl::StatusCode::kResourceExhausted)
    GTEST_SKIP() << "not on this machine: " << made.status();
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_GE(sys.Count(SysCall::kIoUringSetup), 4u);
  EXPECT_GE(sys.Count(SysCall::kPpoll), 3u) << "without a pause";

  FaultSys never(RealSys());
  never.FailAll(SysCall::kIoUringSetup, ENOMEM);
  EXPECT_FALSE(IoUringPoller::Create(never, MonotonicClock()).ok());
  EXPECT_LE(never.Count(SysCall::kIoUringSetup), 20u);
}

TEST(IoUringPollerTest, Pitfall49_OtherPollersDoWithoutIt) {
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kIoUringSetup, EPERM);
  const auto chosen = ChoosePoller({.any_fd = true}, sys, MonotonicClock());
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->poller->capabilities().name, "poll");
  ASSERT_EQ(chosen->refused.size(), 2u);
  EXPECT_EQ(chosen->refused[0].name, "epoll");
  EXPECT_TRUE(Contains(chosen->refused[0].why, "lacks: any_fd"));
  EXPECT_EQ(chosen->refused[1].name, "io_uring");
  EXPECT_TRUE(Contains(chosen->refused[1].why, "io_uring_setup"));
}

// Which of the three ways of setting up was taken is not to be seen from
// outside: each must pass the same small test.
TEST(IoUringPollerTest, Pitfall49_EveryRungOfTheLadderWorks) {
  for (uint64_t refused = 0; refused <= 2; ++refused) {
    FaultSys sys(RealSys());
    if (refused > 0) sys.FailNth(SysCall::kIoUringSetup, 1, EINVAL, refused);
    const auto made = IoUringPoller::Create(sys, MonotonicClock());
    if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made.status();
    EXPECT_EQ(sys.Count(SysCall::kIoUringSetup), refused + 1);
    Poller& poller = **made;
    int fds[2];
    ASSERT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    const ScopedFd read(sys, fds[0]);
    const ScopedFd write(sys, fds[1]);
    for (const Trigger trigger :
         {Trigger::kLevel, Trigger::kEdge, Trigger::kOneshot}) {
      ASSERT_TRUE(
          poller.Add(read.get(), {1, 1}, {Ready::kReadable, trigger}).ok());
      Event events[4];
      auto result = poller.Wait(absl::MakeSpan(events), Instant());
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->events, 0u);
      std::thread writer([&] { sys.Write(write.get(), {"x", 1}); });
      result = poller.Wait(absl::MakeSpan(events), Instant::Infinite());
      writer.join();
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->events, 1u);
      char byte = 0;
      EXPECT_EQ(sys.Read(read.get(), {&byte, 1}), 1);
      std::thread waker([&] { poller.Wake(); });
      do {
        result = poller.Wait(absl::MakeSpan(events), Instant::Infinite());
        ASSERT_TRUE(result.ok()) << result.status();
      } while (!result->woken);
      waker.join();
      ASSERT_TRUE(poller.Remove(read.get(), {1, 1}).ok());
    }
  }
}

// A thousand registrations, no system call until the wait, and far fewer then.
TEST(IoUringPollerTest, Pitfall45_RegistrationsAreOneCallForMany) {
  FaultSys sys(RealSys());
  const auto made = IoUringPoller::Create(sys, MonotonicClock());
  if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made.status();
  int fds[2];
  ASSERT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  const ScopedFd read(sys, fds[0]);
  const ScopedFd write(sys, fds[1]);
  std::vector<ScopedFd> duplicates;
  for (uint32_t i = 1; i <= 1000; ++i) {
    duplicates.emplace_back(sys, sys.Dup(read.get()));
    ASSERT_TRUE(duplicates.back());
    ASSERT_TRUE(
        (*made)->Add(duplicates.back().get(), {i, 1}, {Ready::kReadable}).ok());
  }
  EXPECT_EQ(sys.Count(SysCall::kIoUringEnter), 0u);
  Event event;
  ASSERT_TRUE((*made)->Wait({&event, 1}, Instant()).ok());
  EXPECT_LE(sys.Count(SysCall::kIoUringEnter), 5u);
}

TEST(IoUringPollerTest, Pitfall37_UseOnASecondThreadIsAnError) {
  const auto made = IoUringPoller::Create(RealSys(), MonotonicClock());
  if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made.status();
  Event event;
  ASSERT_TRUE((*made)->Wait({&event, 1}, Instant()).ok());
  if (!(*made)->capabilities().thread_bound) GTEST_SKIP() << "not bound";
  std::thread other([&] {
    const auto result = (*made)->Wait({&event, 1}, Instant());
    // Older kernels do not check, and then it works.
    if (!result.ok()) {
      EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
    }
  });
  other.join();
}

// A kernel that has no memory for one poll request: it ends with that error.
class OutOfMemoryOnce final : public Sys {
 public:
  intptr_t Call(SysCall call, Args args) override {
    const intptr_t result = RealSys().Call(call, args);
    if (result < 0) return result;
    if (call == SysCall::kIoUringSetup) {
      params_ = *reinterpret_cast<io_uring_params*>(args[1]);
    } else if (call == SysCall::kMmap && args[2] == IORING_OFF_SQ_RING) {
      rings_ = reinterpret_cast<char*>(result);
    } else if (call == SysCall::kIoUringEnter && fails_) {
      FailOne();
    }
    return result;
  }
  // The next poll request that ends, except that of the wake descriptor.
  void FailNext() { fails_ = true; }
  bool fails() const { return fails_; }

 private:
  uint32_t Word(uint32_t offset) const {
    return *reinterpret_cast<uint32_t*>(rings_ + offset);
  }
  void FailOne() {
    auto* const completions =
        reinterpret_cast<io_uring_cqe*>(rings_ + params_.cq_off.cqes);
    const uint32_t mask = Word(params_.cq_off.ring_mask);
    const uint32_t tail = Word(params_.cq_off.tail);
    for (uint32_t i = Word(params_.cq_off.head); i != tail; ++i) {
      io_uring_cqe& completion = completions[i & mask];
      if (static_cast<uint32_t>(completion.user_data) == 0) continue;
      completion.res = -ENOMEM;
      completion.flags = 0;
      fails_ = false;
      return;
    }
  }

  io_uring_params params_ = {};
  char* rings_ = nullptr;
  bool fails_ = false;
};

TEST(IoUringPollerTest, P13_APollRequestWithoutMemoryIsMadeAgain) {
  OutOfMemoryOnce sys;
  const auto made = IoUringPoller::Create(sys, MonotonicClock());
  if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made.status();
  Poller& poller = **made;
  for (const Trigger trigger :
       {Trigger::kLevel, Trigger::kEdge, Trigger::kOneshot}) {
    int fds[2];
    ASSERT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    const ScopedFd read(sys, fds[0]);
    const ScopedFd write(sys, fds[1]);
    EXPECT_EQ(sys.Write(write.get(), {"x", 1}), 1);
    ASSERT_TRUE(
        poller.Add(read.get(), {1, 1}, {Ready::kReadable, trigger}).ok());
    sys.FailNext();
    size_t events = 0;
    for (int waits = 0; waits < 2; ++waits) {
      Event event;
      const auto result = poller.Wait({&event, 1}, Instant());
      ASSERT_TRUE(result.ok()) << result.status();
      events += result->events;
    }
    EXPECT_FALSE(sys.fails()) << "the kernel had memory";
    EXPECT_EQ(events, 1u);
    ASSERT_TRUE(poller.Remove(read.get(), {1, 1}).ok());
  }
}

// --- Completions -----------------------------------------------------------

class Idle final : public Operation {
 public:
  explicit Idle(int fd) { request = {Kind::kRead, fd, &byte, 1}; }
  ~Idle() override { Cancel(); }
  void OnCompletion() override {}
  char byte = '.';
};

// A kernel whose probe says that one operation is missing.
class Without final : public Sys {
 public:
  explicit Without(int operation) : operation_(operation) {}
  intptr_t Call(SysCall call, Args args) override {
    const intptr_t result = RealSys().Call(call, args);
    if (call == SysCall::kIoUringRegister && args[1] == IORING_REGISTER_PROBE) {
      reinterpret_cast<io_uring_probe*>(args[2])->ops[operation_].flags = 0;
    }
    return result;
  }

 private:
  const int operation_;
};

TEST(IoUringPollerTest, Pitfall49_WithoutOneOperationItClaimsNoCompletions) {
  const auto whole = IoUringPoller::Create(RealSys(), MonotonicClock());
  if (!whole.ok()) GTEST_SKIP() << "not on this machine: " << whole.status();
  if (!(*whole)->capabilities().completion) {
    GTEST_SKIP() << "this kernel lacks one itself";
  }
  for (const int operation :
       {IORING_OP_READ, IORING_OP_WRITE, IORING_OP_ACCEPT}) {
    Without sys(operation);
    const auto made = IoUringPoller::Create(sys, MonotonicClock());
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_FALSE((*made)->capabilities().completion) << operation;
    EXPECT_EQ((*made)->completions(), nullptr);
  }
}

TEST(IoUringPollerTest, Pitfall49_WithoutPollsOrTheirEndItIsRefused) {
  for (const int operation : {IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL}) {
    Without sys(operation);
    const absl::Status made =
        IoUringPoller::Create(sys, MonotonicClock()).status();
    EXPECT_FALSE(made.ok()) << operation;
  }
}

class IoUringCompletionsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = IoUringPoller::Create(sys_, MonotonicClock());
    if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made.status();
    poller_ = *std::move(made);
    if (poller_->completions() == nullptr) GTEST_SKIP() << "none claimed";
    int fds[2];
    ASSERT_EQ(sys_.Socketpair(
                  AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
              0);
    a_ = ScopedFd(sys_, fds[0]);
    b_ = ScopedFd(sys_, fds[1]);
  }
  void Look() {
    Event event;
    ASSERT_TRUE(poller_->Wait({&event, 1}, Instant()).ok());
  }

  FaultSys sys_{RealSys()};
  std::unique_ptr<Poller> poller_;
  ScopedFd a_;
  ScopedFd b_;
};

TEST_F(IoUringCompletionsTest, OperationsAreOneCallForMany) {
  std::vector<std::unique_ptr<Idle>> reads;
  for (int i = 0; i < 200; ++i) {
    reads.push_back(std::make_unique<Idle>(b_.get()));
    poller_->completions()->Start(*reads.back());
  }
  EXPECT_EQ(sys_.Count(SysCall::kIoUringEnter), 0u);
  Look();
  EXPECT_EQ(sys_.Count(SysCall::kIoUringEnter), 1u);
}

TEST_F(IoUringCompletionsTest, CancelOutlastsAKernelThatSaysLater) {
  for (const int error : {EINTR, EAGAIN, EBUSY}) {
    Idle read(b_.get());
    poller_->completions()->Start(read);
    Look();
    sys_.FailNth(SysCall::kIoUringEnter, 1, error, 50);
    read.Cancel();
    EXPECT_EQ(sys_.faults(), 50u);
    EXPECT_EQ(read.result(), -ECANCELED);
    sys_.StopFailing();
    EXPECT_EQ(sys_.Write(a_.get(), {"x", 1}), 1);
    Look();
    EXPECT_EQ(read.byte, '.');
    EXPECT_EQ(sys_.Read(b_.get(), {&read.byte, 1}), 1);
  }
}

// Otherwise the kernel could write into memory that has another use by then.
TEST_F(IoUringCompletionsTest, AKernelThatNeverLetsGoEndsTheProcess) {
  // A child does not get the rings: it starts afresh.
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  Idle read(b_.get());
  poller_->completions()->Start(read);
  Look();
  EXPECT_DEATH(
      {
        sys_.FailAll(SysCall::kIoUringEnter, EBADF);
        read.Cancel();
      },
      "does not let go of a buffer");
}

}  // namespace
}  // namespace trolley::internal
