// SPDX-License-Identifier: Apache-2.0
//
// OpenCall: one call in the hands of the server, which any of several things
// may end: the answer, its client, its deadline, the end of the server. The
// first one does.
//
// Ownership: shared by whoever may end it; gRPC owns the reactor and the
//            response, which are touched only by the one who ends the call.
// Threads:   thread-safe; nothing here waits.
// Bounds:    OpenCalls holds what gRPC lets in: connections times calls each.
// Ends:      exactly one Finish(); the reactor goes with gRPC's OnDone().

#ifndef TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
#define TROLLEY_ACTORS_GRPC_OPEN_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace trolley::control {

class OpenCalls;

class OpenCall final : public std::enable_shared_from_this<OpenCall> {
 public:
  using Ptr = std::shared_ptr<OpenCall>;

  // Begins a call that ends with `late` after `limit`; infinite: never. If the
  // server is stopping it has ended already.
  static Ptr Begin(const std::shared_ptr<OpenCalls>& calls,
                   absl::Duration limit = absl::InfiniteDuration(),
                   std::function<grpc::Status()> late = nullptr);

  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

  // For gRPC; to be returned by the method, whatever happened to the call.
  grpc::ServerUnaryReactor* reactor() { return reactor_; }

  bool ended() const { return ended_.load(); }

  // Unless the call has ended: runs `answer`, which may fill in the response,
  // and ends the call with what it says.
  void End(absl::FunctionRef<grpc::Status()> answer);
  void End(const grpc::Status& status) {
    End([&] { return status; });
  }

 private:
  class Reactor;
  OpenCall() = default;

  grpc::ServerUnaryReactor* reactor_ = nullptr;
  std::atomic<bool> ended_{false};
  grpc::Alarm alarm_;
};

// The calls of one server.
class OpenCalls {
 public:
  // False: the server is stopping.
  bool Add(const OpenCall::Ptr& call);
  void Remove(const OpenCall::Ptr& call);

  // Ends all, and those to come, with DRAINING.
  void EndAll();

 private:
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<OpenCall::Ptr> calls_ ABSL_GUARDED_BY(mutex_);
};

// `after` from now, for an Alarm.
gpr_timespec AlarmTime(absl::Duration after);

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
