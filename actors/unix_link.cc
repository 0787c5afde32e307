// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/protobuf_log.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

using wire::FrameType;

// Actors of this loop are given a turn for so many messages, or bytes, that
// came for them: while they are in the caches, and their memory for the next
// ones. So many turns without a message from a lane end that.
constexpr uint64_t kMessagesPerTurn = 64;
constexpr uint64_t kBytesPerTurn = 32 << 10;
constexpr int kIdleTurns = 16;

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
  const std::string path = Printable(path_);
  if (peer_.pid == 0) return path;  // nobody answered there so far
  return absl::StrCat(path, path.empty() ? "" : ", ", "process ", peer_.pid,
                      " of user ", peer_.uid);
}

void UnixLink::Log(absl::string_view what, LogKind kind) const {
  // A user that connects again and again is one source.
  loop().bus().Log(absl::StrCat(address().ToString(), ": ", what),
                   path_.empty() ? absl::StrCat("user ", peer_.uid) : path_,
                   kind);
}

// --- The life of the link --------------------------------------------------

void UnixLink::OnStart() {
  RouteProtobufLog();
  random_.seed(options_.jitter_seed != 0 ? options_.jitter_seed
                                         : loop().bus().instance_id());
  if (absl::Status valid = ValidateUnixLinkOptions(options_); !valid.ok()) {
    Log(valid.message());
    state_ = State::kDown;
    down_end_ = LinkEnd::kNoConnection;
    down_reason_ = valid;
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

// What senders to the Remotes of this link find from now on.
void UnixLink::SetConnected(bool connected) {
  if (std::exchange(connected_, connected) == connected) return;
  loop().bus().SetConnected(address().id(), connected);
}

Task<absl::Status> UnixLink::Live() {
  const bool dials = !path_.empty();
  for (;;) {
    state_ = State::kConnecting;
    useful_ = false;
    absl::StatusOr<ScopedFd> fd = dials ? Dial() : std::move(accepted_);
    down_end_ = LinkEnd::kNoConnection;
    down_reason_ = fd.status();
    bool was_connected = false;
    if (fd.ok()) {
      connection_ = std::make_shared<UnixConnection>(
          loop(), *std::move(fd), options_, stats_, changed_);
      const uint64_t unsent = stats_.unsent;
      co_await Converse(connection_);
      was_connected = state_ == State::kConnected;
      down_end_ = connection_->end();
      down_reason_ = connection_->reason();
      const bool lost_some = stats_.unsent > unsent;
      if (was_connected && (lost_some || down_end_ != LinkEnd::kGoAway)) {
        Log(absl::StrCat(
            "the connection to ", PeerName(), " ended: ",
            down_reason_.ok() ? "its link was stopped" : down_reason_.message(),
            "; ", stats_.unsent - unsent, " messages unsent"));
      }
    }
    if (!was_connected && failures_ == 0) {
      Log(absl::StrCat("no connection ", dials ? "to " : "from ", PeerName(),
                       ": ", down_reason_.message()));
    }
    co_await GoDown();
    if (!dials || !options_.reconnect || draining_) break;
    failures_ = useful_ ? 1 : failures_ + 1;
    co_await Sleep(NextBackoff());
    if (draining_) break;
  }
  if (!draining_) Stop();
  co_return absl::OkStatus();
}

LinkDown UnixLink::Down() {
  return {.link = Self(this),
          .end = down_end_,
          .reason = down_reason_,
          .stats = On(GetLinkStats())};
}

Task<absl::Status> UnixLink::GoDown() {
  state_ = State::kDown;
  SetConnected(false);
  if (connection_ != nullptr) FailAsks(*connection_);
  connection_.reset();
  ForgetAsksOfPeer();
  changed_.Notify();
  // What arrived is delivered before anybody hears of the end.
  while (stats_.queued > 0) co_await drained_.Wait();
  if (options_.watcher && told_ != Told::kDown) {
    auto told = options_.watcher.Send(Down());
    (co_await told).IgnoreError();
    told_ = Told::kDown;
  }
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
  SetConnected(true);  // before anybody hears of it
  if (options_.watcher) {
    LinkUp up{.link = Self(this),
              .peer_instance_id = connection->agreement().peer_instance_id,
              .peer_uid = peer_.uid,
              .peer_pid = peer_.pid};
    auto told = options_.watcher.Send(std::move(up));
    (co_await told).IgnoreError();
    told_ = Told::kUp;
  }
  if (draining_) connection->SendGoAway(kGoAwayDraining);
  state_ = State::kConnected;
  changed_.Notify();
  do {
    co_await HandleFrames(connection);
  } while (!connection->ended() && co_await connection->ReadMore());
  if (!connection->ended()) {
    co_await LetReadyAnswersOut();
    connection->EndOfInput();
  }
  co_return absl::OkStatus();
}

// Those that were read, and then whoever they were for.
Task<absl::Status> UnixLink::HandleFrames(Connection connection) {
  const uint64_t delivered = stats_.delivered;
  size_t bytes = 0;
  while (std::optional<wire::Frame> frame = connection->NextFrame()) {
    // A peer that asks for more PONGs than it reads is not read meanwhile.
    while (frame->header.type == FrameType::kPing && connection->writable() &&
           !connection->HasRoom()) {
      co_await changed_.Wait();
    }
    if (connection->ended()) break;
    absl::Status handled = Handle(connection, *frame);
    if (!handled.ok()) {
      connection->End(LinkEnd::kBrokenRule, handled);
      break;
    }
    useful_ = true;
    bytes += frame->payload.size();
  }
  const uint64_t turns = std::max<uint64_t>(
      (stats_.delivered - delivered) / kMessagesPerTurn, bytes / kBytesPerTurn);
  if (stats_.queued > 0 || turns > 0) co_await LetActorsRun(turns);
  co_return absl::OkStatus();
}

// After a read: what it brought is handled before more is read, and what waits
// for room goes before what comes next, so that mailboxes and lanes stay short.
// Only actors of this loop that work are given turns for that: one that takes
// nothing keeps nobody, its messages wait and others pass.
Task<absl::Status> UnixLink::LetActorsRun(uint64_t turns) {
  for (; turns > 0 && loop().has_work(); --turns) {
    co_await Sleep(absl::ZeroDuration());
  }
  for (int idle = 0;
       stats_.queued > 0 && idle < kIdleTurns && loop().has_work(); ++idle) {
    const uint64_t delivered = stats_.delivered;
    co_await Sleep(absl::ZeroDuration());
    if (stats_.delivered > delivered) idle = 0;
  }
  co_return absl::OkStatus();
}

// The peer says nothing more. What was asked of actors of this loop that work
// is answered; it may still read.
Task<absl::Status> UnixLink::LetReadyAnswersOut() {
  for (int turns = 0;
       asks_taken_ > 0 && turns < kIdleTurns && loop().has_work(); ++turns) {
    co_await Sleep(absl::ZeroDuration());
  }
  co_return absl::OkStatus();
}

void UnixLink::OnDrain() {
  draining_ = true;
  if (state_ == State::kConnected && !connection_->ended()) {
    connection_->SendGoAway(kGoAwayDraining);
  }
}

void UnixLink::OnStop() {
  if (connection_ != nullptr && connection_->ended()) {
    down_end_ = connection_->end();
    down_reason_ = connection_->reason();
  } else if (state_ != State::kDown) {
    down_end_ = LinkEnd::kStopped;
    down_reason_ = absl::CancelledError(
        draining_ ? "this process is shutting down" : "this link was stopped");
  }
  if (connection_ != nullptr && !connection_->ended()) {
    if (connection_->established() && !draining_) {
      connection_->SendGoAway(kGoAwayStopped);
    }
    const uint64_t unsent = stats_.unsent;
    connection_->End(down_end_, down_reason_);
    if (stats_.unsent > unsent) {
      Log(absl::StrCat("stopped with ", stats_.unsent - unsent,
                       " messages unsent to ", PeerName()));
    }
  }
  state_ = State::kDown;
  if (!options_.watcher || told_ == Told::kDown) return;
  const Delivery told = options_.watcher.Tell(Down());
  if (told != Delivery::kAccepted) {
    Log(absl::StrCat("its watcher does not hear that it ended: ",
                     DeliveryName(told)));
  }
}

}  // namespace trolley
