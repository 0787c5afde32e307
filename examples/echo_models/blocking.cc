// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/echo_models/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/string_view.h"
#include "trolley/examples/echo_models/handler.h"
#include "trolley/poller/errno_status.h"

namespace echo {
namespace {

// Without a descriptor in reserve a connection stays in the queue, and the
// listener is left alone for as long as this.
constexpr int kPauseMs = 100;

bool SendAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

void ServeBlocking(int fd) {
  char buffer[kBufferBytes];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    if (!SendAll(fd, Answer({buffer, static_cast<size_t>(n)}))) return;
  }
}

absl::StatusOr<Visitors> Visitors::Open(trolley::UnixListenSocket& listener) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    sigaddset(&set, signal);
  }
  trolley::Sys& sys = trolley::RealSys();
  trolley::ScopedFd signals(sys,
                            sys.Signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) {
    return trolley::ErrnoStatus(signals.get(), trolley::SysCall::kSignalfd, "");
  }
  return Visitors(listener, std::move(signals));
}

absl::StatusOr<Visitors::Next> Visitors::Wait() {
  for (;;) {
    pollfd items[] = {{signals_.get(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
    const bool pause = !listener_.has_reserve();
    if (pause) items[1].fd = -1;
    if (poll(items, 2, pause ? kPauseMs : -1) < 0 && errno != EINTR) {
      return trolley::ErrnoStatus(-errno, trolley::SysCall::kPpoll, "listener");
    }
    signalfd_siginfo info;
    if (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
      return Next{.connection = {}, .signal = static_cast<int>(info.ssi_signo)};
    }
    absl::StatusOr<trolley::ScopedFd> accepted = listener_.Accept();
    if (accepted.ok()) {
      fcntl(accepted->get(), F_SETFL, 0);  // no O_NONBLOCK: the model's point
      return Next{.connection = *std::move(accepted), .signal = 0};
    }
    if (absl::IsResourceExhausted(accepted.status())) {
      std::fprintf(stderr, "echo_server: a connection was not taken: %s\n",
                   accepted.status().ToString().c_str());
    } else if (!absl::IsUnavailable(accepted.status())) {
      return accepted.status();
    }
  }
}

}  // namespace echo
