// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ostream>

namespace trolley {
namespace {

// Calls the C library where it has a wrapper, because the sanitizers check the
// buffers of its calls. Calls the kernel directly where the library has no
// wrapper, has it only since a few years, or adds limits of its own.
class KernelSys final : public Sys {
 public:
  intptr_t Call(SysCall call, Args a) override {
    const int errno_before = errno;
    intptr_t result = Dispatch(call, a);
    if (result >= 0 && result <= STDERR_FILENO) {
      result = KeepOffStandard(call, a, result);
    }
    if (result == -1) {
      result = -errno;
      errno = errno_before;
    }
    return result;
  }

 private:
  template <typename T>
  static T* As(intptr_t word) {
    return reinterpret_cast<T*>(word);
  }
  static int Fd(intptr_t word) { return static_cast<int>(word); }

  static intptr_t Dispatch(SysCall call, const Args& a);
  static intptr_t Map(const Args& a);
  static intptr_t KeepOffStandard(SysCall call, const Args& a, intptr_t result);
};

// Moves `fd` to a number above 2 if it has not one already, and keeps its
// close-on-exec flag. Returns the new number, or -1 on an error. The old number
// is closed in both cases.
int MoveOffStandard(int fd) {
  // mutant: P11_ADescriptorStaysWhereTheKernelPutIt
  if (fd > STDERR_FILENO) return fd;
  const int flags = ::fcntl(fd, F_GETFD);
  const bool cloexec = flags >= 0 && (flags & FD_CLOEXEC) != 0;
  // mutant: P11_WhatIsMovedIsInherited
  const int moved =
      ::fcntl(fd, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, STDERR_FILENO + 1);
  const int error = errno;
  // mutant: P11_TheOldNumberStaysOpen
  ::close(fd);
  errno = error;
  return moved;
}

bool MovePairOffStandard(int fds[2]) {
  fds[0] = MoveOffStandard(fds[0]);
  // mutant: P11_TheSecondOfAPairStays
  if (fds[0] >= 0) fds[1] = MoveOffStandard(fds[1]);
  if (fds[0] >= 0 && fds[1] >= 0) return true;
  const int error = errno;
  ::close(fds[0] >= 0 ? fds[0] : fds[1]);
  errno = error;
  return false;
}

// Moves the descriptors that `call` made to numbers above 2. Returns `result`
// if there were none to move, else the new result.
intptr_t KernelSys::KeepOffStandard(SysCall call, const Args& a,
                                    intptr_t result) {
  switch (call) {
    case SysCall::kSignalfd:
      // It changed a signalfd that existed before, and made none.
      // mutant: P11_ASignalfdThatIsChangedIsMoved
      if (Fd(a[0]) >= 0) return result;
      [[fallthrough]];
    case SysCall::kEventfd:
    case SysCall::kEpollCreate1:
    case SysCall::kOpenat:
    case SysCall::kSocket:
    case SysCall::kAccept4:
    case SysCall::kPidfdOpen:
    case SysCall::kIoUringSetup:
      return MoveOffStandard(Fd(result));
    case SysCall::kPipe2:
      return MovePairOffStandard(As<int>(a[0])) ? 0 : -1;
    case SysCall::kSocketpair:
      return MovePairOffStandard(As<int>(a[3])) ? 0 : -1;
    default:
      return result;
  }
}

intptr_t KernelSys::Map(const Args& a) {
  const size_t size = static_cast<size_t>(a[0]);
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_POPULATE, Fd(a[1]), a[2]);
  if (at == MAP_FAILED) return -1;
  if (::madvise(at, size, MADV_DONTFORK) != 0) {
    const int error = errno;
    ::munmap(at, size);
    errno = error;
    return -1;
  }
  return reinterpret_cast<intptr_t>(at);
}

intptr_t KernelSys::Dispatch(SysCall call, const Args& a) {
  const int fd = Fd(a[0]);
  switch (call) {
    case SysCall::kRead:
      return ::read(fd, As<void>(a[1]), a[2]);
    case SysCall::kWrite:
      return ::write(fd, As<const void>(a[1]), a[2]);
    case SysCall::kReadNow: {
      iovec part = {.iov_base = As<void>(a[1]),
                    .iov_len = static_cast<size_t>(a[2])};
      return ::preadv2(fd, &part, 1, -1, RWF_NOWAIT);
    }
    case SysCall::kReadv:
      return ::readv(fd, As<const iovec>(a[1]), Fd(a[2]));
    case SysCall::kWritev:
      return ::writev(fd, As<const iovec>(a[1]), Fd(a[2]));
    case SysCall::kClose:
      return ::close(fd);
    case SysCall::kDup:
      // mutant: P11_ADuplicateTakesTheLowestNumber
      return ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    case SysCall::kFcntl:
      return ::fcntl(fd, Fd(a[1]), a[2]);
    case SysCall::kIoctl:
      return ::ioctl(fd, a[1], As<void>(a[2]));
    case SysCall::kPipe2:
      return ::pipe2(As<int>(a[0]), Fd(a[1]));
    case SysCall::kEventfd:
      return ::eventfd(static_cast<unsigned>(a[0]), Fd(a[1]));
    case SysCall::kEpollCreate1:
      return ::epoll_create1(fd);
    case SysCall::kEpollCtl:
      return ::epoll_ctl(fd, Fd(a[1]), Fd(a[2]), As<epoll_event>(a[3]));
    case SysCall::kEpollPwait2:
      return ::syscall(SYS_epoll_pwait2, fd, a[1], a[2], a[3], nullptr, 0);
    case SysCall::kEpollWait:
      return ::epoll_wait(fd, As<epoll_event>(a[1]), Fd(a[2]), Fd(a[3]));
    case SysCall::kPpoll:
      return ::ppoll(As<pollfd>(a[0]), a[1], As<const timespec>(a[2]), nullptr);
    case SysCall::kPselect6:
      return ::syscall(SYS_pselect6, fd, a[1], a[2], a[3], a[4], nullptr);
    case SysCall::kOpenat:
      return ::openat(fd, As<const char>(a[1]), Fd(a[2]),
                      static_cast<mode_t>(a[3]));
    case SysCall::kFstat:
      return ::fstat(fd, As<struct stat>(a[1]));
    case SysCall::kStat:
      return ::stat(As<const char>(a[0]), As<struct stat>(a[1]));
    case SysCall::kLstat:
      return ::lstat(As<const char>(a[0]), As<struct stat>(a[1]));
    case SysCall::kUnlink:
      return ::unlink(As<const char>(a[0]));
    case SysCall::kRename:
      return ::rename(As<const char>(a[0]), As<const char>(a[1]));
    case SysCall::kMkdir:
      return ::mkdir(As<const char>(a[0]), static_cast<mode_t>(a[1]));
    case SysCall::kFchmod:
      return ::fchmod(fd, static_cast<mode_t>(a[1]));
    case SysCall::kFlock:
      return ::flock(fd, Fd(a[1]));
    case SysCall::kSocket:
      return ::socket(fd, Fd(a[1]), Fd(a[2]));
    case SysCall::kSocketpair:
      return ::socketpair(fd, Fd(a[1]), Fd(a[2]), As<int>(a[3]));
    case SysCall::kBind:
      return ::bind(fd, As<const sockaddr>(a[1]), static_cast<socklen_t>(a[2]));
    case SysCall::kListen:
      return ::listen(fd, Fd(a[1]));
    case SysCall::kAccept4:
      return ::accept4(fd, As<sockaddr>(a[1]), As<socklen_t>(a[2]), Fd(a[3]));
    case SysCall::kConnect:
      return ::connect(fd, As<const sockaddr>(a[1]),
                       static_cast<socklen_t>(a[2]));
    case SysCall::kGetsockopt:
      return ::getsockopt(fd, Fd(a[1]), Fd(a[2]), As<void>(a[3]),
                          As<socklen_t>(a[4]));
    case SysCall::kSetsockopt:
      return ::setsockopt(fd, Fd(a[1]), Fd(a[2]), As<const void>(a[3]),
                          static_cast<socklen_t>(a[4]));
    case SysCall::kGetsockname:
      return ::getsockname(fd, As<sockaddr>(a[1]), As<socklen_t>(a[2]));
    case SysCall::kSendmsg:
      return ::sendmsg(fd, As<const msghdr>(a[1]), Fd(a[2]));
    case SysCall::kRecvmsg:
      return ::recvmsg(fd, As<msghdr>(a[1]), Fd(a[2]));
    case SysCall::kShutdown:
      return ::shutdown(fd, Fd(a[1]));
    case SysCall::kSignalfd:
      return ::signalfd(fd, As<const sigset_t>(a[1]), Fd(a[2]));
    case SysCall::kSigmask: {
      const int error =
          ::pthread_sigmask(fd, As<const sigset_t>(a[1]), As<sigset_t>(a[2]));
      if (error == 0) return 0;
      errno = error;
      return -1;
    }
    case SysCall::kSigtimedwait:
      return ::sigtimedwait(As<const sigset_t>(a[0]), As<siginfo_t>(a[1]),
                            As<const timespec>(a[2]));
    case SysCall::kTgsigqueueinfo:
      return ::syscall(SYS_rt_tgsigqueueinfo, fd, a[1], a[2], a[3]);
    case SysCall::kGetpid:
      return ::getpid();
    case SysCall::kGettid:
      return ::syscall(SYS_gettid);
    case SysCall::kKill:
      return ::kill(static_cast<pid_t>(a[0]), Fd(a[1]));
    case SysCall::kPidfdOpen:
      return ::syscall(SYS_pidfd_open, fd, a[1]);
    case SysCall::kPidfdSendSignal:
      return ::syscall(SYS_pidfd_send_signal, fd, a[1], nullptr, 0);
    case SysCall::kWaitid:
      return ::waitid(static_cast<idtype_t>(a[0]), static_cast<id_t>(a[1]),
                      As<siginfo_t>(a[2]), Fd(a[3]));
    case SysCall::kIoUringSetup:
      return ::syscall(SYS_io_uring_setup, fd, a[1]);
    case SysCall::kIoUringEnter:
      return ::syscall(SYS_io_uring_enter, fd, a[1], a[2], a[3], a[4], a[5]);
    case SysCall::kIoUringRegister:
      return ::syscall(SYS_io_uring_register, fd, a[1], a[2], a[3]);
    case SysCall::kMmap:
      return Map(a);
    case SysCall::kMunmap:
      return ::munmap(As<void>(a[0]), static_cast<size_t>(a[1]));
  }
  errno = ENOSYS;
  return -1;
}

}  // namespace

const char* SysCallName(SysCall call) {
  static constexpr const char* kNames[kSysCallKinds] = {
      "read",
      "preadv2",
      "write",
      "readv",
      "writev",
      "close",
      "dup",
      "fcntl",
      "ioctl",
      "pipe2",
      "eventfd",
      "epoll_create1",
      "epoll_ctl",
      "epoll_pwait2",
      "epoll_wait",
      "ppoll",
      "pselect6",
      "openat",
      "fstat",
      "stat",
      "lstat",
      "unlink",
      "rename",
      "mkdir",
      "fchmod",
      "flock",
      "socket",
      "socketpair",
      "bind",
      "listen",
      "accept4",
      "connect",
      "getsockopt",
      "setsockopt",
      "getsockname",
      "sendmsg",
      "recvmsg",
      "shutdown",
      "signalfd",
      "rt_sigprocmask",
      "rt_sigtimedwait",
      "rt_tgsigqueueinfo",
      "getpid",
      "gettid",
      "kill",
      "pidfd_open",
      "pidfd_send_signal",
      "waitid",
      "io_uring_setup",
      "io_uring_enter",
      "io_uring_register",
      "mmap",
      "munmap",
  };
  return kNames[static_cast<size_t>(call)];
}

std::ostream& operator<<(std::ostream& to, SysCall call) {
  return to << SysCallName(call);
}

Sys& RealSys() {
  // Never destroyed: any thread may call Wake() until the process ends.
  static KernelSys* const sys = new KernelSys;
  return *sys;
}

}  // namespace trolley
