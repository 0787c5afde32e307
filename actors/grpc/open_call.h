// SPDX-License-Identifier: Apache-2.0
//
// OpenCall: one call in the hands of the server, which any of several things
// may end: the answer, its client, its deadline, the end of the server. The
// first one does.
//
// Ownership: shared by gRPC, until OnDone(), and by whoever may end it; gRPC
//            owns the response, which is touched only by the one who ends the
//            call.
// Threads:   thread-safe; nothing here waits.
// Bounds:    OpenCalls holds what gRPC lets in: connections times calls each.
// Ends:      exactly one Finish(); gRPC lets go with OnDone().

#ifndef TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
#define TROLLEY_ACTORS_GRPC_OPEN_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/grpc/alarms.h"

namespace trolley::control {

class OpenCalls;

class OpenCall final : public std::enable_shared_from_this<OpenCall>,
                       private grpc::ServerUnaryReactor {
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
  grpc::ServerUnaryReactor* reactor() { return this; }

  bool ended() const { return ended_.load(); }

  // Unless the call has ended: runs `answer`, which may fill in the response,
  // and ends the call with what it says.
  void End(absl::FunctionRef<grpc::Status()> answer);
  void End(const grpc::Status& status) {
    End([&] { return status; });
  }

 private:
  friend class OpenCalls;

  OpenCall(std::shared_ptr<OpenCalls> calls, std::function<grpc::Status()> late)
      : calls_(std::move(calls)), late_(std::move(late)) {}

  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override;

  const std::shared_ptr<OpenCalls> calls_;
  const std::function<grpc::Status()> late_;
  Alarms::Id alarm_;  // its deadline; set before gRPC has the call
  std::atomic<bool> ended_{false};
  Ptr self_;  // until OnDone()
};

// The calls of one server.
class OpenCalls final {
 public:
  explicit OpenCalls(std::shared_ptr<Alarms> alarms)
      : alarms_(std::move(alarms)) {}

  // Ends all, and those to come, with DRAINING.
  void EndAll();

 private:
  friend class OpenCall;

  // False: the server is stopping.
  bool Add(OpenCall& call);
  void Remove(OpenCall& call);

  const std::shared_ptr<Alarms> alarms_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Each is kept by its self_ until it has been removed.
  absl::flat_hash_set<OpenCall*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
