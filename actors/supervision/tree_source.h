// SPDX-License-Identifier: Apache-2.0
//
// TreeSource: how a reader of supervision trees, such as the control service,
// gets at the supervisors of a program. The reader knows only this header. So a
// program without supervisors links no supervisor. SupervisionTree() makes one
// (actors/supervision/supervision_tree.h):
//
//   options.tree = trolley::SupervisionTree({"app"});
//
// docs/design/0010-tree.md says why it is a value that main() passes.
//
// Ownership: a value.
// Threads:   immutable; any thread may call `read`.
// Bounds:    kMostRoots names. A page has GetChildrenPage::most children.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_TREE_SOURCE_H_
#define TROLLEY_ACTORS_SUPERVISION_TREE_SOURCE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/child_info.h"

namespace trolley {

struct TreeSource {
  static constexpr size_t kMostRoots = 1000;

  using Done = absl::AnyInvocable<void(absl::StatusOr<ChildrenPage>)>;

  // The names of the supervisors without a parent, in the order in which they
  // are shown. One that does not run is shown, too.
  std::vector<std::string> roots = {};

  // Asks the supervisor `name` for a page. Calls `done` once: on the loop of
  // the supervisor, or in this call. `done` must return soon and not throw. A
  // loop that is stuck delays the call of `done`, also after `timeout`. Null:
  // there are no supervisors.
  //
  //   NotFound            no actor of that name runs
  //   FailedPrecondition  that actor is no Supervisor
  //   others              as Ref::AskThen
  std::function<void(const Bus& bus, const std::string& name,
                     GetChildrenPage page, absl::Duration timeout, Done done)>
      read = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_TREE_SOURCE_H_
