// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/adopted_listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

absl::StatusOr<int> OptionOf(Sys& sys, int fd, int option,
                             absl::string_view name) {
  int value = 0;
  socklen_t size = sizeof(value);
  const int result = sys.Getsockopt(fd, SOL_SOCKET, option, &value, &size);
  if (result < 0) {
    return ErrnoStatus(result, SysCall::kGetsockopt,
                       absl::StrCat(name, ", fd ", fd));
  }
  return value;
}

absl::Status Unfit(int fd, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("descriptor ", fd, " cannot be a listener here: ", why));
}

}  // namespace

absl::Status PrepareAdoptedListener(Sys& sys, int fd, int family) {
  const absl::StatusOr<int> domain = OptionOf(sys, fd, SO_DOMAIN, "SO_DOMAIN");
  if (!domain.ok()) return domain.status();
  const bool is_unix = *domain == AF_UNIX;
  const bool is_ip = *domain == AF_INET || *domain == AF_INET6;
  if (family == AF_UNIX && !is_unix) return Unfit(fd, "it is no Unix socket");
  if (family != AF_UNIX && !is_ip) {
    return Unfit(fd, "it is a socket of neither IPv4 nor IPv6");
  }
  const absl::StatusOr<int> type = OptionOf(sys, fd, SO_TYPE, "SO_TYPE");
  if (!type.ok()) return type.status();
  const bool carries =
      *type == SOCK_STREAM || (is_unix && *type == SOCK_SEQPACKET);
  if (!carries) return Unfit(fd, "it carries no streams");
  const absl::StatusOr<int> listens =
      OptionOf(sys, fd, SO_ACCEPTCONN, "SO_ACCEPTCONN");
  if (!listens.ok()) return listens.status();
  if (*listens == 0) return Unfit(fd, "it does not listen");

  const int flags = sys.Fcntl(fd, F_GETFL);
  int result = flags < 0 ? flags : sys.Fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  if (result >= 0) result = sys.Fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (result >= 0) return absl::OkStatus();
  return ErrnoStatus(result, SysCall::kFcntl,
                     absl::StrCat("the flags of fd ", fd));
}

}  // namespace trolley::internal
