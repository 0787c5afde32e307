// SPDX-License-Identifier: Apache-2.0
//
// ProcessImage: what a program is started with, in the words of execve(2). It
// is made before the process is, because little may be done in between.
//
//   const ProcessImage image = ImageOf(options);
//
// Ownership: a value.
// Threads:   any. ImageOf() reads the environment of this process: see
//            ChildProcessOptions::inherit_environment.
// Bounds:    none of its own; the kernel limits the arguments and the
//            environment together (E2BIG).
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_PROCESS_IMAGE_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_PROCESS_IMAGE_H_

#include <string>
#include <vector>

#include "trolley/actors/child/child_process_options.h"

namespace trolley::internal {

struct ProcessImage {
  // The files to try, one after the other. Empty: the PATH has no absolute
  // folder.
  std::vector<std::string> paths;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string working_directory;
};

// `options`: ValidateChildProcessOptions() was OK.
ProcessImage ImageOf(const ChildProcessOptions& options);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_PROCESS_IMAGE_H_
