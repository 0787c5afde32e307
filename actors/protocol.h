// SPDX-License-Identifier: Apache-2.0
//
// Protocol<Ms...>: the messages that an actor handles, without its class. A
// message with a reply is written as a function type:
//
//   using Ledger = trolley::Protocol<Deposit, int64_t(GetBalance)>;
//   trolley::Ref<Ledger> ref = account;  // any actor that handles both
//   ref.Tell(Deposit{25});
//   absl::StatusOr<int64_t> cents = co_await ref.Ask(GetBalance{}, timeout);
//
// A Ref<Protocol<...>> has the verbs and the results of any Ref. It is one
// pointer larger, and a send loads one more word. A message that is not in the
// protocol does not compile, and neither does the conversion from a Ref whose
// actor does not handle all of it.
//
// Types and constants; any thread.

#ifndef TROLLEY_ACTORS_PROTOCOL_H_
#define TROLLEY_ACTORS_PROTOCOL_H_

#include <cstddef>
#include <type_traits>

#include "trolley/actors/internal/handler.h"

namespace trolley {

template <typename... Ms>
struct Protocol {};

namespace internal {

// One entry of a protocol: M, or R(M).
template <typename Entry>
struct ProtocolEntry {
  using Message = Entry;
  using Reply = absl::Status;
};
template <typename R, typename M>
struct ProtocolEntry<R(M)> {
  using Message = M;
  using Reply = typename ReplyFor<R>::Type;
};

// What a Ref needs to know of its parameter: here of an actor class ...
template <typename A>
class Target {
 public:
  template <typename M>
  using Check = ActorHandles<A, M>;
  template <typename M>
  using ReplyOf = Reply<A, M>;

  template <typename M>
  const MessageOps* OpsOf() const {
    return &Handler<A, M>::kOps;
  }
};

// ... and here of a protocol.
template <typename... Entries>
class Target<Protocol<Entries...>> {
 public:
  template <typename M>
  static constexpr size_t IndexOf() {
    size_t index = 0;
    (void)((std::is_same_v<M, typename ProtocolEntry<Entries>::Message>
                ? true
                : (++index, false)) ||
           ...);
    return index;
  }
  template <size_t kIndex, typename First, typename... Rest>
  struct EntryAt : EntryAt<kIndex - 1, Rest...> {};
  template <typename First, typename... Rest>
  struct EntryAt<0, First, Rest...> {
    using Type = ProtocolEntry<First>;
  };

  template <typename M>
  struct Check {
    static_assert(IndexOf<M>() < sizeof...(Entries),
                  "this message is not in the protocol");
  };
  template <typename M>
  using ReplyOf = typename EntryAt<IndexOf<M>(), Entries...>::Type::Reply;

  Target() = default;

  // The MessageOps of actor class A for each entry.
  template <typename A>
  static Target Of() {
    static_assert(
        (sizeof(ActorHandles<A, typename ProtocolEntry<Entries>::Message>) *
         ...) > 0);
    static constexpr const MessageOps* kOps[] = {OpsFor<A, Entries>()...};
    Target target;
    target.ops_ = kOps;
    return target;
  }

  template <typename M>
  const MessageOps* OpsOf() const {
    return ops_[IndexOf<M>()];
  }

 private:
  template <typename A, typename Entry>
  static constexpr const MessageOps* OpsFor() {
    using Message = typename ProtocolEntry<Entry>::Message;
    if constexpr (!std::is_same_v<Entry, Message>) {
      static_assert(
          std::is_same_v<Reply<A, Message>,
                         typename ProtocolEntry<Entry>::Reply>,
          "the actor's reply to this message is not what the protocol says");
    }
    return &Handler<A, Message,
                    FixedReply<typename ProtocolEntry<Entry>::Reply>>::kOps;
  }

  // Of a Ref that names no actor. Its verbs read leads_over_a_link, and then
  // find that there is no actor.
  static constexpr MessageOps kOfNoActor = {};
  template <typename Entry>
  static constexpr const MessageOps* kNone = &kOfNoActor;
  static constexpr const MessageOps* kNoOps[] = {kNone<Entries>...};

  const MessageOps* const* ops_ = kNoOps;
};

}  // namespace internal
}  // namespace trolley

#endif  // TROLLEY_ACTORS_PROTOCOL_H_
