// SPDX-License-Identifier: Apache-2.0
//
// Converts Interest and Ready to and from the bits of poll(2), which io_uring
// and SIGIO use too. For authors of pollers.
//
// Pure functions; any thread.

#ifndef TROLLEY_POLLER_POLL_BITS_H_
#define TROLLEY_POLLER_POLL_BITS_H_

#include <poll.h>

#include "trolley/poller/event.h"

namespace trolley {

inline bool WantsAnything(Interest interest) {
  return Any(interest.ready & (Ready::kReadable | Ready::kWritable));
}

inline short ToPollBits(Interest interest) {
  short bits = 0;
  if (Any(interest.ready & Ready::kReadable)) bits |= POLLIN | POLLRDHUP;
  if (Any(interest.ready & Ready::kWritable)) bits |= POLLOUT;
  return bits;
}

// Ignores POLLNVAL; the caller must check for it.
inline Ready FromPollBits(int bits) {
  Ready ready = Ready::kNone;
  if (bits & POLLIN) ready = ready | Ready::kReadable;
  if (bits & POLLOUT) ready = ready | Ready::kWritable;
  if (bits & POLLHUP) ready = ready | Ready::kHangup | Ready::kReadable;
  if (bits & POLLERR) {
    ready = ready | Ready::kError | Ready::kReadable | Ready::kWritable;
  }
  if (bits & POLLRDHUP) ready = ready | Ready::kReadHangup | Ready::kReadable;
  return ready;
}

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLL_BITS_H_
