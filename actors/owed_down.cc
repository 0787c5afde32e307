// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/owed_down.h"

#include <utility>

namespace trolley {

void OwedDown::Tell(ExitReason reason, absl::Status lost) {
  if (told_.exchange(true)) return;
  internal::SendNotice(watcher_, ops_,
                       Down{.actor = actor_,
                            .name = name_,
                            .reason = std::move(reason),
                            .lost = std::move(lost)},
                       forgotten_);
}

}  // namespace trolley
