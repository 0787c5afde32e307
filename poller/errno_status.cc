// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/errno_status.h"

#include <errno.h>

#include <cstdlib>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley {

absl::StatusCode ErrnoCode(int error) {
  switch (error) {
    case 0:
      return absl::StatusCode::kOk;
    case EINVAL:
    case EBADF:
    case EFAULT:
    case ENOTSOCK:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EDESTADDRREQ:
    case EPROTOTYPE:
    case EDOM:
      return absl::StatusCode::kInvalidArgument;
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
    case ECHILD:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case EADDRINUSE:
    case EALREADY:
      return absl::StatusCode::kAlreadyExists;
    case EPERM:
    case EACCES:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case ENOBUFS:
    case EMLINK:
    case EUSERS:
      return absl::StatusCode::kResourceExhausted;
    case EBUSY:
    case ENOTEMPTY:
    case EISCONN:
    case ENOTCONN:
    case ETXTBSY:
    case EBADFD:
      return absl::StatusCode::kFailedPrecondition;
    case EOVERFLOW:
    case ERANGE:
    case EFBIG:
    case EMSGSIZE:
    case E2BIG:
      return absl::StatusCode::kOutOfRange;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOTTY:
      return absl::StatusCode::kUnimplemented;
    case EAGAIN:
    case EINTR:
    case EINPROGRESS:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return absl::StatusCode::kUnavailable;
    case ETIMEDOUT:
      return absl::StatusCode::kDeadlineExceeded;
    case ECANCELED:
      return absl::StatusCode::kCancelled;
    default:
      return absl::StatusCode::kUnknown;
  }
}

absl::Status ErrnoStatus(int error, SysCall call, absl::string_view thing) {
  const int positive = std::abs(error);
  if (positive == 0) return absl::OkStatus();
  std::string message = SysCallName(call);
  if (!thing.empty()) absl::StrAppend(&message, "(", Printable(thing), ")");
  absl::StrAppend(&message, ": ", std::generic_category().message(positive));
  return absl::Status(ErrnoCode(positive), message);
}

bool IsOfOneConnection(int result) {
  // Not abs(): a descriptor may have the number of an errno.
  switch (-result) {
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

}  // namespace trolley
