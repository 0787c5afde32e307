// SPDX-License-Identifier: Apache-2.0
//
// Link: what every actor that leads to another process takes. Most senders do
// not speak to it but to a Remote (actors/link/remote.h), which does. It says
// when it takes no messages, and when it does again (BusState::SetConnected),
// so that the sender to a Remote is told at once.
//
// Messages: plain values.

#ifndef TROLLEY_ACTORS_LINK_LINK_H_
#define TROLLEY_ACTORS_LINK_LINK_H_

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

// A message for an actor of the other process. Asked, it resolves to OK when it
// stands in the link's outbox.
struct LinkTell {
  LinkRoute::Ptr route;
  std::string bytes;  // the message's binary encoding
  // The time left travels; it is dropped there, and counted, after it.
  Instant deadline = Instant::Infinite();
};

// The same as an ask; its deadline is that of Ask(). Errors: what the handler
// there returned, its text made printable (poller/printable.h), or
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
  // The askers that wait, outermost first, as "<instance id>/<name>"; see
  // link.proto.
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
  uint64_t unwritten_bytes = 0;  // in the outbox now, of frames of every kind
  // Of those written:
  uint64_t refused_by_peer = 0;  // tells and asks that came back as Refusals
  uint64_t fate_unknown = 0;     // asks whose connection ended before an answer

  uint64_t received = 0;   // messages from the peer
  uint64_t delivered = 0;  // of those, accepted by the target's mailbox
  uint64_t refused = 0;    // of those, sent back
  uint64_t queued = 0;     // of those, waiting for room in a mailbox now
  // Of those, asks whose connection ended while they waited for room.
  uint64_t abandoned = 0;
  uint64_t targets = 0;  // actors they came for that it remembers now

  uint64_t pending_asks = 0;  // of ours, now
  uint64_t late_replies = 0;  // to asks whose deadline had passed
  // To asks of the peer that a mailbox had taken, and whose connection ended
  // before their answer.
  uint64_t undelivered_replies = 0;
  uint64_t torn = 0;             // connections that ended inside a frame
  uint64_t protocol_errors = 0;  // connections ended by bytes that break a rule
};
struct GetLinkStats {};

using Link =
    Protocol<absl::Status(LinkTell), absl::StatusOr<WireMessage>(LinkAsk),
             LinkStats(GetLinkStats)>;

// How a connection ended, or why there was none; each with the reason that
// LinkDown gives.
enum class LinkEnd : uint8_t {
  // No connection could be made, or the link's options are not good. The
  // reason: what the dialer says, such as ConnectUnix(); PermissionDenied
  // (NOT_PERMITTED): the peer there is not allowed; InvalidArgument: the field.
  kNoConnection,
  // The handshake failed: either side refused the other. The reason: of the
  // wire::WireError that was said or heard; Unavailable: the peer closed
  // without a word.
  kHandshake,
  // The peer said GOAWAY, and ended between two frames. OK: its link was
  // stopped (STOPPED). Unavailable, with the code and the text of the GOAWAY:
  // otherwise; DRAINING is a process that shuts down.
  kGoAway,
  // The peer ended without GOAWAY: it was killed, it crashed, or it does not
  // keep to the protocol. Aborted: between two frames. DataLoss (TORN): inside
  // one.
  kLost,
  // The peer broke a rule of the protocol, and was told which: the reason.
  kBrokenRule,
  // The peer says that we broke one: the reason.
  kPeerError,
  // DeadlineExceeded: the peer read nothing for the link's write_deadline.
  kNotReading,
  // Cancelled: this link was stopped, or its bus shuts down.
  kStopped,
  // A system call failed. The reason: by poller/errno_status.h.
  kSystem,
};
inline constexpr int kLinkEnds = 9;
// "goaway", "lost" and so on. Any thread.
absl::string_view LinkEndName(LinkEnd end);

// Told to the watcher of a link: one or the other first, then in turn. A
// LinkDown first: the first attempt failed; further ones that fail are not
// told. A link that ends has told a LinkDown last. Nothing from the other
// process is delivered between a LinkDown and the next LinkUp, and what is told
// to a Remote meanwhile is kNotConnected, on any thread that knows of the
// LinkDown.
struct LinkUp {
  // The peer_uid where the transport does not tell the user.
  static constexpr uint32_t kUnknownUid = 0xffffffff;

  Ref<Link> link;
  uint64_t peer_instance_id = 0;  // another one: the process was restarted
  uint32_t peer_uid = 0;
  int32_t peer_pid = 0;  // a hint for people; 0 where it is not known
};
struct LinkDown {
  Ref<Link> link;
  LinkEnd end = LinkEnd::kStopped;
  absl::Status reason;  // see LinkEnd
  LinkStats stats;
};
using LinkWatcher = Protocol<LinkUp, LinkDown>;

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_H_
