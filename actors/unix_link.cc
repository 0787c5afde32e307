// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_link.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/printable.h"
#include "trolley/proto/wire_error.h"

namespace trolley {
namespace {

using link::v1::Refusal;
using wire::FrameType;
using wire::MakeWireError;
using wire::WireError;

// Of a text that goes to the peer as the reason for something.
constexpr size_t kMaxDetailBytes = 512;

// What a peer wrote, fit for a log, and not too much of it.
std::string Shown(absl::string_view text) { return Printable(text, 512); }

absl::Status StatusOf(const Refusal& refusal) {
  const std::string text = Shown(refusal.detail());
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

}  // namespace

UnixLink::UnixLink(std::string path, UnixLinkOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

UnixLink::UnixLink(ScopedFd connected, UnixCredentials peer,
                   UnixLinkOptions options, std::shared_ptr<void> place)
    : options_(std::move(options)),
      accepted_(std::move(connected)),
      peer_(peer),
      place_(std::move(place)) {}

std::string UnixLink::PeerName() const {
  if (peer_.pid == 0) return path_;  // nobody answered there so far
  return absl::StrCat(path_, path_.empty() ? "" : ", ", "process ", peer_.pid,
                      " of user ", peer_.uid);
}

void UnixLink::Log(absl::string_view what) const {
  loop().bus().Log(absl::StrCat(address().ToString(), ": ", what));
}

// --- The life of the link --------------------------------------------------

void UnixLink::OnStart() {
  random_.seed(options_.jitter_seed != 0 ? options_.jitter_seed
                                         : loop().bus().instance_id());
  if (absl::Status valid = ValidateUnixLinkOptions(options_); !valid.ok()) {
    Log(valid.message());
    return Stop();
  }
  RunInBackground(Live());
}

absl::StatusOr<ScopedFd> UnixLink::Dial() {
  Sys& sys = loop().bus().sys();
  absl::StatusOr<ScopedFd> fd = ConnectUnix(sys, path_);
  if (!fd.ok()) return fd;
  absl::StatusOr<UnixCredentials> peer = AllowedPeer(sys, fd->get(), options_);
  if (!peer.ok()) return peer.status();
  peer_ = *peer;
  return fd;
}

absl::Duration UnixLink::NextBackoff() {
  absl::Duration wait = options_.backoff_first;
  for (uint32_t i = 1; i < failures_ && wait < options_.backoff_last; ++i) {
    wait *= 2;
  }
  wait = std::min(wait, options_.backoff_last);
  std::uniform_real_distribution<double> share(0.5, 1.0);
  return wait * share(random_);
}

Task<absl::Status> UnixLink::Live() {
  const bool dials = !path_.empty();
  for (;;) {
    state_ = State::kConnecting;
    useful_ = false;
    absl::StatusOr<ScopedFd> fd = dials ? Dial() : std::move(accepted_);
    absl::Status reason = fd.status();
    bool was_up = false;
    if (fd.ok()) {
      connection_ = std::make_shared<UnixConnection>(
          loop(), *std::move(fd), options_, stats_, changed_);
      const uint64_t unsent = stats_.unsent;
      reason = co_await Converse(connection_);
      was_up = connection_->established();
      if (was_up && (!reason.ok() || stats_.unsent > unsent)) {
        Log(absl::StrCat("the connection to ", PeerName(), " ended: ",
                         reason.ok() ? "the peer closed it" : reason.message(),
                         "; ", stats_.unsent - unsent, " messages unsent"));
      }
    }
    state_ = State::kDown;
    down_reason_ = reason;
    if (connection_ != nullptr) FailAsks(*connection_);
    connection_.reset();
    changed_.Notify();
    // What arrived is delivered before anybody hears of the end.
    while (stats_.queued > 0) co_await drained_.Wait();
    if (was_up && options_.watcher) {
      LinkDown down{
          .link = Self(this), .reason = reason, .stats = On(GetLinkStats())};
      (co_await options_.watcher.Send(std::move(down))).IgnoreError();
    }
    if (!was_up && failures_ == 0) {
      Log(absl::StrCat("no connection ", dials ? "to " : "from ", PeerName(),
                       ": ", reason.message()));
    }
    if (!dials || !options_.reconnect || draining_) break;
    failures_ = useful_ ? 1 : failures_ + 1;
    co_await Sleep(NextBackoff());
    if (draining_) break;
  }
  if (!draining_) Stop();
  co_return absl::OkStatus();
}

Task<absl::Status> UnixLink::Write(Connection connection) {
  co_return co_await connection->Write();
}

Task<absl::Status> UnixLink::Converse(Connection connection) {
  RunInBackground(Write(connection));
  absl::Status shaken =
      co_await connection->Handshake(loop().bus().instance_id());
  if (!shaken.ok()) co_return shaken;
  ++stats_.connections;
  refusal_logged_ = false;
  if (options_.watcher) {
    LinkUp up{.link = Self(this),
              .peer_instance_id = connection->agreement().peer_instance_id,
              .peer_uid = peer_.uid,
              .peer_pid = peer_.pid};
    (co_await options_.watcher.Send(std::move(up))).IgnoreError();
  }
  if (draining_) connection->SendGoAway("this process is shutting down");
  state_ = State::kConnected;
  changed_.Notify();
  for (;;) {
    std::optional<wire::Frame> frame = co_await connection->NextFrame();
    if (!frame.has_value()) break;
    if (absl::Status handled = Handle(connection, *frame); !handled.ok()) {
      connection->End(handled, frame->header.type != FrameType::kError);
      break;
    }
    useful_ = true;
  }
  co_return connection->reason();
}

void UnixLink::OnDrain() {
  draining_ = true;
  if (state_ == State::kConnected && !connection_->ended()) {
    connection_->SendGoAway("this process is shutting down");
  }
}

void UnixLink::OnStop() {
  if (connection_ == nullptr || connection_->ended()) return;
  if (connection_->established() && !draining_) {
    connection_->SendGoAway("this link was stopped");
  }
  const uint64_t unsent = stats_.unsent;
  connection_->End(absl::OkStatus());
  if (stats_.unsent > unsent) {
    Log(absl::StrCat("stopped with ", stats_.unsent - unsent,
                     " messages unsent to ", PeerName()));
  }
}

// --- Out -------------------------------------------------------------------

LinkStats UnixLink::On(const GetLinkStats&) {
  LinkStats stats = stats_;
  stats.connected = state_ == State::kConnected && !connection_->ended();
  stats.pending_asks = asks_.size();
  return stats;
}

absl::Status UnixLink::NotSendable() const {
  if (state_ == State::kConnected) {
    if (!connection_->peer_drains.ok()) return connection_->peer_drains;
    return absl::UnavailableError(absl::StrCat(
        "not connected: the connection to ", PeerName(), " is ending"));
  }
  return absl::UnavailableError(absl::StrCat(
      "not connected: ", down_reason_.ok() ? "the other process closed the "
                                             "connection"
                                           : down_reason_.message()));
}

Task<absl::StatusOr<UnixLink::Connection>> UnixLink::Transmit(Outgoing outgoing,
                                                              Instant until) {
  const Turns::Turn turn = co_await turns_.Take();
  for (;;) {
    if (until <= loop().Now()) {
      ++stats_.not_sent;
      co_return absl::DeadlineExceededError(
          "the deadline passed while the message waited for the link");
    }
    if (state_ == State::kConnected && connection_->writable() &&
        connection_->peer_drains.ok()) {
      Fill(outgoing, until);
      absl::StatusOr<bool> sent = connection_->TrySend(envelope_);
      if (!sent.ok()) {
        ++stats_.not_sent;
        co_return sent.status();
      }
      if (*sent) co_return connection_;
    } else if (state_ != State::kConnecting) {
      ++stats_.not_sent;
      co_return NotSendable();
    }
    co_await changed_.Wait(until);
  }
}

void UnixLink::Fill(const Outgoing& outgoing, Instant until) {
  link::v1::Message& message = *envelope_.mutable_message();
  message.set_target(outgoing.target);
  message.set_type(outgoing.message.type);
  message.set_payload(outgoing.message.bytes);
  message.set_ask_id(outgoing.ask_id);
  message.set_traceparent(trace().ToTraceparent());
  message.set_sender(outgoing.sender);
  // What is left of the last nanosecond still counts as time.
  message.set_remaining_ns(
      until.is_infinite()
          ? 0
          : std::max<int64_t>(absl::ToInt64Nanoseconds(until - loop().Now()),
                              1));
  message.clear_askers();
  if (outgoing.askers == nullptr) return;
  for (const std::string& asker : *outgoing.askers) message.add_askers(asker);
}

// Whether `target` could name an actor at all; what is no name may be no UTF-8.
absl::Status UnixLink::CheckTarget(const std::string& target) {
  absl::Status named = Names::Check(target);
  if (!named.ok()) ++stats_.not_sent;
  return named;
}

Task<absl::Status> UnixLink::On(const LinkTell& tell) {
  absl::Status named = CheckTarget(tell.target);
  if (!named.ok()) co_return named;
  const Outgoing outgoing{
      .target = tell.target, .message = tell.message, .sender = tell.sender};
  const Instant until = std::min(tell.deadline, deadline());
  absl::StatusOr<Connection> sent = co_await Transmit(outgoing, until);
  co_return sent.status();
}

Task<absl::StatusOr<WireMessage>> UnixLink::On(const LinkAsk& ask) {
  absl::Status named = CheckTarget(ask.target);
  if (!named.ok()) co_return named;
  if (asks_.size() >= options_.max_pending_asks) {
    ++stats_.not_sent;
    co_return absl::ResourceExhaustedError(absl::StrCat(
        asks_.size(), " asks to ", PeerName(),
        " have no answer yet; UnixLinkOptions::max_pending_asks allows no "
        "more"));
  }
  const Instant until = deadline();
  const uint64_t id = ++next_ask_id_;
  PendingAsk pending;
  asks_[id] = &pending;
  absl::Cleanup forget = [this, id] { asks_.erase(id); };

  const Outgoing outgoing{.target = ask.target,
                          .message = ask.message,
                          .sender = ask.sender,
                          .ask_id = id,
                          .askers = &ask.askers};
  absl::StatusOr<Connection> sent = co_await Transmit(outgoing, until);
  if (!sent.ok()) co_return sent.status();
  pending.connection = sent->get();
  pending.sequence = (*sent)->last_sequence();
  sent = Connection();
  while (!pending.answer.has_value()) {
    const bool answered = co_await pending.answered.Wait(until);
    if (!answered) {
      co_return absl::DeadlineExceededError(
          absl::StrCat(PeerName(), " did not answer in time"));
    }
  }
  co_return *std::move(pending.answer);
}

void UnixLink::FailAsks(const UnixConnection& connection) {
  const std::string why =
      absl::StrCat("the connection to ", PeerName(), " ended",
                   connection.reason().ok()
                       ? ""
                       : absl::StrCat(": ", connection.reason().message()));
  for (auto& [id, ask] : asks_) {
    if (ask->connection != &connection || ask->answer.has_value()) continue;
    const bool written = ask->sequence <= connection.written_sequence();
    if (written) ++stats_.fate_unknown;
    ask->answer = absl::UnavailableError(absl::StrCat(
        why, written ? "; the question had left, whether it was handled is "
                       "unknown"
                     : "; the question had not left"));
    ask->answered.Notify();
  }
}

// --- In --------------------------------------------------------------------

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
      connection->peer_drains = absl::UnavailableError(
          absl::StrCat(PeerName(), " takes no more messages: ", bye->text));
      changed_.Notify();
      return absl::OkStatus();
    }
    case FrameType::kError:
      return wire::DecodeError(frame.payload);
    default:
      return absl::OkStatus();  // a PONG nobody asked for
  }
}

absl::Status UnixLink::HandleData(const Connection& connection,
                                  const wire::Frame& frame) {
  Proto envelope;
  if (!envelope.ParseFromArray(frame.payload.data(),
                               static_cast<int>(frame.payload.size()))) {
    return MakeWireError(
        WireError::kBadEnvelope,
        absl::StrCat("the ", frame.payload.size(), " bytes of DATA frame ",
                     frame.header.sequence,
                     " are not a trolley.link.v1.Envelope"));
  }
  switch (envelope.kind_case()) {
    case Proto::kMessage: {
      link::v1::Message& message = *envelope.mutable_message();
      if (message.remaining_ns() < 0 || message.target().empty() ||
          (message.ask_id() != 0 && message.remaining_ns() == 0)) {
        return MakeWireError(
            WireError::kBadEnvelope,
            absl::StrCat("the message of DATA frame ", frame.header.sequence,
                         " has no target, a negative deadline, or asks "
                         "without one"));
      }
      if (absl::Status paid = connection->Charge(frame.header.length);
          !paid.ok()) {
        return paid;
      }
      HandleMessage(connection, frame.header, std::move(message));
      return absl::OkStatus();
    }
    case Proto::kReply:
      HandleReply(std::move(*envelope.mutable_reply()));
      return absl::OkStatus();
    case Proto::kRefusal:
      HandleRefusal(envelope.refusal());
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // of a newer version, whose sender knows
  }
}

UnixLink::Lane* UnixLink::LaneFor(const std::string& target) {
  const auto known = lanes_.find(target);
  if (known != lanes_.end()) {
    Lane& lane = known->second;
    if (!lane.stale || lane.running) return &lane;
    lanes_.erase(known);
  }
  absl::StatusOr<WireTarget> found =
      WireTarget::Find(loop().bus_pointer(), target);
  if (!found.ok()) return nullptr;
  return &lanes_.try_emplace(target, Lane{.target = *std::move(found)})
              .first->second;
}

void UnixLink::HandleMessage(const Connection& connection,
                             const wire::FrameHeader& header,
                             link::v1::Message message) {
  ++stats_.received;
  const auto refuse = [&](Refusal::Reason reason, absl::string_view detail) {
    Refuse(*connection, header.sequence, message.ask_id(), reason, detail);
    connection->Discharge(header.length);
  };
  if (draining_) {
    return refuse(Refusal::DRAINING, "the process is shutting down");
  }
  Lane* lane = LaneFor(message.target());
  if (lane == nullptr) {
    return refuse(Refusal::UNKNOWN_ACTOR,
                  absl::StrCat("no actor named \"", Shown(message.target()),
                               "\" is running"));
  }
  if (!lane->target.Takes(message.type())) {
    const std::vector<std::string> accepts = lane->target.accepts();
    return refuse(Refusal::TYPE_REJECTED,
                  absl::StrCat("\"", message.target(), "\" does not take ",
                               Shown(message.type()), "; it takes ",
                               accepts.empty() ? "nothing from other processes"
                                               : absl::StrJoin(accepts, ", ")));
  }
  const bool ask = message.ask_id() != 0;
  if (ask && asks_taken_ >= options_.max_pending_asks) {
    return refuse(Refusal::FULL,
                  absl::StrCat(asks_taken_,
                               " asks of this connection have no answer yet; "
                               "there may be no more"));
  }
  if (ask) {
    const absl::Status answerable = CheckAskers(*lane, message);
    if (!answerable.ok()) {
      AnswerNow(*connection, message.ask_id(), answerable);
      connection->Discharge(header.length);
      return;
    }
  }
  Arrived arrived{.connection = connection,
                  .sequence = header.sequence,
                  .payload_bytes = header.length,
                  .deadline = Instant::Infinite()};
  if (message.remaining_ns() > 0) {
    arrived.deadline = loop().Now() + absl::Nanoseconds(message.remaining_ns());
  }
  arrived.message = std::move(message);
  if (ask) ++asks_taken_;
  ++stats_.queued;
  lane->waiting.push_back(std::move(arrived));
  if (lane->running) return;
  lane->running = true;
  RunInBackground(RunLane(lane));
}

Task<absl::Status> UnixLink::RunLane(Lane* lane) {
  while (!lane->waiting.empty()) {
    Arrived item = std::move(lane->waiting.front());
    lane->waiting.pop_front();
    if (lane->stale) {
      absl::StatusOr<WireTarget> found =
          WireTarget::Find(loop().bus_pointer(), item.message.target());
      if (found.ok()) {
        lane->target = *std::move(found);
        lane->stale = false;
      }
    }
    const uint64_t ask_id = item.message.ask_id();
    TellOptions options;
    options.deadline = item.deadline;
    if (!item.message.traceparent().empty()) {
      options.trace = TraceContext::FromTraceparent(item.message.traceparent())
                          .value_or(TraceContext());
    }
    WireMessage message;
    message.type = std::move(*item.message.mutable_type());
    message.bytes = std::move(*item.message.mutable_payload());
    absl::Status sent;
    if (ask_id != 0) {
      std::vector<std::string> askers(item.message.askers().begin(),
                                      item.message.askers().end());
      auto ask = std::make_unique<WireAsk>(lane->target, message, options,
                                           std::move(askers));
      Sending& place = ask->sent();
      sent = co_await place;
      if (sent.ok()) {
        RunInBackground(AnswerLater(item.connection, ask_id, std::move(ask)));
      } else {
        --asks_taken_;
      }
    } else {
      Sending sending = lane->target.Send(message, options);
      sent = co_await sending;
    }
    if (sent.ok()) {
      ++stats_.delivered;
    } else {
      lane->stale |= absl::IsNotFound(sent);
      Refuse(*item.connection, item.sequence, ask_id, ReasonOf(sent),
             sent.message());
    }
    item.connection->Discharge(item.payload_bytes);
    if (--stats_.queued == 0) drained_.Notify();
  }
  lane->running = false;
  co_return absl::OkStatus();
}

Task<absl::Status> UnixLink::AnswerLater(Connection connection, uint64_t ask_id,
                                         std::unique_ptr<WireAsk> ask) {
  Asking<WireAsk::Result>& reply = ask->reply();
  absl::StatusOr<WireMessage> result = co_await reply;
  // A peer that reads slowly gets its answers slowly, and asks no more.
  while (connection->writable() && !connection->HasRoom()) {
    co_await changed_.Wait();
  }
  --asks_taken_;
  AnswerNow(*connection, ask_id, std::move(result));
  co_return absl::OkStatus();
}

absl::Status UnixLink::CheckAskers(const Lane& lane,
                                   const link::v1::Message& message) const {
  if (message.askers_size() > Context::kMaxDepth) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more than ", Context::kMaxDepth, " actors wait for one another"));
  }
  const std::string self =
      absl::StrCat(absl::Hex(loop().bus().instance_id(), absl::kZeroPad16), "/",
                   message.target());
  const auto& askers = message.askers();
  const auto first = std::find(askers.begin(), askers.end(), self);
  if (first == askers.end() || lane.target.interleaved()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "a cycle of asks, which nobody could answer: ",
      Shown(absl::StrJoin(first, askers.end(), " -> ")), " -> ", self));
}

void UnixLink::AnswerNow(UnixConnection& connection, uint64_t ask_id,
                         absl::StatusOr<WireMessage> result) {
  if (!connection.writable()) {
    ++stats_.undelivered_replies;
    return;
  }
  Proto envelope;
  link::v1::Reply& reply = *envelope.mutable_reply();
  reply.set_ask_id(ask_id);
  absl::Status failure = result.status();
  if (result.ok()) {
    reply.mutable_value()->set_type(result->type);
    reply.mutable_value()->set_payload(std::move(result->bytes));
    failure = connection.SendAnswer(envelope);
    if (failure.ok()) return;
  }
  reply.mutable_failure()->set_code(static_cast<int>(failure.code()));
  // Printable, because a string that is no UTF-8 would end the connection.
  reply.mutable_failure()->set_message(Printable(failure.message()));
  if (connection.SendAnswer(envelope).ok()) return;
  // The reason in full may be too long for the peer, too; its head is not.
  reply.mutable_failure()->set_message(
      Printable(failure.message(), kMaxDetailBytes));
  connection.SendAnswer(envelope).IgnoreError();
}

void UnixLink::Refuse(UnixConnection& connection, uint64_t sequence,
                      uint64_t ask_id, Refusal::Reason reason,
                      absl::string_view detail) {
  ++stats_.refused;
  if (!connection.writable()) return;
  Proto envelope;
  Refusal& refusal = *envelope.mutable_refusal();
  refusal.set_sequence(sequence);
  refusal.set_ask_id(ask_id);
  refusal.set_reason(reason);
  refusal.set_detail(Printable(detail, kMaxDetailBytes));
  connection.SendAnswer(envelope).IgnoreError();
}

void UnixLink::HandleReply(link::v1::Reply reply) {
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
                              reply.failure().message());
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
