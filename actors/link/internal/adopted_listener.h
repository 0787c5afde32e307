// SPDX-License-Identifier: Apache-2.0
//
// PrepareAdoptedListener: checks a listening socket that another party made,
// such as a service manager, and sets the flags that listeners need.
//
//   absl::Status good = PrepareAdoptedListener(sys, fd.get(), AF_UNIX);
//
// A function without state, thread-safe.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_ADOPTED_LISTENER_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_ADOPTED_LISTENER_H_

#include "absl/status/status.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// `family`: AF_UNIX, or AF_INET for both families of TCP. Sets O_NONBLOCK and
// close-on-exec.
//   InvalidArgument   `fd` is no socket; it is of another family; it is none of
//                     streams (a Unix socket may be of packets); or it does not
//                     listen. The text names it
//   other codes       a call failed (poller/errno_status.h)
absl::Status PrepareAdoptedListener(Sys& sys, int fd, int family);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_ADOPTED_LISTENER_H_
