// SPDX-License-Identifier: Apache-2.0
//
// Sys: results are -errno, the variable errno does not change, FaultSys fails
// exactly the chosen call, and ScopedFd leaks no descriptor.

#include "trolley/poller/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {
namespace {

struct Pipe {
  explicit Pipe(Sys& sys) {
    int fds[2] = {-1, -1};
    result = sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK);
    read = ScopedFd(sys, fds[0]);
    write = ScopedFd(sys, fds[1]);
  }
  int result;
  ScopedFd read;
  ScopedFd write;
};

TEST(SysTest, FailureIsMinusErrnoAndErrnoStaysAsItWas) {
  errno = EDOM;
  char byte = 0;
  EXPECT_EQ(RealSys().Read(-1, {&byte, 1}), -EBADF);
  EXPECT_EQ(errno, EDOM);
}

TEST(SysTest, BytesGoThroughAPipe) {
  Pipe pipe(RealSys());
  ASSERT_EQ(pipe.result, 0);
  EXPECT_EQ(RealSys().Write(pipe.write.get(), "abc"), 4);
  char to[8] = {};
  EXPECT_EQ(RealSys().Read(pipe.read.get(), absl::MakeSpan(to)), 4);
  EXPECT_STREQ(to, "abc");
  EXPECT_EQ(RealSys().Read(pipe.read.get(), absl::MakeSpan(to)), -EAGAIN);
}

TEST(SysTest, EveryCallHasANameOfItsOwn) {
  std::set<std::string> names;
  for (size_t i = 0; i < kSysCallKinds; ++i) {
    const char* const name = SysCallName(static_cast<SysCall>(i));
    ASSERT_NE(name, nullptr) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_STREQ(SysCallName(SysCall::kRead), "read");
  EXPECT_STREQ(SysCallName(SysCall::kAccept4), "accept4");
  EXPECT_STREQ(SysCallName(SysCall::kMunmap), "munmap");
}

// What `call` makes: nothing, the -errno of a refusal, or descriptors. A new
// kind of call has to be added here (-Wswitch).
std::vector<int> MadeBy(SysCall call) {
  Sys& sys = RealSys();
  int fds[2] = {-1, -1};
  sigset_t none;
  sigemptyset(&none);
  switch (call) {
    case SysCall::kDup: {
      const ScopedFd one(sys, sys.Eventfd(0, EFD_CLOEXEC));
      return {sys.Dup(one.get())};
    }
    case SysCall::kPipe2:
      sys.Pipe2(fds, O_CLOEXEC);
      return {fds[0], fds[1]};
    case SysCall::kSocketpair:
      sys.Socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
      return {fds[0], fds[1]};
    case SysCall::kEventfd:
      return {sys.Eventfd(0, EFD_CLOEXEC)};
    case SysCall::kEpollCreate1:
      return {sys.EpollCreate1(EPOLL_CLOEXEC)};
    case SysCall::kOpenat:
      return {sys.Openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0)};
    case SysCall::kSocket:
      return {sys.Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    case SysCall::kAccept4: {
      const ScopedFd at(sys,
                        sys.Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_un any = {.sun_family = AF_UNIX, .sun_path = {}};
      sockaddr* const address = reinterpret_cast<sockaddr*>(&any);
      socklen_t size = sizeof(any);
      sys.Bind(at.get(), address,
               sizeof(any.sun_family));  // the kernel names it
      sys.Listen(at.get(), 1);
      sys.Getsockname(at.get(), address, &size);
      const ScopedFd to(sys,
                        sys.Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sys.Connect(to.get(), address, size);
      return {sys.Accept4(at.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    }
    case SysCall::kSignalfd:
      return {sys.Signalfd(-1, &none, SFD_CLOEXEC)};
    case SysCall::kPidfdOpen:
      return {sys.PidfdOpen(sys.Getpid(), 0)};
    case SysCall::kIoUringSetup: {
      io_uring_params params = {};
      return {sys.IoUringSetup(2, &params)};
    }
    case SysCall::kRead:
    case SysCall::kReadNow:
    case SysCall::kWrite:
    case SysCall::kReadv:
    case SysCall::kWritev:
    case SysCall::kClose:
    case SysCall::kFcntl:
    case SysCall::kIoctl:
    case SysCall::kEpollCtl:
    case SysCall::kEpollPwait2:
    case SysCall::kEpollWait:
    case SysCall::kPpoll:
    case SysCall::kPselect6:
    case SysCall::kFstat:
    case SysCall::kStat:
    case SysCall::kLstat:
    case SysCall::kUnlink:
    case SysCall::kRename:
    case SysCall::kMkdir:
    case SysCall::kFchmod:
    case SysCall::kFlock:
    case SysCall::kBind:
    case SysCall::kListen:
    case SysCall::kConnect:
    case SysCall::kGetsockopt:
    case SysCall::kSetsockopt:
    case SysCall::kGetsockname:
    case SysCall::kSendmsg:
    case SysCall::kRecvmsg:
    case SysCall::kShutdown:
    case SysCall::kSigmask:
    case SysCall::kSigtimedwait:
    case SysCall::kTgsigqueueinfo:
    case SysCall::kGetpid:
    case SysCall::kGettid:
    case SysCall::kKill:
    case SysCall::kPidfdSendSignal:
    case SysCall::kWaitid:
    case SysCall::kIoUringEnter:
    case SysCall::kIoUringRegister:
    case SysCall::kMmap:
    case SysCall::kMunmap:
      return {};
  }
  return {};
}

// Not in line: g++ 12 -O1 takes the comparison of this with a bit for its
// opposite.
[[gnu::noinline]] bool IsClosed(int fd) { return ::fcntl(fd, F_GETFD) < 0; }

// Of 0 to 2 those in `closed` (bits) are closed; the calls are made, and all
// must be as it was. The result is the exit code: 0, or 1 + the call's number.
int CallsThatTookOne(int closed) {
  for (int fd = 0; fd <= 2; ++fd) {
    if ((closed & 1 << fd) != 0) ::close(fd);
  }
  for (size_t i = 0; i < kSysCallKinds; ++i) {
    const int bad = static_cast<int>(i) + 1;
    for (const int fd : MadeBy(static_cast<SysCall>(i))) {
      if (fd == -EPERM || fd == -ENOSYS) continue;  // not on this machine
      if (fd <= 2 || (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return bad;
      ::close(fd);
    }
    for (int fd = 0; fd <= 2; ++fd) {
      if (IsClosed(fd) != ((closed & 1 << fd) != 0)) return bad;
    }
  }
  return 0;
}

TEST(SysTest, P11_NoCallMakesDescriptor0To2) {
  for (int closed = 0; closed < 8; ++closed) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(CallsThatTookOne(closed));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << status;
    const int bad = WEXITSTATUS(status);
    EXPECT_EQ(bad, 0) << SysCallName(static_cast<SysCall>(bad - 1))
                      << " with these closed: " << closed;
  }
}

TEST(SysTest, P11_ASignalfdThatIsChangedStaysWhereItIs) {
  sigset_t none;
  sigemptyset(&none);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(0);
    const int fd = ::signalfd(-1, &none, SFD_CLOEXEC);
    ::_exit(fd == 0 && RealSys().Signalfd(fd, &none, 0) == fd ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ScopedFdTest, P11_ClosesOnceAndOnlyWhatItOwns) {
  FaultSys sys(RealSys());
  {
    ScopedFd a(sys, sys.Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    a.CheckFlags();
    ScopedFd b = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_TRUE(b);
    ScopedFd failed(sys, -EMFILE);
    EXPECT_FALSE(failed);
    b = std::move(failed);
    EXPECT_EQ(sys.Count(SysCall::kClose), 1u);
  }
  EXPECT_EQ(sys.Count(SysCall::kClose), 1u);
}

TEST(ScopedFdTest, P11_BothFlagsAreNeeded) {
  Sys& sys = RealSys();
  const ScopedFd none(sys, sys.Eventfd(0, 0));
  const ScopedFd half(sys, sys.Eventfd(0, EFD_NONBLOCK));
  const ScopedFd both(sys, sys.Eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  EXPECT_FALSE(IsCloexecAndNonblocking(sys, none.get()));
  EXPECT_FALSE(IsCloexecAndNonblocking(sys, half.get()));
  EXPECT_TRUE(IsCloexecAndNonblocking(sys, both.get()));
}

TEST(FaultSysTest, FailsTheNthCallOfOneKindOnly) {
  FaultSys sys(RealSys());
  Pipe pipe(sys);
  sys.FailNth(SysCall::kWrite, 2, ENOSPC, /*times=*/2);
  std::vector<ssize_t> results;
  for (int i = 0; i < 5; ++i) {
    results.push_back(sys.Write(pipe.write.get(), {"x", 1}));
  }
  EXPECT_EQ(results, (std::vector<ssize_t>{1, -ENOSPC, -ENOSPC, 1, 1}));
  EXPECT_EQ(sys.faults(), 2u);
  EXPECT_EQ(sys.Count(SysCall::kWrite), 5u);
  EXPECT_EQ(sys.Count(SysCall::kRead), 0u);
  EXPECT_EQ(sys.Total(), 6u);  // and the pipe2
}

TEST(FaultSysTest, NthOfAnyMeetsEachCallInTurnThenNone) {
  FaultSys sys(RealSys());
  std::vector<int> failed_at;
  for (uint64_t n = 1;; ++n) {
    sys.FailNthOfAny(n);
    int failures = 0;
    {
      Pipe pipe(sys);
      if (pipe.result < 0) ++failures;
      char byte = 0;
      if (pipe.result == 0 && sys.Write(pipe.write.get(), {"x", 1}) < 0) {
        ++failures;
      }
      if (pipe.result == 0 && sys.Read(pipe.read.get(), {&byte, 1}) < 0) {
        ++failures;
      }
    }
    if (sys.faults() == 0) break;
    failed_at.push_back(failures);
  }
  // pipe2; write, with an empty read after it; read; close; close.
  EXPECT_EQ(failed_at, (std::vector<int>{1, 2, 1, 0, 0}));
}

TEST(FaultSysTest, ShortensStreamsButNotMessagesOrCounters) {
  FaultSys sys(RealSys());
  sys.ShortenTransfers(true);
  Pipe pipe(sys);
  EXPECT_EQ(sys.Write(pipe.write.get(), {"abc", 3}), 1);
  iovec parts[2] = {{nullptr, 0}, {const_cast<char*>("def"), 3}};
  EXPECT_EQ(sys.Writev(pipe.write.get(), parts), 1);
  char to[8] = {};
  EXPECT_EQ(sys.Read(pipe.read.get(), absl::MakeSpan(to)), 1);

  int fds[2];
  ASSERT_EQ(sys.Socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
  const ScopedFd a(sys, fds[0]);
  const ScopedFd b(sys, fds[1]);
  EXPECT_EQ(sys.Write(a.get(), {"abc", 3}), 3);

  const ScopedFd counter(sys, sys.Eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK));
  EXPECT_EQ(sys.Read(counter.get(), absl::MakeSpan(to)), 8);
}

TEST(ErrnoStatusTest, NamesTheCallAndTheThing) {
  const absl::Status status =
      ErrnoStatus(-EBADF, SysCall::kEpollCtl, "ADD, fd 7");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "epoll_ctl(ADD, fd 7): Bad file descriptor");
  EXPECT_EQ(ErrnoStatus(EMFILE, SysCall::kPipe2, "").message(),
            "pipe2: Too many open files");
  EXPECT_TRUE(ErrnoStatus(0, SysCall::kRead, "fd 1").ok());
}

TEST(ErrnoStatusTest, EveryLikelyErrnoHasACode) {
  for (size_t i = 0; i < kSysCallKinds; ++i) {
    for (const int error : LikelyErrnos(static_cast<SysCall>(i))) {
      EXPECT_NE(ErrnoCode(error), absl::StatusCode::kOk) << error;
    }
  }
}

// A descriptor may have the number of an errno.
TEST(ErrnoStatusTest, P13_NoDescriptorIsTakenForAnErrorOfOneConnection) {
  for (int descriptor = 0; descriptor < 1000; ++descriptor) {
    EXPECT_FALSE(IsOfOneConnection(descriptor)) << descriptor;
  }
  EXPECT_TRUE(IsOfOneConnection(-ECONNABORTED));
  EXPECT_FALSE(IsOfOneConnection(-EAGAIN));
  EXPECT_FALSE(IsOfOneConnection(-EMFILE));
  EXPECT_FALSE(IsOfOneConnection(-EOPNOTSUPP));
}

}  // namespace
}  // namespace trolley
