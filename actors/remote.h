// SPDX-License-Identifier: Apache-2.0
//
// Remote<Protocol<...>>: an actor of another process, as an actor of this one.
//
//   using TopK = trolley::Protocol<Add, Top(TopQuery)>;    // Protobuf messages
//   auto link = bus.Spawn<trolley::UnixLink>({}, "/run/words.sock");
//   trolley::Ref<TopK> top =
//       *bus.Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//   absl::StatusOr<Top> t = co_await top.Ask(TopQuery(), absl::Seconds(1));
//
// The verbs are those of any Ref and so are their results; what else an ask may
// come to is listed at LinkAsk (actors/link.h). Messages of one Remote arrive
// in the order in which it took them.
//
// Ownership: the bus owns it; it keeps the link's address only, so a link that
//            reconnects is the same Remote.
// Threads:   as any actor; on the link's loop it costs least.
// Bounds:    SpawnOptions::mailbox_capacity, asks under way included. When the
//            link has no room its mailbox fills: Send() waits, Tell() is kFull.
// Ends:      as any actor.

#ifndef TROLLEY_ACTORS_REMOTE_H_
#define TROLLEY_ACTORS_REMOTE_H_

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link.h"
#include "trolley/actors/signal.h"

namespace trolley {

template <typename P>
class Remote;

namespace internal {

// The part that does not depend on the types.
class RemoteBase : public Actor {
 public:
  // An ask that waits for its answer must not keep the next message waiting.
  static constexpr bool kInterleaved = true;

 protected:
  RemoteBase(Ref<Link> link, std::string target)
      : link_(std::move(link)), target_(std::move(target)) {}

 private:
  template <typename Self, typename Entry>
  friend class RemoteMethod;

  bool AskInHand() const { return loop().turn().envelope->is_ask(); }
  // Sends the message in hand: an ask as an ask. A tell resolves to an empty
  // WireMessage when the link has taken it.
  Task<absl::StatusOr<WireMessage>> Forward(WireMessage message);
  absl::Status NotSerialized(absl::string_view type) const;
  absl::Status WrongReply(const WireMessage& reply,
                          absl::string_view expected) const;
  const std::string& NameOf(ActorId id);
  std::vector<std::string> Askers();

  const Ref<Link> link_;
  const std::string target_;
  Turns turns_;
  absl::flat_hash_map<ActorId, std::string> names_;
};

// The On() of one entry of the protocol.
template <typename Self, typename Entry>
class RemoteMethod {
  using Message = typename ProtocolEntry<Entry>::Message;
  using Reply = typename ProtocolEntry<Entry>::Reply;
  static_assert(WireType<Message>,
                "only Protobuf messages can cross to another process");

 public:
  Task<Reply> On(const Message& message) {
    RemoteBase& remote = static_cast<Self&>(*this);
    WireMessage wire;
    wire.type = std::string(Message::descriptor()->full_name());
    if (!message.SerializeToString(&wire.bytes)) {
      co_return remote.NotSerialized(wire.type);
    }
    const bool asked = remote.AskInHand();
    absl::StatusOr<WireMessage> reply =
        co_await remote.Forward(std::move(wire));
    if (!reply.ok()) co_return reply.status();
    if constexpr (std::is_same_v<Reply, absl::Status>) {
      co_return absl::OkStatus();
    } else {
      using Content = typename ReplyContent<Reply>::Type;
      static_assert(WireType<Content>,
                    "only Protobuf messages can come from another process");
      Content content;
      const std::string expected(Content::descriptor()->full_name());
      if (asked &&
          (reply->type != expected ||
           !content.ParseFromArray(reply->bytes.data(),
                                   static_cast<int>(reply->bytes.size())))) {
        co_return remote.WrongReply(*reply, expected);
      }
      co_return std::move(content);
    }
  }
};

}  // namespace internal

template <typename... Entries>
class Remote<Protocol<Entries...>>
    : public internal::RemoteBase,
      public internal::RemoteMethod<Remote<Protocol<Entries...>>, Entries>... {
 public:
  // `target`: the bus name of the actor in the process that `link` leads to.
  Remote(Ref<Link> link, std::string target)
      : RemoteBase(std::move(link), std::move(target)) {}

  using internal::RemoteMethod<Remote, Entries>::On...;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REMOTE_H_
