// SPDX-License-Identifier: Apache-2.0
//
// The limits of links and listeners over Unix sockets: those of any link
// (actors/link/link_options.h), and the users that may talk.
//
//   trolley::UnixLinkOptions options;
//   options.write_deadline = absl::Seconds(3);
//   options.allowed_uids = {1000};
//
// Values: copied by the actors they are given to.

#ifndef TROLLEY_ACTORS_UNIX_UNIX_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_UNIX_UNIX_LINK_OPTIONS_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "trolley/actors/link/link_options.h"

namespace trolley {

struct UnixLinkOptions : LinkOptions {
  // Users whose processes are talked to, this one's own and root beside them.
  std::vector<uid_t> allowed_uids = {};
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
