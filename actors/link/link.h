// SPDX-License-Identifier: Apache-2.0
//
// Link: the messages that an actor takes that leads to another process, and the
// messages that it sends to its watcher. Most programs send to a Remote
// (actors/link/remote.h), and the Remote sends to the link. A program may ask
// the link itself for its counters:
//
//   absl::StatusOr<trolley::LinkStats> stats =
//       link.AskAndWait(trolley::GetLinkStats{}, absl::Seconds(1));
//
// An actor of your own that takes them derives from LinkWithoutWatches
// (actors/link/link_without_watches.h).
//
// A link calls ActorContext::SetConnected() when it stops taking messages, and
// when it takes them again. So a sender to a Remote learns it at once.
//
// Ownership: the messages are values. LinkTells and LinkAsks share a LinkRoute.
// Threads:   immutable after construction.
// Bounds:    LinkOptions (actors/link/link_options.h).
// Ends:      a LinkDown tells the end of a connection, and of the link.

#ifndef TROLLEY_ACTORS_LINK_LINK_H_
#define TROLLEY_ACTORS_LINK_LINK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/link/internal/pending_down.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/ref_counted.h"

namespace trolley {

// LinkRoute: the target, the type and the sender of many messages. Reference
// counted; immutable after construction.
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

// A message for an actor of the other process. If the sender asks with it, the
// reply is OK as soon as the message is in the outbox of the link.
struct LinkTell {
  LinkRoute::Ptr route;
  std::string bytes;  // the message's binary encoding
  // The link sends the time that is left until then. The other process drops
  // the message when that time has passed, and counts it as expired.
  Instant deadline = Instant::Infinite();
};

// A question to an actor of the other process. Its deadline is the deadline of
// Ask(). The errors are the error of the handler there, with a printable text
// (poller/printable.h), and these:
//
//   Unavailable         the link is not connected; the connection ended before
//                       the answer came (the text says whether the question had
//                       left); or the other process is shutting down
//   NotFound            the other process has no such actor, or the actor ended
//   InvalidArgument     the actor does not take this type, or the bytes are not
//                       a message of this type
//   ResourceExhausted   the link has LinkOptions::max_pending_asks asks; the
//                       mailbox there is full; or the message is longer than a
//                       frame that the peer takes
//   DeadlineExceeded    no answer came in time
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

  // Of the LinkTells, LinkAsks and watches taken, each counts once here:
  uint64_t written = 0;  // the kernel took it whole
  uint64_t unsent = 0;   // the connection ended before the kernel had all
  // Refused here: not connected, expired, too long... Or cancelled while it
  // waited here.
  uint64_t not_sent = 0;
  uint64_t waiting = 0;          // in the outbox now
  uint64_t unwritten_bytes = 0;  // in the outbox now, of frames of every kind
  // Of those written:
  uint64_t refused_by_peer = 0;  // those that came back as Refusals
  uint64_t fate_unknown = 0;     // asks whose connection ended before an answer

  uint64_t received = 0;  // messages from the peer
  // Of those, accepted by the target's mailbox; or watches, by this link.
  uint64_t delivered = 0;
  uint64_t refused = 0;  // of those, sent back
  uint64_t queued = 0;   // of those, waiting for room in a mailbox now
  // Of those, asks whose connection ended, or whose asker gave up, while they
  // waited for room.
  uint64_t abandoned = 0;
  uint64_t targets = 0;  // target queues that the link holds now

  uint64_t pending_asks = 0;  // of ours, now
  uint64_t watches = 0;       // of this process, now
  uint64_t peer_watches = 0;  // of the peer, now
  // To asks whose deadline had passed, and to those that were given up.
  uint64_t late_replies = 0;
  // To asks of the peer that a mailbox had taken, and whose connection ended
  // before their answer.
  uint64_t undelivered_replies = 0;
  // Asks of the peer that a mailbox had taken, and whose asker gave up.
  uint64_t cancelled = 0;
  uint64_t torn = 0;             // connections that ended inside a frame
  uint64_t protocol_errors = 0;  // connections ended by bytes that break a rule
};
struct GetLinkStats {};

// What became of the tells and asks that the link took for its peer, over all
// its connections. At any time:
//
//   accepted = acknowledged + failed + fate_unknown + open
//
// The ask for it first asks the peer, and waits for its answer: until the end
// of the connection, for LinkOptions::heartbeat at most.
struct LinkLedger {
  uint64_t accepted = 0;
  uint64_t written = 0;       // the kernel took it whole
  uint64_t acknowledged = 0;  // a mailbox over there took it
  uint64_t failed = 0;        // it never left, or was refused over there
  // It left. The connection ended, or the asker gave up, before the peer said
  // what became of it.
  uint64_t fate_unknown = 0;
  uint64_t open = 0;  // on its way, or not acknowledged yet
};
struct GetLinkLedger {};

using Link =
    Protocol<absl::Status(LinkTell), absl::StatusOr<WireMessage>(LinkAsk),
             LinkStats(GetLinkStats), LinkLedger(GetLinkLedger),
             internal::LinkWatch, internal::LinkUnwatch>;

// How a connection ended, or why the link has none. The codes are those of
// LinkDown::reason.
enum class LinkEnd : uint8_t {
  // The dialer made no connection, or an option of the link is not valid.
  //   PermissionDenied   this process may not talk to the peer (NOT_PERMITTED)
  //   InvalidArgument    an option; the text names it
  //   any other          the error of the dialer, such as of ConnectUnix()
  kNoConnection,
  // The handshake failed.
  //   Unavailable        the peer closed the connection without an ERROR frame
  //   any other          the wire::WireError that one of the two sides reported
  kHandshake,
  // The peer sent GOAWAY, and its stream ended between two frames.
  //   OK                 the link of the peer was stopped (STOPPED)
  //   Unavailable        any other GOAWAY; the text has its code and its text.
  //                      DRAINING: the other process shuts down
  kGoAway,
  // The stream of the peer ended without GOAWAY. The other process was killed,
  // it crashed, or it does not keep to the protocol.
  //   Aborted            the stream ended between two frames
  //   DataLoss           it ended inside a frame (TORN)
  kLost,
  // The peer broke a rule of the protocol. The link sent it the reason.
  kBrokenRule,
  // The peer sent ERROR: it reports that this side broke a rule.
  kPeerError,
  // DeadlineExceeded: the peer read nothing for LinkOptions::write_deadline.
  kNotReading,
  // DeadlineExceeded: nothing came from the peer, although this side sent PINGs
  // (LinkOptions::heartbeat).
  kSilent,
  // Cancelled: this link was stopped, or its bus shuts down.
  kStopped,
  // A system call failed. The codes are those of poller/errno_status.h.
  kSystem,
};
inline constexpr int kLinkEnds = 10;
// "goaway", "lost" and so on. Any thread.
absl::string_view LinkEndName(LinkEnd end);

// LinkUp and LinkDown: the messages of a link to its LinkOptions::watcher. They
// alternate, and the last one is a LinkDown. It comes into a full mailbox, too.
//
//   what happens                          the link tells
//   a handshake has succeeded             LinkUp
//   a connection has ended                LinkDown
//   the first attempt has failed          LinkDown
//   a later attempt has failed            nothing
//
// Between a LinkDown and the next LinkUp the link delivers no message from the
// other process. A thread that knows of the LinkDown gets kNotConnected from a
// Tell() to a Remote.
struct LinkUp {
  // The value of peer_uid if the transport does not know the user.
  static constexpr uint32_t kUnknownUid = 0xffffffff;

  Ref<Link> link;
  uint64_t peer_instance_id = 0;  // a new value: the process was restarted
  uint32_t peer_uid = 0;
  int32_t peer_pid = 0;  // a hint for people; 0 where it is not known
  // LinkPeer::identity: "user 1000", an IP address, or the name in the
  // certificate of a TLS peer.
  std::string peer_identity;
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
