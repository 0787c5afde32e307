// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/systemd/service_notifier.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/systemd/internal/environment.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/printable.h"

namespace trolley {

// --- Options ---------------------------------------------------------------

absl::StatusOr<ServiceNotifierOptions> ServiceNotifierOptions::FromEnvironment(
    Sys& sys) {
  ServiceNotifierOptions options;
  options.notify_socket = internal::TakeVariable("NOTIFY_SOCKET");
  const std::string usec = internal::TakeVariable("WATCHDOG_USEC");
  const std::string pid = internal::TakeVariable("WATCHDOG_PID");
  int64_t owner = sys.Getpid();
  if (!pid.empty()) {
    const absl::StatusOr<int64_t> number = internal::NumberIn(
        "WATCHDOG_PID", pid, 1, std::numeric_limits<int32_t>::max());
    if (!number.ok()) return number.status();
    owner = *number;
  }
  if (!usec.empty() && owner == sys.Getpid()) {
    const absl::StatusOr<int64_t> number = internal::NumberIn(
        "WATCHDOG_USEC", usec, 1000, std::numeric_limits<int64_t>::max());
    if (!number.ok()) return number.status();
    options.watchdog = absl::Microseconds(*number);
  }
  absl::Status valid = ValidateServiceNotifierOptions(options);
  if (!valid.ok()) return valid;
  return options;
}

absl::Status ValidateServiceNotifierOptions(
    const ServiceNotifierOptions& options) {
  const std::string& socket = options.notify_socket;
  constexpr size_t kMostBytes = sizeof(sockaddr_un::sun_path) - 1;
  if (!socket.empty() && socket[0] != '/' && socket[0] != '@') {
    return absl::InvalidArgumentError(
        absl::StrCat("ServiceNotifierOptions::notify_socket is ",
                     Printable(socket), "; it begins with '/' or '@'"));
  }
  if (socket.size() > kMostBytes || socket.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ServiceNotifierOptions::notify_socket has ", socket.size(),
        " bytes; it has at most ", kMostBytes, ", and none of them is NUL"));
  }
  if (options.watchdog < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ServiceNotifierOptions::watchdog is ",
        absl::FormatDuration(options.watchdog), "; it is at least 1ms"));
  }
  return absl::OkStatus();
}

// --- The actor -------------------------------------------------------------

ServiceNotifier::ServiceNotifier(ServiceNotifierOptions options)
    : options_(std::move(options)) {}

void ServiceNotifier::Log(absl::string_view line, LogKind kind) const {
  context().Log(absl::StrCat(address().ToString(), ": ", line), "", kind);
}

void ServiceNotifier::OnStart() {
  absl::Status valid = ValidateServiceNotifierOptions(options_);
  if (!valid.ok()) {
    Log(valid.message());
    return Stop();
  }
  if (options_.notify_socket.empty()) return;
  Sys& sys = context().sys();
  socket_ = ScopedFd(
      sys, sys.Socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) {
    Log(ErrnoStatus(socket_.get(), SysCall::kSocket, "AF_UNIX").message());
    return Stop();
  }
  Say("READY=1");
  if (options_.watchdog == absl::InfiniteDuration()) return;
  const absl::Status spawned = SpawnPulses();
  if (spawned.ok()) {
    RunInBackground(KeepAlive());
  } else {
    Log(absl::StrCat("no keep-alive for the watchdog: ", spawned.message()));
  }
}

void ServiceNotifier::OnDrain() { Say("STOPPING=1"); }

void ServiceNotifier::On(const ServiceStatus& status) {
  Say(absl::StrCat("STATUS=", Printable(status.text, kMostStatusBytes)));
}

absl::Status ServiceNotifier::SpawnPulses() {
  for (int i = 0; i < context().loops(); ++i) {
    if (i == context().loop_index()) continue;
    absl::StatusOr<Ref<Pulse>> pulse = Spawn<Pulse>({.loop = i});
    if (!pulse.ok()) return pulse.status();
    pulses_.push_back(*std::move(pulse));
  }
  return absl::OkStatus();
}

Task<absl::Status> ServiceNotifier::KeepAlive() {
  const absl::Duration third = options_.watchdog / 3;
  for (;;) {
    const bool all = co_await EachLoopAnswers(third);
    if (all) Say("WATCHDOG=1");
    co_await Sleep(third);
  }
}

Task<bool> ServiceNotifier::EachLoopAnswers(absl::Duration limit) {
  const Instant deadline = context().Now() + limit;
  for (const Ref<Pulse>& pulse : pulses_) {
    auto asking = pulse.Ask(Beat{}, deadline - context().Now());
    const absl::StatusOr<int> answer = co_await asking;
    if (!answer.ok()) {
      Log(
          absl::StrCat("a loop is stuck, and the watchdog is not told that the "
                       "service is well: ",
                       answer.status().message()));
      co_return false;
    }
  }
  co_return true;
}

void ServiceNotifier::Say(absl::string_view what) {
  if (!socket_) return;
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  const std::string& name = options_.notify_socket;
  std::memcpy(to.sun_path, name.data(), name.size());
  const bool abstract = name[0] == '@';
  if (abstract) to.sun_path[0] = '\0';
  iovec part = {.iov_base = const_cast<char*>(what.data()),
                .iov_len = what.size()};
  msghdr message = {};
  message.msg_name = &to;
  message.msg_namelen = static_cast<socklen_t>(
      offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t n =
      context().sys().Sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  if (n < 0) {
    Log(absl::StrCat(
        "the service manager was not told ", what, ": ",
        ErrnoStatus(static_cast<int>(n), SysCall::kSendmsg, name).message()));
  }
}

}  // namespace trolley
