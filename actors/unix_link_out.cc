// SPDX-License-Identifier: Apache-2.0
//
// What goes out over a link: messages in their turn, and what becomes of the
// asks among them.

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/unix_link.h"
#include "trolley/proto/message_head.h"

namespace trolley {
namespace {

// Routes whose encoded form is kept; a count.
constexpr size_t kMaxRoutes = 256;
// Tells that wait as coroutines. Others wait in the mailbox, for less.
constexpr int kMaxWaitingTells = 16;

}  // namespace

LinkStats UnixLink::On(const GetLinkStats&) {
  LinkStats stats = stats_;
  stats.connected = state_ == State::kConnected && !connection_->ended();
  if (stats.connected) stats.unwritten_bytes = connection_->unwritten();
  stats.pending_asks = asks_.size();
  stats.targets = lanes_.size();
  return stats;
}

absl::Status UnixLink::NotSendable() {
  SetConnected(false);
  if (state_ == State::kConnected) {
    if (!connection_->peer_drains().ok()) return connection_->peer_drains();
    return absl::UnavailableError(absl::StrCat(
        "not connected: the connection to ", PeerName(), " is ending"));
  }
  return absl::UnavailableError(absl::StrCat(
      "not connected: ", down_reason_.ok() ? "the link of the other process "
                                             "was stopped"
                                           : down_reason_.message()));
}

const UnixLink::Route& UnixLink::RouteOf(const LinkRoute::Ptr& route) {
  if (last_route_ != nullptr && last_route_->of == route) return *last_route_;
  if (routes_.size() >= kMaxRoutes) routes_.clear();
  auto [entry, is_new] = routes_.try_emplace(route.get());
  last_route_ = &entry->second;
  if (is_new) {
    last_route_->of = route;
    // Whether it could name an actor at all; what is no name may be no UTF-8.
    last_route_->named = Names::Check(route->target);
    last_route_->fields =
        wire::EncodeRoute(route->target, route->type, route->sender);
  }
  return *last_route_;
}

// False: it has to wait for the connection, for credit or for room.
absl::StatusOr<bool> UnixLink::TryTransmit(const Outgoing& outgoing) {
  const auto refuse = [this](absl::Status why) {
    ++stats_.not_sent;
    return why;
  };
  const Route& route = RouteOf(outgoing.route);
  if (!route.named.ok()) return refuse(route.named);
  wire::MessageHead head{.route = route.fields,
                         .ask_id = outgoing.ask_id,
                         .askers = outgoing.askers,
                         .payload_bytes = outgoing.bytes.size()};
  if (!outgoing.until.is_infinite()) {
    const absl::Duration left = outgoing.until - loop().Now();
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
  if (state_ == State::kConnecting) return false;
  if (state_ != State::kConnected || !connection_->writable() ||
      !connection_->peer_drains().ok()) {
    return refuse(NotSendable());
  }
  std::string traceparent;
  if (loop().turn().envelope->context) traceparent = trace().ToTraceparent();
  head.traceparent = traceparent;
  head_.clear();
  wire::AppendMessageHead(head, &head_);
  absl::StatusOr<bool> sent = connection_->TrySend(head_, outgoing.bytes);
  if (!sent.ok()) return refuse(sent.status());
  return sent;
}

Task<absl::Status> UnixLink::Transmit(Outgoing outgoing) {
  const Turns::Turn turn = co_await turns_.Take();
  for (;;) {
    absl::StatusOr<bool> sent = TryTransmit(outgoing);
    if (!sent.ok()) co_return sent.status();
    if (*sent) co_return absl::OkStatus();
    co_await changed_.Wait(outgoing.until);
  }
}

MaybeTask<absl::Status> UnixLink::On(LinkTell&& tell) {
  const Outgoing outgoing{.route = tell.route,
                          .bytes = tell.bytes,
                          .until = std::min(tell.deadline, deadline())};
  if (turns_.idle()) {
    absl::StatusOr<bool> sent = TryTransmit(outgoing);
    if (!sent.ok()) return sent.status();
    if (*sent) return absl::OkStatus();
  }
  return TellLater(outgoing);
}

Task<absl::Status> UnixLink::TellLater(Outgoing outgoing) {
  // A few wait here, so that a link which stands still answers GetLinkStats.
  if (++waiting_tells_ > kMaxWaitingTells) HoldMailbox();
  absl::Cleanup done = [this] { --waiting_tells_; };
  co_return co_await Transmit(outgoing);
}

Task<absl::StatusOr<WireMessage>> UnixLink::On(LinkAsk&& ask) {
  if (asks_.size() >= options_.max_pending_asks) {
    ++stats_.not_sent;
    co_return absl::ResourceExhaustedError(absl::StrCat(
        asks_.size(), " asks to ", PeerName(),
        " have no answer yet; UnixLinkOptions::max_pending_asks allows no "
        "more"));
  }
  const Instant until = deadline();
  const absl::Duration within = until - loop().Now();
  const uint64_t id = ++next_ask_id_;
  PendingAsk pending;
  asks_[id] = &pending;
  absl::Cleanup forget = [this, id] { asks_.erase(id); };

  const Outgoing outgoing{.route = ask.route,
                          .bytes = ask.bytes,
                          .until = until,
                          .ask_id = id,
                          .askers = &ask.askers};
  absl::StatusOr<bool> sent = false;
  if (turns_.idle()) sent = TryTransmit(outgoing);
  if (!sent.ok()) co_return sent.status();
  if (!*sent) {
    absl::Status waited = co_await Transmit(outgoing);
    if (!waited.ok()) co_return waited;
  }
  pending.connection = connection_.get();
  pending.sequence = connection_->last_sequence();
  while (!pending.answer.has_value()) {
    const bool answered = co_await pending.answered.Wait(until);
    if (!answered) {
      co_return absl::DeadlineExceededError(absl::StrCat(
          "\"", ask.route->target, "\" of ", PeerName(),
          " did not reply within ",
          absl::FormatDuration(absl::Trunc(within, absl::Microseconds(1)))));
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

}  // namespace trolley
