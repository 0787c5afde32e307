// SPDX-License-Identifier: Apache-2.0
//
// What a Supervisor answers and does when it is asked. Children are named as in
// their ChildOptions, without the name of the supervisor.
//
//   Ref<Supervisor> app = ...;
//   absl::Status up = app.AskAndWait(AwaitUp{}, absl::Seconds(10));
//   auto children = app.AskAndWait(GetChildren{}, absl::Seconds(1));
//   auto page = app.AskAndWait(GetChildrenPage{.most = 10}, absl::Seconds(1));
//   app.AskAndWait(RestartChild{"db"}, absl::Seconds(10));
//
// An ask that has passed its deadline does not undo what it has begun.
//
// Each of them may end so:
//
//   Unavailable   the supervisor stops its children, because the bus shuts
//                 down, because of StopTree, or because it escalates
//   NotFound      RestartChild, StopChild: there is no child of that name. Each
//                 ask: the supervisor has ended
//
// Ownership: values.
// Threads:   any.
// Bounds:    a reply to GetChildren has SupervisorOptions::max_children entries
//            at most.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_MESSAGES_H_
#define TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_MESSAGES_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/strings/string_view.h"
#include "trolley/actors/supervision/child_info.h"
#include "trolley/actors/supervision/child_spec.h"

namespace trolley {

// "waiting", "starting", "up", "stopping", "stuck" or "ended".
absl::string_view ChildStateName(ChildState state);
std::ostream& operator<<(std::ostream& to, ChildState state);

// Replies a std::vector<ChildInfo>, in the order of their start.
struct GetChildren {};

// Replies OK when each child is up, or has ended and is not restarted. For a
// child that is a Supervisor this includes its own children.
struct AwaitUp {};

// Adds a child after all others and starts it. Replies its Address when it is
// up. It is treated as the others from then on, but is forgotten when it has
// ended and is not restarted.
//
//   InvalidArgument    the spec; the text says what
//   AlreadyExists      a child, or another actor, has the name
//   ResourceExhausted  SupervisorOptions::max_children, or LoopOptions
//   Aborted            it has ended before it was up; the text says why. It is
//                      forgotten, and does not count as a restart
//   Unavailable        also: its loop has ended
struct StartChild {
  ChildSpec child;
};

// Stops this child, starts it again, and replies OK when it is up. Another
// child is not restarted with it. A child that waits for its backoff starts at
// once, and one that has ended starts anew: its name is the same, its address
// is another one.
//
//   Aborted           it has ended and is not restarted, or StopChild came
//   DeadlineExceeded  it is stuck
//   Unavailable       also: StopChild has begun
struct RestartChild {
  std::string name;
};

// Stops this child, and replies OK when it has ended and its name is free.
// Senders get kGone then. A child of StartChild is forgotten.
//
//   DeadlineExceeded  it is stuck. It ends when its handler returns
struct StopChild {
  std::string name;
};

// Stops the children in the reverse order of their start, each by its own
// deadline; then the supervisor ends. Replies OK at once;
// Address::WhenEnded() tells when the end has come.
struct StopTree {};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_MESSAGES_H_
