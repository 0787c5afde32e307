// SPDX-License-Identifier: Apache-2.0
//
// NewCall: a call that no actor serves yet. If none ever does, because its
// message was dropped, the call ends with UNAVAILABLE.
//
//   accepter.Tell(NewCall(pieces, peer, NewCall::Kind::kLink));
//
// Ownership: a value, which moves with its message.
// Threads:   one at a time.
// Ends:      Take(), or the destructor.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_NEW_CALL_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_NEW_CALL_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/link/link_peer.h"

namespace trolley::internal {

inline absl::Status Draining() {
  return absl::UnavailableError("DRAINING: this process is shutting down");
}

class NewCall {
 public:
  enum class Kind { kLink, kSubscription };

  NewCall(std::shared_ptr<ServerPieces> pieces, LinkPeer peer, Kind kind)
      : pieces_(std::move(pieces)), peer_(std::move(peer)), kind_(kind) {}
  NewCall(NewCall&&) = default;
  NewCall& operator=(NewCall&&) = delete;
  ~NewCall() {
    // mutant: P13_ACallWithoutAListenerEndsAsIfAllWereWell
    if (pieces_ != nullptr) pieces_->Refuse(Draining());
  }

  std::shared_ptr<ServerPieces> Take() { return std::move(pieces_); }
  LinkPeer& peer() { return peer_; }
  Kind kind() const { return kind_; }

 private:
  std::shared_ptr<ServerPieces> pieces_;  // null: taken
  LinkPeer peer_;
  Kind kind_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_NEW_CALL_H_
