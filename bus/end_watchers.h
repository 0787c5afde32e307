// SPDX-License-Identifier: Apache-2.0
//
// EndWatchers: who is to be told when an actor of this loop has ended.
//
// Ownership: part of a loop; owns what is to be called.
// Threads:   loop thread only.
// Bounds:    an entry for each Add() until its actor has ended, or until who
//            asked takes it back.

#ifndef TROLLEY_BUS_END_WATCHERS_H_
#define TROLLEY_BUS_END_WATCHERS_H_

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "trolley/bus/actor_id.h"

namespace trolley {

class Loop;

class EndWatchers {
 public:
  using Told = absl::AnyInvocable<void(Loop&)>;

  // `by` is who asks; nobody, if it never takes that back.
  void Add(ActorId of, ActorId by, Told told) {
    watchers_[of].push_back({by, std::move(told)});
  }

  // Takes back what `by` has asked for about `of`.
  void Remove(ActorId of, ActorId by) {
    const auto found = watchers_.find(of);
    if (found == watchers_.end()) return;
    std::erase_if(found->second,
                  [by](const Watcher& watcher) { return watcher.by == by; });
    if (found->second.empty()) watchers_.erase(found);
  }

  // `of` has ended. They may add others while they are told.
  void Tell(ActorId of, Loop& on) {
    if (watchers_.empty()) return;
    const auto found = watchers_.find(of);
    if (found == watchers_.end()) return;
    std::vector<Watcher> watchers = std::move(found->second);
    watchers_.erase(found);
    for (Watcher& watcher : watchers) watcher.told(on);
  }

 private:
  struct Watcher {
    ActorId by;
    Told told;
  };
  absl::flat_hash_map<ActorId, std::vector<Watcher>> watchers_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_END_WATCHERS_H_
