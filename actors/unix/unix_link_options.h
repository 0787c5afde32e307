// SPDX-License-Identifier: Apache-2.0
//
// UnixLinkOptions and UnixListenerOptions: the limits that all links and
// listeners have (actors/link/link_options.h), and the users that may connect.
//
//   trolley::UnixLinkOptions options;
//   options.write_deadline = absl::Seconds(3);
//   options.allowed_uids = {1000};
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.

#ifndef TROLLEY_ACTORS_UNIX_UNIX_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_UNIX_UNIX_LINK_OPTIONS_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/unix/unix_socket.h"

namespace trolley {

struct UnixLinkOptions : LinkOptions {
  // The users of the peers that this process talks to, beside root and the user
  // of this process.
  std::vector<uid_t> allowed_uids = {};

  // Of the socket that the link dials; that of the listener
  // (UnixListenOptions::type). A link that was accepted has the type of its
  // listener.
  UnixSocketType type = UnixSocketType::kStream;
};

// As ValidateLinkOptions.
absl::Status ValidateUnixLinkOptions(const UnixLinkOptions& options);

struct UnixListenerOptions : ListenerOptions {
  // For each of its connections.
  UnixLinkOptions link = {};
};

// As ValidateListenerOptions, and the same for `link`.
absl::Status ValidateUnixListenerOptions(const UnixListenerOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_UNIX_LINK_OPTIONS_H_
