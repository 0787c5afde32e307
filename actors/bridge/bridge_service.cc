// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/bridge_service.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/bridge_accepter.h"
#include "trolley/actors/bridge/internal/grpc_process.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/grpc/internal/grpc_log.h"
#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/bridge.grpc.pb.h"

namespace trolley {
namespace {

using internal::BridgeAccepter;
using internal::NewCall;
using internal::ServerCalls;
using internal::ServerPieces;

using Raw =
    bridge::v1::Bridge::WithRawCallbackMethod_Link<bridge::v1::Bridge::Service>;

absl::Status Draining() {
  return absl::UnavailableError("DRAINING: this process is shutting down");
}

// "ipv4:10.0.0.7:5000" without its port.
std::string WithoutPort(const std::string& address) {
  if (address.rfind("ipv4:", 0) != 0 && address.rfind("ipv6:", 0) != 0) {
    return address;
  }
  return address.substr(0, address.rfind(':'));
}

LinkPeer PeerOf(const grpc::CallbackServerContext& context) {
  const std::string address = context.peer();
  LinkPeer peer{.name = Printable(address),
                .identity = Printable(WithoutPort(address))};
  const auto auth = context.auth_context();
  // mutant: P14_TheNameInACertificateIsNotUsed
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const grpc::string_ref name = auth->GetPeerIdentity().front();
    peer.identity = Printable(absl::string_view(name.data(), name.size()));
    peer.name = absl::StrCat(peer.identity, " at ", peer.name);
  }
  return peer;
}

class Service final : public Raw {
 public:
  Service(Ref<BridgeAccepter> accepter, std::shared_ptr<ServerCalls> calls)
      : accepter_(std::move(accepter)), calls_(std::move(calls)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Link(
      grpc::CallbackServerContext* context) override {
    std::shared_ptr<ServerPieces> pieces = ServerPieces::Begin(context, calls_);
    if (calls_->Add(pieces)) {
      Pass(pieces, PeerOf(*context));
    } else {
      pieces->Refuse(Draining());
    }
    return pieces->reactor();
  }

 private:
  void Pass(const std::shared_ptr<ServerPieces>& pieces, LinkPeer peer) {
    NewCall call(pieces, std::move(peer));
    switch (accepter_.Tell(std::move(call))) {
      case Delivery::kAccepted:
        return;
      case Delivery::kFull:
        return pieces->Refuse(absl::ResourceExhaustedError(
            "too many calls wait for the listener of this bridge; it is busy"));
      default:
        return pieces->Refuse(Draining());
    }
  }

  const Ref<BridgeAccepter> accepter_;
  const std::shared_ptr<ServerCalls> calls_;
};

}  // namespace

class BridgeService::Impl {
 public:
  Impl(const Bus& bus, Ref<BridgeAccepter> accepter)
      : log_(bus),
        accepter_(accepter),
        listener_(accepter),
        service_(std::move(accepter), calls_) {}
  ~Impl() {
    Stop();
    accepter_.Stop();
  }

  grpc::Service* service() { return &service_; }
  const Ref<BridgeListener>& listener() const { return listener_; }
  void Stop() { calls_->EndAll(Draining()); }

 private:
  const internal::GrpcLog log_;
  const Ref<BridgeAccepter> accepter_;
  const Ref<BridgeListener> listener_;
  const std::shared_ptr<ServerCalls> calls_ = std::make_shared<ServerCalls>();
  Service service_;
};

absl::StatusOr<std::unique_ptr<BridgeService>> BridgeService::Create(
    Bus& bus, const SpawnOptions& spawn, const BridgeOptions& options) {
  if (absl::Status valid = ValidateBridgeOptions(options); !valid.ok()) {
    return valid;
  }
  internal::RouteProtobufLog();
  if (absl::Status ready = internal::PrepareGrpc(bus.sys()); !ready.ok()) {
    return ready;
  }
  absl::StatusOr<Ref<BridgeAccepter>> accepter =
      bus.Spawn<BridgeAccepter>(spawn, options);
  if (!accepter.ok()) return accepter.status();
  return std::unique_ptr<BridgeService>(
      new BridgeService(std::make_unique<Impl>(bus, *std::move(accepter))));
}

BridgeService::BridgeService(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

BridgeService::~BridgeService() = default;

grpc::Service* BridgeService::service() { return impl_->service(); }

void BridgeService::Configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(internal::kMostPieceBytes + 1024);
}

const Ref<BridgeListener>& BridgeService::listener() const {
  return impl_->listener();
}

void BridgeService::Stop() { impl_->Stop(); }

}  // namespace trolley
