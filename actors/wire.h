// SPDX-License-Identifier: Apache-2.0
//
// WireTarget: sends to an actor by its name, with messages as bytes. Links and
// tools use it for other processes.
//
//   absl::StatusOr<trolley::WireTarget> target =
//       trolley::WireTarget::Find(bus, "wordcount/top");
//   absl::Status sent = target->Tell({"wordcount.Add", bytes});
//
// An actor gets only messages that its class lists in Receives
// (actors/wire_methods.h). The bytes are parsed on the thread of the sender.
// Tell, TrySend, Ask and AskThen take a credit first, so a message that a full
// mailbox refuses is not parsed.
//
//   code                when, for each verb
//   InvalidArgument     the actor does not take this type: the text lists those
//                       that it takes; or the bytes are not of the type
//   ResourceExhausted   the mailbox is full; not for the verbs that wait
//   NotFound            the actor has ended
//   Unavailable         the bus is shutting down; the link is down
//
// Ownership: a value: the name, an Address, and the actor's class.
// Threads:   thread-safe, except TrySend, Send, Ask and WireAsk: an actor.
// Bounds:    as Ref (actors/ref.h).
// Ends:      as Address, it never dangles.

#ifndef TROLLEY_ACTORS_WIRE_H_
#define TROLLEY_ACTORS_WIRE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/context.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/send.h"
#include "trolley/actors/wire_methods.h"

namespace trolley {

// How many actors may wait for one another; an ask by one more fails.
inline constexpr int kMostAskers = internal::CausalContext::kMaxDepth;

class WireTarget {
 public:
  // NotFound: no actor of that name is running.
  static absl::StatusOr<WireTarget> Find(const Bus& bus,
                                         absl::string_view name);
  // The same for an actor.
  static absl::StatusOr<WireTarget> Find(ActorContext context,
                                         absl::string_view name);

  const Address& address() const { return address_; }
  const std::string& name() const { return name_; }
  absl::string_view class_name() const { return actor_class_->name(); }
  bool Takes(absl::string_view message_type) const {
    return MethodFor(message_type) != nullptr;
  }
  // True: it handles its next message while its handlers wait.
  bool interleaved() const;
  // The full names of the messages that it takes, in the order of Receives.
  std::vector<std::string> accepts() const;
  // The type of the reply to `message_type`; empty if there is none.
  std::string ReplyType(absl::string_view message_type) const;

  // Sends one way, from any thread. Errors: the table above.
  absl::Status Tell(WireView message, const TellOptions& options = {}) const;

  // The same from an actor: kAccepted, kFull or kGone. A kFull is not counted:
  // the caller tries again. InvalidArgument: as above. FailedPrecondition: this
  // is no thread of a loop of the same bus.
  absl::StatusOr<Delivery> TrySend(WireView message,
                                   const TellOptions& options) const;

  // From an actor's coroutine: waits for a credit while the mailbox is full.
  // Errors: the tables above and in send.h.
  SendAwaiter Send(WireView message, const TellOptions& options = {}) const;

  // Asks, from an actor's coroutine. The deadline is `timeout` from now, or
  // that of the message in hand if it is sooner. Errors: the tables above and
  // in ask.h; Unimplemented: the reply is no Protobuf message.
  AskAwaiter<absl::StatusOr<WireMessage>> Ask(WireView message,
                                              absl::Duration timeout) const;

  // Asks, from any thread. OK: `done` is called once, on the loop that replies.
  // Errors: the table above; then `done` is not called. At the deadline of
  // `options`, whatever message is in hand, a message in the mailbox is dropped
  // and a suspended handler is cancelled.
  //
  // `*give_up`, if not null, becomes a function for an asker that no longer
  // waits. Call it at most once, from any thread. If no reply has come by then,
  // the ask ends as at its deadline: `done` gets that error.
  absl::Status AskThen(
      WireView message, const TellOptions& options,
      std::function<void(absl::StatusOr<WireMessage>, NoAnswer)> done,
      std::function<void()>* give_up = nullptr) const;

  // As Address::Explain.
  absl::Status Explain(Delivery delivery) const {
    return address_.Explain(delivery);
  }

 private:
  friend class WireAsk;
  WireTarget(std::string name, Address address,
             const internal::ActorClass* actor_class)
      : name_(std::move(name)),
        address_(std::move(address)),
        actor_class_(actor_class) {}

  static absl::StatusOr<WireTarget> Find(const internal::BusState::Ptr& bus,
                                         absl::string_view name);
  // Null: Receives does not list this type.
  const internal::WireMethod* MethodFor(absl::string_view message_type) const;
  // InvalidArgument: Receives does not list this type.
  absl::StatusOr<const internal::WireMethod*> CheckedMethodFor(
      WireView message) const;
  // InvalidArgument: the bytes are not a message of their type.
  absl::Status NotParsed(WireView message) const;
  // Takes a credit, then parses.
  absl::Status Prepare(internal::OutgoingMessage& out, WireView message,
                       Instant deadline) const;

  std::string name_;
  Address address_;
  const internal::ActorClass* actor_class_;
};

// WireAsk: an ask for an asker of another process. It waits for a credit of the
// mailbox first.
//
//   trolley::WireAsk ask(target, message, options);
//   absl::Status sent = co_await ask.sent();        // it has its credit
//   if (sent.ok()) reply = co_await ask.reply();
//
// Await each at most once, in this order. Errors of sent(): as
// WireTarget::Send; of reply(): as WireTarget::Ask. FailedPrecondition: it was
// made on a thread that is not of a loop of the same bus.
//
// Ownership: lives in the coroutine's frame; cannot be moved.
// Threads:   loop thread only.
// Ends:      destroyed before its reply, it cancels the ask.
class WireAsk {
 public:
  using Result = absl::StatusOr<WireMessage>;

  // `askers`: the actors of other processes that wait, as Actor::askers().
  WireAsk(const WireTarget& target, WireView message,
          const TellOptions& options, std::vector<std::string> askers = {});

  SendAwaiter& sent() { return sending_; }
  AskAwaiter<Result>& reply() { return asking_; }

 private:
  absl::StatusOr<internal::OutgoingMessage> Make(const WireTarget& target,
                                                 WireView message,
                                                 Instant deadline);
  AskAwaiter<Result> MakeAsking(ActorId asked, const TellOptions& options,
                                std::vector<std::string> askers);
  SendAwaiter MakeSending();

  internal::Loop* const loop_;
  absl::StatusOr<internal::OutgoingMessage> made_;
  AskAwaiter<Result> asking_;
  SendAwaiter sending_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_WIRE_H_
