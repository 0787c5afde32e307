// SPDX-License-Identifier: Apache-2.0
//
// ChildInfo: what a Supervisor tells of one of its children. GetChildren
// (supervisor_messages.h) replies all of them, GetChildrenPage some of them:
//
//   trolley::GetChildrenPage ask = {.most = 100};
//   do {
//     auto page = app.AskAndWait(ask, absl::Seconds(1));
//     ...
//     ask.after = page->next;
//   } while (ask.after != 0);
//
// A child that is there during all these asks is on exactly one page. A child
// that is added or forgotten meanwhile is on one page or on none.
//
// Ownership: values.
// Threads:   any.
// Bounds:    GetChildrenPage::most entries in a page.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_CHILD_INFO_H_
#define TROLLEY_ACTORS_SUPERVISION_CHILD_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trolley/bus/address.h"
#include "trolley/bus/exit_reason.h"

namespace trolley {

enum class ChildState : uint8_t {
  kWaiting,   // no object is there; its turn or its restart will come
  kStarting,  // OnStart() or OnStartTask() has not finished
  kUp,
  kStopping,
  kStuck,  // it was stopped hard, and its handler has not returned
  kEnded,  // no object is there, and the supervisor will make none by itself
};

struct ChildInfo {
  // Names this child of this supervisor. At least 1; a later child has a higher
  // one.
  uint64_t id = 0;
  std::string name;  // ChildOptions::name
  // Ref<A>(address) reaches it, also after its restarts. Empty: its seat could
  // not be reserved, or was given back.
  Address address;
  ChildState state = ChildState::kWaiting;
  uint64_t restarts = 0;  // starts after the first one; a count
  // Why the last object ended; kUnknown: none has ended. For a start that
  // failed before there was an object, kFailed and why.
  ExitReason last_exit;
  bool is_supervisor = false;  // it has children of its own
};

// Replies a ChildrenPage.
struct GetChildrenPage {
  static constexpr uint32_t kMost = 1000;

  // The page begins after the child with this id. 0: with the first child.
  uint64_t after = 0;
  // The most children to reply, 1 to kMost; a count. 0 counts as 1, and more
  // than kMost as kMost.
  uint32_t most = kMost;
};

struct ChildrenPage {
  // Of the supervisor itself:
  //
  //   kStarting  a child is not up, as at the start or during a restart
  //   kUp        each child is up, or has ended and is not restarted
  //   kStopping  it stops its children, and none is restarted
  ChildState state = ChildState::kUp;
  std::vector<ChildInfo> children;  // in the order of their start
  // For GetChildrenPage::after of the next page. 0: this is the last one.
  uint64_t next = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_CHILD_INFO_H_
