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
// A Ref to it has the verbs of any Ref, with the same results. LinkAsk
// (actors/link/link.h) lists the further errors of an ask. The other process
// gets the messages of one Remote in the order in which the Remote took them.
//
// An asker that gives up, or ends, is heard of over there: a handler that is
// suspended is cancelled.
//
// While the link is down, and while the other process shuts down, each verb
// fails at once, from any thread:
//
//   Tell()   kNotConnected
//   Send()   Unavailable
//   Ask()    Unavailable; the text has the reason
//
// A link is down when its first attempt has failed, from the end of a
// connection to the next LinkUp, and when it has ended. LinkStats counts the
// messages that the link had accepted and had not sent by then.
//
// Ownership: the bus owns it. It keeps the address of the link, so it stays
//            valid when the link reconnects.
// Threads:   as any actor. On the loop of the link a message costs least.
// Bounds:    SpawnOptions::mailbox_capacity, asks under way included. When the
//            mailbox of the link is full, the mailbox of the Remote fills. Then
//            Send() waits, and Tell() is kFull.
// Ends:      as any actor.

#ifndef TROLLEY_ACTORS_LINK_REMOTE_H_
#define TROLLEY_ACTORS_LINK_REMOTE_H_

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link/link.h"

namespace trolley {

template <typename P>
class Remote;

namespace internal {

// The part that does not depend on the types.
class RemoteBase : public Actor {
 public:
  // An ask that waits for its answer must not keep the next message waiting.
  static constexpr bool kInterleaved = true;
  // Its senders look at the link first (bus/mailbox/actor_class.h).
  static constexpr bool kLeadsOverALink = true;

  const Ref<Link>& link() const { return link_; }

 protected:
  RemoteBase(Ref<Link> link, std::string target)
      : link_(std::move(link)), target_(std::move(target)) {}

 private:
  template <typename Self, typename Entry>
  friend class RemoteMethod;

  // For the message in hand. `type` lives for ever.
  const LinkRoute::Ptr& RouteOf(absl::string_view type);
  LinkTell MakeTell(absl::string_view type, std::string bytes);
  // Nullopt: the mailbox of the link is full; use TellLater().
  std::optional<absl::Status> TellNow(LinkTell& tell);
  auto TellLater(LinkTell& tell) { return link_.Send(std::move(tell)); }
  AskAwaiter<absl::StatusOr<WireMessage>> Ask(absl::string_view type,
                                              std::string bytes);
  absl::Status NotSerialized(absl::string_view type) const;
  absl::Status WrongReply(const WireMessage& reply,
                          absl::string_view expected) const;

  const Ref<Link> link_;
  const std::string target_;
  // By type and sender.
  absl::flat_hash_map<std::pair<absl::string_view, ActorId>, LinkRoute::Ptr>
      routes_;
  ActorId last_sender_;
  LinkRoute::Ptr last_route_;
};

// The On() of one entry of the protocol.
template <typename Self, typename Entry>
class RemoteMethod {
  using Message = typename ProtocolEntry<Entry>::Message;
  using Reply = typename ProtocolEntry<Entry>::Reply;
  static_assert(WireType<Message>,
                "only Protobuf messages can cross to another process");

 public:
  MaybeTask<Reply> On(const Message& message) {
    RemoteBase& remote = static_cast<Self&>(*this);
    std::string bytes;
    if (!message.SerializeToString(&bytes)) {
      return Reply(remote.NotSerialized(NameOfType<Message>()));
    }
    if (remote.is_ask()) return Ask(remote, std::move(bytes));
    LinkTell tell = remote.MakeTell(NameOfType<Message>(), std::move(bytes));
    std::optional<absl::Status> told = remote.TellNow(tell);
    if (told.has_value()) return Told(*std::move(told));
    return TellLater(remote, std::move(tell));
  }

 private:
  // A tell has no answer. Its result says that the link took it.
  static Reply Told(absl::Status told) {
    if constexpr (std::is_same_v<Reply, absl::Status>) {
      return told;
    } else {
      if (!told.ok()) return told;
      return typename ReplyContent<Reply>::Type();
    }
  }

  Task<Reply> TellLater(RemoteBase& remote, LinkTell tell) {
    remote.HoldMailbox();  // those behind it would find no room either
    auto sending = remote.TellLater(tell);
    absl::Status told = co_await sending;
    co_return Told(std::move(told));
  }

  Task<Reply> Ask(RemoteBase& remote, std::string bytes) {
    AskAwaiter<absl::StatusOr<WireMessage>> asking =
        remote.Ask(NameOfType<Message>(), std::move(bytes));
    absl::StatusOr<WireMessage> reply = co_await asking;
    if (!reply.ok()) co_return reply.status();
    if constexpr (std::is_same_v<Reply, absl::Status>) {
      co_return absl::OkStatus();
    } else {
      using Content = typename ReplyContent<Reply>::Type;
      static_assert(WireType<Content>,
                    "only Protobuf messages can come from another process");
      Content content;
      if (reply->type != NameOfType<Content>() ||
          !content.ParseFromArray(reply->bytes.data(),
                                  static_cast<int>(reply->bytes.size()))) {
        co_return remote.WrongReply(*reply, NameOfType<Content>());
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

#endif  // TROLLEY_ACTORS_LINK_REMOTE_H_
