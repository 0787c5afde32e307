// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/supervision_tree.h"

#include <utility>

#include "trolley/actors/supervision/supervisor.h"

namespace trolley {

TreeSource SupervisionTree(std::vector<std::string> roots) {
  return {
      .roots = std::move(roots),
      .read = [](const Bus& bus, const std::string& name, GetChildrenPage page,
                 absl::Duration timeout, TreeSource::Done done) {
        const absl::StatusOr<Ref<Supervisor>> supervisor =
            bus.Find<Supervisor>(name);
        if (!supervisor.ok()) return done(supervisor.status());
        supervisor->AskThen(page, timeout, std::move(done));
      }};
}

}  // namespace trolley
