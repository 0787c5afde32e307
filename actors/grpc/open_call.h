// SPDX-License-Identifier: Apache-2.0
//
// OpenCall: one call in the hands of the server, which any of several things
// may end: the answer, its client, its deadline, the end of the server. The
// first one does.
//
// Ownership: shared by gRPC, until OnDone(), and by what may end it. gRPC owns
//            the bytes of the response; they are written by the one that ends
//            the call.
// Threads:   thread-safe; nothing here waits, but for OpenCalls::AwaitNone().
// Bounds:    OpenCalls::Limits. A call that has ended counts until nothing
//            holds it any more: a client that gives up and calls again cannot
//            fill the queue of a loop that is busy.
// Ends:      exactly one Finish(); gRPC lets go with OnDone().

#ifndef TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
#define TROLLEY_ACTORS_GRPC_OPEN_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "trolley/actors/grpc/alarms.h"
#include "trolley/bus/monitor.h"

namespace google::protobuf {
class MessageLite;
}

namespace trolley::control {

class OpenCalls;

class OpenCall final : public std::enable_shared_from_this<OpenCall>,
                       private grpc::ServerUnaryReactor {
 public:
  using Ptr = std::shared_ptr<OpenCall>;

  // Begins a call that ends with `late` after `limit`; null: it has no limit.
  // If the server is stopping, or holds as many as it may, it has ended
  // already.
  static Ptr Begin(const std::shared_ptr<OpenCalls>& calls,
                   grpc::ByteBuffer* response, absl::Duration limit,
                   std::function<grpc::Status()> late);

  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;
  ~OpenCall() override;

  // For gRPC; to be returned by the method, whatever happened to the call.
  grpc::ServerUnaryReactor* reactor() { return this; }

  bool ended() const { return ended_.load(); }

  // Runs `what` when gRPC lets go of the call, on a thread of gRPC's. For the
  // method that serves the call, before it returns.
  void WhenDone(std::function<void()> what) { when_done_ = std::move(what); }

  // Unless the call has ended: ends it with an error, which carries its
  // ErrorInfo (control_error.h).
  void Fail(const grpc::Status& error) {
    End([&] { return error; });
  }

  // Unless the call has ended: runs `fill`, and ends the call with its error,
  // or with the Response that it filled in. PAYLOAD_TOO_LARGE: that is longer
  // than a client may be sent.
  template <typename Response>
  void Answer(absl::FunctionRef<grpc::Status(Response&)> fill) {
    End([&] {
      Response response;
      grpc::Status filled = fill(response);
      return filled.ok() ? Write(response) : filled;
    });
  }

 private:
  friend class OpenCalls;

  OpenCall(std::shared_ptr<OpenCalls> calls, grpc::ByteBuffer* response,
           std::function<grpc::Status()> late)
      : calls_(std::move(calls)), response_(response), late_(std::move(late)) {}

  void End(absl::FunctionRef<grpc::Status()> answer);
  grpc::Status Write(const google::protobuf::MessageLite& response);
  void OnCancel() override;
  void OnDone() override;

  const std::shared_ptr<OpenCalls> calls_;
  grpc::ByteBuffer* const response_;  // valid until the call has ended
  const std::function<grpc::Status()> late_;
  Alarms::Id alarm_;       // its deadline; set before gRPC has the call
  bool admitted_ = false;  // it counts
  std::atomic<bool> ended_{false};
  std::function<void()> when_done_;
  Ptr self_;  // until OnDone()
};

// The calls of one server.
class OpenCalls final {
 public:
  struct Limits {
    uint64_t most_calls = 0;  // open, or ended and held by something; count
    uint32_t most_bytes = 0;  // of one response
  };

  OpenCalls(std::shared_ptr<Alarms> alarms, const Limits& limits)
      : alarms_(std::move(alarms)), limits_(limits) {}

  // Ends all, and those to come, with DRAINING.
  void EndAll();

  // After EndAll(): waits, at most for `timeout`, until gRPC has written what
  // became of the calls that were open. For a plain thread.
  void AwaitNone(absl::Duration timeout);

 private:
  friend class OpenCall;

  // OK; or DRAINING or TOO_MANY_CALLS, and the call does not count.
  grpc::Status Add(OpenCall& call);
  // gRPC lets go of it.
  void Remove(OpenCall& call);
  // The last one lets go of it.
  void Forget();

  const std::shared_ptr<Alarms> alarms_;
  const Limits limits_;
  Monitor monitor_;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  uint64_t open_ ABSL_GUARDED_BY(monitor_) = 0;  // gRPC has not let go of them
  uint64_t held_ ABSL_GUARDED_BY(monitor_) = 0;  // something holds them
  // Each is kept by its self_ until it has been removed.
  absl::flat_hash_set<OpenCall*> calls_ ABSL_GUARDED_BY(monitor_);
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_OPEN_CALL_H_
