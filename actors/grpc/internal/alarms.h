// SPDX-License-Identifier: Apache-2.0
//
// Alarms: a thread that runs each action at the time that it was set for. A
// loop cannot do this: an alarm ends a call that waits for a stuck loop.
// grpc::Alarm cannot: it follows the wall clock.
//
//   Alarms::Id id = alarms.Set(absl::Seconds(2), [call] { call->Fail(late); });
//   alarms.Cancel(id);
//
// Ownership: owns its thread. Those that set alarms share it.
// Threads:   thread-safe. The actions run on its thread, one after the other,
//            and must not block.
// Bounds:    one entry for each alarm that is set.
// Ends:      Stop(), once, by another thread; then the destructor. Actions that
//            have not begun by then do not run.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_ALARMS_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_ALARMS_H_

#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/bus/thread/monitor.h"

namespace trolley::internal {

class Alarms {
 public:
  // Names an alarm; the default names none.
  using Id = std::pair<Instant, uint64_t>;

  // ResourceExhausted: no thread is left.
  absl::Status Start();
  void Stop();

  // Runs `action` after `after`. Zero or less: at once; infinite: never
  // (poller/instant.h).
  Id Set(absl::Duration after, std::function<void()> action);
  // True: the action will not run. False: it runs now, has run, or was never
  // set.
  bool Cancel(const Id& id);

 private:
  using Actions = absl::btree_map<Id, std::function<void()>>;

  void Run();
  // The next action that is due. Releases the lock while it waits. Empty:
  // Stop() was called.
  Actions::node_type Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);

  Monitor monitor_;
  Actions actions_ ABSL_GUARDED_BY(monitor_);
  uint64_t last_ ABSL_GUARDED_BY(monitor_) = 0;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  std::thread thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_ALARMS_H_
