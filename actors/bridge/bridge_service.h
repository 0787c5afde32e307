// SPDX-License-Identifier: Apache-2.0
//
// BridgeService: lets other processes link to the actors of a bus over gRPC. It
// is a service of a gRPC server that the program makes, with the credentials
// that the program gives it. A GrpcLink (actors/bridge/grpc_link.h) is a
// client.
//
//   absl::StatusOr<std::unique_ptr<trolley::BridgeService>> bridge =
//       trolley::BridgeService::Create(bus, {.name = "grpc"}, {});
//   if (!bridge.ok()) ...
//   grpc::ServerBuilder builder;
//   builder.AddListeningPort("[::]:7000", grpc::SslServerCredentials(...));
//   builder.RegisterService((*bridge)->service());
//   (*bridge)->Configure(builder);
//   std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
//   ...
//   bus.Shutdown(absl::Seconds(5));  // the links say GOAWAY
//   (*bridge)->Stop();
//   server->Shutdown();
//
// Each call of Bridge.Link gets a StreamLink, on the loop of the listener, an
// actor that the service spawns. If the listener has a name, such as "grpc",
// the names of its links are "grpc/1", "grpc/2" and so on.
//
// Any other client of gRPC publishes and subscribes, if the program has given
// topics (actors/bridge/bridge_topics.h). A subscription is an actor on the
// loop of the listener. Its client grants credit. While it has none, the
// subscription keeps BridgeOptions::kept_events publications and counts the
// others, so the client learns their exact number (P19). If its call is lost,
// the client may go on with it for BridgeOptions::resume_within.
//
// Such a client also tells and asks, if the server has the service messenger().
//
// LinkUp::peer_identity is the name in the client's certificate, as gRPC's
// credentials have checked it. Without one it is the address of the client, as
// gRPC has it and without its port: "ipv4:10.0.0.7". The credentials decide
// which clients may connect.
//
// Ownership: owns the listener, which ends with it. The server and the bus
//            outlive its calls, so destroy the server before the service. The
//            bus may shut down at any time, and is destroyed after both.
// Threads:   Create, Stop and the destructor: a plain thread. gRPC's threads
//            tell the listener, and return.
// Bounds:    ListenerOptions::max_connections counts the links, the
//            subscriptions, and the calls that end. Calls that the listener
//            has not handled wait in its mailbox. Any further call gets
//            RESOURCE_EXHAUSTED.
// Ends:      Stop(), or the destructor, which calls it.
//
// Any order of the three ends works:
//
//   first              the links end with      the clients see
//   bus.Shutdown()     LinkEnd::kStopped       GOAWAY, and UNAVAILABLE
//                                              ("DRAINING: ...") for new calls
//   Stop()             LinkEnd::kLost          UNAVAILABLE ("DRAINING: ...")
//   server->Shutdown   LinkEnd::kLost          what gRPC says; without a
//   (deadline)                                 deadline it waits for the links

#ifndef TROLLEY_ACTORS_BRIDGE_BRIDGE_SERVICE_H_
#define TROLLEY_ACTORS_BRIDGE_BRIDGE_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "trolley/actors/bridge/bridge_topics.h"
#include "trolley/actors/bridge/grpc_link_options.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/stream_listener.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"

namespace trolley {

using BridgeListener = Protocol<ListenerStats(GetListenerStats)>;

class BridgeService {
 public:
  // Spawns the listener with `spawn`. Without `topics`, clients can make links
  // only.
  //   InvalidArgument     an option is out of its range; the message names it
  //   ResourceExhausted   the machine has too few threads or descriptors for
  //                       gRPC; the text says which limit to look at
  //   others              as Bus::Spawn
  static absl::StatusOr<std::unique_ptr<BridgeService>> Create(
      Bus& bus, const SpawnOptions& spawn, const BridgeOptions& options,
      std::optional<BridgeTopics> topics = std::nullopt);

  BridgeService(const BridgeService&) = delete;
  BridgeService& operator=(const BridgeService&) = delete;
  ~BridgeService();

  // For RegisterService(), once.
  grpc::Service* service();

  // Messenger of proto/control.proto, which tells and asks actors by name, as
  // the control service does: any client that the credentials let in, any actor
  // whose class has Receives. For RegisterService(), once. Its limits are the
  // defaults of ControlOptions (actors/grpc/control_options.h).
  //   ResourceExhausted   no thread is left for the deadlines of asks
  absl::StatusOr<grpc::Service*> messenger();

  // Sets what the server takes of one message: a whole piece and not much more.
  // gRPC's default is 4 MiB. Leave it out if other services of the server take
  // longer messages; then a client may make gRPC keep as much for each call.
  static void Configure(grpc::ServerBuilder& builder);

  // The listener, for its counters. `over_limit` counts the calls that it
  // turned away, and not those for which its mailbox had no room.
  const Ref<BridgeListener>& listener() const;

  // Ends all calls, and each later one, with UNAVAILABLE ("DRAINING: ...").
  // Returns at once: the server still has to write that, which takes 5 s if a
  // client does not read. Later calls do nothing.
  void Stop();

 private:
  class Impl;
  explicit BridgeService(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BRIDGE_BRIDGE_SERVICE_H_
