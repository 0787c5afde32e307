// SPDX-License-Identifier: Apache-2.0
//
// A thread for each connection.

#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <list>
#include <system_error>
#include <thread>

#include "trolley/examples/echo_models/blocking.h"
#include "trolley/examples/echo_models/models.h"

namespace echo {
namespace {

// One connection. Its descriptor is closed by the thread that accepts, once the
// one that serves has ended.
struct Served {
  explicit Served(trolley::ScopedFd fd) : connection(std::move(fd)) {}

  trolley::ScopedFd connection;
  std::atomic<bool> done{false};
  std::thread thread;
};

void JoinDone(std::list<Served>& all) {
  for (auto at = all.begin(); at != all.end();) {
    if (!at->done.load()) {
      ++at;
      continue;
    }
    at->thread.join();
    at = all.erase(at);
  }
}

}  // namespace

absl::Status ServeWithThreads(trolley::UnixListenSocket& listener) {
  absl::StatusOr<Visitors> visitors = Visitors::Open(listener);
  if (!visitors.ok()) return visitors.status();
  std::list<Served> all;
  absl::Status ended;
  for (;;) {
    absl::StatusOr<Visitors::Next> next = visitors->Wait();
    if (!next.ok()) {
      ended = next.status();
      break;
    }
    if (next->signal == SIGCHLD) continue;
    if (next->signal != 0) break;
    JoinDone(all);
    Served& served = all.emplace_back(std::move(next->connection));
    try {
      served.thread = std::thread([&served] {
        ServeBlocking(served.connection.get());
        // The peer learns of the end now, not when the descriptor is closed.
        shutdown(served.connection.get(), SHUT_RDWR);
        served.done.store(true);
      });
    } catch (const std::system_error& refused) {
      std::fprintf(stderr, "echo_server: a connection was closed: thread: %s\n",
                   refused.what());
      all.pop_back();
    }
  }
  for (Served& served : all) shutdown(served.connection.get(), SHUT_RDWR);
  for (Served& served : all) served.thread.join();
  return ended;
}

}  // namespace echo
