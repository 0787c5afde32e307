// SPDX-License-Identifier: Apache-2.0
//
// EndWatchers: the callbacks of Address::WhenEnded() for the actors of a loop.
//
// Ownership: part of a loop; owns the callbacks.
// Threads:   loop thread only.
// Bounds:    one entry for each Add(), until its actor ends or Remove().
// Ends:      with the loop. Before that the loop ends all its actors, so it has
//            called every callback by then.

#ifndef TROLLEY_BUS_REGISTRY_END_WATCHERS_H_
#define TROLLEY_BUS_REGISTRY_END_WATCHERS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/inspect.h"

namespace trolley::internal {

class EndWatchers {
 public:
  using Told = absl::AnyInvocable<void(const ActorEnd&)>;

  // `id` names the callback for Remove().
  void Add(ActorId of, uint64_t id, Told told) {
    watchers_[of].push_back({id, std::move(told)});
  }

  // Removes the callback. If it has been called: does nothing.
  void Remove(ActorId of, uint64_t id) {
    const auto found = watchers_.find(of);
    if (found == watchers_.end()) return;
    std::erase_if(found->second,
                  [id](const Watcher& watcher) { return watcher.id == id; });
    if (found->second.empty()) watchers_.erase(found);
  }

  // True: `of` has no callback.
  bool empty(ActorId of) const {
    return watchers_.empty() || !watchers_.contains(of);
  }

  // The actors that have callbacks, in the order of their ids.
  std::vector<ActorId> Watched() const {
    std::vector<ActorId> all;
    all.reserve(watchers_.size());
    for (const auto& [of, watchers] : watchers_) all.push_back(of);
    std::sort(all.begin(), all.end(),
              [](ActorId a, ActorId b) { return a.word() < b.word(); });
    return all;
  }

  // `of` has ended: calls its callbacks. They may add others.
  void Tell(ActorId of, const ActorEnd& end) {
    const auto found = watchers_.find(of);
    if (found == watchers_.end()) return;
    std::vector<Watcher> watchers = std::move(found->second);
    watchers_.erase(found);
    for (Watcher& watcher : watchers) watcher.told(end);
  }

 private:
  struct Watcher {
    uint64_t id;
    Told told;
  };
  absl::flat_hash_map<ActorId, std::vector<Watcher>> watchers_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_END_WATCHERS_H_
