// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/wire.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/bus/external_ask.h"
#include "trolley/bus/send_control.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

using WireResult = absl::StatusOr<WireMessage>;

class Callback final : public ExternalAsk {
 public:
  explicit Callback(std::function<void(WireResult, NoAnswer)> done)
      : done_(std::move(done)) {}

  void OnReply(Envelope* e) override {
    WireResult result = std::move(e->payload<WireResult>());
    e->type->drop(e);
    replied_ = true;
    done_(std::move(result), e->no_answer());
  }
  bool replied() const { return replied_; }

 private:
  std::atomic<bool> replied_{false};
  const std::function<void(WireResult, NoAnswer)> done_;
};

}  // namespace

absl::StatusOr<WireTarget> WireTarget::Find(const BusState::Ptr& bus,
                                            absl::string_view name) {
  const Names::Entry entry = bus->names().Find(name);
  if (!entry.id) return bus->NoSuchActor(name);
  return WireTarget(std::string(name), Address(bus, entry.id),
                    entry.actor_class);
}

bool WireTarget::interleaved() const {
  const ActorId id = address_.id();
  return address_.bus()
      ->port(id.loop())
      .cells.Find(id.slot())
      ->is_interleaved();
}

std::vector<std::string> WireTarget::accepts() const {
  std::vector<std::string> types;
  for (const WireMethod* method : actor_class_->wire_methods()) {
    types.emplace_back(method->message_type());
  }
  return types;
}

const WireMethod* WireTarget::MethodFor(absl::string_view type) const {
  for (const WireMethod* method : actor_class_->wire_methods()) {
    if (method->message_type() == type) return method;
  }
  return nullptr;
}

std::string WireTarget::ReplyType(absl::string_view message_type) const {
  const WireMethod* method = MethodFor(message_type);
  return method != nullptr ? method->reply_type() : "";
}

absl::StatusOr<Envelope*> WireTarget::Make(Loop* loop, WireView message) const {
  const WireMethod* method = MethodFor(message.type);
  if (method == nullptr) {
    const std::vector<std::string> types = accepts();
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", name_, "\" does not take ",
        message.type.empty() ? "a message without a type"
                             : Printable(message.type),
        types.empty()
            ? "; it takes nothing from other processes"
            : absl::StrCat("; it takes ", absl::StrJoin(types, ", "))));
  }
  Envelope* e = method->make(loop, address_.id(), message.bytes);
  if (e == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", message.bytes.size(), " bytes sent to \"", name_,
                     "\" are not a ", message.type));
  }
  return e;
}

absl::Status WireTarget::Tell(WireView message,
                              const TellOptions& options) const {
  BusState* bus = address_.bus();
  Loop* loop = internal::LoopOf(bus);
  absl::StatusOr<Envelope*> made = Make(loop, message);
  if (!made.ok()) return made.status();
  Envelope* e = *made;
  e->deadline = options.deadline;
  internal::SetTrace(options.trace, loop, e);
  Delivery delivery = internal::Admit(bus, loop, address_.id());
  if (delivery != Delivery::kAccepted) {
    e->type->drop(e);
    internal::FreeEnvelope(loop, e);
  } else {
    delivery = internal::Post(*bus, loop, e);
  }
  return Explain(delivery);
}

absl::StatusOr<Delivery> WireTarget::TrySend(WireView message,
                                             const TellOptions& options) const {
  Loop& loop = *Loop::Current();
  absl::StatusOr<Envelope*> made = Make(&loop, message);
  if (!made.ok()) return made.status();
  Envelope* e = *made;
  const Delivery delivery = loop.TakePlace(e->target);
  if (delivery != Delivery::kAccepted) {
    e->type->drop(e);
    loop.Free(e);
    // Full is no refusal yet: it will be sent another way.
    if (delivery != Delivery::kFull) loop.port().ledger.CountSend(false);
    return delivery;
  }
  loop.port().ledger.CountSend(true);
  e->deadline = options.deadline;
  internal::SetTrace(options.trace, &loop, e);
  loop.Send(e);
  return Delivery::kAccepted;
}

Sending WireTarget::Send(WireView message, const TellOptions& options) const {
  Loop* loop = internal::LoopOf(address_.bus());
  if (loop == nullptr || loop->turn().cell == nullptr) {
    return Sending(
        loop, nullptr,
        absl::FailedPreconditionError("Send works in an actor's handler only"));
  }
  absl::StatusOr<Envelope*> made = Make(loop, message);
  if (!made.ok()) return Sending(loop, nullptr, made.status());
  Envelope* e = *made;
  e->deadline = options.deadline;
  internal::SetTrace(options.trace, loop, e);
  return Sending(loop, e, absl::OkStatus());
}

Asking<WireResult> WireTarget::Ask(WireView message,
                                   absl::Duration timeout) const {
  using Operation = Asking<WireResult>;
  Loop* loop = internal::LoopOf(address_.bus());
  if (loop == nullptr || loop->turn().cell == nullptr) {
    return Operation(loop, absl::FailedPreconditionError(
                               "Ask works in an actor's handler only"));
  }
  absl::StatusOr<Context::Ptr> askers =
      internal::AskersOf(*loop, address_.id());
  if (!askers.ok()) return Operation(loop, askers.status());
  const Instant deadline = loop->clock().After(timeout);
  return Operation(loop, address_.id(), deadline, timeout,
                   [&](uint64_t ask_id) -> absl::Status {
                     absl::StatusOr<Envelope*> made = Make(loop, message);
                     if (!made.ok()) return made.status();
                     Envelope* e = *made;
                     const Delivery admitted = loop->Admit(address_.id());
                     if (admitted != Delivery::kAccepted) {
                       e->type->drop(e);
                       loop->Free(e);
                       return Explain(admitted);
                     }
                     e->deadline = deadline;
                     internal::MarkAsAsk(e, *loop, ask_id);
                     e->SetContext(*std::move(askers));
                     loop->Send(e);
                     return absl::OkStatus();
                   });
}

absl::Status WireTarget::AskThen(WireView message, const TellOptions& options,
                                 std::function<void(WireResult, NoAnswer)> done,
                                 std::function<void()>* give_up) const {
  BusState* bus = address_.bus();
  Loop* loop = internal::LoopOf(bus);
  absl::StatusOr<Envelope*> made = Make(loop, message);
  if (!made.ok()) return made.status();
  Envelope* e = *made;
  Delivery delivery = internal::Admit(bus, loop, address_.id());
  if (delivery == Delivery::kAccepted) {
    e->deadline = options.deadline;
    internal::SetTrace(options.trace, loop, e);
    e->marks |= Envelope::kAskedExternally;
    auto ask = RefPtr<Callback>::Adopt(new Callback(std::move(done)));
    e->external = RefPtr<Callback>(ask).Leak();
    delivery = internal::Post(*bus, loop, e);
    if (delivery == Delivery::kAccepted) {
      if (give_up != nullptr) {
        *give_up = [address = address_, ask = std::move(ask)] {
          if (ask->replied()) return;
          SendControl(
              *address.bus(), address.id(),
              AskCancelled{.key = AskKey::Of(ask.get()),
                           .external = RefPtr<ExternalAsk>::Share(ask.get())});
        };
      }
      return absl::OkStatus();
    }
    RefPtr<ExternalAsk>::Adopt(e->external);
  }
  e->type->drop(e);
  internal::FreeEnvelope(loop, e);
  return Explain(delivery);
}

WireAsk::WireAsk(const WireTarget& target, WireView message,
                 const TellOptions& options, std::vector<std::string> askers)
    : made_(target.Make(Loop::Current(), message)),
      asking_(Loop::Current(), target.address().id(), options.deadline,
              options.deadline - Loop::Current()->Now(),
              [&](uint64_t ask_id) {
                if (!made_.ok()) return made_.status();
                internal::MarkAsAsk(*made_, *Loop::Current(), ask_id);
                (*made_)->deadline = options.deadline;
                if (askers.empty()) {
                  internal::SetTrace(options.trace, nullptr, *made_);
                } else {
                  (*made_)->SetContext(
                      Context::NewForeign(options.trace, std::move(askers)));
                }
                return absl::OkStatus();
              }),
      sending_{Loop::Current(), Unsent(), made_.status()} {}

Envelope* WireAsk::Unsent() {
  if (made_.ok() && (*made_)->ask_id() == 0) {  // no reply slot was left
    (*made_)->type->drop(*made_);
    Loop::Current()->Free(*made_);
    made_ = absl::ResourceExhaustedError(
        "this loop has as many asks under way as its "
        "LoopOptions::max_pending_asks allows");
  }
  return made_.ok() ? *made_ : nullptr;
}

}  // namespace trolley
