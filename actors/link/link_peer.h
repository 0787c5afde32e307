// SPDX-License-Identifier: Apache-2.0
//
// LinkPeer: the process at the other end of a connection, as far as the
// transport knows it. The Dialer fills it in for a connection that it made, and
// the Acceptor for one that it took:
//
//   trolley::LinkPeer peer{.name = "process 17 of user 1000",
//                          .identity = "user 1000",
//                          .uid = 1000,
//                          .pid = 17};
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_LINK_LINK_PEER_H_
#define TROLLEY_ACTORS_LINK_LINK_PEER_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace trolley {

struct LinkPeer {
  // For people: "process 17 of user 1000". Printable (poller/printable.h).
  std::string name;
  // The same for every connection of one party: "user 1000". It is the source
  // by which the log limits its lines (LogOptions).
  std::string identity;
  // Empty if the kernel does not tell it.
  std::optional<uid_t> uid = {};
  std::optional<pid_t> pid = {};  // a hint for people; numbers are reused
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_PEER_H_
