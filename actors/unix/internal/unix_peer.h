// SPDX-License-Identifier: Apache-2.0
//
// The peer of a Unix socket, and whether the peer's user may talk to this
// process: functions that the dialer and the acceptor share.
//
// Functions without state, thread-safe.

#ifndef TROLLEY_ACTORS_UNIX_INTERNAL_UNIX_PEER_H_
#define TROLLEY_ACTORS_UNIX_INTERNAL_UNIX_PEER_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// Of a connected socket. Errors: as PeerCredentials().
absl::StatusOr<LinkPeer> UnixPeerOf(Sys& sys, int fd);

// PermissionDenied: `peer` belongs neither to the user of this process, nor to
// root, nor to one of `allowed_uids`.
absl::Status AllowUnixPeer(Sys& sys, int fd, const LinkPeer& peer,
                           const std::vector<uid_t>& allowed_uids);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_UNIX_INTERNAL_UNIX_PEER_H_
