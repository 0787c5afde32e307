// SPDX-License-Identifier: Apache-2.0
//
// ErrnoStatus: makes a Status from a failed system call. The text names the
// call and what it was about: "epoll_ctl(ADD, fd 7): Bad file descriptor".
//
//   if (n < 0) return ErrnoStatus(n, SysCall::kRead, "fd 7");
//
// The code depends only on the errno:
//
//   InvalidArgument     EINVAL EBADF EFAULT ENOTSOCK ENOTDIR EISDIR ELOOP
//                       ENAMETOOLONG EDESTADDRREQ EPROTOTYPE EDOM
//   NotFound            ENOENT ESRCH ENODEV ENXIO ECHILD
//   AlreadyExists       EEXIST EADDRINUSE EALREADY
//   PermissionDenied    EPERM EACCES EROFS
//   ResourceExhausted   EMFILE ENFILE ENOMEM ENOSPC EDQUOT ENOBUFS EMLINK
//                       EUSERS
//   FailedPrecondition  EBUSY ENOTEMPTY EISCONN ENOTCONN ETXTBSY EBADFD
//   OutOfRange          EOVERFLOW ERANGE EFBIG EMSGSIZE E2BIG
//   Unimplemented       ENOSYS EOPNOTSUPP EAFNOSUPPORT EPROTONOSUPPORT ENOTTY
//   Unavailable         EAGAIN EINTR EINPROGRESS ECONNREFUSED ECONNRESET EPIPE
//                       ECONNABORTED ENETDOWN ENETUNREACH EHOSTDOWN
//                       EHOSTUNREACH
//   DeadlineExceeded    ETIMEDOUT
//   Cancelled           ECANCELED
//   Unknown             any other
//
// Threads:   thread-safe; not async-signal-safe.

#ifndef TROLLEY_POLLER_ERRNO_STATUS_H_
#define TROLLEY_POLLER_ERRNO_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/sys.h"

namespace trolley {

// The code for an errno; kOk for 0.
absl::StatusCode ErrnoCode(int error);

// `error` is an errno, or a negative errno as Sys returns it; 0 gives OK.
// `thing` is made printable and put between the brackets; if it is empty there
// are no brackets.
absl::Status ErrnoStatus(int error, SysCall call, absl::string_view thing);

// True: `result`, of an accept4(), is an error of the connection that it took
// from the queue, and not of the listening socket (accept(2)): the peer has
// closed, or the network has failed. EOPNOTSUPP is none of them: a socket that
// cannot listen gives it each time.
bool IsOfOneConnection(int result);

}  // namespace trolley

#endif  // TROLLEY_POLLER_ERRNO_STATUS_H_
