// SPDX-License-Identifier: Apache-2.0
//
// Pipes in pairs, for a PipeLink (actors/pipe/pipe_link.h): one for each
// direction. Each has one writer and one reader.
//
//   mkfifo -m 600 /run/top.in /run/top.out
//
//   // One process:
//   bus.Spawn<trolley::PipeLink>(
//       {}, trolley::PipePaths{.in = "/run/top.in", .out = "/run/top.out"});
//   // The other one:
//   bus.Spawn<trolley::PipeLink>(
//       {}, trolley::PipePaths{.in = "/run/top.out", .out = "/run/top.in"});
//
// Ownership: values. A PipePair owns its descriptors.
// Threads:   thread-safe functions; one thread at a time for each value.

#ifndef TROLLEY_ACTORS_PIPE_PIPES_H_
#define TROLLEY_ACTORS_PIPE_PIPES_H_

#include <string>

#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

// Named pipes. A process that may read the one and write the other is a good
// peer, so give them mode 0600, or that of a group.
struct PipePaths {
  std::string in;   // this process reads it
  std::string out;  // this process writes it
};

// Open pipes.
struct PipePair {
  ScopedFd in;   // open for reading
  ScopedFd out;  // open for writing
};

// The pipes that this process was started with: duplicates of its descriptors,
// with close-on-exec. By default these are its standard input and its standard
// output. The link sets O_NONBLOCK, which a process with the same end of a pipe
// sees, too. Do not print to a standard output that a link has.
//
//   FailedPrecondition   a descriptor is closed; it is no pipe; or it is open
//                        for the other direction. The text names it
//   ResourceExhausted    no descriptor is left
absl::StatusOr<PipePair> InheritedPipes(Sys& sys, int in = 0, int out = 1);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PIPE_PIPES_H_
