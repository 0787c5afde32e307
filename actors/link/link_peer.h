// SPDX-License-Identifier: Apache-2.0
//
// LinkPeer: the process at the other end of a connection, as far as its
// transport knows. The Dialer says so of a connection that it made, and the
// Acceptor of one that it took.
//
// A value.

#ifndef TROLLEY_ACTORS_LINK_LINK_PEER_H_
#define TROLLEY_ACTORS_LINK_LINK_PEER_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace trolley {

struct LinkPeer {
  // For people: "process 17 of user 1000". Printable (poller/printable.h).
  std::string name;
  // The same for every connection of one party: "user 1000". The lines of the
  // log are limited by it.
  std::string identity;
  // Where the kernel tells.
  std::optional<uid_t> uid = {};
  std::optional<pid_t> pid = {};  // a hint for people; numbers are reused
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_PEER_H_
