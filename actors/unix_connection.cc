// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_connection.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/sleep.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/wire_error.h"

namespace trolley {
namespace {

using wire::MakeWireError;
using wire::WireError;

// In one system call: more gains nothing, and others wait meanwhile.
constexpr size_t kMaxWriteBytes = 256 * 1024;
constexpr size_t kMaxWriteParts = 16;

// While others of this loop have something to do, writing waits for so many
// bytes, but no more than so many turns.
constexpr size_t kGatherBytes = 32 * 1024;
constexpr int kMostTurns = 8;

// Of UnixLinkOptions::outbox_bytes: sums of it stay far from overflowing.
constexpr uint64_t kMostOutboxBytes = uint64_t{1} << 40;

wire::Hello HelloFor(const UnixLinkOptions& options, uint64_t instance_id) {
  return {.max_frame_bytes = options.max_frame_bytes,
          .initial_credit_bytes = options.credit_bytes,
          .instance_id = instance_id};
}

}  // namespace

absl::Status ValidateUnixLinkOptions(const UnixLinkOptions& options) {
  const auto check = [](bool good, absl::string_view what) {
    return good ? absl::OkStatus()
                : absl::InvalidArgumentError(
                      absl::StrCat("UnixLinkOptions::", what));
  };
  const auto in_range = [](absl::string_view field, uint64_t value,
                           uint64_t least, uint64_t most) {
    if (value >= least && value <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("UnixLinkOptions::", field, " is ", value, "; it must be ",
                     least, " to ", most));
  };
  const auto positive = [&check](absl::string_view field, absl::Duration time) {
    return check(time > absl::ZeroDuration(),
                 absl::StrCat(field, " is ", absl::FormatDuration(time),
                              "; it is above 0"));
  };
  const uint64_t least_credit =
      2 * (uint64_t{options.max_frame_bytes} + wire::kFrameHeaderBytes);
  const absl::Status checks[] = {
      in_range("max_frame_bytes", options.max_frame_bytes,
               wire::kLeastMaxFrameBytes, wire::kMostMaxFrameBytes),
      in_range("credit_bytes", options.credit_bytes, least_credit,
               wire::kMostCreditBytes),
      in_range("outbox_bytes", options.outbox_bytes, 1, kMostOutboxBytes),
      in_range("outbox_messages", options.outbox_messages, 1, SIZE_MAX),
      positive("handshake_deadline", options.handshake_deadline),
      positive("write_deadline", options.write_deadline),
      positive("backoff_first", options.backoff_first),
      check(options.backoff_first <= options.backoff_last,
            absl::StrCat("backoff_last is ",
                         absl::FormatDuration(options.backoff_last),
                         ", less than backoff_first, which is ",
                         absl::FormatDuration(options.backoff_first))),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ValidateUnixListenerOptions(const UnixListenerOptions& options) {
  if (options.max_connections == 0) {
    return absl::InvalidArgumentError(
        "UnixListenerOptions::max_connections is 0; nobody could connect");
  }
  if (options.pause_without_descriptors <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("UnixListenerOptions::pause_without_descriptors is ",
                     absl::FormatDuration(options.pause_without_descriptors),
                     "; it is above 0"));
  }
  return ValidateUnixLinkOptions(options.link);
}

absl::StatusOr<UnixCredentials> AllowedPeer(Sys& sys, int fd,
                                            const UnixLinkOptions& options) {
  absl::StatusOr<UnixCredentials> peer = PeerCredentials(sys, fd);
  if (!peer.ok()) return peer;
  // A socket belongs to the user who made it, which tells us who we are.
  struct stat own = {};
  const int result = sys.Fstat(fd, &own);
  if (result < 0) return ErrnoStatus(result, SysCall::kFstat, "a connection");
  const std::vector<uid_t>& allowed = options.allowed_uids;
  if (peer->uid == own.st_uid || peer->uid == 0 ||
      std::find(allowed.begin(), allowed.end(), peer->uid) != allowed.end()) {
    return peer;
  }
  return MakeWireError(
      WireError::kNotPermitted,
      absl::StrCat("process ", peer->pid, " of user ", peer->uid,
                   " may not connect; user ", own.st_uid,
                   " and root may, and who is in "
                   "UnixLinkOptions::allowed_uids"));
}

void TurnAway(Sys& sys, int fd, const UnixLinkOptions& options,
              uint64_t instance_id, const absl::Status& why) {
  std::string bytes(wire::kHelloBytes, '\0');
  wire::EncodeHello(HelloFor(options, instance_id), bytes.data());
  wire::AppendErrorFrame(why, &bytes);
  iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  sys.Sendmsg(fd, &message, MSG_NOSIGNAL);
}

UnixConnection::UnixConnection(Loop& loop, ScopedFd fd,
                               const UnixLinkOptions& options, LinkStats& stats,
                               Signal& changed)
    : loop_(loop),
      options_(options),
      stats_(stats),
      changed_(changed),
      limit_(*this),
      decoder_({.max_frame_bytes = options.max_frame_bytes}),
      stream_(loop, std::move(fd)) {}

UnixConnection::~UnixConnection() = default;

// --- Reading ---------------------------------------------------------------

// Awaits to the bytes read; 0: the peer has closed, or this has ended.
Task<absl::StatusOr<size_t>> UnixConnection::Read() {
  absl::StatusOr<size_t> n =
      co_await stream_.ReadSocket(decoder_.PrepareRead());
  if (ended_) co_return size_t{0};
  if (!n.ok()) co_return n;
  decoder_.Commit(*n);
  stats_.bytes_in += *n;
  co_return n;
}

Task<absl::Status> UnixConnection::Handshake(uint64_t instance_id) {
  const wire::Hello ours = HelloFor(options_, instance_id);
  char hello[wire::kHelloBytes];
  wire::EncodeHello(ours, hello);
  outbox_.tail().append(hello, sizeof(hello));
  filled_.Notify();
  loop_.timers().Set(limit_, loop_.Now() + options_.handshake_deadline);
  for (;;) {
    absl::StatusOr<std::optional<wire::Hello>> theirs = decoder_.NextHello();
    if (!theirs.ok()) {
      End(LinkEnd::kHandshake, theirs.status());
    } else if (theirs->has_value()) {
      absl::StatusOr<wire::Agreement> agreed = wire::Negotiate(ours, **theirs);
      if (agreed.ok()) {
        agreement_ = *agreed;
        break;
      }
      End(LinkEnd::kHandshake, agreed.status());
    } else {
      absl::StatusOr<size_t> n = co_await Read();
      if (!ended_ && !n.ok()) {
        End(absl::IsUnavailable(n.status()) ? LinkEnd::kHandshake
                                            : LinkEnd::kSystem,
            n.status());
      } else if (!ended_ && *n == 0) {
        End(LinkEnd::kHandshake,
            decoder_.bytes_received() > 0
                ? decoder_.AtEnd()
                : absl::UnavailableError(
                      "the peer closed during the handshake"));
      }
    }
    if (ended_) co_return reason_;
  }
  decoder_.Begin(agreement_);
  encoder_.emplace(agreement_);
  send_credit_.emplace(agreement_);
  receive_credit_.emplace(agreement_);
  limit_.Cancel();
  if (outbox_.unwritten() > 0) {
    loop_.timers().Set(limit_, loop_.Now() + options_.write_deadline);
  }
  // A peer that turns us away says so behind its Hello.
  first_ = NextFrame();
  if (first_.has_value() && first_->header.type == wire::FrameType::kError) {
    HearError(LinkEnd::kHandshake, first_->payload);
  }
  co_return reason_;
}

std::optional<wire::Frame> UnixConnection::NextFrame() {
  if (ended_) return std::nullopt;
  if (first_.has_value()) return std::exchange(first_, std::nullopt);
  absl::StatusOr<std::optional<wire::Frame>> frame = decoder_.NextFrame();
  if (!frame.ok()) {
    End(LinkEnd::kBrokenRule, frame.status());
    return std::nullopt;
  }
  if (frame->has_value()) {
    ++stats_.frames_in;
    const wire::FrameHeader& header = (*frame)->header;
    if (header.type == wire::FrameType::kData) {
      received_sequence_ = header.sequence;
    }
  }
  return *frame;
}

Task<bool> UnixConnection::ReadMore() {
  absl::StatusOr<size_t> n = co_await Read();
  read_ = n.status();
  co_return !ended_ && n.ok() && *n > 0;
}

void UnixConnection::EndOfInput() {
  const absl::Status torn = decoder_.AtEnd();
  if (!torn.ok()) return End(LinkEnd::kLost, torn);
  // A peer that goes with bytes of ours unread resets the connection; all it
  // had written was read by then, so this is its end like any other.
  if (!read_.ok() && !absl::IsUnavailable(read_)) {
    return End(LinkEnd::kSystem, read_);
  }
  if (go_away_.empty()) {
    return End(LinkEnd::kLost,
               absl::AbortedError("the peer ended without GOAWAY; it was "
                                  "killed, or crashed"));
  }
  const bool stopped = absl::StartsWith(go_away_, kGoAwayStopped.substr(0, 7));
  End(LinkEnd::kGoAway,
      stopped ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("GOAWAY ", go_away_)));
}

void UnixConnection::HearError(LinkEnd end, std::string_view payload) {
  heard_error_ = true;
  End(end, wire::DecodeError(payload));
}

void UnixConnection::HearGoAway(absl::string_view peer, std::string text) {
  go_away_ = text.empty() ? "without a text" : std::move(text);
  peer_drains_ = absl::UnavailableError(
      absl::StrCat(peer, " takes no more messages: ", go_away_));
  changed_.Notify();
}

absl::Status UnixConnection::Charge(size_t payload_bytes) {
  return receive_credit_->Receive(payload_bytes);
}

void UnixConnection::Discharge(size_t payload_bytes) {
  const uint32_t grant = receive_credit_->Processed(payload_bytes);
  if (grant == 0 || ended_) return;
  encoder_->AppendCredit(grant, &outbox_.tail());
  QueueControl();
}

// --- Sending ---------------------------------------------------------------

// Payload checksums are never agreed on: HelloFor() does not offer them.
absl::Status UnixConnection::Append(absl::string_view head, std::string payload,
                                    bool message) {
  absl::StatusOr<uint64_t> sequence =
      encoder_->AppendDataHeader(head.size() + payload.size(), &outbox_.tail());
  if (!sequence.ok()) return sequence.status();
  outbox_.tail().append(head.data(), head.size());
  const bool had_frames = outbox_.has_frames();
  outbox_.Close(*sequence, message, std::move(payload));
  Queued(had_frames);
  return absl::OkStatus();
}

void UnixConnection::QueueControl() {
  const bool had_frames = outbox_.has_frames();
  outbox_.Close(0, false);
  Queued(had_frames);
}

void UnixConnection::Queued(bool had_frames) {
  if (!had_frames) filled_.Notify();
}

absl::StatusOr<bool> UnixConnection::TrySend(absl::string_view head,
                                             std::string& payload) {
  const size_t bytes = head.size() + payload.size();
  if (bytes <= agreement_.send_max_frame_bytes) {
    if (!HasRoom() || !send_credit_->Spend(bytes)) return false;
    ++stats_.waiting;
  }
  absl::Status queued = Append(head, std::move(payload), /*message=*/true);
  if (!queued.ok()) return queued;
  return true;
}

absl::Status UnixConnection::SendAnswer(absl::string_view head,
                                        std::string payload) {
  return Append(head, std::move(payload), /*message=*/false);
}

void UnixConnection::SendPong(uint64_t token) {
  encoder_->AppendPong(token, &outbox_.tail());
  QueueControl();
}

void UnixConnection::SendGoAway(absl::string_view text) {
  encoder_->AppendGoAway(received_sequence_,
                         std::string_view(text.data(), text.size()),
                         &outbox_.tail());
  QueueControl();
}

absl::Status UnixConnection::Grant(uint32_t bytes) {
  absl::Status granted = send_credit_->Grant(bytes);
  if (granted.ok()) changed_.Notify();
  return granted;
}

// --- Writing ---------------------------------------------------------------

ssize_t UnixConnection::WriteSome() {
  iovec parts[kMaxWriteParts];
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = outbox_.Gather(kMaxWriteBytes, absl::MakeSpan(parts));
  const ssize_t n = stream_.sys().Sendmsg(stream_.fd(), &message, MSG_NOSIGNAL);
  // At once, not when the coroutine goes on: Flush() may come between.
  if (n > 0) Took(n);
  return n;
}

void UnixConnection::Took(size_t bytes) {
  const FrameOutbox::Taken taken = outbox_.Take(bytes);
  stats_.bytes_out += bytes;
  stats_.frames_out += taken.frames;
  stats_.waiting -= taken.messages;
  stats_.written += taken.messages;
  if (taken.last_sequence != 0) written_sequence_ = taken.last_sequence;
  changed_.Notify();
}

Task<absl::Status> UnixConnection::Write() {
  while (writable()) {
    if (outbox_.unwritten() == 0) {
      if (established()) limit_.Cancel();
      co_await filled_.Wait();
      // More may come from actors that have their turn by now. What is alone
      // leaves at once.
      for (int turns = 0; turns < kMostTurns && loop_.has_work() && !ended_ &&
                          outbox_.unwritten() < kGatherBytes;
           ++turns) {
        co_await internal::Sleeping(loop_, loop_.Now());
      }
      continue;
    }
    if (established()) {
      loop_.timers().Set(limit_, loop_.Now() + options_.write_deadline);
    }
    absl::StatusOr<size_t> n = co_await stream_.Do(
        Ready::kWritable, SysCall::kSendmsg, [this] { return WriteSome(); });
    if (ended_) break;
    if (!n.ok() && !absl::IsUnavailable(n.status())) {
      End(LinkEnd::kSystem, n.status());
    } else if (!n.ok()) {
      // What the peer wrote before it went is still there to be read; the end
      // of that ends the connection, or the limit does.
      write_failed_ = true;
      changed_.Notify();
    }
  }
  co_return absl::OkStatus();
}

void UnixConnection::Flush() {
  while (writable() && outbox_.unwritten() > 0) {
    const ssize_t n = WriteSome();
    if (n <= 0 && n != -EINTR) break;
  }
}

// --- Ending ----------------------------------------------------------------

void UnixConnection::OutOfTime() {
  if (!established()) {
    End(LinkEnd::kHandshake,
        MakeWireError(
            WireError::kHandshakeTimeout,
            absl::StrCat("no whole Hello within ",
                         absl::FormatDuration(options_.handshake_deadline),
                         "; ", decoder_.bytes_received(), " of ",
                         wire::kHelloBytes, " bytes came")));
    return;
  }
  // A slow reader may have made room without as much of it as wakes a writer.
  const size_t before = outbox_.unwritten();
  Flush();
  if (before == 0 || outbox_.unwritten() < before) {
    loop_.timers().Set(limit_, loop_.Now() + options_.write_deadline);
    return;
  }
  End(LinkEnd::kNotReading, absl::DeadlineExceededError(absl::StrCat(
                                "the peer has read nothing for ",
                                absl::FormatDuration(options_.write_deadline),
                                " (UnixLinkOptions::write_deadline) while ",
                                outbox_.unwritten(), " bytes wait for it")));
}

void UnixConnection::End(LinkEnd end, absl::Status reason) {
  if (ended_) return;
  const WireError error = wire::WireErrorOf(reason);
  const bool torn = error == WireError::kTorn;
  if (torn) ++stats_.torn;
  if (error != WireError::kNone && !torn) {
    ++stats_.protocol_errors;
    if (!heard_error_) wire::AppendErrorFrame(reason, &outbox_.tail());
  }
  Flush();
  ended_ = true;
  end_ = end;
  reason_ = std::move(reason);
  limit_.Cancel();
  stats_.waiting -= outbox_.messages();
  stats_.unsent += outbox_.messages();
  // Wakes whoever waits in the stream, too.
  stream_.sys().Shutdown(stream_.fd(), SHUT_RDWR);
  filled_.Notify();
  changed_.Notify();
}

}  // namespace trolley
