// SPDX-License-Identifier: Apache-2.0
//
// LinkConnection: one connection of a StreamLink: its bytes, frames, credit and
// limits. What the frames mean is the link's business.
//
// Ownership: shared by the link and its coroutines. So the transport outlives
//            a coroutine that waits in it.
// Threads:   loop thread only.
// Bounds:    LinkOptions; reads hold a frame and a read buffer at most.
// Ends:      End(), once: it keeps the reason and sends it to the peer. Then
//            the coroutines of the connection return. The last one closes the
//            descriptor.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_CONNECTION_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/internal/frame_outbox.h"
#include "trolley/actors/link/internal/heartbeat.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/actors/link/link_session.h"
#include "trolley/actors/link/link_transport.h"
#include "trolley/actors/task.h"
#include "trolley/proto/credit.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/frame_decoder.h"

namespace trolley::internal {

// Sends a Hello, and an ERROR frame with `why`, as far as the kernel takes them
// at once. For a connection that the listener is about to close.
void TurnAway(Sys& sys, int fd, const LinkOptions& options,
              uint64_t instance_id, const absl::Status& why);

// The texts of a GOAWAY begin with a code (proto/README.md).
inline constexpr absl::string_view kGoAwayDraining =
    "DRAINING: this process is shutting down";
inline constexpr absl::string_view kGoAwayStopped =
    "STOPPED: this link was stopped";

class LinkConnection {
 public:
  // `transport` was started. `session` may be null: the bytes travel as they
  // are. `options`, `stats` and `changed` outlive it. `changed` is notified
  // when a sender that found no room should look again.
  LinkConnection(ActorContext context, std::unique_ptr<LinkTransport> transport,
                 std::unique_ptr<LinkSession> session,
                 const LinkOptions& options, LinkStats& stats,
                 AsyncCondition& changed);
  ~LinkConnection();

  // Makes the handshake of the session, which completes `peer`; then sends our
  // Hello and reads the peer's. All within the handshake deadline. Errors are
  // final: it has ended.
  Task<absl::Status> Handshake(uint64_t instance_id, LinkPeer& peer);

  // The next frame that has arrived; valid until the next call. nullopt: no
  // whole frame is left, or the connection has ended.
  std::optional<wire::Frame> NextFrame();
  // Waits until more bytes have arrived. False: the connection has ended; or
  // the peer sends no more, and the caller calls EndOfInput().
  Task<bool> ReadMore();
  void EndOfInput();

  // Writes what is queued until it ends; one coroutine runs it.
  Task<absl::Status> Write();

  // Sends an Envelope with a Message: `head`, then `payload`. True: a long
  // `payload` was moved from. False: the outbox has no room, or there is no
  // credit; `changed` is notified when that may have changed.
  // ResourceExhausted: the message is longer than the peer takes.
  absl::StatusOr<bool> TrySend(absl::string_view head, std::string& payload);
  size_t unwritten() const { return outbox_.unwritten(); }
  // Whether the outbox is below its limits.
  bool HasRoom() const {
    // mutant: P14_WhatAPeerDoesNotReadPilesUp
    return outbox_.unwritten() < options_.outbox_bytes &&
           outbox_.messages() < options_.outbox_messages;
  }
  // An answer or a refusal: takes no credit. The caller has seen that there is
  // room. ResourceExhausted: longer than the peer takes.
  absl::Status SendAnswer(absl::string_view head, std::string payload);

  // Takes credit of the peer for a message that has arrived. An error: the peer
  // did not have as much credit.
  absl::Status Charge(size_t payload_bytes);
  // Gives that credit back: a mailbox has taken the message, or its refusal is
  // in the outbox. The peer hears of it when the outbox has room.
  void Discharge(size_t payload_bytes);

  // As SendAnswer(). A peer that takes no more bytes gets no PONG.
  void SendPong(uint64_t token);
  void SendGoAway(absl::string_view text);
  bool said_go_away() const { return said_go_away_; }
  // The peer grants us more. Errors: it may not.
  absl::Status Grant(uint32_t bytes);

  // The peer said ERROR, which ends it.
  void HearError(LinkEnd end, std::string_view payload);
  // The peer said GOAWAY.
  void HearGoAway(absl::string_view peer, std::string text);

  // Ends the connection and resumes its coroutines. If `reason` carries a
  // WireError that the peer did not send, the peer gets it as an ERROR frame.
  void End(LinkEnd end, absl::Status reason);
  // Writes the queued frames, as far as the kernel takes them at once.
  void Flush();

  bool ended() const { return ended_; }
  bool established() const { return encoder_.has_value(); }
  // How it ended, and why.
  LinkEnd end() const { return end_; }
  const absl::Status& reason() const { return reason_; }
  // False: the connection has ended, or the peer takes no more bytes.
  bool writable() const { return !ended_ && !write_failed_; }
  const wire::Agreement& agreement() const { return agreement_; }
  // Of the last message sent; sequence numbers above written_sequence() were
  // not taken whole by the kernel.
  uint64_t last_sequence() const { return encoder_->last_sequence(); }
  uint64_t written_sequence() const { return written_sequence_; }
  uint64_t received_sequence() const { return received_sequence_; }

  // OK until the peer says GOAWAY; then what senders are told.
  const absl::Status& peer_drains() const { return peer_drains_; }

 private:
  // The handshake's, then that of a write which makes no progress.
  class Limit final : public Timer {
   public:
    explicit Limit(LinkConnection& connection) : connection_(connection) {}
    void OnTimer() override { connection_.OutOfTime(); }

   private:
    LinkConnection& connection_;
  };

  // The timer of `heartbeat_`.
  class Heart final : public Timer {
   public:
    explicit Heart(LinkConnection& connection) : connection_(connection) {}
    void OnTimer() override { connection_.Beat(); }

   private:
    LinkConnection& connection_;
  };

  absl::Status Append(absl::string_view head, std::string payload,
                      bool message);
  // After a frame was added to the outbox, which had some or had none.
  void Queued(bool had_frames);
  // A frame without DATA was appended.
  void QueueControl();
  // Grants the peer the credit that it has got back, if the outbox has room.
  void SendCredit();
  Task<absl::Status> ShakeSession();
  Task<absl::StatusOr<size_t>> ReadSealed();
  // The peer has said its last, between two frames.
  void EndBetweenFrames();
  // What the last read said is the fault of the peer.
  bool BrokeARule() const;
  // True: WriteSome() has something to write.
  bool HasBytes() const;
  ssize_t WriteSome();
  ssize_t WriteParts(absl::Span<iovec> parts);
  ssize_t WriteSealed();
  void Took(size_t bytes);
  void OutOfTime();
  void Beat();

  const ActorContext context_;
  const LinkOptions& options_;
  LinkStats& stats_;
  AsyncCondition& changed_;
  Limit limit_;
  Heart heart_;
  Heartbeat heartbeat_;
  uint64_t pings_ = 0;

  const std::unique_ptr<LinkSession> session_;  // null: plain bytes
  bool shaken_ = false;                         // so is the session
  bool session_failed_ = false;                 // the peer broke its rules

  bool ended_ = false;
  bool write_failed_ = false;
  LinkEnd end_ = LinkEnd::kStopped;
  absl::Status reason_;
  absl::Status read_;  // what the last ReadMore() said
  bool heard_error_ = false;
  bool said_go_away_ = false;
  std::string go_away_;
  absl::Status peer_drains_;

  wire::FrameDecoder decoder_;
  wire::Agreement agreement_;
  std::optional<wire::FrameEncoder> encoder_;  // after the handshake
  std::optional<wire::CreditSender> send_credit_;
  std::optional<wire::CreditReceiver> receive_credit_;
  uint64_t received_sequence_ = 0;
  std::optional<wire::Frame> first_;  // read by Handshake()

  FrameOutbox outbox_;
  uint64_t written_sequence_ = 0;
  uint64_t taken_bytes_ = 0;  // by the transport
  AsyncCondition filled_;     // HasBytes()
  // Goes first: it lends the decoder's buffer to the kernel.
  const std::unique_ptr<LinkTransport> transport_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_CONNECTION_H_
