// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/internal/unix_peer.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {

absl::StatusOr<LinkPeer> UnixPeerOf(Sys& sys, int fd) {
  const absl::StatusOr<UnixCredentials> who = PeerCredentials(sys, fd);
  if (!who.ok()) return who.status();
  return LinkPeer{
      .name = absl::StrCat("process ", who->pid, " of user ", who->uid),
      .identity = absl::StrCat("user ", who->uid),
      .uid = who->uid,
      .pid = who->pid};
}

absl::Status AllowUnixPeer(Sys& sys, int fd, const LinkPeer& peer,
                           const std::vector<uid_t>& allowed_uids) {
  // A socket belongs to the user that made it: the user of this process.
  struct stat own = {};
  const int result = sys.Fstat(fd, &own);
  if (result < 0) return ErrnoStatus(result, SysCall::kFstat, "a connection");
  if (peer.uid == own.st_uid || peer.uid == uid_t{0} ||
      std::find(allowed_uids.begin(), allowed_uids.end(), peer.uid) !=
          allowed_uids.end()) {
    return absl::OkStatus();
  }
  return wire::MakeWireError(
      wire::WireError::kNotPermitted,
      absl::StrCat(peer.name, " may not connect; user ", own.st_uid,
                   " and root may, and who is in "
                   "UnixLinkOptions::allowed_uids"));
}

}  // namespace trolley::internal
