// SPDX-License-Identifier: Apache-2.0
//
// A process for each connection. If one of them crashes, the others go on.

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <set>

#include "trolley/examples/echo_models/blocking.h"
#include "trolley/examples/echo_models/models.h"

namespace echo {
namespace {

// Never returns. It ends by _exit(): the path of the socket, and all else that
// needs an end, belongs to the parent.
[[noreturn]] void BeChild(pid_t parent, int connection) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent ended before prctl()
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ServeBlocking(connection);
  _exit(0);
}

void Reap(std::set<pid_t>& children, int options) {
  while (!children.empty()) {
    const pid_t ended = waitpid(-1, nullptr, options);
    if (ended < 0 && errno == EINTR) continue;
    if (ended <= 0) return;
    children.erase(ended);
  }
}

}  // namespace

absl::Status ServeWithProcesses(trolley::UnixListenSocket& listener) {
  absl::StatusOr<Visitors> visitors = Visitors::Open(listener);
  if (!visitors.ok()) return visitors.status();
  std::set<pid_t> children;
  absl::Status ended;
  for (;;) {
    absl::StatusOr<Visitors::Next> next = visitors->Wait();
    if (!next.ok()) {
      ended = next.status();
      break;
    }
    if (next->signal == SIGCHLD) {
      Reap(children, WNOHANG);
      continue;
    }
    if (next->signal != 0) break;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) BeChild(parent, next->connection.get());
    if (child > 0) {
      children.insert(child);
    } else {
      std::fprintf(stderr, "echo_server: a connection was closed: fork: %s\n",
                   std::strerror(errno));
    }
  }
  for (const pid_t child : children) kill(child, SIGTERM);
  Reap(children, 0);
  return ended;
}

}  // namespace echo
