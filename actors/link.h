// SPDX-License-Identifier: Apache-2.0
//
// Link: what every actor that leads to another process takes. Most senders do
// not speak to it but to a Remote (actors/remote.h), which does.
//
// Messages: plain values.

#ifndef TROLLEY_ACTORS_LINK_H_
#define TROLLEY_ACTORS_LINK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/ref_counted.h"

namespace trolley {

// What many messages have in common: where they go, what they are, and who
// sends them. Shared, immutable, thread-safe.
class LinkRoute : public RefCounted {
 public:
  using Ptr = RefPtr<const LinkRoute>;

  // `target`: the bus name of the actor in the other process. `type`: the full
  // name of the Protobuf message. `sender`: for logs and traces there; may be
  // empty.
  static Ptr New(absl::string_view target, absl::string_view type,
                 absl::string_view sender = "") {
    return Ptr::Adopt(new LinkRoute(target, type, sender));
  }

  const std::string target;
  const std::string type;
  const std::string sender;

 private:
  friend Ptr;
  LinkRoute(absl::string_view target, absl::string_view type,
            absl::string_view sender)
      : target(target), type(type), sender(sender) {}
  ~LinkRoute() = default;
};

// A message for an actor of the other process. Told, it resolves to OK when it
// stands in the link's outbox.
struct LinkTell {
  LinkRoute::Ptr route;
  std::string bytes;  // the message's binary encoding
  // The time left travels; it is dropped there, and counted, after it.
  Instant deadline = Instant::Infinite();
};

// The same as an ask; its deadline is that of Ask(). Errors: what the handler
// there returned, its text made printable (actors/printable.h), or
//   Unavailable         not connected; the connection ended before the answer
//                       (the text says whether the question had left); or the
//                       other process is shutting down
//   NotFound            no such actor there, or it ended
//   InvalidArgument     it does not take this type, or the bytes are not one
//   ResourceExhausted   too many asks on this link, or too long for a frame
//   DeadlineExceeded    no answer in time
struct LinkAsk {
  LinkRoute::Ptr route;
  std::string bytes;
  // Who waits, outermost first, as "<instance id>/<name>"; see link.proto.
  std::vector<std::string> askers = {};
};

// Counters since the link was spawned, over all its connections.
struct LinkStats {
  bool connected = false;
  uint64_t connections = 0;  // handshakes completed
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t frames_in = 0;
  uint64_t frames_out = 0;  // that the kernel took whole

  // Of the LinkTells and LinkAsks taken, each counts once here:
  uint64_t written = 0;   // the kernel took it whole
  uint64_t unsent = 0;    // its connection ended first; nothing of it counts
  uint64_t not_sent = 0;  // refused here: not connected, expired, too long...
  uint64_t waiting = 0;   // in the outbox now
  // Of those written:
  uint64_t refused_by_peer = 0;  // tells and asks that came back as Refusals
  uint64_t fate_unknown = 0;     // asks whose connection ended before an answer

  uint64_t received = 0;   // messages from the peer
  uint64_t delivered = 0;  // of those, accepted by the target's mailbox
  uint64_t refused = 0;    // of those, sent back
  uint64_t queued = 0;     // of those, waiting for room in a mailbox now
  uint64_t targets = 0;    // actors they came for that it remembers now

  uint64_t pending_asks = 0;         // of ours, now
  uint64_t late_replies = 0;         // to asks whose deadline had passed
  uint64_t undelivered_replies = 0;  // their asker's connection had ended
  uint64_t torn = 0;                 // connections that ended inside a frame
  uint64_t protocol_errors = 0;  // connections ended by bytes that break a rule
};
struct GetLinkStats {};

using Link =
    Protocol<absl::Status(LinkTell), absl::StatusOr<WireMessage>(LinkAsk),
             LinkStats(GetLinkStats)>;

// Told to the watcher of a link, in this order and in turn. Nothing from the
// other process is delivered between a LinkDown and the next LinkUp.
struct LinkUp {
  Ref<Link> link;
  uint64_t peer_instance_id = 0;  // another one: the process was restarted
  uint32_t peer_uid = 0;
  int32_t peer_pid = 0;  // a hint for people
};
struct LinkDown {
  Ref<Link> link;
  // OK: the peer closed between two frames. DataLoss: it ended inside one.
  absl::Status reason;
  LinkStats stats;
};
using LinkWatcher = Protocol<LinkUp, LinkDown>;

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_H_
