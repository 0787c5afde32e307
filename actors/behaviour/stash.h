// SPDX-License-Identifier: Apache-2.0
//
// Stash: an actor keeps messages that it cannot handle yet, and handles them
// later in their order.
//
//   class Store : public trolley::Actor {
//    public:
//     void On(Put m) {
//       if (!open_) {
//         absl::Status kept = stash_.Keep(std::move(m));
//         if (!kept.ok()) context().Log(kept.message());
//         return;
//       }
//       ...
//     }
//     void On(const Opened&) {
//       open_ = true;
//       stash_.Unstash();   // On(Put) for each, before this returns
//     }
//    private:
//     bool open_ = false;
//     trolley::Stash<Put> stash_{this};
//   };
//
// Unstash() calls On() itself and sends nothing. So the kept messages are
// handled before all that waits in the mailbox, and the order of P1 holds. The
// ledger counts a message as handled when its handler has kept it. During an
// Unstash(), sender(), deadline() and trace() are those of the message in hand:
// what the actor needs of a kept message stands in that message.
//
// Only tells can be kept, and only messages whose On() returns void. The reply
// to an ask is what On() returns. To let an ask wait, use a coroutine handler
// and a Gate (actors/behaviour/gate.h).
//
// What is left at the end of the actor was not handled. The destructor logs how
// many messages that are. It sends them to the actor once more, so the ledger
// has them: as refused if the actor was stopped or threw; as dead letters, and
// in ShutdownReport::abandoned, if its bus ended. In a seat (actors/seat.h)
// they wait in the mailbox for the next object.
//
// Ownership: a member of the actor. It owns the messages. It cannot be moved.
// Threads:   loop thread only. The constructor: that of the actor.
// Bounds:    StashOptions. Unstash() is one handler for its loop: others wait
//            until it has returned.
// Ends:      with the actor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_STASH_H_
#define TROLLEY_ACTORS_BEHAVIOUR_STASH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/address.h"

namespace trolley {

struct StashOptions {
  // Messages that it keeps; a count. 1024: as many as a mailbox holds.
  uint32_t max_messages = 1024;
  // Bytes that it keeps: for each message Stash::kBytesOfOne and the heap bytes
  // that the actor tells. 1 MiB: 1 KB for each message.
  size_t max_bytes = 1 << 20;
};

template <typename... Ms>
class Stash {
  using Message = std::variant<Ms...>;
  struct Kept {
    Message message;
    size_t heap_bytes;
  };

 public:
  // What a message of any of the Ms costs; bytes.
  static constexpr size_t kBytesOfOne = sizeof(Kept);

  // `owner` is the actor that this is a member of.
  template <typename A>
  explicit Stash(A* owner, const StashOptions& options = {})
      : owner_(*owner),
        options_(options),
        handle_(&Handle<A>),
        give_up_(&GiveUp<A>) {}
  Stash(const Stash&) = delete;
  Stash& operator=(const Stash&) = delete;
  ~Stash() {
    // mutant: P2_WhatIsLeftInAStashIsForgotten
    if (!empty()) GiveUpAll();
  }

  // Keeps `message`, behind those that it has. `heap_bytes`: what the message
  // owns beside its own size, such as the capacity of a string; bytes.
  //
  //   OK                  kept
  //   ResourceExhausted   it is full; the text says of what
  //   FailedPrecondition  the message in hand is an ask
  //
  // After an error `message` has not been moved from.
  template <typename M>
  absl::Status Keep(M&& message, size_t heap_bytes = 0) {
    using Type = std::decay_t<M>;
    static_assert((std::is_same_v<Type, Ms> || ...),
                  "this message is not one of the messages of the stash");
    if (absl::Status fits = CheckFits(heap_bytes); !fits.ok()) return fits;
    // mutant: P1_AStashIsTurnedAround
    kept_.push_back(
        {.message = Message(std::in_place_type<Type>, std::forward<M>(message)),
         .heap_bytes = heap_bytes});
    bytes_ += kBytesOfOne + heap_bytes;
    return absl::OkStatus();
  }

  // Calls the actor's On() for each kept message, the oldest first. A message
  // that On() keeps again is behind the others, and comes with the next call. A
  // call during a call makes the outer one go on with all that is kept by then,
  // so an On() that keeps its message and calls Unstash() has no end.
  // Actor::Stop() does not end it. An exception of On() ends it: that message
  // is gone, and the others stay kept.
  void Unstash() {
    if (left_ > 0) {
      left_ = kept_.size() + 1;  // and the one whose On() runs
      return;
    }
    const struct Reset {
      size_t& left;
      ~Reset() { left = 0; }
    } reset{left_};
    for (left_ = kept_.size(); left_ > 0; --left_) {
      Kept kept = std::move(kept_.front());
      kept_.pop_front();
      bytes_ -= kBytesOfOne + kept.heap_bytes;
      handle_(owner_, std::move(kept.message));
    }
  }

  bool empty() const { return kept_.empty(); }
  size_t size() const { return kept_.size(); }  // messages; a count
  size_t bytes() const { return bytes_; }       // as StashOptions::max_bytes

 private:
  template <typename A>
  static void Handle(Actor& owner, Message message) {
    std::visit(
        [&](auto& m) {
          A& actor = static_cast<A&>(owner);
          static_assert(std::is_void_v<decltype(actor.On(std::move(m)))>,
                        "a message can be kept if its On() returns void");
          actor.On(std::move(m));
        },
        message);
  }
  template <typename A>
  static void GiveUp(const Address& owner, Message message) {
    std::visit([&](auto& m) { Ref<A>(owner).Tell(std::move(m)); }, message);
  }

  void GiveUpAll() {
    const Address owner = internal::ActorVerbs::AddressOf(owner_);
    if (!owner) return;  // no actor of a bus
    internal::ActorVerbs::ContextOf(owner_).Log(
        absl::StrCat(owner.ToString(), " ends with ", size(),
                     " messages in its stash, which are not handled"));
    for (Kept& kept : kept_) give_up_(owner, std::move(kept.message));
  }

  absl::Status CheckFits(size_t heap_bytes) const {
    if (internal::ActorVerbs::IsAsk(owner_)) {
      return absl::FailedPreconditionError(
          "an ask cannot be kept in a stash: its reply is what its handler "
          "returns. Let a coroutine handler wait at a Gate "
          "(actors/behaviour/gate.h)");
    }
    // mutant: P6_AStashTakesAnyNumber
    if (kept_.size() >= options_.max_messages) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the stash has ", kept_.size(),
                       " messages, and StashOptions::max_messages is ",
                       options_.max_messages));
    }
    if (options_.max_bytes < kBytesOfOne ||
        heap_bytes > options_.max_bytes - kBytesOfOne ||
        bytes_ > options_.max_bytes - kBytesOfOne - heap_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the stash has ", bytes_, " bytes and the message needs ",
          kBytesOfOne, " and ", heap_bytes,
          " of heap; StashOptions::max_bytes is ", options_.max_bytes));
    }
    return absl::OkStatus();
  }

  Actor& owner_;
  const StashOptions options_;
  void (*const handle_)(Actor&, Message);
  void (*const give_up_)(const Address&, Message);
  std::deque<Kept> kept_;
  size_t bytes_ = 0;
  size_t left_ = 0;  // what Unstash() has to hand over; 0: it does not run
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_STASH_H_
