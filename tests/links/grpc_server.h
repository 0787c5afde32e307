// SPDX-License-Identifier: Apache-2.0
//
// GrpcServer: a gRPC server with a BridgeService. ListenGrpc() keeps one at a
// Unix socket until its bus has shut down.
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_LINKS_GRPC_SERVER_H_
#define TROLLEY_TESTS_LINKS_GRPC_SERVER_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "trolley/actors/bridge/bridge_service.h"
#include "trolley/actors/bridge/grpc_link.h"
#include "trolley/actors/bus.h"

namespace trolley::links_test {

class GrpcServer {
 public:
  // `addresses` has commas between them.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      Bus& bus, const SpawnOptions& spawn, const std::string& addresses,
      const BridgeOptions& options,
      const std::shared_ptr<grpc::ServerCredentials>& credentials =
          grpc::InsecureServerCredentials(),
      std::optional<BridgeTopics> topics = std::nullopt) {
    auto bridge = BridgeService::Create(bus, spawn, options, std::move(topics));
    if (!bridge.ok()) return bridge.status();
    auto started = std::make_unique<GrpcServer>();
    started->bridge_ = *std::move(bridge);
    grpc::ServerBuilder builder;
    for (const auto address : absl::StrSplit(addresses, ',')) {
      builder.AddListeningPort(std::string(address), credentials,
                               &started->port_);
    }
    builder.RegisterService(started->bridge_->service());
    BridgeService::Configure(builder);
    started->server_ = builder.BuildAndStart();
    if (started->server_ == nullptr) {
      return absl::AlreadyExistsError("gRPC does not listen there");
    }
    return started;
  }
  ~GrpcServer() { End(); }

  BridgeService& bridge() { return *bridge_; }
  grpc::Server& server() { return *server_; }
  // Of the last address.
  int port() const { return port_; }

  // The bridge and then the server.
  void End() {
    if (server_ == nullptr) return;
    bridge_->Stop();
    server_->Shutdown();
    server_.reset();
  }

 private:
  std::unique_ptr<BridgeService> bridge_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// The servers of ListenGrpc(), until EndGrpcServers().
inline std::multimap<const Bus*, std::unique_ptr<GrpcServer>>& GrpcServers() {
  static auto& servers =
      *new std::multimap<const Bus*, std::unique_ptr<GrpcServer>>();
  return servers;
}
// After the shutdown of the bus, and before its end.
inline void EndGrpcServers(const Bus& bus) { GrpcServers().erase(&bus); }

inline absl::StatusOr<Ref<BridgeListener>> ListenGrpc(
    Bus& bus, const SpawnOptions& spawn, const std::string& path,
    const ListenerOptions& limits, const LinkOptions& link) {
  BridgeOptions options;
  static_cast<ListenerOptions&>(options) = limits;
  options.link = link;
  auto server = GrpcServer::Start(bus, spawn, "unix:" + path, options);
  if (!server.ok()) return server.status();
  const Ref<BridgeListener> listener = (*server)->bridge().listener();
  GrpcServers().emplace(&bus, *std::move(server));
  return listener;
}

inline absl::StatusOr<Ref<Link>> DialGrpc(Bus& bus, const SpawnOptions& spawn,
                                          const std::string& path,
                                          const LinkOptions& options) {
  GrpcLinkOptions all;
  static_cast<LinkOptions&>(all) = options;
  all.credentials = grpc::InsecureChannelCredentials();
  auto link = bus.Spawn<GrpcLink>(spawn, "unix:" + path, all);
  if (!link.ok()) return link.status();
  return Ref<Link>(*link);
}

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_GRPC_SERVER_H_
