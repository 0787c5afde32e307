// SPDX-License-Identifier: Apache-2.0
//
// Refusals: what a StreamLink tells its peer about messages that no mailbox
// took. When the outbox has no room a refusal is owed, and sent later. Until it
// is in the outbox its message holds its credit, so a peer that reads no
// refusals may soon send no more.
//
// Ownership: a member of the link.
// Threads:   loop thread only.
// Bounds:    the credit of the peer bounds how many are owed.
// Ends:      Forget(), when the connection has ended.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_REFUSALS_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_REFUSALS_H_

#include <cstdint>
#include <deque>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/task.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/link.pb.h"

namespace trolley::internal {

// What a refusal that the peer sent means for the sender of the message.
absl::Status StatusOfRefusal(const link::v1::Refusal& refusal);
// Why a mailbox did not take a message, for the peer.
link::v1::Refusal::Reason RefusalReasonOf(const absl::Status& status);

class Refusals {
 public:
  using Reason = link::v1::Refusal::Reason;

  explicit Refusals(LinkState& state) : state_(state) {}
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;

  // Tells the peer that the message of `header` was not taken, and gives its
  // credit back. Nothing is sent if the connection of the message has ended.
  void Refuse(const wire::FrameHeader& header, uint64_t ask_id, Reason reason,
              absl::string_view detail);

  void Forget() { owed_.clear(); }

 private:
  struct Owed {
    wire::FrameHeader header;
    uint64_t ask_id = 0;
    Reason reason;
  };

  Task<absl::Status> SendOwed(LinkState::Connection connection);

  LinkState& state_;
  std::deque<Owed> owed_;  // of this connection
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_REFUSALS_H_
