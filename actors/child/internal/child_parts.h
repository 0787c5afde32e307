// SPDX-License-Identifier: Apache-2.0
//
// ChildParts: a child process that has just been started, with our ends of its
// pipes.
//
//   absl::StatusOr<ChildParts> parts = StartChild(context().sys(), options);
//
// Ownership: a value; owns the process and the descriptors.
// Threads:   that of the loop that the process is to end with.
// Bounds:    four descriptors.
// Ends:      the destructor kills the process (RunningProcess).
// Errors:    of StartChild(): those of StartProcess() (start_process.h), and
//            FailedPrecondition: this process ignores SIGCHLD
//            Unimplemented: the system calls are simulated

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PARTS_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PARTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "trolley/actors/child/child_process_options.h"
#include "trolley/actors/child/internal/running_process.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

struct ChildParts {
  RunningProcess process;
  std::string name;  // of the program, without its folder; printable
  ScopedFd in;       // of its standard input
  ScopedFd out;      // of its standard output
  ScopedFd err;      // of its standard error; none unless ChildErrors::kLog
};

// `options`: ValidateChildProcessOptions() was OK.
absl::StatusOr<ChildParts> StartChild(Sys& sys,
                                      const ChildProcessOptions& options);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PARTS_H_
