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
#include "trolley/proto/wire_error.h"

namespace trolley::internal {
namespace {

// Routes whose encoded form is kept; a count.
constexpr size_t kMaxEncodedRoutes = 256;
// Tells that wait as coroutines. Others wait in the mailbox, for less.
constexpr int kMaxWaitingTells = 16;
// When so many tells of a connection are open, the peer is asked for an
// account: one frame in each direction for so many.
constexpr uint64_t kTellsForAccount = 1024;

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
  const auto refuse = [this, &outgoing](absl::Status why) {
    NotSent(outgoing);
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
  if (!SendOwed()) return false;
  const std::string traceparent = outgoing.options.trace.ToTraceparent();
  head.traceparent = traceparent;
  head_.clear();
  wire::AppendMessageHead(head, &head_);
  absl::StatusOr<bool> sent = state_.connection->TrySend(head_, outgoing.bytes);
  if (!sent.ok()) return refuse(sent.status());
  if (*sent && outgoing.ask == nullptr) {
    books_.TellSent(state_.connection->last_sequence(),
                    state_.connection->written_sequence());
    if (books_.open_tells() >= kTellsForAccount) AskForAccount();
  }
  return sent;
}

void LinkSender::NotSent(const Outgoing& outgoing) {
  ++state_.stats.not_sent;
  if (outgoing.ask == nullptr) {
    books_.Fail();
  } else {
    EndAsk(*outgoing.ask, SentBooks::Outcome::kFailed);
  }
}

Task<absl::Status> LinkSender::Transmit(Outgoing outgoing) {
  bool counted = false;  // by TryTransmit()
  // The loop may cancel the handler of a message while it waits here.
  const absl::Cleanup count = [this, &counted, &outgoing] {
    // mutant: P15_WhatIsCancelledWhileItWaitsForTheLinkIsNotCounted
    if (!counted) NotSent(outgoing);
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
  books_.Accept();
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
  books_.Accept();
  if (pending_asks() < state_.options.max_pending_asks) {
    return Await(ask, options, NewAskId(), /*watch=*/false);
  }
  ++state_.stats.not_sent;
  books_.Fail();
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
  PendingAsk& ask = *entry->second;
  if (ask.watch) --watches_;
  const bool open = ask.connection != nullptr && !ask.settled;
  EndAsk(ask, SentBooks::Outcome::kUnknown);
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
  state_.RunInBackground(SendOwedLater(state_.connection));
}

void LinkSender::Cancel(uint64_t ask_id) {
  if (state_.connection == nullptr || !state_.connection->writable()) return;
  given_up_.push_back(ask_id);
  if (!SendOwed()) owed_changed_.Notify();
}

void LinkSender::AskForAccount() {
  if (std::exchange(account_asked_, true)) return;
  account_owed_ = true;
  if (!SendOwed()) owed_changed_.Notify();
}

bool LinkSender::SendOwed() {
  LinkConnection& connection = *state_.connection;
  while (!given_up_.empty() || account_owed_) {
    // mutant: P14_CancelsPileUp
    if (!connection.writable() || !connection.HasRoom()) return false;
    LinkPayload payload;
    if (!given_up_.empty()) {
      payload.mutable_cancel()->set_ask_id(given_up_.front());
      given_up_.pop_front();
    } else {
      payload.mutable_account();
      account_owed_ = false;
    }
    connection.SendAnswer("", payload.SerializeAsString()).IgnoreError();
  }
  return true;
}

// A coroutine, because an ask may be given up when its link can begin none.
Task<absl::Status> LinkSender::SendOwedLater(LinkState::Connection connection) {
  while (connection->writable()) {
    if (given_up_.empty() && !account_owed_) {
      co_await owed_changed_.Wait();
    } else if (!SendOwed()) {
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

void LinkSender::EndAsk(PendingAsk& ask, SentBooks::Outcome outcome) {
  if (std::exchange(ask.ended, true) || ask.watch) return;
  books_.AskEnded(outcome);
}

LinkSender::PendingAsk* LinkSender::FindUnanswered(uint64_t ask_id,
                                                   SentBooks::Outcome outcome) {
  const auto asked = asks_.find(ask_id);
  if (asked != asks_.end()) {
    asked->second->settled = true;
    EndAsk(*asked->second, outcome);
    if (!asked->second->answer.has_value()) return asked->second;
  }
  ++state_.stats.late_replies;
  return nullptr;
}

void LinkSender::HearReply(link::v1::Reply& reply) {
  PendingAsk* const ask =
      FindUnanswered(reply.ask_id(), SentBooks::Outcome::kAcknowledged);
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
    books_.TellRefused();
    if (std::exchange(refusal_logged_, true)) return;
    return state_.Log(absl::StrCat(state_.PeerName(), " refused a message: ",
                                   StatusOfRefusal(refusal).ToString(),
                                   "; further ones are counted only"));
  }
  PendingAsk* const ask =
      FindUnanswered(refusal.ask_id(), SentBooks::Outcome::kFailed);
  if (ask != nullptr) ask->Answer(StatusOfRefusal(refusal));
}

absl::Status LinkSender::HearAccounted(const link::v1::Accounted& accounted) {
  if (!books_.TellsTaken(accounted.tells_taken())) {
    return wire::MakeWireError(
        wire::WireError::kBadEnvelope,
        absl::StrCat("an Accounted says that ", accounted.tells_taken(),
                     " tells were taken, which cannot be"));
  }
  account_asked_ = false;
  ++accounts_;
  accounted_.Notify();
  return absl::OkStatus();
}

Task<LinkLedger> LinkSender::ReadLedger(Instant until) {
  const LinkState::Connection connection = state_.connection;
  if (state_.phase == LinkState::Phase::kConnected && connection->writable() &&
      books_.open_tells() > 0) {
    // One that was asked for before may not count the last tells.
    const uint64_t enough = accounts_ + (account_asked_ ? 2 : 1);
    while (accounts_ < enough && connection->writable()) {
      AskForAccount();
      if (!co_await accounted_.Wait(until)) break;
    }
  }
  co_return books_.Read();
}

void LinkSender::FailAsks(const LinkConnection& connection) {
  const std::string why =
      absl::StrCat("the connection to ", state_.PeerName(), " ended",
                   connection.reason().ok()
                       ? ""
                       : absl::StrCat(": ", connection.reason().message()));
  given_up_.clear();
  account_owed_ = account_asked_ = false;
  owed_changed_.Notify();
  accounted_.Notify();
  books_.EndConnection(connection.written_sequence());
  for (auto& [id, ask] : asks_) {
    if (ask->connection != &connection) continue;
    ask->settled = true;
    EndAsk(*ask, ask->sequence <= connection.written_sequence()
                     ? SentBooks::Outcome::kUnknown
                     : SentBooks::Outcome::kFailed);
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
