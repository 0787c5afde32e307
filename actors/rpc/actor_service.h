// SPDX-License-Identifier: Apache-2.0
//
// ActorService: serves a gRPC service by the handlers of an actor. The .proto
// file, the server, its credentials, its reflection and its threads are those
// of the program; no class is generated, and none is written.
//
//   service Bank {
//     rpc GetBalance(GetBalanceRequest) returns (Balance);
//     rpc ListEntries(ListEntriesRequest) returns (stream Entry);
//   }
//
//   class Account : public trolley::Actor {
//    public:
//     using List = trolley::ServerStreaming<ListEntriesRequest, Entry>;
//     using Receives = trolley::Protocol<Balance(GetBalanceRequest), List>;
//     Balance On(const GetBalanceRequest& m);
//     trolley::Task<absl::Status> On(List call);     // rpc/server_streams.h
//   };
//
//   bus->Spawn<Account>({.name = "account"});
//   auto bank = trolley::ActorService::Create(*bus, "bank.v1.Bank", "account");
//   if (!bank.ok()) ...
//   grpc::ServerBuilder builder;
//   builder.AddListeningPort(address, credentials);
//   builder.RegisterService(bank->get());
//   std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
//
// A method is the handler of its request type: it may return the reply, an
// absl::StatusOr of it, or a Task of these. Where the reply is
// google.protobuf.Empty, a handler may return void or an absl::Status. Create()
// checks all methods. The actor is looked up by its name for each call, so its
// restart by a supervisor needs nothing.
//
// The handler's deadline() is that of the call, and trace() is that of the
// header "traceparent". When the call ends first, because its client cancels or
// is gone, or because its deadline passes, a handler that is suspended is
// cancelled, and a message that waits is dropped. Errors that are the handler's
// have its code, and its text made printable (poller/printable.h). All others:
//
//   what happened                        code                 reason
//   max_calls or max_streams are open    RESOURCE_EXHAUSTED   TOO_MANY_CALLS
//   the mailbox is full                  RESOURCE_EXHAUSTED   MAILBOX_FULL
//   calls in handlers that wait hold     RESOURCE_EXHAUSTED   -
//   half of the mailbox
//   a message is longer than             RESOURCE_EXHAUSTED   PAYLOAD_TOO_LARGE
//   max_message_bytes
//   the request does not parse           INVALID_ARGUMENT     BAD_PAYLOAD
//   no actor of that name runs           UNAVAILABLE          ACTOR_NOT_FOUND
//   the actor ended before it answered   UNAVAILABLE          ACTOR_STOPPED_...
//   the bus shuts down                   UNAVAILABLE          DRAINING
//   the deadline has passed              DEADLINE_EXCEEDED    ASK_TIMEOUT
//   an actor of another class has the    UNIMPLEMENTED        MESSAGE_TYPE_...
//   name now, and no such handler
//   the handler threw                    INTERNAL             -
//   the client cancelled, or does not    CANCELLED            -
//   read its stream
//
// The reason is in a google.rpc.ErrorInfo of the domain "trolleybus", in
// "grpc-status-details-bin"; the names are those of proto/control.proto. An
// error of the handler has none. So a client can tell the two apart.
//
// Ownership: owned by the program, with the server. The server borrows it: end
//            the server first. The bus outlives both.
// Threads:   thread-safe. It starts no thread; an actor of its own looks at
//            streams that are not read. A request is parsed on the thread of
//            gRPC that read it; the reply leaves from the loop.
// Bounds:    ActorServiceOptions, and SpawnOptions::mailbox_capacity: there is
//            no queue before the mailbox. A client that opens many calls and
//            reads none of their answers: GRPC_ARG_MAX_CONCURRENT_STREAMS
//            bounds the calls of one connection.
// Ends:      with the server: grpc::Server::Shutdown(deadline) cancels the
//            calls that are open then. If the bus shuts down first, later calls
//            are UNAVAILABLE, and those that are open get their answer or
//            UNAVAILABLE.
//
// Time: deadlines follow the monotonic clock, except where gRPC itself ends a
// call by the deadline of its client. A loop whose handler does not return
// answers late: then a call ends by the deadline of its client only.

#ifndef TROLLEY_ACTORS_RPC_ACTOR_SERVICE_H_
#define TROLLEY_ACTORS_RPC_ACTOR_SERVICE_H_

#include <grpcpp/impl/service_type.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/rpc/actor_service_options.h"

namespace trolley {

namespace internal {
struct ServedActor;
class SlowClientsKeeper;
}  // namespace internal

class ActorService final : public grpc::Service {
 public:
  // `service`: its full name, such as "bank.v1.Bank"; this program has the code
  // that protoc made of its file. `actor`: the bus name of an actor that runs.
  //
  //   InvalidArgument   an option is out of its range; a method has no handler;
  //                     the handler returns another type; two methods have one
  //                     handler. The text names each method, and the way out
  //   NotFound          no such service, or no such actor
  //   others            of Bus::Spawn
  static absl::StatusOr<std::unique_ptr<ActorService>> Create(
      Bus& bus, absl::string_view service, absl::string_view actor,
      const ActorServiceOptions& options = {});

  ActorService(const ActorService&) = delete;
  ActorService& operator=(const ActorService&) = delete;
  ~ActorService() override;

  // Calls that are open now; a count.
  uint32_t open_calls() const;

 private:
  ActorService(std::shared_ptr<internal::ServedActor> served,
               Ref<internal::SlowClientsKeeper> keeper);

  const std::shared_ptr<internal::ServedActor> served_;
  const Ref<internal::SlowClientsKeeper> keeper_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_RPC_ACTOR_SERVICE_H_
