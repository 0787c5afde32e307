// SPDX-License-Identifier: Apache-2.0
//
// LinkOptions and ListenerOptions: the limits of the links and listeners of
// every transport. Each limit has a unit, a default and the reason for it. A
// length of time must be above 0. An infinite one is no limit
// (poller/instant.h). A transport may add options, as UnixLinkOptions does.
//
//   trolley::LinkOptions options;
//   options.write_deadline = absl::Seconds(3);
//   bus.Spawn<trolley::StreamLink>({}, std::move(dialer), options);
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.
// Errors:    a link or a listener logs the error of its options and ends.

#ifndef TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/link/link.h"

namespace trolley {

struct LinkOptions {
  // The longest frame that this side accepts, in bytes, 1024 to 2^29. The Hello
  // of the peer has the limit of the other direction. 1 MiB: far above any
  // message that belongs in a mailbox, and 1000 connections still fit in
  // memory.
  uint32_t max_frame_bytes = 1 << 20;

  // The bytes of the peer's messages that no mailbox has taken yet; each
  // message counts with the 24 bytes of its frame header. At least
  // 2 * (max_frame_bytes + 24), at most 2^31 - 1. 4 MiB: more than a socket
  // holds, so a receiver that keeps up never stops its sender.
  uint32_t credit_bytes = 4 << 20;

  // The frames that wait for the kernel. While one of these limits is reached,
  // the link queues no further message and no answer, and grants the peer no
  // credit. A message of the peer that the link has to refuse keeps its credit.
  // One frame may exceed the limit.
  // outbox_bytes: 1 to 2^40; 1 MiB is four full writes. outbox_messages: a
  // count, at least 1.
  size_t outbox_bytes = 1 << 20;
  size_t outbox_messages = 4096;

  // Asks that have no answer yet, in each direction; a count. The link refuses
  // a further ask with ResourceExhausted. 512: half of a mailbox of the usual
  // size, so that messages that wait for credit fit into it, too.
  size_t max_pending_asks = 512;

  // Watches of actors over the link (actors/link/remote_watch.h), in each
  // direction, at one time; a count. A further one is told that it was lost.
  // 1024: as many as there are places in a mailbox of the usual size. Each
  // costs about 1 KiB here, and half of that over there.
  size_t max_watches = 1024;

  // The time in which the whole Hello of the peer must arrive. 2 s: a live
  // process needs a thousandth of it. A silent one costs a descriptor for that
  // long.
  absl::Duration handshake_deadline = absl::Seconds(2);

  // How long frames may wait while the kernel takes no byte of them. Then the
  // link ends the connection: the peer does not read. 10 s: longer than any
  // pause of a process that works, also on a machine that swaps or dumps core.
  absl::Duration write_deadline = absl::Seconds(10);

  // After so long without a byte from the peer, this side sends a PING, which
  // the peer has to answer. After kSilentHeartbeats of these times in a row
  // without a byte, the link ends the connection: the peer is stopped, or the
  // network between the two has failed. 5 s: a dead peer is found within 20 s,
  // and an idle connection costs 64 bytes in that time. At least 1 ms.
  // Infinite: no PING; a peer that vanishes is found when something is sent to
  // it.
  absl::Duration heartbeat = absl::Seconds(5);
  static constexpr int kSilentHeartbeats = 3;

  // For a link that dials. True: it dials again when its connection has ended,
  // and when an attempt has failed. It pauses before. The pause begins with
  // backoff_first and doubles for each failure in a row, up to backoff_last.
  // The link shortens each pause by up to half at random, so that many links do
  // not return at the same time. Messages wait during an attempt. The link
  // refuses them during a pause.
  bool reconnect = true;
  absl::Duration backoff_first = absl::Milliseconds(20);
  absl::Duration backoff_last = absl::Seconds(5);
  // Of that randomness. 0: different for each run of the program.
  uint64_t jitter_seed = 0;

  // The actor that gets LinkUp and LinkDown. Empty: no actor gets them.
  Ref<LinkWatcher> watcher = {};
};

// InvalidArgument, naming the field, its value and its limit.
absl::Status ValidateLinkOptions(const LinkOptions& options);

struct ListenerOptions {
  // Connections at one time, at least 1; a count. The listener sends the reason
  // to the peer of a further one and closes it. 1024: half of the descriptors
  // that a process may usually have.
  size_t max_connections = 1024;

  // How long the listener does not accept when the process has no descriptor
  // left, not even one to turn a connection away. 20 ms: 50 attempts a second.
  // Infinite: after that the listener accepts no connection any more.
  absl::Duration pause_without_descriptors = absl::Milliseconds(20);
};

// InvalidArgument, naming the field, its value and its limit.
absl::Status ValidateListenerOptions(const ListenerOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_OPTIONS_H_
