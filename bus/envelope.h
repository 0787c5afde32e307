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
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/context.h"
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
};

// Which queue of a mailbox a message waits in. Only kData is bounded: a full
// mailbox never keeps out a stop, a reply or a timer.
enum class Lane : uint8_t { kControl, kReply, kData };

struct Envelope {
  static constexpr size_t kHeaderBytes = 56;
  static constexpr size_t kMaxAlignment = 16;
  static constexpr uint8_t kNoLoop = 255;  // `origin` of a heap allocation
  static constexpr uint64_t kMaxAskId = (uint64_t{1} << 40) - 1;

  Envelope* next = nullptr;
  const MessageType* type = nullptr;
  ActorId target;
  Instant deadline = Instant::Infinite();
  union {
    ActorId sender{};       // default if a plain thread sent it
    ExternalAsk* external;  // if `asked_externally`: where the reply goes
  };
  Context::Ptr context;
  uint64_t ask_id : 40 = 0;       // nonzero: `sender` waits in this reply slot
  uint64_t origin : 8 = kNoLoop;  // whose pool it belongs to
  uint64_t size_class : 4 = 0;    // EnvelopePool's
  uint64_t lane : 2 = 0;          // a Lane
  uint64_t asked_externally : 1 = 0;  // see `external`
  uint64_t is_reply : 1 = 0;          // holds a reply, headed for `sender`
  uint64_t holds_credit : 1 = 0;      // gives a place back when handled
  uint64_t asker_goes_on : 1 = 0;     // it takes messages while it waits
  alignas(8) std::byte first_bytes[8];

  bool is_ask() const { return ask_id != 0 || asked_externally; }

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

  template <typename T, typename... Args>
  T& Emplace(Args&&... args) {
    return *new (Raw<T>()) T(std::forward<Args>(args)...);
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
