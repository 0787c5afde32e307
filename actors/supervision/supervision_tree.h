// SPDX-License-Identifier: Apache-2.0
//
// SupervisionTree: lets a control service show the supervisors of the program
// (`trolley tree`).
//
//   auto app = bus.Spawn<trolley::Supervisor>({.name = "app"}, ...);
//   auto control = trolley::ControlService::Start(
//       bus, {.path = path, .tree = trolley::SupervisionTree({"app"})});
//
// `roots` are the names of the supervisors without a parent. They are looked up
// for each question, so they may start later, end, and be spawned again. Each
// supervisor below a root is found through its parent. A supervisor that is in
// no tree can be read by its name.
//
// Ownership: returns a value.
// Threads:   thread-safe.
// Bounds:    TreeSource::kMostRoots names.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_SUPERVISION_TREE_H_
#define TROLLEY_ACTORS_SUPERVISION_SUPERVISION_TREE_H_

#include <string>
#include <vector>

#include "trolley/actors/supervision/tree_source.h"

namespace trolley {

// The party that gets it checks the names (ControlOptions::tree).
TreeSource SupervisionTree(std::vector<std::string> roots);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_SUPERVISION_TREE_H_
