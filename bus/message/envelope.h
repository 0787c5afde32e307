// SPDX-License-Identifier: Apache-2.0
//
// Envelope: one message on its way, with its target, its sender, its deadline,
// its causal context, and where its reply goes. The first 64 bytes are one
// cache line. A payload of up to 8 bytes is in that line.
//
// Ownership: one owner at a time: the sender's outbox, then the hand-off, the
//            mailbox, the handler. EnvelopePool allocates and frees it.
// Threads:   the thread of its owner. Only bus/crossing/handoff.h moves it to
//            another thread.
// Bounds:    the mailboxes bound how many there are.
// Ends:      handled, or dropped and counted. The envelope of an ask carries
//            the reply back.

#ifndef TROLLEY_BUS_MESSAGE_ENVELOPE_H_
#define TROLLEY_BUS_MESSAGE_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/message/byte_budget.h"
#include "trolley/bus/message/causal_context.h"
#include "trolley/bus/message/handling.h"
#include "trolley/bus/message/payload_layout.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class ExternalAsk;
struct Envelope;

// The operations on messages of one type to one class of actors: the virtual
// table of a payload. The sender chooses it. Static, immutable.
struct MessageOps {
  // Calls the handler. For an ask it leaves the reply in the envelope
  // (Envelope::is_reply). If the result is kCoroutine, `coroutine` is the
  // handler, and it has not begun. Throws what the handler throws, and the
  // payload is destroyed then. Null for replies: they wake the asker.
  Outcome (*deliver)(MessageTarget& actor, Envelope* envelope,
                     HandlerCoroutine*& coroutine);

  // Destroys the payload.
  void (*drop)(Envelope* envelope);

  // Makes `error` the reply, in the place of the destroyed payload. Null for
  // messages that cannot be an ask.
  void (*answer)(Envelope* envelope, absl::Status error);

  // The name of the message's type, for people.
  absl::string_view (*name)();

  // Null: the bytes of such a message are not counted
  // (bus/message/message_bytes.h).
  struct Counted {
    ByteLease& lease;
    uint64_t bytes;
  };
  using Count = Counted (*)(Envelope* envelope);
  Count count = nullptr;

  // True: the target passes its messages to another process by a link.
  bool leads_over_a_link = false;
  // True: the message uses the urgent lane (`kUrgent` of its class).
  bool urgent = false;
};

// Which queue of a mailbox a message waits in (bus/mailbox/mailbox.h).
enum class Lane : uint8_t { kControl, kUrgent, kData };

struct Envelope {
  static constexpr uint8_t kNoLoop = 255;  // `owner_loop` of a heap allocation

  // The fields that the sender sets.
  struct Head {
    const MessageOps* ops = nullptr;
    ActorId target = {};
    ActorId sender = {};
    Instant deadline = Instant::Infinite();
    uint64_t flags = 0;
  };

  Envelope* next;  // set by the queue it is in
  const MessageOps* ops;
  ActorId target;
  Instant deadline;
  union {
    ActorId sender;         // default if a plain thread sent it
    ExternalAsk* external;  // if kAskedExternally: where the reply goes
  };
  CausalContext::Ptr context;  // set by SetContext()
  // One word, so that it is written with one store and one test can ask for
  // several flags:
  //
  //   bits    0 to 3      size class
  //   bits    4 to 11     the loop whose pool it is of, or kNoLoop
  //   bits    12 to 51    ask id
  //   bits    52 and up   the flags below
  uint64_t flags;
  alignas(8) std::byte first_bytes[8];

  // The lane. Neither of the two: Lane::kControl.
  static constexpr uint64_t kDataLane = uint64_t{1} << 52;
  static constexpr uint64_t kUrgentLane = uint64_t{1} << 53;
  // A party outside of the bus asks: `external` is valid, not `sender`.
  static constexpr uint64_t kAskedExternally = uint64_t{1} << 54;
  // The payload is a reply to `sender` or `external`.
  static constexpr uint64_t kIsReply = uint64_t{1} << 55;
  // `context` is not null.
  static constexpr uint64_t kHasContext = uint64_t{1} << 58;
  // One credit of the target is given back when the message has been handled.
  static constexpr uint64_t kHoldsCredit = uint64_t{1} << 56;
  // The asker handles messages while it waits.
  static constexpr uint64_t kAskerGoesOn = uint64_t{1} << 57;
  // The loop has replied, because the handler did not (NoAnswer): first the
  // deadline passed, or first the actor ended.
  static constexpr uint64_t kExpiredFirst = uint64_t{1} << 59;
  static constexpr uint64_t kEndedFirst = uint64_t{1} << 60;
  static constexpr uint64_t kMaxSizeClass = 15;
  static constexpr uint64_t kMaxAskId = (uint64_t{1} << 40) - 1;
  static constexpr uint64_t kAskId = kMaxAskId << 12;

  // The bits of `flags` that say which pool and size class it is of.
  static constexpr uint64_t Home(uint64_t owner_loop, uint64_t size_class) {
    return size_class | owner_loop << 4;
  }
  // Writes each field once: this is the hot path.
  Envelope(uint64_t home, const Head& head)
      : ops(head.ops),
        target(head.target),
        deadline(head.deadline),
        sender(head.sender),
        flags(home | head.flags) {}

  uint32_t size_class() const { return flags & kMaxSizeClass; }
  uint32_t owner_loop() const { return flags >> 4 & 0xff; }
  // Not 0: `sender` waits in this reply slot.
  uint64_t ask_id() const { return flags >> 12 & kMaxAskId; }
  void set_ask_id(uint64_t id) { flags = (flags & ~kAskId) | id << 12; }
  void SetContext(CausalContext::Ptr to) {
    context = std::move(to);
    flags = context ? flags | kHasContext : flags & ~kHasContext;
  }
  bool has(uint64_t flag) const { return (flags & flag) != 0; }

  Lane lane() const {
    return has(kDataLane)     ? Lane::kData
           : has(kUrgentLane) ? Lane::kUrgent
                              : Lane::kControl;
  }
  bool is_reply() const { return has(kIsReply); }
  bool is_ask() const { return has(kAskId | kAskedExternally); }
  NoAnswer no_answer() const {
    return has(kExpiredFirst) ? NoAnswer::kExpired
           : has(kEndedFirst) ? NoAnswer::kGone
                              : NoAnswer::kNone;
  }

  // How many bytes an envelope with a payload T has.
  template <typename T>
  static constexpr size_t BytesFor() {
    return PayloadLayout::End<T>();
  }

  // The payload. The caller knows its type by `ops`.
  template <typename T>
  T& payload() {
    return *std::launder(reinterpret_cast<T*>(Raw<T>()));
  }
  // What a payload T has of the bytes of its mailbox.
  template <typename T>
  requires kCountsBytes<T> ByteLease& lease() {
    return *std::launder(reinterpret_cast<ByteLease*>(RawLease<T>()));
  }

  // True: T is a struct without a constructor, built from its members. Braces
  // are used then: they do not narrow, and clang 14 has no parentheses there.
  template <typename T, typename... Args>
  static constexpr bool kTakesMembers =
      std::is_aggregate_v<T> &&
      !(sizeof...(Args) == 1 &&
        (std::is_base_of_v<T, std::remove_cvref_t<Args>> && ...));

  // Builds the payload from the result of make(), a T.
  template <typename T, typename Make>
  T& EmplaceResult(Make& make) {
    return WithLease(*new (Raw<T>()) T(make()));
  }

  // Builds the payload from `args`.
  template <typename T, typename... Args>
  T& Emplace(Args&&... args) {
    return WithLease(*new (Raw<T>()) T(Make<T>(std::forward<Args>(args)...)));
  }
  // A payload that is nowhere yet.
  template <typename T, typename... Args>
  static T Make(Args&&... args) {
    if constexpr (kTakesMembers<T, Args...>) {
      return T{std::forward<Args>(args)...};
    } else {
      return T(std::forward<Args>(args)...);
    }
  }

  template <typename T>
  void Destroy() {
    payload<T>().~T();
    if constexpr (kCountsBytes<T>) lease<T>().~ByteLease();
  }

 private:
  template <typename T>
  void* Raw() {
    static_assert(alignof(T) <= PayloadLayout::kMaxAlignment,
                  "a message may be aligned to 16 bytes at most; send a "
                  "std::unique_ptr to it instead");
    return reinterpret_cast<std::byte*>(this) + PayloadLayout::Begin<T>();
  }
  template <typename T>
  void* RawLease() {
    return reinterpret_cast<std::byte*>(this) + PayloadLayout::Lease<T>();
  }
  template <typename T>
  T& WithLease(T& payload) {
    if constexpr (kCountsBytes<T>) new (RawLease<T>()) ByteLease();
    return payload;
  }
};

static_assert(sizeof(Envelope) == 64);
static_assert(offsetof(Envelope, first_bytes) == PayloadLayout::kHeaderBytes);

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_ENVELOPE_H_
