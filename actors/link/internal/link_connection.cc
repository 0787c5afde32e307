// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_connection.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {
namespace {

using wire::MakeWireError;
using wire::WireError;

// The limits of one system call. A longer call gains nothing, and the other
// actors of the loop wait for it.
constexpr size_t kMaxWriteBytes = 256 * 1024;
constexpr size_t kMaxWriteParts = 16;
constexpr size_t kMaxSealedBytes = 64 * 1024;  // a session copies them

// While other actors of this loop have messages, the writer waits until it has
// kGatherBytes, and at most for kMostTurns turns.
constexpr size_t kGatherBytes = 32 * 1024;
constexpr int kMostTurns = 8;

wire::Hello HelloFor(const LinkOptions& options, uint64_t instance_id) {
  return {.max_frame_bytes = options.max_frame_bytes,
          .initial_credit_bytes = options.credit_bytes,
          .instance_id = instance_id};
}

}  // namespace

void TurnAway(Sys& sys, int fd, const LinkOptions& options,
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

LinkConnection::LinkConnection(ActorContext context,
                               std::unique_ptr<LinkTransport> transport,
                               std::unique_ptr<LinkSession> session,
                               const LinkOptions& options, LinkStats& stats,
                               AsyncCondition& changed)
    : context_(context),
      options_(options),
      stats_(stats),
      changed_(changed),
      limit_(*this),
      heart_(*this),
      session_(std::move(session)),
      shaken_(session_ == nullptr),
      decoder_({.max_frame_bytes = options.max_frame_bytes}),
      transport_(std::move(transport)) {}

LinkConnection::~LinkConnection() = default;

// --- Reading ---------------------------------------------------------------

Task<absl::StatusOr<size_t>> LinkConnection::ReadSealed() {
  for (;;) {
    absl::StatusOr<std::optional<size_t>> opened =
        session_->Open(decoder_.PrepareRead());
    if (HasBytes()) filled_.Notify();  // the session may have an answer
    session_failed_ = !opened.ok();
    if (!opened.ok()) co_return opened.status();
    if (*opened != size_t{0}) co_return opened->value_or(0);
    const absl::StatusOr<size_t> n =
        co_await transport_->Read(session_->PrepareRead());
    if (ended_ || !n.ok() || *n == 0) co_return n;
    session_->Commit(*n);
  }
}

Task<absl::Status> LinkConnection::ShakeSession() {
  for (;;) {
    const absl::StatusOr<bool> complete = session_->Shake();
    if (HasBytes()) filled_.Notify();
    if (!complete.ok()) co_return complete.status();
    if (*complete) break;
    const absl::StatusOr<size_t> n =
        co_await transport_->Read(session_->PrepareRead());
    if (ended_) co_return reason_;
    if (!n.ok()) co_return n.status();
    if (*n == 0) {
      co_return absl::UnavailableError("the peer closed during the handshake");
    }
    session_->Commit(*n);
  }
  shaken_ = true;
  co_return absl::OkStatus();
}

Task<absl::Status> LinkConnection::Handshake(uint64_t instance_id,
                                             LinkPeer& peer) {
  context_.SetTimer(limit_, context_.Now() + options_.handshake_deadline);
  if (session_ != nullptr) {
    absl::Status shaken = co_await ShakeSession();
    if (!shaken.ok()) End(LinkEnd::kHandshake, std::move(shaken));
    if (ended_) co_return reason_;
  }
  const wire::Hello ours = HelloFor(options_, instance_id);
  char hello[wire::kHelloBytes];
  wire::EncodeHello(ours, hello);
  outbox_.tail().append(hello, sizeof(hello));
  filled_.Notify();
  if (session_ != nullptr) {
    // A peer that may not connect is told why behind our Hello.
    // mutant: P14_APeerThatMayNotConnectIsNotToldWhy
    absl::Status permitted = session_->Identify(peer);
    if (!permitted.ok()) End(LinkEnd::kHandshake, std::move(permitted));
    if (ended_) co_return reason_;
  }
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
    } else if (!co_await ReadMore() && !ended_) {
      if (!read_.ok()) {
        const bool of_the_peer = absl::IsUnavailable(read_) || BrokeARule();
        End(of_the_peer ? LinkEnd::kHandshake : LinkEnd::kSystem, read_);
      } else {
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
  if (HasBytes()) {
    context_.SetTimer(limit_, context_.Now() + options_.write_deadline);
  }
  context_.SetTimer(heart_, context_.Now() + options_.heartbeat);
  // A peer that turns us away says so behind its Hello.
  first_ = NextFrame();
  if (first_.has_value() && first_->header.type == wire::FrameType::kError) {
    HearError(LinkEnd::kHandshake, first_->payload);
  }
  co_return reason_;
}

std::optional<wire::Frame> LinkConnection::NextFrame() {
  if (ended_) return std::nullopt;
  if (first_.has_value()) return std::exchange(first_, std::nullopt);
  absl::StatusOr<std::optional<wire::Frame>> frame = decoder_.NextFrame();
  if (!frame.ok()) {
    const bool next_peer =
        wire::WireErrorOf(frame.status()) == WireError::kDuplicateHello &&
        transport_->peers_may_follow();
    if (next_peer) {
      EndBetweenFrames();
    } else {
      End(LinkEnd::kBrokenRule, frame.status());
    }
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

Task<bool> LinkConnection::ReadMore() {
  heartbeat_.SetReading(true);
  absl::StatusOr<size_t> n = size_t{0};
  if (session_ == nullptr) {
    n = co_await transport_->Read(decoder_.PrepareRead());
  } else {
    n = co_await ReadSealed();
  }
  heartbeat_.SetReading(false);
  if (ended_) co_return false;
  read_ = n.status();
  if (!n.ok()) co_return false;
  decoder_.Commit(*n);
  stats_.bytes_in += *n;
  heartbeat_.Heard();
  co_return *n > 0;
}

bool LinkConnection::BrokeARule() const {
  return session_failed_ || wire::WireErrorOf(read_) != WireError::kNone;
}

void LinkConnection::EndOfInput() {
  const absl::Status torn = decoder_.AtEnd();
  // mutant: P15_AnEndInsideAFrameIsAnEndLikeAnyOther
  if (!torn.ok()) return End(LinkEnd::kLost, torn);
  if (BrokeARule()) return End(LinkEnd::kBrokenRule, read_);
  // A peer that goes with bytes of ours unread resets the connection; all it
  // had written was read by then, so this is its end like any other.
  if (!read_.ok() && !absl::IsUnavailable(read_)) {
    return End(LinkEnd::kSystem, read_);
  }
  EndBetweenFrames();
}

void LinkConnection::EndBetweenFrames() {
  // mutant: P15_AKilledPeerIsTakenForOneThatSaidGoodbye
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

void LinkConnection::HearError(LinkEnd end, std::string_view payload) {
  heard_error_ = true;
  End(end, wire::DecodeError(payload));
}

void LinkConnection::HearGoAway(absl::string_view peer, std::string text) {
  go_away_ = text.empty() ? "without a text" : std::move(text);
  peer_drains_ = absl::UnavailableError(
      absl::StrCat(peer, " takes no more messages: ", go_away_));
  changed_.Notify();
}

absl::Status LinkConnection::Charge(size_t payload_bytes) {
  return receive_credit_->Receive(payload_bytes);
}

void LinkConnection::Discharge(size_t payload_bytes) {
  receive_credit_->Processed(payload_bytes);
  SendCredit();
}

// So a peer that does not read gets no further CREDIT frame, and may send no
// more.
void LinkConnection::SendCredit() {
  // mutant: P14_CreditPilesUp
  if (!writable() || !HasRoom()) return;
  const uint32_t grant = receive_credit_->TakeGrant();
  if (grant == 0) return;
  encoder_->AppendCredit(grant, &outbox_.tail());
  QueueControl();
}

// --- Sending ---------------------------------------------------------------

// Payload checksums are never agreed on: HelloFor() does not offer them.
absl::Status LinkConnection::Append(absl::string_view head, std::string payload,
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

void LinkConnection::QueueControl() {
  const bool had_frames = outbox_.has_frames();
  outbox_.Close(0, false);
  Queued(had_frames);
}

void LinkConnection::Queued(bool had_frames) {
  if (!had_frames) filled_.Notify();
}

absl::StatusOr<bool> LinkConnection::TrySend(absl::string_view head,
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

absl::Status LinkConnection::SendAnswer(absl::string_view head,
                                        std::string payload) {
  return Append(head, std::move(payload), /*message=*/false);
}

void LinkConnection::SendPong(uint64_t token) {
  // mutant: P14_PongsForAPeerThatTakesNonePileUp
  if (!writable()) return;
  encoder_->AppendPong(token, &outbox_.tail());
  QueueControl();
}

void LinkConnection::SendGoAway(absl::string_view text) {
  said_go_away_ = true;
  encoder_->AppendGoAway(received_sequence_,
                         std::string_view(text.data(), text.size()),
                         &outbox_.tail());
  QueueControl();
}

absl::Status LinkConnection::Grant(uint32_t bytes) {
  absl::Status granted = send_credit_->Grant(bytes);
  if (granted.ok()) changed_.Notify();
  return granted;
}

// --- Writing ---------------------------------------------------------------

bool LinkConnection::HasBytes() const {
  return (session_ != nullptr && !session_->sealed().empty()) ||
         (shaken_ && outbox_.unwritten() > 0);
}

ssize_t LinkConnection::WriteSome() {
  if (session_ != nullptr) return WriteSealed();
  iovec parts[kMaxWriteParts];
  const int count = outbox_.Gather(kMaxWriteBytes, absl::MakeSpan(parts));
  const ssize_t n = WriteParts(absl::MakeSpan(parts, count));
  // At once, not when the coroutine goes on: Flush() may come between.
  if (n > 0) Took(n);
  return n;
}

ssize_t LinkConnection::WriteParts(absl::Span<iovec> parts) {
  const ssize_t n = transport_->WriteSome(parts);
  if (n > 0) taken_bytes_ += n;
  return n;
}

ssize_t LinkConnection::WriteSealed() {
  if (session_->sealed().empty() && shaken_) {
    iovec parts[kMaxWriteParts];
    const int count = outbox_.Gather(kMaxSealedBytes, absl::MakeSpan(parts));
    if (!session_->Seal(absl::MakeConstSpan(parts, count)).ok()) return -EIO;
  }
  const absl::Span<const char> sealed = session_->sealed();
  iovec part = {.iov_base = const_cast<char*>(sealed.data()),
                .iov_len = sealed.size()};
  const ssize_t n = WriteParts(absl::MakeSpan(&part, 1));
  if (n > 0) {
    if (const size_t bytes = session_->Wrote(n); bytes > 0) Took(bytes);
  }
  return n;
}

void LinkConnection::Took(size_t bytes) {
  const FrameOutbox::Taken taken = outbox_.Take(bytes);
  assert(stats_.waiting >= taken.messages);
  stats_.bytes_out += bytes;
  stats_.frames_out += taken.frames;
  stats_.waiting -= taken.messages;
  stats_.written += taken.messages;
  if (taken.last_sequence != 0) written_sequence_ = taken.last_sequence;
  changed_.Notify();
}

Task<absl::Status> LinkConnection::Write() {
  while (writable()) {
    if (established()) SendCredit();  // it may have waited for room
    if (!HasBytes()) {
      if (established()) limit_.Cancel();
      co_await filled_.Wait();
      // More may come from actors that have their turn by now. What is alone
      // leaves at once.
      for (int turns = 0; turns < kMostTurns && context_.others_wait() &&
                          !ended_ && outbox_.unwritten() < kGatherBytes;
           ++turns) {
        co_await context_.Sleep(absl::ZeroDuration());
      }
      continue;
    }
    if (established()) {
      context_.SetTimer(limit_, context_.Now() + options_.write_deadline);
    }
    const auto write = [this] { return WriteSome(); };
    absl::StatusOr<size_t> n = co_await transport_->WhenWritable(write);
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

void LinkConnection::Flush() {
  while (writable() && HasBytes()) {
    const ssize_t n = WriteSome();
    if (n <= 0 && n != -EINTR) break;
  }
}

// --- Ending ----------------------------------------------------------------

void LinkConnection::OutOfTime() {
  if (!established()) {
    End(LinkEnd::kHandshake,
        MakeWireError(
            WireError::kHandshakeTimeout,
            shaken_ ? absl::StrCat(
                          "no whole Hello within ",
                          absl::FormatDuration(options_.handshake_deadline),
                          "; ", decoder_.bytes_received(), " of ",
                          wire::kHelloBytes, " bytes came")
                    : absl::StrCat(
                          "the handshake of TLS was not complete within ",
                          absl::FormatDuration(options_.handshake_deadline))));
    return;
  }
  // A slow reader may have made room without as much of it as wakes a writer.
  const bool had_bytes = HasBytes();
  const uint64_t before = taken_bytes_;
  Flush();
  if (!had_bytes || taken_bytes_ > before) {
    context_.SetTimer(limit_, context_.Now() + options_.write_deadline);
    return;
  }
  End(LinkEnd::kNotReading, absl::DeadlineExceededError(absl::StrCat(
                                "the peer has read nothing for ",
                                absl::FormatDuration(options_.write_deadline),
                                " (LinkOptions::write_deadline) while ",
                                outbox_.unwritten(), " bytes wait for it")));
}

void LinkConnection::Beat() {
  const Heartbeat::Verdict verdict = heartbeat_.Beat();
  if (verdict == Heartbeat::Verdict::kGiveUp) {
    return End(
        LinkEnd::kSilent,
        absl::DeadlineExceededError(absl::StrCat(
            "nothing came from the peer for ", LinkOptions::kSilentHeartbeats,
            " heartbeats of ", absl::FormatDuration(options_.heartbeat),
            " (LinkOptions::heartbeat), although it was asked")));
  }
  context_.SetTimer(heart_, context_.Now() + options_.heartbeat);
  // Bytes that wait for the peer ask it, too.
  if (verdict == Heartbeat::Verdict::kNothing || !writable() || HasBytes()) {
    return;
  }
  encoder_->AppendPing(++pings_, &outbox_.tail());
  QueueControl();
}

void LinkConnection::End(LinkEnd end, absl::Status reason) {
  if (ended_) return;
  const WireError error = wire::WireErrorOf(reason);
  const bool torn = error == WireError::kTorn;
  // mutant: P15_ATornFrameIsNotCounted
  if (torn) ++stats_.torn;
  // mutant: P15_ATornFrameIsCountedTwice
  if (error != WireError::kNone && !torn) {
    ++stats_.protocol_errors;
    // mutant: P14_APeerIsNotToldWhichRuleItBroke
    if (!heard_error_) wire::AppendErrorFrame(reason, &outbox_.tail());
  }
  Flush();
  if (session_ != nullptr) {
    session_->Close();
    Flush();
  }
  ended_ = true;
  end_ = end;
  reason_ = std::move(reason);
  limit_.Cancel();
  heart_.Cancel();
  assert(stats_.waiting >= outbox_.messages());
  // mutant: P15_WhatIsInTheOutboxIsForgotten
  stats_.waiting -= outbox_.messages();
  // mutant: P15_WhatIsInTheOutboxCountsAsWritten
  stats_.unsent += outbox_.messages();
  transport_->Close();  // also ends the waits of coroutines in it
  filled_.Notify();
  changed_.Notify();
}

}  // namespace trolley::internal
