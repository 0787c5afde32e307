// SPDX-License-Identifier: Apache-2.0
//
// Three models of a server. Each passes many connections to one handler:
//
//   process   blocking calls, a process for each connection
//   thread    blocking calls, a thread for each connection
//   loop      an actor for each connection, on loops over any poller
//
// Ownership: each borrows the listener until it returns.
// Threads:   called by main, with SIGTERM, SIGINT and SIGCHLD blocked.
// Bounds:    the limits of the system for processes, threads and descriptors.
//            The server closes a connection beyond them and writes a line to
//            stderr.
// Ends:      with SIGTERM or SIGINT: connections are closed, and nothing of the
//            model is left when it returns.

#ifndef TROLLEY_EXAMPLES_ECHO_MODELS_MODELS_H_
#define TROLLEY_EXAMPLES_ECHO_MODELS_MODELS_H_

#include <string>

#include "absl/status/status.h"
#include "trolley/actors/unix/unix_socket.h"

namespace echo {

absl::Status ServeWithProcesses(trolley::UnixListenSocket& listener);
absl::Status ServeWithThreads(trolley::UnixListenSocket& listener);

// Connections go to the loops in turn. Errors: as trolley::Bus::Create, for a
// poller that is not there or not allowed.
absl::Status ServeWithLoops(trolley::UnixListenSocket& listener,
                            const std::string& poller, int loops);

}  // namespace echo

#endif  // TROLLEY_EXAMPLES_ECHO_MODELS_MODELS_H_
