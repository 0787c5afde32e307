// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/watch.h"

#include <utility>

namespace trolley {
namespace internal {

EndWatch BeginWatch(const Address& watcher, const MessageOps* ops,
                    const Address& watched,
                    std::shared_ptr<const Forgotten> forgotten) {
  return watched.WhenEnded(
      [watcher, ops, watched,
       forgotten = std::move(forgotten)](const ActorEnd& end) {
        SendNotice(watcher, ops, Down{watched, watched.ToString(), end.reason},
                   forgotten);
      });
}

}  // namespace internal

void EndTogether(const Address& one, const Address& other) {
  // mutant: P9_OneOfTwoStays
  one.WhenEnded([other](const ActorEnd&) { (void)other.Stop(); });
  other.WhenEnded([one](const ActorEnd&) { (void)one.Stop(); });
}

void Watch::Forget() {
  if (forgotten_ == nullptr) return;
  forgotten_->store(true);
  watched_.ForgetWhenEnded(watch_);
  forgotten_.reset();
  watched_ = Address();
}

}  // namespace trolley
