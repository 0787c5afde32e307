// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_sender.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/actors/link/internal/refusals.h"
#include "trolley/bus/options.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/message_head.h"

namespace trolley::internal {
namespace {

// Routes whose encoded form is kept; a count.
constexpr size_t kMaxEncodedRoutes = 256;
// Tells that wait as coroutines. Others wait in the mailbox, for less.
constexpr int kMaxWaitingTells = 16;

}  // namespace

absl::Status LinkSender::NotSendable() {
  state_.SetConnected(false);
  if (state_.phase == LinkState::Phase::kConnected) {
    const absl::Status& drains = state_.connection->peer_drains();
    if (!drains.ok()) return drains;
    return absl::UnavailableError(absl::StrCat(
        "not connected: the connection to ", state_.PeerName(), " is ending"));
  }
  // mutant: P13_TheAskerIsNotToldWhy
  return absl::UnavailableError(absl::StrCat(
      "not connected: ", state_.down_reason.ok()
                             ? "the link of the other process was stopped"
                             : state_.down_reason.message()));
}

const LinkSender::EncodedRoute& LinkSender::Encode(
    const LinkRoute::Ptr& route) {
  if (last_route_ != nullptr && last_route_->of == route) return *last_route_;
  if (routes_.size() >= kMaxEncodedRoutes) routes_.clear();
  auto [entry, is_new] = routes_.try_emplace(route.get());
  last_route_ = &entry->second;
  if (is_new) {
    last_route_->of = route;
    // Whether it could name an actor at all; what is no name may be no UTF-8.
    last_route_->named = ValidateActorName(route->target);
    last_route_->fields =
        wire::EncodeRoute(route->target, route->type, route->sender);
  }
  return *last_route_;
}

// False: it has to wait for the connection, for credit or for room.
absl::StatusOr<bool> LinkSender::TryTransmit(const Outgoing& outgoing) {
  const auto refuse = [this](absl::Status why) {
    ++state_.stats.not_sent;
    return why;
  };
  if (outgoing.ask != nullptr && outgoing.ask->answer.has_value()) {
    return refuse(outgoing.ask->answer->status());  // it was given up
  }
  const EncodedRoute& route = Encode(outgoing.route);
  if (!route.named.ok()) return refuse(route.named);
  wire::MessageHead head{.route = route.fields,
                         .ask_id = outgoing.ask_id,
                         .askers = outgoing.askers,
                         .payload_bytes = outgoing.bytes.size()};
  if (!outgoing.options.deadline.is_infinite()) {
    const absl::Duration left =
        outgoing.options.deadline - state_.context().Now();
    if (left <= absl::ZeroDuration()) {
      return refuse(absl::DeadlineExceededError(
          absl::StrCat("the deadline passed while a message to \"",
                       outgoing.route->target, "\" waited for the link")));
    }
    // What is left of the last nanosecond still counts as time.
    head.remaining_ns = std::max<int64_t>(absl::ToInt64Nanoseconds(left), 1);
  } else if (outgoing.ask_id != 0) {
    head.remaining_ns = std::numeric_limits<int64_t>::max();  // link.proto
  }
  if (state_.phase == LinkState::Phase::kConnecting) return false;
  if (state_.phase != LinkState::Phase::kConnected ||
      !state_.connection->writable() ||
      !state_.connection->peer_drains().ok()) {
    return refuse(NotSendable());
  }
  if (!SendCancels()) return false;
  const std::string traceparent = outgoing.options.trace.ToTraceparent();
  head.traceparent = traceparent;
  head_.clear();
  wire::AppendMessageHead(head, &head_);
  absl::StatusOr<bool> sent = state_.connection->TrySend(head_, outgoing.bytes);
  if (!sent.ok()) return refuse(sent.status());
  return sent;
}

Task<absl::Status> LinkSender::Transmit(Outgoing outgoing) {
  bool counted = false;  // by TryTransmit()
  // The loop may cancel the handler of a message while it waits here.
  const absl::Cleanup count = [this, &counted] {
    // mutant: P15_WhatIsCancelledWhileItWaitsForTheLinkIsNotCounted
    if (!counted) ++state_.stats.not_sent;
  };
  const AsyncMutex::Lock lock = co_await sending_.Acquire();
  for (;;) {
    absl::StatusOr<bool> sent = TryTransmit(outgoing);
    counted = !sent.ok() || *sent;
    if (counted) co_return sent.status();
    co_await state_.changed.Wait(outgoing.options.deadline);
  }
}

MaybeTask<absl::Status> LinkSender::Tell(LinkTell& tell,
                                         const TellOptions& options) {
  const Outgoing outgoing{
      .route = tell.route, .bytes = tell.bytes, .options = options};
  if (sending_.idle()) {
    absl::StatusOr<bool> sent = TryTransmit(outgoing);
    if (!sent.ok()) return sent.status();
    if (*sent) return absl::OkStatus();
  }
  return TellLater(outgoing);
}

Task<absl::Status> LinkSender::TellLater(Outgoing outgoing) {
  // A few wait here, so that a link which stands still answers GetLinkStats.
  if (++waiting_tells_ > kMaxWaitingTells) state_.HoldMailbox();
  absl::Cleanup done = [this] {
    assert(waiting_tells_ > 0);
    --waiting_tells_;
  };
  co_return co_await Transmit(outgoing);
}

Task<absl::StatusOr<WireMessage>> LinkSender::Ask(LinkAsk& ask,
                                                  const TellOptions& options) {
  if (pending_asks() < state_.options.max_pending_asks) {
    return Await(ask, options, NewAskId(), /*watch=*/false);
  }
  ++state_.stats.not_sent;
  return Refuse(absl::ResourceExhaustedError(absl::StrCat(
      pending_asks(), " asks to ", state_.PeerName(),
      " have no answer yet; LinkOptions::max_pending_asks allows no more")));
}

Task<absl::StatusOr<WireMessage>> LinkSender::Refuse(absl::Status why) {
  co_return why;
}

Task<absl::StatusOr<WireMessage>> LinkSender::Await(LinkAsk& ask,
                                                    TellOptions options,
                                                    uint64_t id, bool watch) {
  const Instant until = options.deadline;
  const absl::Duration within = until - state_.context().Now();
  PendingAsk pending;
  pending.watch = watch;
  watches_ += watch ? 1 : 0;
  asks_[id] = &pending;
  const absl::Cleanup forget = [this, id] { Forget(id); };

  const Outgoing outgoing{.route = ask.route,
                          .bytes = ask.bytes,
                          .options = options,
                          .ask_id = id,
                          .askers = &ask.askers,
                          .ask = &pending};
  absl::StatusOr<bool> sent = false;
  if (sending_.idle()) sent = TryTransmit(outgoing);
  if (!sent.ok()) co_return sent.status();
  if (!*sent) {
    absl::Status waited = co_await Transmit(outgoing);
    if (!waited.ok()) co_return waited;
  }
  pending.connection = state_.connection.get();
  pending.sequence = state_.connection->last_sequence();
  while (!pending.answer.has_value()) {
    const bool answered = co_await pending.answered.Wait(until);
    if (!answered) {
      pending.settled = true;  // the peer has the deadline, too
      co_return absl::DeadlineExceededError(absl::StrCat(
          "\"", ask.route->target, "\" of ", state_.PeerName(),
          " did not reply within ",
          absl::FormatDuration(absl::Trunc(within, absl::Microseconds(1)))));
    }
  }
  co_return *std::move(pending.answer);
}

void LinkSender::Forget(uint64_t id) {
  const auto entry = asks_.find(id);
  const PendingAsk& ask = *entry->second;
  if (ask.watch) --watches_;
  const bool open = ask.connection != nullptr && !ask.settled;
  asks_.erase(entry);
  // mutant: P9_ARemoteWatchThatIsForgottenStays
  if (open) Cancel(id);
}

void LinkSender::GiveUp(uint64_t id) {
  const auto ask = asks_.find(id);
  if (ask == asks_.end() || ask->second->answer.has_value()) return;
  ask->second->Answer(absl::CancelledError("the asker gave up"));
  if (ask->second->connection == nullptr) state_.changed.Notify();
}

// --- What is given up ------------------------------------------------------

void LinkSender::BeginConnection() {
  refusal_logged_ = false;
  state_.RunInBackground(SendOwedCancels(state_.connection));
}

void LinkSender::Cancel(uint64_t ask_id) {
  if (state_.connection == nullptr || !state_.connection->writable()) return;
  given_up_.push_back(ask_id);
  if (!SendCancels()) given_up_changed_.Notify();
}

bool LinkSender::SendCancels() {
  LinkConnection& connection = *state_.connection;
  while (!given_up_.empty()) {
    // mutant: P14_CancelsPileUp
    if (!connection.writable() || !connection.HasRoom()) return false;
    LinkPayload payload;
    payload.mutable_cancel()->set_ask_id(given_up_.front());
    given_up_.pop_front();
    connection.SendAnswer("", payload.SerializeAsString()).IgnoreError();
  }
  return true;
}

// A coroutine, because an ask may be given up when its link can begin none.
Task<absl::Status> LinkSender::SendOwedCancels(
    LinkState::Connection connection) {
  while (connection->writable()) {
    if (given_up_.empty()) {
      co_await given_up_changed_.Wait();
    } else if (!SendCancels()) {
      co_await state_.changed.Wait();
    }
  }
  co_return absl::OkStatus();
}

// --- Answers ---------------------------------------------------------------

void LinkSender::PendingAsk::Answer(absl::StatusOr<WireMessage> with) {
  assert(!answer.has_value());
  answer = std::move(with);
  answered.Notify();
}

LinkSender::PendingAsk* LinkSender::FindUnanswered(uint64_t ask_id) {
  const auto asked = asks_.find(ask_id);
  if (asked != asks_.end()) {
    asked->second->settled = true;
    if (!asked->second->answer.has_value()) return asked->second;
  }
  ++state_.stats.late_replies;
  return nullptr;
}

void LinkSender::HearReply(link::v1::Reply& reply) {
  PendingAsk* const ask = FindUnanswered(reply.ask_id());
  if (ask == nullptr) return;
  if (reply.has_value()) {
    WireMessage value;
    value.type = std::move(*reply.mutable_value()->mutable_type());
    value.bytes = std::move(*reply.mutable_value()->mutable_payload());
    return ask->Answer(std::move(value));
  }
  const int code = reply.failure().code();
  const bool known = code >= 1 && code <= 16;
  // mutant: P14_TheTextOfAFailureIsTakenAsItIs
  ask->Answer(absl::Status(
      known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
      Printable(reply.failure().message())));
}

void LinkSender::HearRefusal(const link::v1::Refusal& refusal) {
  ++state_.stats.refused_by_peer;
  if (refusal.ask_id() == 0) {
    if (std::exchange(refusal_logged_, true)) return;
    return state_.Log(absl::StrCat(state_.PeerName(), " refused a message: ",
                                   StatusOfRefusal(refusal).ToString(),
                                   "; further ones are counted only"));
  }
  PendingAsk* const ask = FindUnanswered(refusal.ask_id());
  if (ask != nullptr) ask->Answer(StatusOfRefusal(refusal));
}

void LinkSender::FailAsks(const LinkConnection& connection) {
  const std::string why =
      absl::StrCat("the connection to ", state_.PeerName(), " ended",
                   connection.reason().ok()
                       ? ""
                       : absl::StrCat(": ", connection.reason().message()));
  given_up_.clear();
  given_up_changed_.Notify();
  for (auto& [id, ask] : asks_) {
    if (ask->connection != &connection) continue;
    ask->settled = true;
    if (ask->answer.has_value()) continue;
    // mutant: P15_AQuestionThatLeftIsSaidNotToHave
    const bool written = ask->sequence <= connection.written_sequence();
    // mutant: P15_AQuestionThatStayedIsSaidToHaveLeft
    if (written && !ask->watch) ++state_.stats.fate_unknown;
    ask->Answer(absl::UnavailableError(absl::StrCat(
        why, ask->watch ? ""
             : written  ? "; the question had left, whether it was handled is "
                          "unknown"
                        : "; the question had not left")));
  }
}

}  // namespace trolley::internal
