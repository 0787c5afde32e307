// SPDX-License-Identifier: Apache-2.0
//
// ErrnoStatus: a failed system call as a Status that names the call and the
// thing: "epoll_ctl(ADD, fd 7): Bad file descriptor".
//
// The code depends on the errno alone:
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
// Thread-safe; not async-signal-safe.

#ifndef TROLLEY_POLLER_ERRNO_STATUS_H_
#define TROLLEY_POLLER_ERRNO_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/sys.h"

namespace trolley {

absl::StatusCode ErrnoCode(int error);

// `error` is an errno or its negative, as Sys returns it; 0 gives OK. `thing`
// is what stands between the brackets, made printable; empty leaves the
// brackets out.
absl::Status ErrnoStatus(int error, SysCall call, absl::string_view thing);

}  // namespace trolley

#endif  // TROLLEY_POLLER_ERRNO_STATUS_H_
