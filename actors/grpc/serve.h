// SPDX-License-Identifier: Apache-2.0
//
// Serve: one call of a method, from its bytes to an OpenCall. We parse them
// ourselves, because gRPC ends a call whose request does not parse with
// UNIMPLEMENTED and an empty text.
//
// Functions without state, thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_SERVE_H_
#define TROLLEY_ACTORS_GRPC_SERVE_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <utility>

#include "trolley/actors/grpc/control_state.h"
#include "trolley/actors/grpc/open_call.h"

namespace trolley::control {

// What gRPC gives to a method.
struct RawCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
};

// What a call says that reached its limit; null: it ends before it returns, so
// it needs no limit.
using Late = std::function<grpc::Status()>;

// OK, or BAD_REQUEST: there are no bytes, or they are no such message.
grpc::Status Parse(const grpc::ByteBuffer& bytes,
                   google::protobuf::Message& request);

// Begins the call, with the limit that `late_of(request)` speaks for, and
// unless it has ended runs `method(request, call)`, which ends it now or later.
// The request is gone when `method` returns.
template <typename Request, typename LateOf, typename Method>
grpc::ServerUnaryReactor* Serve(const ControlState& state, const RawCall& raw,
                                const LateOf& late_of, const Method& method) {
  Request request;
  const grpc::Status parsed = Parse(*raw.request, request);
  const OpenCall::Ptr call =
      OpenCall::Begin(state.calls, raw.response, state.LimitOf(*raw.context),
                      Late(late_of(std::as_const(request))));
  // For gRPC, which keeps it until OnDone(): not before this has returned.
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (!parsed.ok()) {
    call->Fail(parsed);
  } else if (!call->ended()) {
    method(std::as_const(request), call);
  }
  return reactor;
}

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_SERVE_H_
