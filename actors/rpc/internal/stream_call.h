// SPDX-License-Identifier: Apache-2.0
//
// StreamCall: one streaming call that an actor serves: the side of gRPC of a
// CallStream. The three kinds differ in what is read before the actor is asked,
// and in what its reply is.
//
//   kind               the actor gets              its reply
//   server streaming   the first message           a status
//   client streaming   a message without content   the one message, or a status
//   bidirectional      a message without content   a status
//
// Ownership: shared by gRPC, until OnDone(), and by the message of the handler.
//            The ask has a weak pointer.
// Threads:   thread-safe.
// Bounds:    ActorServiceOptions.
// Ends:      exactly one Finish(), when the handler has replied and its
//            messages are written, or when the client is gone.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_STREAM_CALL_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_STREAM_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "trolley/actors/rpc/internal/call_stream.h"
#include "trolley/actors/rpc/internal/served_actor.h"
#include "trolley/actors/rpc/internal/slow_clients.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {

using StreamReactor =
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

class StreamCall final : public CallStream,
                         private SlowClient,
                         private StreamReactor {
 public:
  // The method returns the result to gRPC, also if the call has ended.
  static StreamReactor* Begin(const ServedActor::Ptr& served,
                              const ServedMethod& method,
                              grpc::CallbackServerContext* context);

  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;
  ~StreamCall() override = default;

 private:
  using Ptr = std::shared_ptr<StreamCall>;

  StreamCall(ServedActor::Ptr served, const ServedMethod& method,
             grpc::CallbackServerContext* context);

  // Asks the actor, once, or ends the call with an error.
  void Ask(absl::string_view bytes);
  grpc::Status TryAsk(absl::string_view bytes);
  // What OnReadDone() has read.
  void Take(const grpc::ByteBuffer& message);
  void OnReply(absl::StatusOr<WireMessage> reply, NoAnswer why);
  grpc::Status Result(absl::StatusOr<WireMessage> reply, NoAnswer why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The call ends with `status`, when what was written before is with gRPC.
  void End(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The call has its end, and its client has not read all.
  void AwaitClient() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelIfIdle(Instant since) override;
  // The ask ends as at its deadline.
  void GiveUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WantsToRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Pump() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  const ServedActor::Ptr served_;
  const ServedMethod& method_;                  // of *served_
  grpc::CallbackServerContext* const context_;  // valid until OnDone()
  const Instant deadline_;
  const TraceContext trace_;

  // gRPC has these while `reading_`, `writing_`.
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_request_ ABSL_GUARDED_BY(mutex_) = false;  // the first message
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // Finish() was called
  std::function<void()> give_up_ ABSL_GUARDED_BY(mutex_);
  bool is_slow_ ABSL_GUARDED_BY(mutex_) = false;  // in served_->slow_clients
  // When gRPC has last taken a message, or the handler has returned.
  Instant taken_ ABSL_GUARDED_BY(mutex_);

  bool counted_ = false;  // in served_->calls; set before gRPC has the reactor
  Ptr self_;              // until OnDone()
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_STREAM_CALL_H_
