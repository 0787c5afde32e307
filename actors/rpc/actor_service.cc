// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/actor_service.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/actors/rpc/internal/served_actor.h"
#include "trolley/actors/rpc/internal/served_method.h"
#include "trolley/actors/rpc/internal/stream_call.h"
#include "trolley/actors/rpc/internal/unary_call.h"
#include "trolley/actors/wire.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

using grpc::internal::RpcServiceMethod;
using internal::ServedActor;
using internal::ServedMethod;

absl::StatusOr<const google::protobuf::ServiceDescriptor*> FindService(
    absl::string_view name) {
  const google::protobuf::ServiceDescriptor* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          std::string(name));
  if (service != nullptr) return service;
  return absl::NotFoundError(
      absl::StrCat("this program has no service \"", Printable(name),
                   "\"; link the code that protoc makes of its .proto file, "
                   "and name it with its package, such as \"bank.v1.Bank\""));
}

grpc::internal::MethodHandler* NewUnaryHandler(const ServedActor::Ptr& served,
                                               const ServedMethod& method) {
  return new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer,
                                                  grpc::ByteBuffer>(
      [served, &method](grpc::CallbackServerContext* context,
                        const grpc::ByteBuffer* request,
                        grpc::ByteBuffer* response) {
        return internal::UnaryCall::Begin(served, method, *context, *request,
                                          response);
      });
}

grpc::internal::MethodHandler* NewStreamHandler(const ServedActor::Ptr& served,
                                                const ServedMethod& method) {
  return new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer,
                                                 grpc::ByteBuffer>(
      [served, &method](grpc::CallbackServerContext* context) {
        return internal::StreamCall::Begin(served, method, context);
      });
}

}  // namespace

absl::StatusOr<std::unique_ptr<ActorService>> ActorService::Create(
    Bus& bus, absl::string_view service, absl::string_view actor,
    const ActorServiceOptions& options) {
  if (absl::Status valid = ValidateActorServiceOptions(options); !valid.ok()) {
    return valid;
  }
  const auto descriptor = FindService(service);
  if (!descriptor.ok()) return descriptor.status();
  const absl::StatusOr<WireTarget> target = WireTarget::Find(bus, actor);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::vector<ServedMethod>> methods =
      internal::MethodsOf(**descriptor, *target);
  if (!methods.ok()) return methods.status();
  auto served =
      std::make_shared<ServedActor>(bus, actor, options, *std::move(methods));
  auto keeper =
      bus.Spawn<internal::SlowClientsKeeper>({}, served->slow_clients);
  if (!keeper.ok()) return keeper.status();
  served->slow_clients->SetKeeper(*keeper);
  internal::RouteProtobufLog();
  return std::unique_ptr<ActorService>(
      new ActorService(std::move(served), *std::move(keeper)));
}

// To gRPC each stream is one of both directions: what the kinds have in common
// is on the wire, and StreamCall knows the rest.
ActorService::ActorService(std::shared_ptr<ServedActor> served,
                           Ref<internal::SlowClientsKeeper> keeper)
    : served_(std::move(served)), keeper_(std::move(keeper)) {
  int index = 0;
  for (const ServedMethod& method : served_->methods) {
    AddMethod(new RpcServiceMethod(method.path.c_str(),
                                   method.streams()
                                       ? RpcServiceMethod::BIDI_STREAMING
                                       : RpcServiceMethod::NORMAL_RPC,
                                   nullptr));
    MarkMethodRawCallback(index++, method.streams()
                                       ? NewStreamHandler(served_, method)
                                       : NewUnaryHandler(served_, method));
  }
}

ActorService::~ActorService() { keeper_.Stop(); }

uint32_t ActorService::open_calls() const { return served_->calls.open(); }

}  // namespace trolley
