// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_receiver.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/bus/options.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {
namespace {

using link::v1::Refusal;
using wire::FrameType;
using wire::MakeWireError;
using wire::MessageView;
using wire::WireError;

// After so many messages or bytes, the actors of this loop get one turn: the
// messages are still in the caches of the processor then, and so is the memory
// that the next ones will use. kIdleTurns: after so many turns in which no
// message has left a queue, the link goes on reading.
constexpr uint64_t kMessagesPerTurn = 64;
constexpr uint64_t kBytesPerTurn = 32 << 10;
constexpr int kIdleTurns = 16;

// Of the name of a type that no actor takes, in the answer; in bytes. Leaves
// room for what is taken.
constexpr size_t kMaxTypeBytes = 128;

MessageView ViewOf(const link::v1::Message& message) {
  MessageView view;
  view.target = message.target();
  view.type = message.type();
  view.payload = message.payload();
  view.ask_id = message.ask_id();
  view.remaining_ns = message.remaining_ns();
  view.traceparent = message.traceparent();
  for (const std::string& asker : message.askers()) {
    view.askers.push_back(asker);
  }
  return view;
}

std::vector<std::string> AskersOf(const MessageView& message) {
  std::vector<std::string> askers;
  for (absl::string_view asker : message.askers) askers.emplace_back(asker);
  return askers;
}

std::unique_ptr<WireAsk> MakeAsk(const TargetQueue& queue, WireView message,
                                 const TellOptions& options,
                                 std::vector<std::string> askers) {
  return std::make_unique<WireAsk>(queue.target, message, options,
                                   std::move(askers));
}

}  // namespace

// --- Frames ----------------------------------------------------------------

Task<absl::Status> LinkReceiver::HandleFrames(Connection connection) {
  const uint64_t delivered = state_.stats.delivered;
  size_t bytes = 0;
  while (std::optional<wire::Frame> frame = connection->NextFrame()) {
    // A peer that asks for more PONGs than it reads is not read meanwhile.
    // mutant: P14_PongsPileUp
    while (frame->header.type == FrameType::kPing && connection->writable() &&
           !connection->HasRoom()) {
      co_await state_.changed.Wait();
    }
    if (connection->ended()) break;
    absl::Status handled = Handle(connection, *frame);
    if (!handled.ok()) {
      connection->End(LinkEnd::kBrokenRule, handled);
      break;
    }
    // A peer that only takes its leave has not served this link.
    state_.useful |= frame->header.type != FrameType::kError &&
                     frame->header.type != FrameType::kGoAway;
    bytes += frame->payload.size();
  }
  const uint64_t turns = std::max<uint64_t>(
      (state_.stats.delivered - delivered) / kMessagesPerTurn,
      bytes / kBytesPerTurn);
  if (state_.stats.queued > 0 || turns > 0) co_await LetActorsRun(turns);
  co_return absl::OkStatus();
}

// Called after each read, before the next one. It lets the actors of this loop
// handle the messages of the read, and lets messages that wait enter their
// mailboxes. So mailboxes and queues stay short. If an actor takes no message,
// its messages wait, and the link goes on with those of the other actors.
Task<absl::Status> LinkReceiver::LetActorsRun(uint64_t turns) {
  const ActorContext& context = state_.context();
  for (; turns > 0 && context.others_wait(); --turns) {
    co_await context.Sleep(absl::ZeroDuration());
  }
  for (int idle = 0;
       state_.stats.queued > 0 && idle < kIdleTurns && context.others_wait();
       ++idle) {
    const uint64_t delivered = state_.stats.delivered;
    co_await context.Sleep(absl::ZeroDuration());
    if (state_.stats.delivered > delivered) idle = 0;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> LinkReceiver::LetReadyAnswersOut() {
  const ActorContext& context = state_.context();
  for (int turns = 0;
       asks_.count() > 0 && turns < kIdleTurns && context.others_wait();
       ++turns) {
    co_await context.Sleep(absl::ZeroDuration());
  }
  co_return absl::OkStatus();
}

absl::Status LinkReceiver::Handle(const Connection& connection,
                                  const wire::Frame& frame) {
  switch (frame.header.type) {
    case FrameType::kData:
      return HandleData(connection, frame);
    case FrameType::kCredit: {
      absl::StatusOr<uint32_t> bytes = wire::DecodeCredit(frame.payload);
      if (!bytes.ok()) return bytes.status();
      return connection->Grant(*bytes);
    }
    case FrameType::kPing: {
      absl::StatusOr<uint64_t> token = wire::DecodePing(frame.payload);
      if (!token.ok()) return token.status();
      connection->SendPong(*token);
      return absl::OkStatus();
    }
    case FrameType::kGoAway: {
      absl::StatusOr<wire::GoAway> bye = wire::DecodeGoAway(frame.payload);
      if (!bye.ok()) return bye.status();
      connection->HearGoAway(state_.PeerName(), Printable(bye->text));
      state_.SetConnected(false);
      return absl::OkStatus();
    }
    case FrameType::kError:
      connection->HearError(LinkEnd::kPeerError, frame.payload);
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // a PONG that was not asked for
  }
}

absl::Status LinkReceiver::HandleData(const Connection& connection,
                                      const wire::Frame& frame) {
  const absl::string_view bytes(frame.payload.data(), frame.payload.size());
  {
    MessageView view;
    if (wire::ViewMessage(bytes, view)) {
      return ReceiveMessage(connection, frame.header, view);
    }
  }
  LinkPayload payload;
  if (!payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeWireError(
        WireError::kBadEnvelope,
        absl::StrCat("the ", bytes.size(), " bytes of DATA frame ",
                     frame.header.sequence,
                     " are not a trolley.link.v1.Envelope"));
  }
  switch (payload.kind_case()) {
    case LinkPayload::kMessage:
      return ReceiveMessage(connection, frame.header,
                            ViewOf(payload.message()));
    case LinkPayload::kReply:
      sender_.HearReply(*payload.mutable_reply());
      return absl::OkStatus();
    case LinkPayload::kRefusal:
      sender_.HearRefusal(payload.refusal());
      return absl::OkStatus();
    case LinkPayload::kCancel:
      HearCancel(payload.cancel().ask_id());
      return absl::OkStatus();
    case LinkPayload::kAccount:
      HearAccount();
      return absl::OkStatus();
    case LinkPayload::kAccounted:
      return sender_.HearAccounted(payload.accounted());
    default:
      return absl::OkStatus();  // of a newer version, whose sender knows
  }
}

// --- Messages --------------------------------------------------------------

absl::Status LinkReceiver::ReceiveMessage(const Connection& connection,
                                          const wire::FrameHeader& header,
                                          const MessageView& message) {
  const bool ask = message.ask_id != 0;
  if (message.remaining_ns < 0 || message.target.empty() ||
      (ask && message.remaining_ns == 0)) {
    return MakeWireError(
        WireError::kBadEnvelope,
        absl::StrCat("the message of DATA frame ", header.sequence,
                     " has no target, a negative deadline, or asks "
                     "without one"));
  }
  if (absl::Status paid = connection->Charge(header.length); !paid.ok()) {
    return paid;
  }
  ++state_.stats.received;
  if (ask && absl::StartsWith(message.type, kOwnTypes)) {
    const absl::StatusOr<bool> own = ReceiveOwn(header, message);
    if (!own.ok() || *own) return own.status();
  }
  TargetQueue* queue = nullptr;
  if (!Admit(header, message, queue)) return absl::OkStatus();
  TellOptions options;
  if (message.remaining_ns > 0) {
    options.deadline =
        state_.context().Now() + absl::Nanoseconds(message.remaining_ns);
  }
  if (!message.traceparent.empty()) {
    options.trace = TraceContext::FromTraceparent(message.traceparent)
                        .value_or(TraceContext());
  }
  if (ask) asks_.Begin();
  // No message is before it: it need not wait, unless the mailbox is full.
  std::unique_ptr<WireAsk> made;
  if (!queue->running && ask) {
    made = MakeAsk(*queue, {message.type, message.payload}, options,
                   AskersOf(message));
    if (made->sent().await_ready()) {
      const absl::Status sent = made->sent().await_resume();
      FinishDelivery(*queue, header, message.ask_id, sent);
      if (sent.ok()) asks_.AnswerLater(message.ask_id, std::move(made));
      return absl::OkStatus();
    }
  } else if (!queue->running) {
    absl::StatusOr<Delivery> told =
        queue->target.TrySend({message.type, message.payload}, options);
    if (!told.ok() || *told != Delivery::kFull) {
      FinishDelivery(*queue, header, 0,
                     told.ok() ? queue->target.Explain(*told) : told.status());
      return absl::OkStatus();
    }
  }
  QueuedMessage queued{.header = header,
                       .ask_id = message.ask_id,
                       .made = std::move(made),
                       .options = options};
  if (queued.made == nullptr) {
    queued.message.type = std::string(message.type);
    queued.message.bytes = std::string(message.payload);
    // A tell has no use for askers; a hostile peer may send many.
    // mutant: P14_ATellThatWaitsKeepsItsAskers
    if (ask) queued.askers = AskersOf(message);
  }
  ++state_.stats.queued;
  queue->waiting.push_back(std::move(queued));
  if (ask) {
    queued_asks_.try_emplace(message.ask_id,
                             QueuedAsk{queue, std::prev(queue->waiting.end())});
  }
  if (!std::exchange(queue->running, true)) {
    state_.RunInBackground(RunQueue(queue));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> LinkReceiver::ReceiveOwn(const wire::FrameHeader& header,
                                              const MessageView& message) {
  const bool watch = message.type == kWatchType;
  if (!watch && message.type != kLookupType) return false;
  if (state_.draining) {
    refusals_.Refuse(header, message.ask_id, Refusal::DRAINING,
                     "the process is shutting down");
    return true;
  }
  if (watch) {
    absl::Status received = ReceiveWatch(header, message);
    if (!received.ok()) return received;
  } else {
    ReceiveLookup(header, message);
  }
  return true;
}

void LinkReceiver::ReceiveLookup(const wire::FrameHeader& header,
                                 const MessageView& message) {
  const auto refuse = [&](Reason reason, absl::string_view detail) {
    refusals_.Refuse(header, message.ask_id, reason, detail);
  };
  link::v1::Lookup lookup;
  if (!lookup.ParseFromArray(message.payload.data(),
                             static_cast<int>(message.payload.size()))) {
    return refuse(Refusal::BAD_PAYLOAD,
                  "the bytes are not a trolley.link.v1.Lookup");
  }
  // mutant: P14_APeerMayLookForAsManyNamesAsItLikes
  if (asks_.count() >= state_.options.max_pending_asks) {
    return refuse(Refusal::FULL, TooManyAsks());
  }
  // What is no name is not kept. It may be long.
  absl::Status named = ValidateActorName(message.target);
  if (!named.ok()) return refuse(Refusal::UNKNOWN_ACTOR, named.message());
  std::string name(message.target);
  const bool wait = lookup.wait();
  if (!wait && !LookUp(name).has_value()) {
    return refuse(Refusal::UNKNOWN_ACTOR,
                  WireTarget::Find(state_.context(), name).status().message());
  }
  asks_.Begin();
  ++state_.stats.delivered;
  state_.connection->Discharge(header.length);
  asks_.AnswerWhen(
      message.ask_id, [this, name = std::move(name)] { return LookUp(name); },
      state_.context().Now() + absl::Nanoseconds(message.remaining_ns));
}

std::optional<absl::StatusOr<WireMessage>> LinkReceiver::LookUp(
    const std::string& name) const {
  if (state_.draining) {
    return absl::UnavailableError("the process is shutting down");
  }
  const absl::StatusOr<WireTarget> target =
      WireTarget::Find(state_.context(), name);
  if (!target.ok()) return std::nullopt;
  link::v1::Found found;
  for (std::string& type : target->accepts()) {
    found.add_accepts(std::move(type));
  }
  return WireMessage{.type = std::string(kFoundType),
                     .bytes = found.SerializeAsString()};
}

absl::Status LinkReceiver::ReceiveWatch(const wire::FrameHeader& header,
                                        const MessageView& message) {
  if (watches_.Has(message.ask_id)) {
    return MakeWireError(
        WireError::kBadEnvelope,
        absl::StrCat("the watch of DATA frame ", header.sequence,
                     " has the ask_id of a watch that has no answer yet"));
  }
  const auto refuse = [&](Reason reason, absl::string_view detail) {
    refusals_.Refuse(header, message.ask_id, reason, detail);
    return absl::OkStatus();
  };
  // mutant: P14_APeerMayWatchAsMuchAsItLikes
  if (watches_.count() >= state_.options.max_watches) {
    return refuse(Refusal::FULL,
                  absl::StrCat(watches_.count(),
                               " actors are watched over this connection; "
                               "there may be no more"));
  }
  const absl::StatusOr<WireTarget> target =
      WireTarget::Find(state_.context(), message.target);
  if (!target.ok()) {
    return refuse(Refusal::UNKNOWN_ACTOR, target.status().message());
  }
  watches_.Begin(message.ask_id, target->address());
  ++state_.stats.delivered;
  state_.connection->Discharge(header.length);
  return absl::OkStatus();
}

std::string LinkReceiver::TooManyAsks() const {
  return absl::StrCat(asks_.count(),
                      " asks of this connection have no answer yet; there may "
                      "be no more");
}

bool LinkReceiver::Admit(const wire::FrameHeader& header,
                         const MessageView& message, TargetQueue*& queue) {
  const auto refuse = [&](Reason reason, absl::string_view detail) {
    refusals_.Refuse(header, message.ask_id, reason, detail);
    return false;
  };
  if (state_.draining) {
    return refuse(Refusal::DRAINING, "the process is shutting down");
  }
  queue = queues_.For(state_.context(), message.target);
  if (queue == nullptr) {
    return refuse(
        Refusal::UNKNOWN_ACTOR,
        WireTarget::Find(state_.context(), message.target).status().message());
  }
  if (!queue->target.Takes(message.type)) {
    const std::vector<std::string> accepts = queue->target.accepts();
    return refuse(
        Refusal::TYPE_REJECTED,
        absl::StrCat("\"", message.target, "\" does not take ",
                     Printable(message.type, kMaxTypeBytes), "; it takes ",
                     accepts.empty() ? "nothing from other processes"
                                     : absl::StrJoin(accepts, ", ")));
  }
  if (message.ask_id == 0) return true;
  if (asks_.count() >= state_.options.max_pending_asks) {
    return refuse(Refusal::FULL, TooManyAsks());
  }
  absl::Status answerable = CheckAskers(*queue, message);
  if (answerable.ok()) return true;
  state_.connection->Discharge(header.length);
  asks_.Begin();
  asks_.FailLater(message.ask_id, std::move(answerable));
  return false;
}

absl::Status LinkReceiver::CheckAskers(const TargetQueue& queue,
                                       const MessageView& message) const {
  if (message.askers.size() > kMostAskers) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more than ", kMostAskers, " actors wait for one another"));
  }
  const std::string self =
      absl::StrCat(absl::Hex(state_.context().instance_id(), absl::kZeroPad16),
                   "/", message.target);
  const auto& askers = message.askers;
  const auto first = std::find(askers.begin(), askers.end(), self);
  if (first == askers.end() || queue.target.interleaved()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "a cycle of asks, which no actor could answer: ",
      Printable(absl::StrJoin(first, askers.end(), " -> ")), " -> ", self));
}

void LinkReceiver::FinishDelivery(TargetQueue& queue,
                                  const wire::FrameHeader& header,
                                  uint64_t ask_id, const absl::Status& sent) {
  if (sent.ok()) {
    ++state_.stats.delivered;
    if (state_.connection != nullptr) {
      // mutant: P15_ATellThatWasTakenIsNotAcknowledged
      if (ask_id == 0) ++tells_taken_;
      state_.connection->Discharge(header.length);
    }
    return;
  }
  if (ask_id != 0) asks_.Drop();
  queue.stale |= absl::IsNotFound(sent);
  refusals_.Refuse(header, ask_id, RefusalReasonOf(sent), sent.message());
}

Task<absl::Status> LinkReceiver::RunQueue(TargetQueue* queue) {
  assert(queue->running && queue->in_hand == nullptr);
  while (!queue->waiting.empty()) {
    QueuedMessage item = std::move(queue->waiting.front());
    const auto named = queued_asks_.find(item.ask_id);
    // Two asks of a peer that breaks the rule may have one id.
    if (named != queued_asks_.end() && named->second.queue == queue &&
        named->second.at == queue->waiting.begin()) {
      named->second.at = queue->waiting.end();
    }
    queue->waiting.pop_front();
    queue->in_hand = &item;
    if (item.made == nullptr) TargetQueues::Renew(state_.context(), *queue);
    absl::Status sent;
    if (item.ask_id != 0) {
      if (item.made == nullptr) {
        item.made =
            MakeAsk(*queue, item.message, item.options, std::move(item.askers));
      }
      SendAwaiter& sending = item.made->sent();
      sent = co_await sending;
    } else {
      SendAwaiter sending = queue->target.Send(item.message, item.options);
      sent = co_await sending;
    }
    queue->in_hand = nullptr;
    if (item.forgotten) continue;
    queued_asks_.erase(item.ask_id);
    FinishDelivery(*queue, item.header, item.ask_id, sent);
    if (item.ask_id != 0 && sent.ok()) {
      asks_.AnswerLater(item.ask_id, std::move(item.made));
    }
    Unqueue();
    if (state_.stats.queued == 0) state_.drained.Notify();
  }
  queue->running = false;
  co_return absl::OkStatus();
}

void LinkReceiver::HearAccount() {
  if (std::exchange(account_owed_, true)) return;
  state_.RunInBackground(SendAccounted(state_.connection));
}

Task<absl::Status> LinkReceiver::SendAccounted(Connection connection) {
  // mutant: P14_AccountsPileUp
  while (connection->writable() && !connection->HasRoom()) {
    co_await state_.changed.Wait();
  }
  if (connection != state_.connection) co_return absl::OkStatus();
  account_owed_ = false;
  if (!connection->writable()) co_return absl::OkStatus();
  LinkPayload payload;
  payload.mutable_accounted()->set_tells_taken(tells_taken_);
  connection->SendAnswer("", payload.SerializeAsString()).IgnoreError();
  co_return absl::OkStatus();
}

void LinkReceiver::HearCancel(uint64_t ask_id) {
  if (watches_.Cancel(ask_id)) return;
  const auto named = queued_asks_.find(ask_id);
  if (named == queued_asks_.end()) return asks_.Cancel(ask_id);
  const auto [queue, at] = named->second;
  queued_asks_.erase(named);
  const bool in_hand = at == queue->waiting.end();
  const uint32_t bytes =
      in_hand ? queue->in_hand->header.length : at->header.length;
  if (in_hand) {
    queue->in_hand->forgotten = true;
    queue->in_hand->made->sent().GiveUp();
  } else {
    queue->waiting.erase(at);
  }
  asks_.Drop();
  // mutant: P6_AnAskThatIsGivenUpKeepsItsPlace
  Unqueue();
  ++state_.stats.abandoned;
  state_.connection->Discharge(bytes);
  if (state_.stats.queued == 0) state_.drained.Notify();
}

// Every message in a queue came on the connection that has ended. The tells
// among them stay.
void LinkReceiver::Forget() {
  const auto forget = [this] {
    asks_.Drop();
    Unqueue();
    // mutant: P15_AnAskThatIsForgottenIsNotCounted
    ++state_.stats.abandoned;
  };
  for (auto& [name, queue] : queues_) {
    QueuedMessage* const in_hand = queue.in_hand;
    if (in_hand != nullptr && in_hand->made != nullptr && !in_hand->forgotten) {
      in_hand->forgotten = true;
      in_hand->made->sent().GiveUp();
      forget();
    }
    std::erase_if(queue.waiting, [&forget](const QueuedMessage& item) {
      if (item.ask_id == 0) return false;
      forget();
      return true;
    });
  }
  queued_asks_.clear();
  tells_taken_ = 0;
  account_owed_ = false;
  asks_.Forget();
  // mutant: P9_WhatAPeerWatchedIsWatchedOn
  watches_.Forget();
  refusals_.Forget();
}

}  // namespace trolley::internal
