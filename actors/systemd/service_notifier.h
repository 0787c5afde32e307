// SPDX-License-Identifier: Apache-2.0
//
// ServiceNotifier: an actor that tells a service manager, such as systemd, how
// this service is. For a unit with Type=notify, and with WatchdogSec=.
//
//   absl::StatusOr<trolley::ServiceNotifierOptions> options =
//       trolley::ServiceNotifierOptions::FromEnvironment(trolley::RealSys());
//   ...
//   // When all listeners are there:
//   bus.Spawn<trolley::ServiceNotifier>({.name = "systemd"}, *options);
//
// What it says, and when (sd_notify(3)):
//
//   READY=1      when it starts, so spawn it last
//   STOPPING=1   when the bus shuts down
//   STATUS=...   for each ServiceStatus, in one line
//   WATCHDOG=1   three times in `watchdog`, while each loop of the bus answers
//                within a third of it. If a loop is stuck, the manager hears
//                nothing, and restarts the service
//
// Outside of a service manager it says nothing, and a program needs no case of
// its own for that.
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    one descriptor; a text of kMostStatusBytes. If the manager does
//            not read, what it says is dropped, and the log has a line.
// Ends:      when it is stopped. STOPPING=1 does not depend on its end.
// Errors:    in the log.

#ifndef TROLLEY_ACTORS_SYSTEMD_SERVICE_NOTIFIER_H_
#define TROLLEY_ACTORS_SYSTEMD_SERVICE_NOTIFIER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"
#include "trolley/bus/log_kind.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

struct ServiceNotifierOptions {
  // NOTIFY_SOCKET: the path of a datagram socket, or the name of an abstract
  // one behind '@'; at most 107 bytes. Empty: there is no service manager.
  std::string notify_socket = {};

  // WATCHDOG_USEC: the manager restarts the service after so long without a
  // keep-alive. At least 1 ms. Infinite: no keep-alive is wanted.
  absl::Duration watchdog = absl::InfiniteDuration();

  // Reads and removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Call it in
  // main before it starts threads.
  //   InvalidArgument   one of them has a bad value; the text names it
  static absl::StatusOr<ServiceNotifierOptions> FromEnvironment(Sys& sys);
};

// InvalidArgument, naming the field, its value and its limit.
absl::Status ValidateServiceNotifierOptions(
    const ServiceNotifierOptions& options);

// For people: what the service does now.
struct ServiceStatus {
  std::string text;  // made printable, and cut at kMostStatusBytes
};
inline constexpr size_t kMostStatusBytes = 1024;

class ServiceNotifier : public Actor {
 public:
  explicit ServiceNotifier(ServiceNotifierOptions options);

  void On(const ServiceStatus& status);

 protected:
  void OnStart() override;
  void OnDrain() override;

 private:
  // Lives on another loop, and answers when that loop has a turn.
  struct Beat {};
  class Pulse : public Actor {
   public:
    int On(const Beat&) { return 0; }
  };

  absl::Status SpawnPulses();
  Task<absl::Status> KeepAlive();
  // True: each loop has answered within `limit`.
  Task<bool> EachLoopAnswers(absl::Duration limit);
  void Say(absl::string_view what);
  void Log(absl::string_view line, LogKind kind = LogKind::Here()) const;

  const ServiceNotifierOptions options_;
  ScopedFd socket_;  // empty: it says nothing
  std::vector<Ref<Pulse>> pulses_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SYSTEMD_SERVICE_NOTIFIER_H_
