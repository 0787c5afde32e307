// SPDX-License-Identifier: Apache-2.0
//
// UnaryCall: one unary call that an actor serves. The first of these ends it:
// the answer of the actor, its client, its deadline, the end of the server.
//
//   return UnaryCall::Begin(served, method, context, request, response);
//
// Ownership: shared by gRPC, until OnDone(), and by the ask, which has a weak
//            pointer. gRPC owns the response; only the party that ends the call
//            writes it.
// Threads:   thread-safe.
// Bounds:    ActorServiceOptions::max_calls.
// Ends:      exactly one Finish(); gRPC drops its reference in OnDone().

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_UNARY_CALL_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_UNARY_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "trolley/actors/rpc/internal/served_actor.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {

class UnaryCall final : private grpc::ServerUnaryReactor {
 public:
  // The method returns the result to gRPC, also if the call has ended.
  static grpc::ServerUnaryReactor* Begin(
      const ServedActor::Ptr& served, const ServedMethod& method,
      const grpc::CallbackServerContext& context,
      const grpc::ByteBuffer& request, grpc::ByteBuffer* response);

  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;
  ~UnaryCall() override = default;

 private:
  using Ptr = std::shared_ptr<UnaryCall>;

  UnaryCall(ServedActor::Ptr served, const ServedMethod& method,
            grpc::ByteBuffer* response)
      : served_(std::move(served)), method_(method), response_(response) {}

  // OK: the actor has the message.
  grpc::Status Ask(const grpc::CallbackServerContext& context,
                   const grpc::ByteBuffer& request, const Ptr& self);
  grpc::Status Answer(absl::StatusOr<WireMessage> reply, NoAnswer why);
  // True: the caller ends it, and calls Finish().
  bool MayEnd() { return !ended_.exchange(true); }
  void OnCancel() override;
  void OnDone() override;

  const ServedActor::Ptr served_;
  const ServedMethod& method_;        // of *served_
  grpc::ByteBuffer* const response_;  // valid until the call has ended
  std::atomic<bool> ended_{false};
  bool counted_ = false;           // in served_->calls
  std::function<void()> give_up_;  // set before gRPC has the reactor
  Ptr self_;                       // until OnDone()
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_UNARY_CALL_H_
