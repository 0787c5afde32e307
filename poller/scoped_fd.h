// SPDX-License-Identifier: Apache-2.0
//
// ScopedFd: owns one descriptor and closes it, through the Sys that made it.
//
// Ownership: sole owner; move-only. The Sys outlives it.
// Threads:   as an int: one thread at a time.
// Ends:      closes in the destructor; what close() says then is not reported,
//            because the descriptor is gone either way.

#ifndef TROLLEY_POLLER_SCOPED_FD_H_
#define TROLLEY_POLLER_SCOPED_FD_H_

#include <fcntl.h>

#include <cassert>
#include <utility>

#include "trolley/poller/sys.h"

namespace trolley {

// Whether `fd` has the two flags that every descriptor of the bus must have:
// close-on-exec (a child inherits none) and non-blocking (a loop never sticks).
// A call that fails gives the benefit of the doubt.
inline bool IsCloexecAndNonblocking(Sys& sys, int fd) {
  const int descriptor = sys.Fcntl(fd, F_GETFD);
  const int status = sys.Fcntl(fd, F_GETFL);
  return (descriptor < 0 || (descriptor & FD_CLOEXEC) != 0) &&
         (status < 0 || (status & O_NONBLOCK) != 0);
}

class ScopedFd {
 public:
  ScopedFd() = default;  // owns nothing

  // Takes `fd`; a negative one (a failed call) means nothing.
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

  int get() const { return fd_; }  // -1, or the -errno given, when empty
  explicit operator bool() const { return fd_ >= 0; }

  // Gives the descriptor to the caller.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  void reset() {
    if (fd_ >= 0) sys_->Close(fd_);
    fd_ = -1;
  }

  // Debug builds abort when the descriptor lacks one of the two flags. Every
  // place that makes a descriptor calls it once.
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
