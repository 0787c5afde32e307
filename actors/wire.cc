// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/wire.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/bus/loop/send_control.h"
#include "trolley/bus/message/ask_key.h"
#include "trolley/bus/message/external_ask.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

using WireResult = absl::StatusOr<WireMessage>;
using internal::OutgoingMessage;

class Callback final : public internal::ExternalAsk {
 public:
  explicit Callback(std::function<void(WireResult, NoAnswer)> done)
      : done_(std::move(done)) {}

  void OnReply(internal::Envelope* e) override {
    WireResult result = std::move(e->payload<WireResult>());
    e->ops->drop(e);
    replied_ = true;
    done_(std::move(result), e->no_answer());
  }
  bool replied() const { return replied_; }

 private:
  std::atomic<bool> replied_{false};
  const std::function<void(WireResult, NoAnswer)> done_;
};

}  // namespace

absl::StatusOr<WireTarget> WireTarget::Find(const internal::BusState::Ptr& bus,
                                            absl::string_view name) {
  const internal::NameRegistry::Entry entry = bus->names().Find(name);
  if (!entry.id) return bus->NoSuchActor(name);
  return WireTarget(std::string(name), Address(bus, entry.id),
                    entry.actor_class);
}

absl::StatusOr<WireTarget> WireTarget::Find(const Bus& bus,
                                            absl::string_view name) {
  return Find(BusAccess::core(bus).state(), name);
}

absl::StatusOr<WireTarget> WireTarget::Find(ActorContext context,
                                            absl::string_view name) {
  return Find(ContextAccess::loop(context).bus_pointer(), name);
}

bool WireTarget::interleaved() const {
  return address_.bus()->cells().Find(address_.id()).is_interleaved();
}

std::vector<std::string> WireTarget::accepts() const {
  std::vector<std::string> types;
  for (const internal::WireMethod* method : actor_class_->wire_methods()) {
    types.emplace_back(method->message_type());
  }
  return types;
}

const internal::WireMethod* WireTarget::MethodFor(
    absl::string_view type) const {
  for (const internal::WireMethod* method : actor_class_->wire_methods()) {
    if (method->message_type() == type) return method;
  }
  return nullptr;
}

std::string WireTarget::ReplyType(absl::string_view message_type) const {
  const internal::WireMethod* method = MethodFor(message_type);
  return method != nullptr ? method->reply_type() : "";
}

absl::StatusOr<const internal::WireMethod*> WireTarget::CheckedMethodFor(
    WireView message) const {
  const internal::WireMethod* method = MethodFor(message.type);
  if (method != nullptr) return method;
  const std::vector<std::string> types = accepts();
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", name_, "\" does not take ",
      message.type.empty() ? "a message without a type"
                           : Printable(message.type),
      types.empty() ? "; it takes nothing from other processes"
                    : absl::StrCat("; it takes ", absl::StrJoin(types, ", "))));
}

absl::Status WireTarget::NotParsed(WireView message) const {
  return absl::InvalidArgumentError(
      absl::StrCat("the ", message.bytes.size(), " bytes sent to \"", name_,
                   "\" are not a ", message.type));
}

absl::Status WireTarget::Prepare(internal::OutgoingMessage& out,
                                 WireView message, Instant deadline) const {
  const absl::StatusOr<const internal::WireMethod*> method =
      CheckedMethodFor(message);
  if (!method.ok()) {
    out.Forget();
    return method.status();
  }
  const Delivery taken = out.TakeRoom(*(*method)->ops, message.bytes.size());
  if (taken != Delivery::kAccepted) return Explain(taken);
  if (out.Parse(**method, deadline, message.bytes)) return absl::OkStatus();
  out.Forget();
  return NotParsed(message);
}

absl::Status WireTarget::Tell(WireView message,
                              const TellOptions& options) const {
  internal::BusState& bus = *address_.bus();
  OutgoingMessage out(bus, internal::LoopOf(&bus), address_.id());
  absl::Status prepared = Prepare(out, message, options.deadline);
  if (!prepared.ok()) return prepared;
  out.SetTrace(options.trace);
  return Explain(out.Post());
}

absl::StatusOr<Delivery> WireTarget::TrySend(WireView message,
                                             const TellOptions& options) const {
  internal::Loop* loop = internal::LoopOf(address_.bus());
  if (loop == nullptr) return internal::NotAnActor("TrySend");
  const absl::StatusOr<const internal::WireMethod*> method =
      CheckedMethodFor(message);
  if (!method.ok()) return method.status();
  OutgoingMessage out(loop->bus(), loop, address_.id());
  const Delivery taken = out.TakeRoom(*(*method)->ops, message.bytes.size());
  // A full mailbox does not count as a refusal: the caller tries again.
  if (taken == Delivery::kFull) out.Forget();
  if (taken != Delivery::kAccepted) return taken;
  if (!out.Parse(**method, options.deadline, message.bytes)) {
    out.Forget();
    return NotParsed(message);
  }
  out.SetTrace(options.trace);
  return out.Post();
}

SendAwaiter WireTarget::Send(WireView message,
                             const TellOptions& options) const {
  internal::Loop* loop = internal::LoopOf(address_.bus());
  if (loop == nullptr || loop->current().cell == nullptr) {
    return SendAwaiter(loop, internal::NotAnActor("Send"));
  }
  const absl::StatusOr<const internal::WireMethod*> method =
      CheckedMethodFor(message);
  if (!method.ok()) return SendAwaiter(loop, method.status());
  OutgoingMessage out(loop->bus(), loop, address_.id());
  if (!out.Parse(**method, options.deadline, message.bytes)) {
    out.Forget();
    return SendAwaiter(loop, NotParsed(message));
  }
  out.SetTrace(options.trace);
  return SendAwaiter(loop, std::move(out));
}

AskAwaiter<WireResult> WireTarget::Ask(WireView message,
                                       absl::Duration timeout) const {
  using Operation = AskAwaiter<WireResult>;
  internal::Loop* loop = internal::LoopOf(address_.bus());
  if (loop == nullptr || loop->current().cell == nullptr) {
    return Operation(loop, internal::NotAnActor("Ask"));
  }
  absl::StatusOr<internal::CausalContext::Ptr> askers =
      internal::AskersOf(*loop, address_.id());
  if (!askers.ok()) return Operation(loop, askers.status());
  Instant deadline = loop->clock().After(timeout);
  const Instant in_hand = internal::DeadlineInHand(*loop);
  if (in_hand < deadline) {
    timeout = in_hand - loop->clock().Recent();
    deadline = in_hand;
  }
  return Operation(loop, address_.id(), deadline, timeout,
                   [&](uint64_t ask_id) -> absl::Status {
                     OutgoingMessage out(loop->bus(), loop, address_.id());
                     absl::Status prepared = Prepare(out, message, deadline);
                     if (!prepared.ok()) return prepared;
                     out.SetAskId(ask_id);
                     out.envelope().SetContext(*std::move(askers));
                     return Explain(out.Post());
                   });
}

absl::Status WireTarget::AskThen(WireView message, const TellOptions& options,
                                 std::function<void(WireResult, NoAnswer)> done,
                                 std::function<void()>* give_up) const {
  internal::BusState& bus = *address_.bus();
  OutgoingMessage out(bus, internal::LoopOf(&bus), address_.id());
  absl::Status prepared = Prepare(out, message, options.deadline);
  if (!prepared.ok()) return prepared;
  out.SetTrace(options.trace);
  auto ask = RefPtr<Callback>::Adopt(new Callback(std::move(done)));
  out.SetAsker(RefPtr<internal::ExternalAsk>::Share(ask.get()));
  const Delivery sent = out.Post();
  if (sent != Delivery::kAccepted) return Explain(sent);
  if (give_up != nullptr) {
    *give_up = [address = address_, ask = std::move(ask)] {
      if (ask->replied()) return;
      internal::SendControl(
          *address.bus(), address.id(),
          internal::AskCancelled{
              .key = internal::AskKey::Of(ask.get()),
              .external = RefPtr<internal::ExternalAsk>::Share(ask.get())});
    };
  }
  return absl::OkStatus();
}

WireAsk::WireAsk(const WireTarget& target, WireView message,
                 const TellOptions& options, std::vector<std::string> askers)
    : loop_(internal::LoopOf(target.address().bus())),
      made_(Make(target, message, options.deadline)),
      asking_(MakeAsking(target.address().id(), options, std::move(askers))),
      sending_(MakeSending()) {}

AskAwaiter<WireResult> WireAsk::MakeAsking(ActorId asked,
                                           const TellOptions& options,
                                           std::vector<std::string> askers) {
  if (loop_ == nullptr) return AskAwaiter<Result>(loop_, made_.status());
  return AskAwaiter<Result>(
      loop_, asked, options.deadline, options.deadline - loop_->Now(),
      [&](uint64_t ask_id) {
        if (!made_.ok()) return made_.status();
        made_->SetAskId(ask_id);
        if (askers.empty()) {
          internal::SetTraceOf(options.trace, nullptr, made_->envelope());
        } else {
          made_->envelope().SetContext(internal::CausalContext::NewForeign(
              options.trace, std::move(askers)));
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<OutgoingMessage> WireAsk::Make(const WireTarget& target,
                                              WireView message,
                                              Instant deadline) {
  if (loop_ == nullptr) return internal::NotAnActor("WireAsk");
  const absl::StatusOr<const internal::WireMethod*> method =
      target.CheckedMethodFor(message);
  if (!method.ok()) return method.status();
  OutgoingMessage out(loop_->bus(), loop_, target.address().id());
  if (out.Parse(**method, deadline, message.bytes)) return out;
  out.Forget();
  return target.NotParsed(message);
}

SendAwaiter WireAsk::MakeSending() {
  if (!made_.ok()) return SendAwaiter(loop_, made_.status());
  if (made_->envelope().ask_id() != 0) {
    return SendAwaiter(loop_, *std::move(made_));
  }
  made_->Refuse();
  return SendAwaiter(loop_, absl::ResourceExhaustedError(
                                "this loop has as many asks under way as its "
                                "LoopOptions::max_pending_asks allows"));
}

}  // namespace trolley
