// SPDX-License-Identifier: Apache-2.0
//
// PeerWatches: the watches of the peer of a StreamLink: each is an ask that is
// answered when an actor of this process has ended. When the outbox has no
// room, the answer is owed, and sent later.
//
//   watches_.Begin(message.ask_id, target.address());
//   watches_.HearDown(down);                  // the link has got a Down
//
// Ownership: a member of the link.
// Threads:   loop thread only.
// Bounds:    the caller's: it takes none when count() is at max_watches.
// Ends:      Forget(), when the connection has ended.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_PEER_WATCHES_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_PEER_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/task.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/address.h"

namespace trolley::internal {

class PeerWatches {
 public:
  // Watches an actor for the link.
  using Begins = std::function<Watch(const Address&)>;

  PeerWatches(LinkState& state, Begins begins)
      : state_(state), begins_(std::move(begins)) {}
  PeerWatches(const PeerWatches&) = delete;
  PeerWatches& operator=(const PeerWatches&) = delete;

  // Those without an answer in the outbox.
  size_t count() const { return watched_by_.size() + owed_.size(); }
  // A watch of the peer has that number.
  bool Has(uint64_t ask_id) const { return watched_by_.contains(ask_id); }

  // Not Has(ask_id).
  void Begin(uint64_t ask_id, const Address& actor);
  // An actor that the link watches has ended.
  void HearDown(const Down& down);
  // The peer gave that watch up. False: there is none, or it has its answer.
  bool Cancel(uint64_t ask_id);
  // Nothing is sent after it.
  void Forget();

 private:
  // One for all watches of an actor.
  struct Watched {
    Watch watch;
    absl::flat_hash_set<uint64_t> ask_ids;
  };
  struct Owed {
    uint64_t ask_id = 0;
    std::string ended;  // the Ended, serialized
  };

  Task<absl::Status> SendOwed(LinkState::Connection connection);

  LinkState& state_;
  const Begins begins_;
  absl::flat_hash_map<Address, Watched> watched_;
  absl::flat_hash_map<uint64_t, Address> watched_by_;
  std::deque<Owed> owed_;
  std::string head_;  // of the next answer; kept for its memory
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_PEER_WATCHES_H_
