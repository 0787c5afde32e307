// SPDX-License-Identifier: Apache-2.0
//
// ScopedFd: owns one descriptor. Closes it through the Sys that made it.
//
//   ScopedFd fd(sys, sys.Openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
//   if (!fd) return ErrnoStatus(fd.get(), SysCall::kOpenat, path);
//
// Ownership: the only owner of the descriptor; move-only. The Sys outlives it.
// Threads:   one thread at a time.
// Ends:      the destructor closes. An error of close() is not reported,
//            because the descriptor is closed in any case.

#ifndef TROLLEY_POLLER_SCOPED_FD_H_
#define TROLLEY_POLLER_SCOPED_FD_H_

#include <fcntl.h>

#include <cassert>
#include <utility>

#include "trolley/poller/sys.h"

namespace trolley {

// True if `fd` has the two flags that every descriptor of the bus must have:
// close-on-exec, so that no child inherits it, and non-blocking, so that no
// loop blocks. A flag that cannot be read counts as set.
inline bool IsCloexecAndNonblocking(Sys& sys, int fd) {
  const int descriptor = sys.Fcntl(fd, F_GETFD);
  const int status = sys.Fcntl(fd, F_GETFL);
  return (descriptor < 0 || (descriptor & FD_CLOEXEC) != 0) &&
         (status < 0 || (status & O_NONBLOCK) != 0);
}

class ScopedFd {
 public:
  ScopedFd() = default;  // owns nothing

  // Takes `fd`. Owns nothing if `fd` is negative, which is a failed call.
  ScopedFd(Sys& sys, int fd) : sys_(&sys), fd_(fd) {}

  ~ScopedFd() { reset(); }

  ScopedFd(ScopedFd&& other) noexcept
      : sys_(other.sys_), fd_(std::exchange(other.fd_, -1)) {}
  ScopedFd& operator=(ScopedFd&& other) noexcept {
    if (this != &other) {
      reset();
      sys_ = other.sys_;
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  // The descriptor. If it owns none: -1, or the -errno that it was given.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Gives the descriptor to the caller, who must close it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  void reset() {
    if (fd_ >= 0) sys_->Close(fd_);
    fd_ = -1;
  }

  // Aborts in debug builds if the descriptor lacks one of the two flags. Call
  // it once where a descriptor is made.
  const ScopedFd& CheckFlags() const {
    assert(fd_ < 0 || IsCloexecAndNonblocking(*sys_, fd_));
    return *this;
  }

 private:
  Sys* sys_ = nullptr;
  int fd_ = -1;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SCOPED_FD_H_
