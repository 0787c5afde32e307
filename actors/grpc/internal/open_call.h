// SPDX-License-Identifier: Apache-2.0
//
// OpenCall: one call that the server is serving. The first of these ends it:
// the answer, its client, its deadline, the end of the server.
//
//   OpenCall::Ptr call = OpenCall::Begin(calls, response, limit, late);
//   call->Answer<control::v1::Actor>([&](control::v1::Actor& actor) { ... });
//   return call->reactor();
//
// Ownership: shared by gRPC, until OnDone(), and by all that may end it. gRPC
//            owns the response; only the party that ends the call writes it.
// Threads:   thread-safe. Only OpenCalls::AwaitNone() waits.
// Bounds:    OpenCalls::Limits. A call that has ended counts until its last
//            pointer is gone. So a client that gives up and calls again cannot
//            fill the queue of a busy loop.
// Ends:      exactly one Finish(); gRPC drops its reference in OnDone().

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_OPEN_CALL_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_OPEN_CALL_H_

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
#include "trolley/actors/grpc/internal/alarms.h"
#include "trolley/bus/thread/monitor.h"

namespace google::protobuf {
class MessageLite;
}

namespace trolley::internal {

class OpenCalls;

class OpenCall final : public std::enable_shared_from_this<OpenCall>,
                       private grpc::ServerUnaryReactor {
 public:
  using Ptr = std::shared_ptr<OpenCall>;

  // Begins a call that ends with the result of `late` after `limit`. Null: no
  // limit. If the server is stopping, or has Limits::most_calls calls, the call
  // has ended when this returns.
  static Ptr Begin(const std::shared_ptr<OpenCalls>& calls,
                   grpc::ByteBuffer* response, absl::Duration limit,
                   std::function<grpc::Status()> late);

  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;
  ~OpenCall() override;

  // The method returns this to gRPC, also if the call has ended.
  grpc::ServerUnaryReactor* reactor() { return this; }

  bool ended() const { return ended_.load(); }

  // Runs `what` in OnDone(), on a thread of gRPC. Call it in the method that
  // serves the call, before it returns.
  void WhenDone(std::function<void()> what) { when_done_ = std::move(what); }

  // Ends the call with an error of control_error.h. If it has ended: does
  // nothing.
  void Fail(const grpc::Status& error) {
    End([&] { return error; });
  }

  // Runs `fill`, and ends the call with its error or with the Response. If the
  // call has ended: does nothing. PAYLOAD_TOO_LARGE: the Response is longer
  // than Limits::most_bytes.
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
  bool admitted_ = false;  // OpenCalls counts it
  std::atomic<bool> ended_{false};
  std::function<void()> when_done_;
  Ptr self_;  // until OnDone()
};

// The calls of one server.
class OpenCalls final {
 public:
  struct Limits {
    uint64_t most_calls = 0;  // that are open or still referenced; a count
    uint32_t most_bytes = 0;  // of one response, in bytes
  };

  OpenCalls(std::shared_ptr<Alarms> alarms, const Limits& limits)
      : alarms_(std::move(alarms)), limits_(limits) {}

  // Ends all calls, and all later ones, with DRAINING.
  void EndAll();

  // After EndAll(), on a plain thread: waits, at most for `timeout`, until gRPC
  // has written the results of the calls that were open.
  void AwaitNone(absl::Duration timeout);

 private:
  friend class OpenCall;

  // OK: the call counts. DRAINING or TOO_MANY_CALLS: it does not.
  grpc::Status Add(OpenCall& call);
  // gRPC has dropped its reference.
  void Remove(OpenCall& call);
  // The last reference is gone.
  void Forget();

  const std::shared_ptr<Alarms> alarms_;
  const Limits limits_;
  Monitor monitor_;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  uint64_t open_ ABSL_GUARDED_BY(monitor_) = 0;  // before their OnDone()
  uint64_t held_ ABSL_GUARDED_BY(monitor_) = 0;  // with a reference left
  // OpenCall::self_ keeps each of them until Remove().
  absl::flat_hash_set<OpenCall*> calls_ ABSL_GUARDED_BY(monitor_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_OPEN_CALL_H_
