// SPDX-License-Identifier: Apache-2.0
//
// The limits of links and of listeners of every kind, each with its unit, its
// default and the reason for it. Each length of time is above 0; one that never
// comes (poller/instant.h) is no limit. What a kind of link has beside these is
// in the options of that kind, such as UnixLinkOptions.
//
// Values: copied by the actors they are given to.

#ifndef TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/link/link.h"

namespace trolley {

struct LinkOptions {
  // Longest frame taken from the peer, in bytes, 1024 to 2^29; it says what it
  // takes from us.
  // 1 MiB: far above any message that belongs in a mailbox, and 1000
  // connections still fit in memory.
  uint32_t max_frame_bytes = 1 << 20;

  // What the peer may have sent without its target's mailbox having taken it,
  // in bytes, 24 for each message's frame included; at least
  // 2 * (max_frame_bytes + 24), at most 2^31 - 1. 4 MiB: more than a socket
  // holds, so a receiver that keeps up never stops its sender.
  uint32_t credit_bytes = 4 << 20;

  // What may wait for the kernel: above either nothing further of ours is
  // queued but one frame. Messages and answers wait; what the peer sent and is
  // to be refused holds its credit. 1 MiB is four full writes. 1 to 2^40 bytes;
  // 1 message at least.
  size_t outbox_bytes = 1 << 20;
  size_t outbox_messages = 4096;

  // Asks without an answer yet, in each direction; a count. Further ones are
  // refused as if a mailbox were full. 512: half of a mailbox of the usual
  // size, so that they leave room for the messages that wait for credit.
  size_t max_pending_asks = 512;

  // Time for the whole Hello of the peer. 2 s: a live process needs a
  // thousandth of it, and a silent one costs a descriptor for no longer.
  absl::Duration handshake_deadline = absl::Seconds(2);

  // Time without the kernel taking a byte of ours, after which a peer counts as
  // one that never reads and is cut off. 10 s: longer than any pause of a
  // process that works, swapping and core dumps of others included.
  absl::Duration write_deadline = absl::Seconds(10);

  // A link that dials: whether it dials again when its connection ends or
  // cannot be made, and the time before that, doubled from the first to the
  // last for each failure in a row, then shortened by up to half at random so
  // that a crowd does not return at once. Messages wait during an attempt and
  // are refused between two.
  bool reconnect = true;
  absl::Duration backoff_first = absl::Milliseconds(20);
  absl::Duration backoff_last = absl::Seconds(5);
  // Of that randomness. 0: different for each run of the program.
  uint64_t jitter_seed = 0;

  // Told when a connection is there and when it has ended; may be nobody.
  Ref<LinkWatcher> watcher = {};
};

// InvalidArgument, naming the field, its value and its limit.
absl::Status ValidateLinkOptions(const LinkOptions& options);

struct ListenerOptions {
  // Connections at one time, at least 1; the next one is told so and closed.
  // 1024: half of what a process may usually have open, as other listeners do.
  size_t max_connections = 1024;

  // Time to leave the socket alone when the process is out of descriptors and
  // cannot even turn connections away. 20 ms: 50 looks a second. One that never
  // ends: it accepts nobody any more.
  absl::Duration pause_without_descriptors = absl::Milliseconds(20);
};

// InvalidArgument, naming the field, its value and its limit.
absl::Status ValidateListenerOptions(const ListenerOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_
