// SPDX-License-Identifier: Apache-2.0
//
// Envelope: one message on its way, with everything that travels beside it:
// target, sender, deadline, trace and chain of askers, and the place its reply
// goes to. The first 64 bytes are one cache line; a payload of up to 8 bytes is
// in it.
//
// Ownership: one owner at a time: the sender's outbox, the hand-off, a mailbox,
//            then the handler. Allocated and freed through EnvelopePool.
// Threads:   whoever owns it; ownership crosses threads in bus/handoff.h only.
// Bounds:    as many as the mailboxes they are headed for have room.
// Ends:      handled, or dropped and counted; an ask's envelope carries its
//            reply home.

#ifndef TROLLEY_BUS_ENVELOPE_H_
#define TROLLEY_BUS_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/context.h"
#include "trolley/bus/delivery.h"
#include "trolley/poller/instant.h"

namespace trolley {

class ActorBase;
class ExternalAsk;
class Loop;
struct Envelope;

// How a handler ended.
enum class Outcome : uint8_t {
  kHandled,    // returned; the payload is destroyed
  kFailed,     // returned an error; the payload is destroyed
  kSuspended,  // a coroutine: it owns the envelope until it finishes
};

// The operations on one message type as one actor class handles it: the virtual
// table of a payload, chosen at the send site. Static, immutable.
struct MessageType {
  // Runs the handler. An ask that ends here leaves its reply in the envelope
  // (Envelope::is_reply). May throw what the handler throws; the payload is
  // then destroyed. Null for replies, which wake whoever asked instead.
  Outcome (*deliver)(ActorBase& actor, Envelope* envelope, Loop& loop);

  // Destroys the payload.
  void (*drop)(Envelope* envelope);

  // Puts the reply `error` where the payload was, and sets is_reply. Null for
  // messages that cannot be asked with.
  void (*answer)(Envelope* envelope, absl::Status error);

  // The message type's name, for people.
  absl::string_view (*name)();

  // The actor's messages leave the process by a link, which may be down.
  bool leads_over_a_link = false;
};

// Which queue of a mailbox a message waits in. Only kData is bounded: a full
// mailbox never keeps out a stop, a reply or a timer.
enum class Lane : uint8_t { kControl, kReply, kData };

struct Envelope {
  static constexpr size_t kHeaderBytes = 56;
  static constexpr size_t kMaxAlignment = 16;
  static constexpr uint8_t kNoLoop = 255;  // `origin` of a heap allocation

  // What its sender says of it.
  struct Head {
    const MessageType* type = nullptr;
    ActorId target = {};
    ActorId sender = {};
    Instant deadline = Instant::Infinite();
    uint64_t marks = 0;
  };

  Envelope* next;  // set by the queue it is in
  const MessageType* type;
  ActorId target;
  Instant deadline;
  union {
    ActorId sender;         // default if a plain thread sent it
    ExternalAsk* external;  // if kAskedExternally: where the reply goes
  };
  Context::Ptr context;  // set by SetContext()
  // The rest in one word, so that it is written by one store and several
  // questions are one test: the size class and whose pool it belongs to, the
  // ask id, and the marks below.
  uint64_t marks;
  alignas(8) std::byte first_bytes[8];

  // The lane it waits in: one of these, or Lane::kControl with neither.
  static constexpr uint64_t kDataLane = uint64_t{1} << 52;
  static constexpr uint64_t kReplyLane = uint64_t{1} << 53;
  // See `external`.
  static constexpr uint64_t kAskedExternally = uint64_t{1} << 54;
  // Holds a reply, headed for `sender`.
  static constexpr uint64_t kIsReply = uint64_t{1} << 55;
  // Has a context.
  static constexpr uint64_t kHasContext = uint64_t{1} << 58;
  // Gives a place back when it has been handled.
  static constexpr uint64_t kHoldsCredit = uint64_t{1} << 56;
  // The asker takes messages while it waits.
  static constexpr uint64_t kAskerGoesOn = uint64_t{1} << 57;
  // A reply that no handler made.
  static constexpr uint64_t kExpiredFirst = uint64_t{1} << 59;
  static constexpr uint64_t kEndedFirst = uint64_t{1} << 60;
  static constexpr uint64_t kMaxSizeClass = 15;
  static constexpr uint64_t kMaxAskId = (uint64_t{1} << 40) - 1;
  static constexpr uint64_t kAskId = kMaxAskId << 12;

  // The marks of an envelope of loop `origin`'s pool, and none besides.
  static constexpr uint64_t Home(uint64_t origin, uint64_t size_class) {
    return size_class | origin << 4;
  }
  // Each field is written once: this is the hot path.
  Envelope(uint64_t home, const Head& head)
      : type(head.type),
        target(head.target),
        deadline(head.deadline),
        sender(head.sender),
        marks(home | head.marks) {}

  uint32_t size_class() const { return marks & kMaxSizeClass; }
  uint32_t origin() const { return marks >> 4 & 0xff; }
  // Nonzero: `sender` waits in this reply slot.
  uint64_t ask_id() const { return marks >> 12 & kMaxAskId; }
  void set_ask_id(uint64_t id) { marks = (marks & ~kAskId) | id << 12; }
  void SetContext(Context::Ptr to) {
    context = std::move(to);
    marks = context ? marks | kHasContext : marks & ~kHasContext;
  }
  bool has(uint64_t mark) const { return (marks & mark) != 0; }

  Lane lane() const {
    return has(kDataLane)    ? Lane::kData
           : has(kReplyLane) ? Lane::kReply
                             : Lane::kControl;
  }
  bool is_reply() const { return has(kIsReply); }
  bool is_ask() const { return has(kAskId | kAskedExternally); }
  NoAnswer no_answer() const {
    return has(kExpiredFirst) ? NoAnswer::kExpired
           : has(kEndedFirst) ? NoAnswer::kGone
                              : NoAnswer::kNone;
  }

  // Where a payload of alignment `align` starts, in bytes from the envelope.
  static constexpr size_t PayloadOffset(size_t align) {
    return (kHeaderBytes + align - 1) / align * align;
  }

  template <typename T>
  static constexpr size_t BytesFor() {
    return PayloadOffset(alignof(T)) + sizeof(T);
  }

  // The payload; the caller knows its type from `type`.
  template <typename T>
  T& payload() {
    return *std::launder(reinterpret_cast<T*>(Raw<T>()));
  }

  // A struct without a constructor takes its members; braces let nothing
  // narrow, and not every compiler knows parentheses there.
  template <typename T, typename... Args>
  static constexpr bool kTakesMembers =
      std::is_aggregate_v<T> &&
      !(sizeof...(Args) == 1 &&
        (std::is_base_of_v<T, std::remove_cvref_t<Args>> && ...));

  // Makes the payload of what make(), which returns a T, comes to.
  template <typename T, typename Make>
  T& EmplaceResult(Make& make) {
    return *new (Raw<T>()) T(make());
  }

  // Builds the payload from what T is built from.
  template <typename T, typename... Args>
  T& Emplace(Args&&... args) {
    if constexpr (kTakesMembers<T, Args...>) {
      return *new (Raw<T>()) T{std::forward<Args>(args)...};
    } else {
      return *new (Raw<T>()) T(std::forward<Args>(args)...);
    }
  }

 private:
  template <typename T>
  void* Raw() {
    static_assert(alignof(T) <= kMaxAlignment,
                  "a message may be aligned to 16 bytes at most; send a "
                  "std::unique_ptr to it instead");
    return reinterpret_cast<std::byte*>(this) + PayloadOffset(alignof(T));
  }
};

static_assert(sizeof(Envelope) == 64);
static_assert(offsetof(Envelope, first_bytes) == Envelope::kHeaderBytes);

}  // namespace trolley

#endif  // TROLLEY_BUS_ENVELOPE_H_
