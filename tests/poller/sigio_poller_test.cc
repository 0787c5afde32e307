// SPDX-License-Identifier: Apache-2.0
//
// Cases that only signals have (pitfall 29): a full queue, descriptors that
// send no signals, and the signal mask of the thread. Each case runs on a
// thread of its own, because the signals stay blocked in it.

#include "trolley/poller/backend/sigio_poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "trolley/poller/fault_sys.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {
namespace {

constexpr Token kToken = {.slot = 1, .generation = 1};
constexpr Token kOther = {.slot = 2, .generation = 1};

struct Pipe {
  explicit Pipe(Sys& sys) {
    int fds[2] = {-1, -1};
    EXPECT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    read = ScopedFd(sys, fds[0]);
    write = ScopedFd(sys, fds[1]);
  }
  ScopedFd read;
  ScopedFd write;
};

template <typename Body>
void OnItsOwnThread(Body body) {
  std::thread thread(body);
  thread.join();
}

TEST(SigioPollerTest, Pitfall29_AnEventfdIsRefusedBecauseItSendsNothing) {
  OnItsOwnThread([] {
    FaultSys sys(RealSys());
    const auto poller = *SigioPoller::Create(sys, MonotonicClock());
    const ScopedFd counter(sys, sys.Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    EXPECT_EQ(poller->Add(counter.get(), kToken, {Ready::kReadable}).code(),
              absl::StatusCode::kUnimplemented);
  });
}

// More signals than fit into the queue: the kernel sends one plain SIGIO
// without a descriptor. The poller must still find the descriptor whose signal
// was lost.
TEST(SigioPollerTest, Pitfall29_AFullQueueLosesNothing) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_SIGPENDING, &before), 0);
  OnItsOwnThread([&before] {
    Sys& sys = RealSys();
    const auto poller = *SigioPoller::Create(sys, MonotonicClock());
    const Pipe noisy(sys);
    const Pipe quiet(sys);
    ASSERT_TRUE(poller->Add(noisy.read.get(), kToken, {Ready::kReadable}).ok());
    ASSERT_TRUE(poller->Add(quiet.read.get(), kOther, {Ready::kReadable}).ok());
    Event events[4];
    ASSERT_TRUE(poller->Wait(absl::MakeSpan(events), Instant()).ok());

    const rlimit few = {.rlim_cur = 16, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_SIGPENDING, &few), 0);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(sys.Write(noisy.write.get(), {"x", 1}), 1);
    }
    EXPECT_EQ(sys.Write(quiet.write.get(), {"x", 1}), 1);
    poller->Wake();  // there is no room for its signal either
    const auto result =
        poller->Wait(absl::MakeSpan(events), Instant::Infinite());
    ASSERT_EQ(::setrlimit(RLIMIT_SIGPENDING, &before), 0);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->woken);
    ASSERT_EQ(result->events, 2u);
  });
}

TEST(SigioPollerTest, AWakeWithoutRoomInTheQueueIsAPlainSignal) {
  FaultSys sys(RealSys());
  std::unique_ptr<Poller> poller = *SigioPoller::Create(sys, MonotonicClock());
  std::atomic<bool> bound{false};
  bool woken = false;
  std::thread loop([&] {
    Event event;
    EXPECT_TRUE(poller->Wait({&event, 1}, Instant()).ok());
    bound.store(true);
    bound.notify_one();
    const auto result = poller->Wait({&event, 1}, Instant::Infinite());
    woken = result.ok() && result->woken;
  });
  bound.wait(false);
  sys.FailNth(SysCall::kTgsigqueueinfo, 1, EAGAIN);
  poller->Wake();
  loop.join();  // hangs if the wake was lost
  EXPECT_TRUE(woken);
}

TEST(SigioPollerTest, TheMaskOfTheThreadBlocksTheSignals) {
  OnItsOwnThread([] {
    Sys& sys = RealSys();
    const auto poller = *SigioPoller::Create(sys, MonotonicClock());
    sigset_t mask;
    ASSERT_EQ(sigemptyset(&mask), 0);
    ASSERT_EQ(sys.Sigmask(SIG_SETMASK, &mask, nullptr), 0);
    Event event;
    ASSERT_TRUE(poller->Wait({&event, 1}, Instant()).ok());
    ASSERT_EQ(sys.Sigmask(SIG_BLOCK, nullptr, &mask), 0);
    EXPECT_EQ(sigismember(&mask, SigioPoller::Signal()), 1);
    EXPECT_EQ(sigismember(&mask, SIGIO), 1);
  });
}

// Makes `owner` get the signals of `fd`, as a SigioPoller of its thread does.
bool ArmFor(pid_t owner, int fd) {
  f_owner_ex to = {.type = F_OWNER_TID, .pid = owner};
  return ::fcntl(fd, F_SETOWN_EX, &to) == 0 &&
         ::fcntl(fd, F_SETSIG, SigioPoller::Signal()) == 0 &&
         ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_ASYNC) == 0;
}

// The flag belongs to the open file, which may outlive the process that set it.
TEST(SigioPollerTest, AFlagThatADeadProcessHasLeftIsTakenOver) {
  OnItsOwnThread([] {
    Sys& sys = RealSys();
    const auto poller = *SigioPoller::Create(sys, MonotonicClock());
    const Pipe pipe(sys);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(ArmFor(::getpid(), pipe.read.get()) ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_NE(::fcntl(pipe.read.get(), F_GETFL) & O_ASYNC, 0);
    ASSERT_TRUE(poller->Add(pipe.read.get(), kToken, {Ready::kReadable}).ok());
    Event event;
    auto result = poller->Wait({&event, 1}, Instant());
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->events, 0u);
    EXPECT_EQ(sys.Write(pipe.write.get(), {"x", 1}), 1);
    result = poller->Wait({&event, 1}, Instant());
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->events, 1u);
    EXPECT_TRUE(poller->Remove(pipe.read.get(), kToken).ok());
    EXPECT_EQ(::fcntl(pipe.read.get(), F_GETFL) & O_ASYNC, 0);
  });
}

TEST(SigioPollerTest, ADescriptorWhoseSignalsGoElsewhereIsRefused) {
  const Pipe pipe(RealSys());
  ASSERT_TRUE(ArmFor(RealSys().Gettid(), pipe.read.get()));
  OnItsOwnThread([&] {
    const auto poller = *SigioPoller::Create(RealSys(), MonotonicClock());
    EXPECT_EQ(poller->Add(pipe.read.get(), kToken, {Ready::kReadable}).code(),
              absl::StatusCode::kUnimplemented);
  });
  // The other one still gets them.
  f_owner_ex owner = {};
  EXPECT_EQ(::fcntl(pipe.read.get(), F_GETOWN_EX, &owner), 0);
  EXPECT_EQ(owner.pid, RealSys().Gettid());
  const int flags = ::fcntl(pipe.read.get(), F_GETFL);
  EXPECT_NE(flags & O_ASYNC, 0);
  // The close of the pipe would send a signal, which ends the process.
  ASSERT_EQ(::fcntl(pipe.read.get(), F_SETFL, flags & ~O_ASYNC), 0);
}

TEST(SigioPollerTest, ADuplicateOfAWatchedDescriptorIsWatchedToo) {
  OnItsOwnThread([] {
    Sys& sys = RealSys();
    const auto poller = *SigioPoller::Create(sys, MonotonicClock());
    const Pipe pipe(sys);
    const ScopedFd duplicate(sys, sys.Dup(pipe.read.get()));
    ASSERT_TRUE(poller->Add(pipe.read.get(), kToken, {Ready::kReadable}).ok());
    ASSERT_TRUE(poller->Add(duplicate.get(), kOther, {Ready::kReadable}).ok());
    Event events[4];
    ASSERT_TRUE(poller->Wait(absl::MakeSpan(events), Instant()).ok());
    EXPECT_EQ(sys.Write(pipe.write.get(), {"x", 1}), 1);
    auto result = poller->Wait(absl::MakeSpan(events), Instant::Infinite());
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->events, 2u);
    // The one whose number the signals carry goes; the other must not go deaf.
    char byte = 0;
    EXPECT_EQ(sys.Read(pipe.read.get(), {&byte, 1}), 1);
    ASSERT_TRUE(poller->Remove(pipe.read.get(), kToken).ok());
    ASSERT_TRUE(poller->Wait(absl::MakeSpan(events), Instant()).ok());
    EXPECT_EQ(sys.Write(pipe.write.get(), {"x", 1}), 1);
    result = poller->Wait(absl::MakeSpan(events), Instant::Infinite());
    ASSERT_TRUE(result.ok());
    ASSERT_EQ(result->events, 1u);
    EXPECT_EQ(events[0].token, kOther);
  });
}

}  // namespace
}  // namespace trolley::internal
