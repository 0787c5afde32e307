// SPDX-License-Identifier: Apache-2.0
//
// Alarms: a thread runs each action at the point in time it was set for. No
// loop does it, because it is what ends a call that waits for a stuck loop; and
// grpc::Alarm does not, because gRPC waits for its alarms by the wall clock.
//
// Ownership: owns its thread; shared by those who set alarms.
// Threads:   thread-safe. Actions run on the thread, one after the other, and
//            do not block.
// Bounds:    one entry for each alarm that is set.
// Ends:      Stop(), once, by a thread that is not its own: actions that are
//            not running then do not run any more. Destroyed after that.

#ifndef TROLLEY_ACTORS_GRPC_ALARMS_H_
#define TROLLEY_ACTORS_GRPC_ALARMS_H_

#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/bus/monitor.h"

namespace trolley::control {

class Alarms {
 public:
  // Names an alarm; the default names none.
  using Id = std::pair<Instant, uint64_t>;

  // ResourceExhausted: the machine has no thread left.
  absl::Status Start();
  void Stop();

  // Runs `action` `after` from now, by the rule of poller/instant.h: at once,
  // then, or never.
  Id Set(absl::Duration after, std::function<void()> action);
  // True: it was set, and does not run any more. False: it runs now, has run,
  // or was never set.
  bool Cancel(const Id& id);

 private:
  using Actions = absl::btree_map<Id, std::function<void()>>;

  void Run();
  // Gives the lock up while it waits. Empty: it stops.
  Actions::node_type Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);

  Monitor monitor_;
  Actions actions_ ABSL_GUARDED_BY(monitor_);
  uint64_t last_ ABSL_GUARDED_BY(monitor_) = 0;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  std::thread thread_;
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_ALARMS_H_
