// SPDX-License-Identifier: Apache-2.0
//
// LinkWatches: the watches of this process over a StreamLink
// (actors/link/remote_watch.h). Each is an ask that the link over there answers
// when the actor has ended.
//
//   watches_.Begin(std::move(watch.down));   // until the Down is told
//   watches_.Forget(*unwatch.owed);          // or the watcher forgets it
//
// Ownership: a member of the link. Each watch is in a coroutine of it.
// Threads:   loop thread only.
// Bounds:    LinkOptions::max_watches.
// Ends:      with the link. A watch ends with the connection that it was sent
//            over.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_LINK_WATCHES_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_LINK_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/internal/link_sender.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/link/internal/pending_down.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

class LinkWatches {
 public:
  LinkWatches(LinkState& state, LinkSender& sender)
      : state_(state), sender_(sender) {}
  LinkWatches(const LinkWatches&) = delete;
  LinkWatches& operator=(const LinkWatches&) = delete;

  void Begin(std::unique_ptr<PendingDown> down);
  // No effect if that watch has ended.
  void Forget(const OwedDown& owed);

  size_t count() const { return watches_.size(); }

 private:
  // Gives up those that were forgotten without a word.
  void Sweep();
  Task<absl::Status> Run(std::unique_ptr<PendingDown> down);
  // What the other process says.
  static void Tell(PendingDown& down, const absl::StatusOr<WireMessage>& said);

  LinkState& state_;
  LinkSender& sender_;
  absl::flat_hash_map<const OwedDown*, uint64_t> watches_;  // their ask ids
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_LINK_WATCHES_H_
