// SPDX-License-Identifier: Apache-2.0
//
// Sending to an actor by name, with messages as bytes: what links and tools do
// for the other process. Only what the actor's class lists in Receives gets
// through (actors/wire_methods.h).
//
// Thread-safe, but for AskWire: a loop's actors only.

#ifndef TROLLEY_ACTORS_WIRE_H_
#define TROLLEY_ACTORS_WIRE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/send.h"
#include "trolley/actors/wire_methods.h"

namespace trolley {

// An actor as other processes see it.
class WireTarget {
 public:
  // NotFound: no actor of that name is running.
  static absl::StatusOr<WireTarget> Find(const BusState::Ptr& bus,
                                         absl::string_view name);

  const Address& address() const { return address_; }
  const std::string& name() const { return name_; }
  absl::string_view class_name() const { return actor_class_->name(); }
  bool Takes(absl::string_view message_type) const {
    return MethodFor(message_type) != nullptr;
  }
  // It goes on taking messages while its handlers wait.
  bool interleaved() const;
  // Full names of the messages it takes, in the order of its Receives.
  std::vector<std::string> accepts() const;
  // The type of the reply to `message_type`; empty if there is none.
  std::string ReplyType(absl::string_view message_type) const;

  // Sends one way.
  // InvalidArgument: the actor does not take this type (the message lists what
  // it takes), or the bytes are not one. Otherwise as Address::Explain.
  absl::Status Tell(WireView message, const TellOptions& options = {}) const;

  // The same from an actor: kAccepted, or kFull, and nothing else happened, or
  // kGone. InvalidArgument: as Tell.
  absl::StatusOr<Delivery> TrySend(WireView message,
                                   const TellOptions& options) const;

  // The same from an actor's coroutine; waits for room if the mailbox is full.
  // Errors: as Tell, but for a full mailbox.
  Sending Send(WireView message, const TellOptions& options = {}) const;

  // Asks from an actor's coroutine handler. Errors: as Tell and Asking;
  // Unimplemented: the reply has no form outside its process.
  Asking<absl::StatusOr<WireMessage>> Ask(WireView message,
                                          absl::Duration timeout) const;

  // Asks from any thread. OK: `done` is called once, by the replying loop.
  // Errors: as Tell; `done` is not called. The deadline drops a message that
  // waits too long for its handler, and cancels a handler that waits.
  //
  // `give_up`, unless it is null, is set to a function for an asker that has
  // gone. It may be called from any thread, once: what has no reply by then
  // holds nothing any more, and `done` hears of it as of a deadline.
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
  WireTarget(std::string name, Address address, const ActorClass* actor_class)
      : name_(std::move(name)),
        address_(std::move(address)),
        actor_class_(actor_class) {}

  const WireMethod* MethodFor(absl::string_view message_type) const;
  // InvalidArgument: the bytes do not parse.
  absl::StatusOr<Envelope*> Make(Loop* loop, WireView message) const;

  std::string name_;
  Address address_;
  const ActorClass* actor_class_;
};

// An ask that waits for room in the mailbox first, on behalf of whoever is not
// of this bus.
//
//   WireAsk ask(target, message, options);
//   absl::Status sent = co_await ask.sent();        // it has its place
//   if (sent.ok()) reply = co_await ask.reply();
//
// Await each at most once, in this order. Loop thread only; cannot be moved;
// destroyed early, it is forgotten. Errors of sent(): as WireTarget::Send; of
// reply(): as WireTarget::Ask.
class WireAsk {
 public:
  using Result = absl::StatusOr<WireMessage>;

  // `askers`: who waits in other processes, for those the target asks in turn.
  WireAsk(const WireTarget& target, WireView message,
          const TellOptions& options, std::vector<std::string> askers = {});

  Sending& sent() { return sending_; }
  Asking<Result>& reply() { return asking_; }

 private:
  Envelope* Unsent();

  absl::StatusOr<Envelope*> made_;
  Asking<Result> asking_;
  Sending sending_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_WIRE_H_
