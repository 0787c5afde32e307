// SPDX-License-Identifier: Apache-2.0
//
// UnixLink: a link to another process over a Unix socket: a StreamLink
// (actors/link/stream_link.h, which has the whole contract) that dials a path.
//
//   auto link = bus.Spawn<trolley::UnixLink>({}, "/run/words.sock");
//   auto top = bus.Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//
// It talks to processes of this user, of root, and of the users in
// UnixLinkOptions::allowed_uids. If the peer is of another user, the watcher
// gets a LinkDown with LinkEnd::kNoConnection and PermissionDenied.
//
// Ownership, threads, bounds and ends: as StreamLink.

#ifndef TROLLEY_ACTORS_UNIX_UNIX_LINK_H_
#define TROLLEY_ACTORS_UNIX_UNIX_LINK_H_

#include <memory>
#include <string>

#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/unix/unix_link_options.h"

namespace trolley {

class UnixLink : public StreamLink {
 public:
  explicit UnixLink(std::string path, UnixLinkOptions options = {});

  // Takes a connection; as StreamLink.
  UnixLink(LinkSocket connected, LinkOptions options,
           std::shared_ptr<void> connection_slot = nullptr);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_UNIX_LINK_H_
