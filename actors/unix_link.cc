// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

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
      auto told = options_.watcher.Send(LinkDown{
          .link = Self(this), .reason = reason, .stats = On(GetLinkStats())});
      (co_await told).IgnoreError();
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
    auto told = options_.watcher.Send(
        LinkUp{.link = Self(this),
               .peer_instance_id = connection->agreement().peer_instance_id,
               .peer_uid = peer_.uid,
               .peer_pid = peer_.pid});
    (co_await told).IgnoreError();
  }
  if (draining_) connection->SendGoAway("this process is shutting down");
  state_ = State::kConnected;
  changed_.Notify();
  do {
    const uint64_t delivered = stats_.delivered;
    size_t bytes = 0;
    while (std::optional<wire::Frame> frame = connection->NextFrame()) {
      absl::Status handled = Handle(connection, *frame);
      if (!handled.ok()) {
        connection->End(handled, frame->header.type != FrameType::kError);
        break;
      }
      useful_ = true;
      bytes += frame->payload.size();
    }
    const uint64_t turns =
        std::max<uint64_t>((stats_.delivered - delivered) / kMessagesPerTurn,
                           bytes / kBytesPerTurn);
    if (stats_.queued > 0 || turns > 0) co_await LetActorsRun(turns);
  } while (!connection->ended() && co_await connection->ReadMore());
  co_return connection->reason();
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

}  // namespace trolley
