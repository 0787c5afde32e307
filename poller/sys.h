// SPDX-License-Identifier: Apache-2.0
//
// Sys: the one layer through which the bus makes every system call. A test
// passes another Sys: one that makes calls fail or transfer fewer bytes
// (poller/fault_sys.h), or one that lives in memory (poller/sim.h).
//
//   Sys& sys = RealSys();
//   ssize_t n = sys.Read(fd, absl::MakeSpan(buffer));
//   if (n < 0) return ErrnoStatus(n, SysCall::kRead, "input");
//
// Rules for every call:
//
//   - A result >= 0 is success, a result < 0 is -errno.
//   - The variable `errno` does not change.
//   - EINTR is returned to the caller.
//   - A new descriptor never has a number from 0 to 2, even if those are
//     closed: they belong to the program's input and output. Two calls are
//     excepted: Fcntl with F_DUPFD, and Recvmsg of a message that carries
//     descriptors.
//
// All calls go through one virtual method, Call(). The other methods only give
// the arguments their types. Reading the time is not a system call here; see
// poller/clock.h.
//
// Ownership: borrowed. A Sys outlives everything that was built on it.
// Threads:   thread-safe. RealSys() is also async-signal-safe where the call
//            is.
// Bounds:    none of its own.

#ifndef TROLLEY_POLLER_SYS_H_
#define TROLLEY_POLLER_SYS_H_

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/types/span.h"
#include "trolley/poller/sys_call.h"

struct io_uring_params;

namespace trolley {

class Sys {
 public:
  using Args = std::array<intptr_t, 6>;  // integers; pointers as integers

  virtual ~Sys() = default;

  // Makes the call. The arguments are those of the typed method below that uses
  // `call`, in the same order. A span is passed as its pointer and its size.
  virtual intptr_t Call(SysCall call, Args args) = 0;

  // Bytes and descriptors.
  ssize_t Read(int fd, absl::Span<char> to) {
    return Do(SysCall::kRead, fd, to.data(), to.size());
  }
  // As Read, but never waits, even without O_NONBLOCK. -EOPNOTSUPP: this kind
  // of descriptor cannot do that.
  ssize_t ReadNow(int fd, absl::Span<char> to) {
    return Do(SysCall::kReadNow, fd, to.data(), to.size());
  }
  ssize_t Write(int fd, absl::Span<const char> from) {
    return Do(SysCall::kWrite, fd, from.data(), from.size());
  }
  ssize_t Readv(int fd, absl::Span<const iovec> to) {
    return Do(SysCall::kReadv, fd, to.data(), to.size());
  }
  ssize_t Writev(int fd, absl::Span<const iovec> from) {
    return Do(SysCall::kWritev, fd, from.data(), from.size());
  }
  // The descriptor is closed even if this returns an error.
  int Close(int fd) { return Int(SysCall::kClose, fd); }
  int Dup(int fd) { return Int(SysCall::kDup, fd); }  // sets close-on-exec
  int Fcntl(int fd, int command, intptr_t arg = 0) {
    return Int(SysCall::kFcntl, fd, command, arg);
  }
  int Ioctl(int fd, uint64_t request, void* arg) {
    return Int(SysCall::kIoctl, fd, request, arg);
  }
  int Pipe2(int fds[2], int flags) { return Int(SysCall::kPipe2, fds, flags); }
  int Eventfd(uint32_t initial, int flags) {
    return Int(SysCall::kEventfd, initial, flags);
  }

  // Waiting. A null limit, or -1 ms, means no limit.
  int EpollCreate1(int flags) { return Int(SysCall::kEpollCreate1, flags); }
  int EpollCtl(int epfd, int op, int fd, epoll_event* event) {
    return Int(SysCall::kEpollCtl, epfd, op, fd, event);
  }
  int EpollPwait2(int epfd, absl::Span<epoll_event> to, const timespec* limit) {
    return Int(SysCall::kEpollPwait2, epfd, to.data(), to.size(), limit);
  }
  int EpollWait(int epfd, absl::Span<epoll_event> to, int timeout_ms) {
    return Int(SysCall::kEpollWait, epfd, to.data(), to.size(), timeout_ms);
  }
  int Ppoll(absl::Span<pollfd> fds, const timespec* limit) {
    return Int(SysCall::kPpoll, fds.data(), fds.size(), limit);
  }
  // The sets are bitmaps of at least `nfds` bits. They may be larger than
  // FD_SETSIZE, which limits the C library but not the kernel. The kernel may
  // write the time left into *limit.
  int Pselect6(int nfds, uint64_t* readable, uint64_t* writable,
               uint64_t* exceptional, timespec* limit) {
    return Int(SysCall::kPselect6, nfds, readable, writable, exceptional,
               limit);
  }

  // Files.
  int Openat(int dir, const char* path, int flags, mode_t mode) {
    return Int(SysCall::kOpenat, dir, path, flags, mode);
  }
  int Fstat(int fd, struct stat* to) { return Int(SysCall::kFstat, fd, to); }
  int Stat(const char* path, struct stat* to) {
    return Int(SysCall::kStat, path, to);
  }
  int Lstat(const char* path, struct stat* to) {
    return Int(SysCall::kLstat, path, to);
  }
  int Unlink(const char* path) { return Int(SysCall::kUnlink, path); }
  int Rename(const char* from, const char* to) {
    return Int(SysCall::kRename, from, to);
  }
  int Mkdir(const char* path, mode_t mode) {
    return Int(SysCall::kMkdir, path, mode);
  }
  int Fchmod(int fd, mode_t mode) { return Int(SysCall::kFchmod, fd, mode); }
  int Flock(int fd, int operation) {
    return Int(SysCall::kFlock, fd, operation);
  }

  // Sockets.
  int Socket(int domain, int type, int protocol) {
    return Int(SysCall::kSocket, domain, type, protocol);
  }
  int Socketpair(int domain, int type, int protocol, int fds[2]) {
    return Int(SysCall::kSocketpair, domain, type, protocol, fds);
  }
  int Bind(int fd, const sockaddr* address, socklen_t size) {
    return Int(SysCall::kBind, fd, address, size);
  }
  int Listen(int fd, int backlog) { return Int(SysCall::kListen, fd, backlog); }
  int Accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    return Int(SysCall::kAccept4, fd, address, size, flags);
  }
  int Connect(int fd, const sockaddr* address, socklen_t size) {
    return Int(SysCall::kConnect, fd, address, size);
  }
  int Getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
    return Int(SysCall::kGetsockopt, fd, level, name, value, size);
  }
  int Setsockopt(int fd, int level, int name, const void* value,
                 socklen_t size) {
    return Int(SysCall::kSetsockopt, fd, level, name, value, size);
  }
  int Getsockname(int fd, sockaddr* address, socklen_t* size) {
    return Int(SysCall::kGetsockname, fd, address, size);
  }
  ssize_t Sendmsg(int fd, const msghdr* message, int flags) {
    return Do(SysCall::kSendmsg, fd, message, flags);
  }
  ssize_t Recvmsg(int fd, msghdr* message, int flags) {
    return Do(SysCall::kRecvmsg, fd, message, flags);
  }
  int Shutdown(int fd, int how) { return Int(SysCall::kShutdown, fd, how); }

  // Signals and processes.
  int Signalfd(int fd, const sigset_t* mask, int flags) {
    return Int(SysCall::kSignalfd, fd, mask, flags);
  }
  // The signal mask of the calling thread.
  int Sigmask(int how, const sigset_t* set, sigset_t* old) {
    return Int(SysCall::kSigmask, how, set, old);
  }
  int Sigtimedwait(const sigset_t* set, siginfo_t* to, const timespec* limit) {
    return Int(SysCall::kSigtimedwait, set, to, limit);
  }
  int Tgsigqueueinfo(pid_t process, pid_t thread, int signal, siginfo_t* info) {
    return Int(SysCall::kTgsigqueueinfo, process, thread, signal, info);
  }
  pid_t Getpid() { return Int(SysCall::kGetpid); }
  pid_t Gettid() { return Int(SysCall::kGettid); }
  int Kill(pid_t pid, int signal) { return Int(SysCall::kKill, pid, signal); }
  int PidfdOpen(pid_t pid, uint32_t flags) {
    return Int(SysCall::kPidfdOpen, pid, flags);
  }
  int PidfdSendSignal(int pidfd, int signal) {
    return Int(SysCall::kPidfdSendSignal, pidfd, signal);
  }
  int Waitid(idtype_t kind, id_t id, siginfo_t* to, int options) {
    return Int(SysCall::kWaitid, kind, id, to, options);
  }

  // io_uring and its memory.
  int IoUringSetup(uint32_t entries, io_uring_params* params) {
    return Int(SysCall::kIoUringSetup, entries, params);
  }
  int IoUringEnter(int fd, uint32_t submit, uint32_t wait_for, uint32_t flags,
                   const void* arg, size_t size) {
    return Int(SysCall::kIoUringEnter, fd, submit, wait_for, flags, arg, size);
  }
  int IoUringRegister(int fd, uint32_t opcode, void* arg, uint32_t count) {
    return Int(SysCall::kIoUringRegister, fd, opcode, arg, count);
  }
  // Maps memory that is shared, readable and writable. The kernel chooses the
  // place, and a forked child does not get it. Returns the address, or -errno;
  // no address looks like an error, since the last page is never mapped.
  intptr_t Mmap(size_t size, int fd, off_t offset) {
    return Do(SysCall::kMmap, size, fd, offset);
  }
  int Munmap(void* at, size_t size) { return Int(SysCall::kMunmap, at, size); }

 private:
  template <typename T>
  static intptr_t Word(T value) {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<intptr_t>(value);
    } else {
      return static_cast<intptr_t>(value);
    }
  }
  template <typename... T>
  intptr_t Do(SysCall call, T... args) {
    return Call(call, Args{Word(args)...});
  }
  template <typename... T>
  int Int(SysCall call, T... args) {
    return static_cast<int>(Do(call, args...));
  }
};

// The calls of the kernel. It has no state and lives as long as the process.
Sys& RealSys();

}  // namespace trolley

#endif  // TROLLEY_POLLER_SYS_H_
