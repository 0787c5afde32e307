// SPDX-License-Identifier: Apache-2.0
//
// AskWhenRoomAwaiter: an ask that waits for room in a full mailbox, where an
// ordinary one fails at once. Ref::AskWhenRoom() makes it:
//
//   auto cents = co_await account.AskWhenRoom(GetBalance{}, absl::Seconds(1));
//
// It waits in one line with the senders of Ref::Send(). The deadline is for
// both: for the room and for the reply. It resolves as an AskAwaiter
// (actors/ask.h), with these differences:
//
//   code                when
//   ResourceExhausted   not for a full mailbox
//   DeadlineExceeded    no room, or no reply, by the deadline; the text says
//                       which
//
// Ownership, threads, bounds and ends: as AskAwaiter. It holds one place of
//            LoopOptions::max_pending_asks.

#ifndef TROLLEY_ACTORS_ASK_WHEN_ROOM_H_
#define TROLLEY_ACTORS_ASK_WHEN_ROOM_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/bus/delivery.h"

namespace trolley {
namespace internal {

// The message of an ask while it waits for room.
class WaitsForRoom {
 protected:
  WaitsForRoom() = default;
  explicit WaitsForRoom(OutgoingMessage message)
      : message_(std::move(message)) {}

  ActorId target() const { return message_->target(); }
  bool waits_for_room() const { return message_.has_value(); }
  // Sends the message, or asks for a credit, with the reply slot `ask_id`.
  absl::Status Begin(Loop& loop, uint64_t ask_id);
  // The reply to the request has come. Sends the message with the new slot
  // `ask_id`; 0: there is none.
  absl::Status Granted(Loop& loop, Envelope* reply, uint64_t ask_id);
  // Drops the message.
  absl::Status NoRoomWithin(Loop& loop, absl::Duration within);

 private:
  absl::Status Refused(Loop& loop, Delivery delivery);

  std::optional<OutgoingMessage> message_;
};

}  // namespace internal

template <typename Reply>
class [[nodiscard]] AskWhenRoomAwaiter : private internal::WaitsForRoom,
                                         public AskAwaiter<Reply> {
 public:
  // Ref::AskWhenRoom makes these.
  AskWhenRoomAwaiter(internal::Loop* loop, absl::Status error)
      : AskAwaiter<Reply>(loop, std::move(error)) {}
  AskWhenRoomAwaiter(internal::Loop* loop, Instant deadline,
                     absl::Duration within, internal::OutgoingMessage message)
      : WaitsForRoom(std::move(message)),
        AskAwaiter<Reply>(
            loop, target(), deadline, within,
            [&](uint64_t ask_id) { return Begin(*loop, ask_id); }) {}

 private:
  void OnReply(internal::Envelope* e) override {
    if (!waits_for_room()) return AskAwaiter<Reply>::OnReply(e);
    this->Settle();
    this->Reserve();
    absl::Status sent = Granted(*this->loop(), e, this->ask_id());
    if (sent.ok()) return;
    this->Fail(std::move(sent));
    this->Wake();
  }
  void OnTimer() override {
    if (!this->resolved() && waits_for_room()) {
      this->Fail(NoRoomWithin(*this->loop(), this->within()));
    }
    AskAwaiter<Reply>::OnTimer();
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASK_WHEN_ROOM_H_
