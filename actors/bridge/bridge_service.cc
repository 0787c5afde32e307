// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/bridge_service.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/bridge_accepter.h"
#include "trolley/actors/bridge/internal/grpc_process.h"
#include "trolley/actors/bridge/internal/new_call.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/bridge/internal/subscribe_call.h"
#include "trolley/actors/grpc/control_options.h"
#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/grpc/internal/grpc_log.h"
#include "trolley/actors/grpc/internal/messenger.h"
#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/bridge.grpc.pb.h"

namespace trolley {
namespace {

using internal::BridgeAccepter;
using internal::Draining;
using internal::NewCall;
using internal::ServerCalls;
using internal::ServerPieces;
using internal::SubscribeCall;

using RawService = bridge::v1::Bridge::WithRawCallbackMethod_Link<
    bridge::v1::Bridge::WithRawCallbackMethod_Subscribe<
        bridge::v1::Bridge::WithCallbackMethod_Publish<
            bridge::v1::Bridge::Service>>>;
using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

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

absl::string_view TypeOf(const google::protobuf::Any& message) {
  const absl::string_view url = message.type_url();
  return url.substr(url.rfind('/') + 1);  // all of it if there is none
}

class Service final : public RawService {
 public:
  Service(Ref<BridgeAccepter> accepter, std::optional<BridgeTopics> topics,
          std::shared_ptr<ServerCalls> calls)
      : accepter_(std::move(accepter)),
        topics_(std::move(topics)),
        calls_(std::move(calls)) {}

  Reactor* Link(grpc::CallbackServerContext* context) override {
    return Serve(ServerPieces::Begin<ServerPieces>(context, calls_), *context,
                 NewCall::Kind::kLink);
  }
  Reactor* Subscribe(grpc::CallbackServerContext* context) override {
    return Serve(ServerPieces::Begin<SubscribeCall>(context, calls_), *context,
                 NewCall::Kind::kSubscription);
  }
  grpc::ServerUnaryReactor* Publish(
      grpc::CallbackServerContext* context,
      const bridge::v1::PublishRequest* request,
      bridge::v1::PublishResponse* response) override {
    const absl::Status published = Publish(*request, *response);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(internal::ToGrpc(published));
    return reactor;
  }

 private:
  absl::Status Publish(const bridge::v1::PublishRequest& request,
                       bridge::v1::PublishResponse& response) const {
    if (!topics_.has_value()) {
      return absl::UnimplementedError("this bridge has no topics");
    }
    const auto type = topics_->Find(std::string(TypeOf(request.message())));
    if (!type.ok()) return type.status();
    const absl::StatusOr<PublishReport> report = (*type)->Publish(
        topics_->topics(), request.topic(), request.message().value());
    if (!report.ok()) return report.status();
    response.set_matched(report->matched);
    response.set_delivered(report->delivered);
    response.set_missed(report->missed);
    response.set_other_type(report->other_type);
    return absl::OkStatus();
  }

  Reactor* Serve(const std::shared_ptr<ServerPieces>& pieces,
                 const grpc::CallbackServerContext& context,
                 NewCall::Kind kind) {
    if (calls_->Add(pieces)) {
      Pass(NewCall(pieces, PeerOf(context), kind), pieces);
    } else {
      pieces->Refuse(Draining());
    }
    return pieces->reactor();
  }

  void Pass(NewCall call, const std::shared_ptr<ServerPieces>& pieces) {
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
  const std::optional<BridgeTopics> topics_;
  const std::shared_ptr<ServerCalls> calls_;
};

}  // namespace

class BridgeService::Impl {
 public:
  Impl(Bus& bus, const Ref<BridgeAccepter>& accepter,
       std::optional<BridgeTopics> topics)
      : bus_(bus),
        log_(bus),
        accepter_(accepter),
        listener_(accepter),
        service_(accepter, std::move(topics), calls_) {}
  ~Impl() {
    Stop();
    accepter_.Stop();
    if (messages_ != nullptr) messages_->alarms->Stop();
  }

  grpc::Service* service() { return &service_; }
  const Ref<BridgeListener>& listener() const { return listener_; }
  absl::StatusOr<grpc::Service*> messenger() {
    if (messages_ == nullptr) {
      auto state = std::make_shared<const internal::ControlState>(
          bus_, ControlOptions());
      if (absl::Status started = state->alarms->Start(); !started.ok()) {
        return started;
      }
      messages_ = state;
      messenger_.emplace(std::move(state));
    }
    return &*messenger_;
  }
  void Stop() {
    calls_->EndAll(Draining());
    if (messages_ != nullptr) messages_->calls->EndAll();
  }

 private:
  Bus& bus_;
  const internal::GrpcLog log_;
  const Ref<BridgeAccepter> accepter_;
  const Ref<BridgeListener> listener_;
  const std::shared_ptr<ServerCalls> calls_ = std::make_shared<ServerCalls>();
  Service service_;
  // Null: the program does not use it.
  std::shared_ptr<const internal::ControlState> messages_;
  std::optional<internal::Messenger> messenger_;
};

absl::StatusOr<std::unique_ptr<BridgeService>> BridgeService::Create(
    Bus& bus, const SpawnOptions& spawn, const BridgeOptions& options,
    std::optional<BridgeTopics> topics) {
  if (absl::Status valid = ValidateBridgeOptions(options); !valid.ok()) {
    return valid;
  }
  internal::RouteProtobufLog();
  if (absl::Status ready = internal::PrepareGrpc(bus.sys()); !ready.ok()) {
    return ready;
  }
  absl::StatusOr<Ref<BridgeAccepter>> accepter =
      bus.Spawn<BridgeAccepter>(spawn, options, topics);
  if (!accepter.ok()) return accepter.status();
  return std::unique_ptr<BridgeService>(new BridgeService(
      std::make_unique<Impl>(bus, *accepter, std::move(topics))));
}

BridgeService::BridgeService(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

BridgeService::~BridgeService() = default;

grpc::Service* BridgeService::service() { return impl_->service(); }

absl::StatusOr<grpc::Service*> BridgeService::messenger() {
  return impl_->messenger();
}

void BridgeService::Configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(internal::kMostPieceBytes + 1024);
}

const Ref<BridgeListener>& BridgeService::listener() const {
  return impl_->listener();
}

void BridgeService::Stop() { impl_->Stop(); }

}  // namespace trolley
