// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_connection.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/wire_error.h"

namespace trolley {
namespace {

using wire::MakeWireError;
using wire::WireError;

// In one system call: more gains nothing, and others wait meanwhile.
constexpr size_t kMaxWriteBytes = 256 * 1024;

wire::Hello HelloFor(const UnixLinkOptions& options, uint64_t instance_id) {
  return {.max_frame_bytes = options.max_frame_bytes,
          .initial_credit_bytes = options.credit_bytes,
          .instance_id = instance_id};
}

}  // namespace

absl::Status ValidateUnixLinkOptions(const UnixLinkOptions& options) {
  absl::Status hello = wire::ValidateHello(HelloFor(options, 1));
  if (!hello.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("UnixLinkOptions: ", hello.message()));
  }
  const auto check = [](bool good, absl::string_view what) {
    return good ? absl::OkStatus()
                : absl::InvalidArgumentError(
                      absl::StrCat("UnixLinkOptions::", what));
  };
  const absl::Status checks[] = {
      check(options.outbox_bytes > 0, "outbox_bytes is 0; nothing would leave"),
      check(options.outbox_messages > 0,
            "outbox_messages is 0; nothing would leave"),
      check(options.handshake_deadline > absl::ZeroDuration(),
            "handshake_deadline is not above 0"),
      check(options.write_deadline > absl::ZeroDuration(),
            "write_deadline is not above 0"),
      check(options.backoff_first > absl::ZeroDuration() &&
                options.backoff_first <= options.backoff_last,
            "backoff_first is not above 0, or is above backoff_last"),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
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
  outbox_.append(hello, sizeof(hello));
  filled_.Notify();
  loop_.timers().Set(limit_, loop_.Now() + options_.handshake_deadline);
  for (;;) {
    absl::StatusOr<std::optional<wire::Hello>> theirs = decoder_.NextHello();
    if (!theirs.ok()) {
      End(theirs.status());
    } else if (theirs->has_value()) {
      absl::StatusOr<wire::Agreement> agreed = wire::Negotiate(ours, **theirs);
      if (agreed.ok()) {
        agreement_ = *agreed;
        break;
      }
      End(agreed.status());
    } else {
      absl::StatusOr<size_t> n = co_await Read();
      if (!ended_ && !n.ok()) End(n.status());
      if (!ended_ && *n == 0) End(decoder_.AtEnd());
    }
    if (ended_) {
      // Closing without a word is an error here, if not between two frames.
      co_return reason_.ok()
          ? absl::UnavailableError("the peer closed during the handshake")
          : reason_;
    }
  }
  decoder_.Begin(agreement_);
  encoder_.emplace(agreement_);
  send_credit_.emplace(agreement_);
  receive_credit_.emplace(agreement_);
  limit_.Cancel();
  if (unwritten() > 0) {
    loop_.timers().Set(limit_, loop_.Now() + options_.write_deadline);
  }
  co_return absl::OkStatus();
}

std::optional<wire::Frame> UnixConnection::NextFrame() {
  if (ended_) return std::nullopt;
  absl::StatusOr<std::optional<wire::Frame>> frame = decoder_.NextFrame();
  if (!frame.ok()) {
    End(frame.status());
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
  if (ended_) co_return false;
  // A peer that dies with bytes of ours unread resets the connection; all it
  // had written was read by then, so this is its end like any other.
  if (!n.ok() || *n == 0) End(decoder_.AtEnd());
  co_return !ended_;
}

absl::Status UnixConnection::Charge(size_t payload_bytes) {
  return receive_credit_->Receive(payload_bytes);
}

void UnixConnection::Discharge(size_t payload_bytes) {
  const uint32_t grant = receive_credit_->Processed(payload_bytes);
  if (grant == 0 || ended_) return;
  encoder_->AppendCredit(grant, &outbox_);
  Enqueue(0, false);
}

// --- Sending ---------------------------------------------------------------

absl::StatusOr<uint64_t> UnixConnection::Append(const Proto& envelope) {
  payload_.clear();
  if (!envelope.SerializeToString(&payload_)) {
    return absl::InvalidArgumentError("the message is longer than 2 GiB");
  }
  return encoder_->AppendData(payload_, &outbox_);
}

void UnixConnection::Enqueue(uint64_t sequence, bool message) {
  const bool was_empty = queued_.empty();
  queued_.push_back({.end = total_written_ + unwritten(),
                     .sequence = sequence,
                     .message = message});
  if (was_empty) filled_.Notify();
  if (unwritten() >
      2 * options_.outbox_bytes + agreement_.send_max_frame_bytes) {
    End(absl::ResourceExhaustedError(
        absl::StrCat("the peer sends and does not read: ", unwritten(),
                     " bytes wait for it (UnixLinkOptions::outbox_bytes is ",
                     options_.outbox_bytes, ")")));
  }
}

absl::StatusOr<bool> UnixConnection::TrySend(const Proto& message) {
  const size_t bytes = message.ByteSizeLong();
  if (bytes <= agreement_.send_max_frame_bytes) {
    if (!HasRoom() || !send_credit_->Spend(bytes)) return false;
  }
  absl::StatusOr<uint64_t> sequence = Append(message);
  if (!sequence.ok()) return sequence.status();
  ++queued_messages_;
  ++stats_.waiting;
  Enqueue(*sequence, true);
  return true;
}

absl::Status UnixConnection::SendAnswer(const Proto& answer) {
  absl::StatusOr<uint64_t> sequence = Append(answer);
  if (!sequence.ok()) return sequence.status();
  Enqueue(*sequence, false);
  return absl::OkStatus();
}

void UnixConnection::SendPong(uint64_t token) {
  encoder_->AppendPong(token, &outbox_);
  Enqueue(0, false);
}

void UnixConnection::SendGoAway(absl::string_view text) {
  encoder_->AppendGoAway(received_sequence_,
                         std::string_view(text.data(), text.size()), &outbox_);
  Enqueue(0, false);
}

absl::Status UnixConnection::Grant(uint32_t bytes) {
  absl::Status granted = send_credit_->Grant(bytes);
  if (granted.ok()) changed_.Notify();
  return granted;
}

// --- Writing ---------------------------------------------------------------

ssize_t UnixConnection::WriteSome() {
  iovec part = {.iov_base = outbox_.data() + offset_,
                .iov_len = std::min(unwritten(), kMaxWriteBytes)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t n = stream_.sys().Sendmsg(stream_.fd(), &message, MSG_NOSIGNAL);
  // At once, not when the coroutine goes on: Flush() may come between.
  if (n > 0) Took(n);
  return n;
}

void UnixConnection::Took(size_t bytes) {
  offset_ += bytes;
  total_written_ += bytes;
  stats_.bytes_out += bytes;
  while (!queued_.empty() && queued_.front().end <= total_written_) {
    const Queued& frame = queued_.front();
    ++stats_.frames_out;
    if (frame.sequence != 0) written_sequence_ = frame.sequence;
    if (frame.message) {
      --queued_messages_;
      --stats_.waiting;
      ++stats_.written;
    }
    queued_.pop_front();
  }
  // What was sent is dropped once it is the larger part.
  if (offset_ >= outbox_.size() / 2) {
    outbox_.erase(0, offset_);
    offset_ = 0;
  }
  changed_.Notify();
}

Task<absl::Status> UnixConnection::Write() {
  while (writable()) {
    if (unwritten() == 0) {
      if (established()) limit_.Cancel();
      co_await filled_.Wait();
      continue;
    }
    if (established()) {
      loop_.timers().Set(limit_, loop_.Now() + options_.write_deadline);
    }
    absl::StatusOr<size_t> n = co_await stream_.Do(
        Ready::kWritable, SysCall::kSendmsg, [this] { return WriteSome(); });
    if (ended_) break;
    if (!n.ok()) {
      // What the peer wrote before it went is still there to be read; the end
      // of that ends the connection, or the limit does.
      write_failed_ = true;
      changed_.Notify();
      break;
    }
  }
  co_return absl::OkStatus();
}

void UnixConnection::Flush() {
  while (writable() && unwritten() > 0) {
    const ssize_t n = WriteSome();
    if (n <= 0 && n != -EINTR) break;
  }
}

// --- Ending ----------------------------------------------------------------

void UnixConnection::OutOfTime() {
  if (!established()) {
    End(MakeWireError(
        WireError::kHandshakeTimeout,
        absl::StrCat("no whole Hello within ",
                     absl::FormatDuration(options_.handshake_deadline), "; ",
                     decoder_.bytes_received(), " of ", wire::kHelloBytes,
                     " bytes came")));
    return;
  }
  End(absl::DeadlineExceededError(
      absl::StrCat("the peer has read nothing for ",
                   absl::FormatDuration(options_.write_deadline),
                   " (UnixLinkOptions::write_deadline) while ", unwritten(),
                   " bytes wait for it")));
}

void UnixConnection::End(absl::Status reason, bool tell_peer) {
  if (ended_) return;
  const WireError error = wire::WireErrorOf(reason);
  const bool torn = error == WireError::kTorn;
  if (torn) ++stats_.torn;
  if (error != WireError::kNone && !torn) {
    ++stats_.protocol_errors;
    if (tell_peer) wire::AppendErrorFrame(reason, &outbox_);
  }
  Flush();
  ended_ = true;
  reason_ = std::move(reason);
  limit_.Cancel();
  stats_.waiting -= queued_messages_;
  stats_.unsent += queued_messages_;
  queued_messages_ = 0;
  // Wakes whoever waits in the stream, too.
  stream_.sys().Shutdown(stream_.fd(), SHUT_RDWR);
  filled_.Notify();
  changed_.Notify();
}

}  // namespace trolley
