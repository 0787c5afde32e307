// SPDX-License-Identifier: Apache-2.0
//
// What comes in over a link: messages go to the lanes of their targets, answers
// to who asked.

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/unix_link.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/message_head.h"
#include "trolley/proto/wire_error.h"

namespace trolley {
namespace {

using link::v1::Refusal;
using wire::FrameType;
using wire::MakeWireError;
using wire::MessageView;
using wire::WireError;

// Lanes in which nothing waits, kept because the next message may be for the
// same actor; a count.
constexpr size_t kMaxIdleLanes = 1024;

// Of the name of a type that nobody takes, in the answer; in bytes. Leaves room
// for what is taken.
constexpr size_t kMaxTypeBytes = 128;

absl::Status StatusOf(const Refusal& refusal) {
  const std::string text = Printable(refusal.detail());
  switch (refusal.reason()) {
    case Refusal::FULL:
      return absl::ResourceExhaustedError(text);
    case Refusal::GONE:
    case Refusal::UNKNOWN_ACTOR:
      return absl::NotFoundError(text);
    case Refusal::DRAINING:
      return absl::UnavailableError(text);
    case Refusal::TYPE_REJECTED:
    case Refusal::BAD_PAYLOAD:
      return absl::InvalidArgumentError(text);
    case Refusal::EXPIRED:
      return absl::DeadlineExceededError(text);
    case Refusal::NOT_PERMITTED:
      return absl::PermissionDeniedError(text);
    default:
      return absl::UnknownError(
          absl::StrCat("the other process refused it for reason ",
                       static_cast<int>(refusal.reason()),
                       ", which this one does not know: ", text));
  }
}

// Why a mailbox did not take a message, for the peer.
Refusal::Reason ReasonOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Refusal::GONE;
    case absl::StatusCode::kUnavailable:
      return Refusal::DRAINING;
    case absl::StatusCode::kInvalidArgument:
      return Refusal::BAD_PAYLOAD;
    default:
      return Refusal::FULL;
  }
}

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

}  // namespace

absl::Status UnixLink::Handle(const Connection& connection,
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
      connection->HearGoAway(PeerName(), Printable(bye->text));
      SetConnected(false);
      return absl::OkStatus();
    }
    case FrameType::kError:
      connection->HearError(LinkEnd::kPeerError, frame.payload);
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // a PONG nobody asked for
  }
}

absl::Status UnixLink::HandleData(const Connection& connection,
                                  const wire::Frame& frame) {
  const absl::string_view bytes(frame.payload.data(), frame.payload.size());
  {
    MessageView view;
    if (wire::ViewMessage(bytes, view)) {
      return HandleMessage(connection, frame.header, view);
    }
  }
  Proto envelope;
  if (!envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeWireError(
        WireError::kBadEnvelope,
        absl::StrCat("the ", bytes.size(), " bytes of DATA frame ",
                     frame.header.sequence,
                     " are not a trolley.link.v1.Envelope"));
  }
  switch (envelope.kind_case()) {
    case Proto::kMessage:
      return HandleMessage(connection, frame.header,
                           ViewOf(envelope.message()));
    case Proto::kReply:
      HandleReply(*envelope.mutable_reply());
      return absl::OkStatus();
    case Proto::kRefusal:
      HandleRefusal(envelope.refusal());
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // of a newer version, whose sender knows
  }
}

// --- Messages --------------------------------------------------------------

UnixLink::Lane* UnixLink::LaneFor(absl::string_view target) {
  if (last_lane_ != nullptr && last_lane_->target.name() == target &&
      !last_lane_->stale) {
    return last_lane_;
  }
  last_lane_ = nullptr;
  const auto known = lanes_.find(target);
  if (known != lanes_.end()) {
    Lane& lane = known->second;
    if (!lane.stale || lane.running) return last_lane_ = &lane;
    lanes_.erase(known);
  }
  absl::StatusOr<WireTarget> found =
      WireTarget::Find(loop().bus_pointer(), target);
  if (!found.ok()) return nullptr;
  if (lanes_.size() >= kMaxIdleLanes) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      const auto next = std::next(lane);
      if (!lane->second.running) lanes_.erase(lane);
      lane = next;
    }
  }
  return last_lane_ = &lanes_
                           .try_emplace(std::string(target),
                                        Lane{.target = *std::move(found)})
                           .first->second;
}

absl::Status UnixLink::HandleMessage(const Connection& connection,
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
  ++stats_.received;
  Lane* lane = nullptr;
  if (!Admit(header, message, lane)) return absl::OkStatus();
  TellOptions options;
  if (message.remaining_ns > 0) {
    options.deadline = loop().Now() + absl::Nanoseconds(message.remaining_ns);
  }
  if (!message.traceparent.empty()) {
    options.trace = TraceContext::FromTraceparent(message.traceparent)
                        .value_or(TraceContext());
  }
  if (ask) ++asks_taken_;
  // Nobody is before it: it need not wait, unless the mailbox is full.
  std::unique_ptr<WireAsk> made;
  if (!lane->running && ask) {
    made = MakeAsk(*lane, {message.type, message.payload}, options,
                   AskersOf(message));
    if (made->sent().await_ready()) {
      const absl::Status sent = made->sent().await_resume();
      Conclude(*lane, header, message.ask_id, sent);
      if (sent.ok()) {
        RunInBackground(AnswerLater(message.ask_id, std::move(made)));
      }
      return absl::OkStatus();
    }
  } else if (!lane->running) {
    absl::StatusOr<Delivery> told =
        lane->target.TrySend({message.type, message.payload}, options);
    if (!told.ok() || *told != Delivery::kFull) {
      Conclude(*lane, header, 0,
               told.ok() ? lane->target.Explain(*told) : told.status());
      return absl::OkStatus();
    }
  }
  Arrived arrived{.header = header,
                  .ask_id = message.ask_id,
                  .made = std::move(made),
                  .options = options};
  if (arrived.made == nullptr) {
    arrived.message.type = std::string(message.type);
    arrived.message.bytes = std::string(message.payload);
    arrived.askers = AskersOf(message);
  }
  ++stats_.queued;
  lane->waiting.push_back(std::move(arrived));
  if (!std::exchange(lane->running, true)) RunInBackground(RunLane(lane));
  return absl::OkStatus();
}

// Whether it may go to its target's mailbox. If not, the peer is told.
bool UnixLink::Admit(const wire::FrameHeader& header,
                     const MessageView& message, Lane*& lane) {
  const auto refuse = [&](Refusal::Reason reason, absl::string_view detail) {
    Refuse(header, message.ask_id, reason, detail);
    return false;
  };
  if (draining_) {
    return refuse(Refusal::DRAINING, "the process is shutting down");
  }
  lane = LaneFor(message.target);
  if (lane == nullptr) {
    return refuse(Refusal::UNKNOWN_ACTOR,
                  loop().bus().NoSuchActor(message.target).message());
  }
  if (!lane->target.Takes(message.type)) {
    const std::vector<std::string> accepts = lane->target.accepts();
    return refuse(
        Refusal::TYPE_REJECTED,
        absl::StrCat("\"", message.target, "\" does not take ",
                     Printable(message.type, kMaxTypeBytes), "; it takes ",
                     accepts.empty() ? "nothing from other processes"
                                     : absl::StrJoin(accepts, ", ")));
  }
  if (message.ask_id == 0) return true;
  if (asks_taken_ >= options_.max_pending_asks) {
    return refuse(Refusal::FULL,
                  absl::StrCat(asks_taken_,
                               " asks of this connection have no answer yet; "
                               "there may be no more"));
  }
  absl::Status answerable = CheckAskers(*lane, message);
  if (answerable.ok()) return true;
  connection_->Discharge(header.length);
  ++asks_taken_;
  RunInBackground(FailLater(message.ask_id, std::move(answerable)));
  return false;
}

std::unique_ptr<WireAsk> UnixLink::MakeAsk(const Lane& lane, WireView message,
                                           const TellOptions& options,
                                           std::vector<std::string> askers) {
  return std::make_unique<WireAsk>(lane.target, message, options,
                                   std::move(askers));
}

// `sent`: what became of a message on its way to the mailbox.
void UnixLink::Conclude(Lane& lane, const wire::FrameHeader& header,
                        uint64_t ask_id, const absl::Status& sent) {
  if (sent.ok()) {
    ++stats_.delivered;
    if (connection_ != nullptr) connection_->Discharge(header.length);
    return;
  }
  if (ask_id != 0) --asks_taken_;
  lane.stale |= absl::IsNotFound(sent);
  Refuse(header, ask_id, ReasonOf(sent), sent.message());
}

Task<absl::Status> UnixLink::RunLane(Lane* lane) {
  while (!lane->waiting.empty()) {
    Arrived item = std::move(lane->waiting.front());
    lane->waiting.pop_front();
    lane->in_hand = &item;
    if (lane->stale && item.made == nullptr) {
      absl::StatusOr<WireTarget> found =
          WireTarget::Find(loop().bus_pointer(), lane->target.name());
      if (found.ok()) {
        lane->target = *std::move(found);
        lane->stale = false;
      }
    }
    absl::Status sent;
    if (item.ask_id != 0) {
      if (item.made == nullptr) {
        item.made =
            MakeAsk(*lane, item.message, item.options, std::move(item.askers));
      }
      Sending& place = item.made->sent();
      sent = co_await place;
    } else {
      Sending sending = lane->target.Send(item.message, item.options);
      sent = co_await sending;
    }
    lane->in_hand = nullptr;
    if (item.forgotten) continue;
    Conclude(*lane, item.header, item.ask_id, sent);
    if (item.ask_id != 0 && sent.ok()) {
      RunInBackground(AnswerLater(item.ask_id, std::move(item.made)));
    }
    if (--stats_.queued == 0) drained_.Notify();
  }
  lane->running = false;
  co_return absl::OkStatus();
}

// --- Answers ---------------------------------------------------------------

Task<absl::Status> UnixLink::AnswerLater(uint64_t ask_id,
                                         std::unique_ptr<WireAsk> ask) {
  TakenAsk taken{.ask = ask.get()};
  taken_.insert(&taken);
  absl::Cleanup done = [&] {
    taken_.erase(&taken);
    --asks_taken_;
  };
  Asking<WireAsk::Result>& reply = ask->reply();
  absl::StatusOr<WireMessage> result = co_await reply;
  if (!taken.forgotten && !connection_->HasRoom()) {
    co_await WaitForRoom(taken);
  }
  if (!taken.forgotten) AnswerNow(*connection_, ask_id, std::move(result));
  co_return absl::OkStatus();
}

// The same for an ask that goes no further.
Task<absl::Status> UnixLink::FailLater(uint64_t ask_id, absl::Status error) {
  TakenAsk taken;
  taken_.insert(&taken);
  absl::Cleanup done = [&] {
    taken_.erase(&taken);
    --asks_taken_;
  };
  co_await WaitForRoom(taken);
  if (!taken.forgotten) AnswerNow(*connection_, ask_id, std::move(error));
  co_return absl::OkStatus();
}

// A peer that reads slowly gets its answers slowly, and asks no more.
Task<absl::Status> UnixLink::WaitForRoom(const TakenAsk& taken) {
  while (!taken.forgotten && connection_->writable() &&
         !connection_->HasRoom()) {
    co_await changed_.Wait();
  }
  co_return absl::OkStatus();
}

// The connection on which they came has ended. Every message in a lane came on
// it, too; the tells among them stay.
void UnixLink::ForgetAsksOfPeer() {
  for (auto& [name, lane] : lanes_) {
    if (lane.in_hand != nullptr && lane.in_hand->made != nullptr &&
        !lane.in_hand->forgotten) {
      lane.in_hand->forgotten = true;
      lane.in_hand->made->sent().GiveUp();
      --asks_taken_;
      --stats_.queued;
      ++stats_.abandoned;
    }
    std::erase_if(lane.waiting, [this](const Arrived& item) {
      if (item.ask_id == 0) return false;
      --asks_taken_;
      --stats_.queued;
      ++stats_.abandoned;
      return true;
    });
  }
  for (TakenAsk* taken : taken_) {
    taken->forgotten = true;
    ++stats_.undelivered_replies;
    if (taken->ask == nullptr) continue;
    taken->ask->reply().GiveUp(
        absl::CancelledError("the connection of the asker has ended"));
  }
  owed_.clear();
}

absl::Status UnixLink::CheckAskers(const Lane& lane,
                                   const MessageView& message) const {
  if (message.askers.size() > Context::kMaxDepth) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more than ", Context::kMaxDepth, " actors wait for one another"));
  }
  const std::string self =
      absl::StrCat(absl::Hex(loop().bus().instance_id(), absl::kZeroPad16), "/",
                   message.target);
  const auto& askers = message.askers;
  const auto first = std::find(askers.begin(), askers.end(), self);
  if (first == askers.end() || lane.target.interleaved()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "a cycle of asks, which nobody could answer: ",
      Printable(absl::StrJoin(first, askers.end(), " -> ")), " -> ", self));
}

void UnixLink::AnswerNow(UnixConnection& connection, uint64_t ask_id,
                         absl::StatusOr<WireMessage> result) {
  if (!connection.writable()) {
    ++stats_.undelivered_replies;
    return;
  }
  absl::Status failure = result.status();
  if (result.ok()) {
    head_.clear();
    wire::AppendReplyHead(ask_id, result->type, result->bytes.size(), &head_);
    failure = connection.SendAnswer(head_, std::move(result->bytes));
    if (failure.ok()) return;
  }
  Proto envelope;
  envelope.mutable_reply()->set_ask_id(ask_id);
  link::v1::Failure& told = *envelope.mutable_reply()->mutable_failure();
  told.set_code(static_cast<int>(failure.code()));
  // Printable, because a string that is no UTF-8 would end the connection; and
  // cut to what every peer takes.
  told.set_message(Printable(failure.message()));
  connection.SendAnswer("", envelope.SerializeAsString()).IgnoreError();
}

// The message holds its credit until the refusal is in the outbox, so a peer
// that reads none of them may soon send no more.
void UnixLink::Refuse(const wire::FrameHeader& header, uint64_t ask_id,
                      Refusal::Reason reason, absl::string_view detail) {
  ++stats_.refused;
  if (connection_ == nullptr || !connection_->writable()) return;
  if (owed_.empty() && connection_->HasRoom()) {
    return SendRefusal(*connection_, header, ask_id, reason, detail);
  }
  owed_.push_back({header, ask_id, reason});
  if (owed_.size() == 1) RunInBackground(RefuseLater(connection_));
}

Task<absl::Status> UnixLink::RefuseLater(Connection connection) {
  while (connection->writable() && !owed_.empty()) {
    if (!connection->HasRoom()) {
      co_await changed_.Wait();
      continue;
    }
    const OwedRefusal owed = owed_.front();
    owed_.pop_front();
    SendRefusal(*connection, owed.header, owed.ask_id, owed.reason,
                "refused; so many were that the reason is left out");
  }
  co_return absl::OkStatus();
}

void UnixLink::SendRefusal(UnixConnection& connection,
                           const wire::FrameHeader& header, uint64_t ask_id,
                           Refusal::Reason reason, absl::string_view detail) {
  Proto envelope;
  Refusal& refusal = *envelope.mutable_refusal();
  refusal.set_sequence(header.sequence);
  refusal.set_ask_id(ask_id);
  refusal.set_reason(reason);
  refusal.set_detail(Printable(detail));
  connection.SendAnswer("", envelope.SerializeAsString()).IgnoreError();
  connection.Discharge(header.length);
}

void UnixLink::HandleReply(link::v1::Reply& reply) {
  const auto asked = asks_.find(reply.ask_id());
  if (asked == asks_.end() || asked->second->answer.has_value()) {
    ++stats_.late_replies;
    return;
  }
  PendingAsk& ask = *asked->second;
  if (reply.has_value()) {
    WireMessage value;
    value.type = std::move(*reply.mutable_value()->mutable_type());
    value.bytes = std::move(*reply.mutable_value()->mutable_payload());
    ask.answer = std::move(value);
  } else {
    const int code = reply.failure().code();
    const bool known = code >= 1 && code <= 16;
    ask.answer = absl::Status(known ? static_cast<absl::StatusCode>(code)
                                    : absl::StatusCode::kUnknown,
                              Printable(reply.failure().message()));
  }
  ask.answered.Notify();
}

void UnixLink::HandleRefusal(const Refusal& refusal) {
  ++stats_.refused_by_peer;
  if (refusal.ask_id() == 0) {
    if (std::exchange(refusal_logged_, true)) return;
    return Log(absl::StrCat(
        PeerName(), " refused a message: ", StatusOf(refusal).ToString(),
        "; further ones are counted only"));
  }
  const auto asked = asks_.find(refusal.ask_id());
  if (asked == asks_.end() || asked->second->answer.has_value()) {
    ++stats_.late_replies;
    return;
  }
  asked->second->answer = StatusOf(refusal);
  asked->second->answered.Notify();
}

}  // namespace trolley
