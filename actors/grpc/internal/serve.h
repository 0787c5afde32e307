// SPDX-License-Identifier: Apache-2.0
//
// Serve: begins a call of a method: parses the request and makes an OpenCall.
// gRPC would end a call whose request does not parse with UNIMPLEMENTED and an
// empty text, so this parses the bytes itself.
//
// Functions without state; thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_SERVE_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_SERVE_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <utility>

#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/grpc/internal/open_call.h"

namespace trolley::internal {

// The arguments that gRPC passes to a method.
struct RawCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
};

// Makes the error of a call at its limit. Null: the method ends the call before
// it returns, so it needs no limit.
using Late = std::function<grpc::Status()>;

// OK, or BAD_REQUEST: there are no bytes, or they do not parse.
grpc::Status Parse(const grpc::ByteBuffer& bytes,
                   google::protobuf::Message& request);

// Begins the call; `late_of(request)` makes its Late. Then runs
// `method(request, call)`, unless the call has ended. `method` ends the call,
// at once or later. The request is destroyed when `method` returns.
template <typename Request, typename LateOf, typename Method>
grpc::ServerUnaryReactor* Serve(const ControlState& state, const RawCall& raw,
                                const LateOf& late_of, const Method& method) {
  Request request;
  const grpc::Status parsed = Parse(*raw.request, request);
  const OpenCall::Ptr call =
      OpenCall::Begin(state.calls, raw.response, state.LimitOf(*raw.context),
                      Late(late_of(std::as_const(request))));
  // gRPC keeps it until OnDone(), which it does not call before this returns.
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (!parsed.ok()) {
    call->Fail(parsed);
  } else if (!call->ended()) {
    method(std::as_const(request), call);
  }
  return reactor;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_SERVE_H_
