// SPDX-License-Identifier: Apache-2.0
//
// What goes out over a link: messages in their turn, and what becomes of the
// asks among them.

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/unix_link.h"

namespace trolley {

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

}  // namespace trolley
