// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/control_service.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/grpc/internal/connections.h"
#include "trolley/actors/grpc/internal/control_listener.h"
#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/grpc/internal/controller.h"
#include "trolley/actors/grpc/internal/grpc_log.h"
#include "trolley/actors/grpc/internal/grpc_needs.h"
#include "trolley/actors/grpc/internal/inspector.h"
#include "trolley/actors/grpc/internal/messenger.h"
#include "trolley/actors/grpc/internal/standard_streams.h"
#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/bus/latch.h"

namespace trolley {
namespace {

// How long Stop() waits for each of these: the end of the actor that accepts,
// the last answers, the clients that read them, and gRPC.
constexpr absl::Duration kStopWait = absl::Seconds(1);

absl::Status Check(const ControlOptions& options, uint32_t loops) {
  const auto bad = [](absl::string_view field, absl::string_view rule) {
    return absl::InvalidArgumentError(
        absl::StrCat("ControlOptions::", field, " ", rule));
  };
  if (options.max_connections == 0) {
    return bad("max_connections", "is 0: no client could connect");
  }
  if (options.max_connections_per_user == 0) {
    return bad("max_connections_per_user", "is 0: no client could connect");
  }
  if (options.max_calls_per_connection == 0 ||
      options.max_calls_per_connection > INT_MAX) {
    return bad("max_calls_per_connection", "is not within 1 and 2^31 - 1");
  }
  if ((options.socket_mode & ~mode_t{0777}) != 0) {
    return bad("socket_mode", "has bits beside 0777");
  }
  if (options.loop != SpawnOptions::kAnyLoop &&
      (options.loop < 0 || static_cast<uint32_t>(options.loop) >= loops)) {
    return bad("loop", absl::StrCat("is ", options.loop, "; this bus has ",
                                    loops, " loops, counted from 0"));
  }
  if (options.max_message_bytes < 4096 ||
      options.max_message_bytes > (1u << 30)) {
    return bad("max_message_bytes", "is not within 4 KiB and 1 GiB");
  }
  if (options.tree.roots.size() > TreeSource::kMostRoots) {
    return bad("tree.roots",
               absl::StrCat("has ", options.tree.roots.size(),
                            " names; it has at most ", TreeSource::kMostRoots));
  }
  if (!options.tree.roots.empty() && options.tree.read == nullptr) {
    return bad("tree.read", "is null; SupervisionTree() makes it");
  }
  for (const std::string& root : options.tree.roots) {
    if (absl::Status named = ValidateActorName(root); !named.ok()) {
      return bad("tree.roots",
                 absl::StrCat("has a wrong name: ", named.message()));
    }
  }
  const std::pair<const char*, absl::Duration> times[] = {
      {"handshake_timeout", options.handshake_timeout},
      {"idle_timeout", options.idle_timeout},
      {"default_deadline", options.default_deadline},
      {"longest_deadline", options.longest_deadline},
  };
  for (const auto& [field, time] : times) {
    if (time < absl::Milliseconds(1) || time > absl::Hours(24)) {
      return bad(field, absl::StrCat("is ", absl::FormatDuration(time),
                                     "; it is 1 ms to 24 h"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

class ControlService::Impl {
 public:
  Impl(Bus& bus, ControlOptions options)
      : state_(std::make_shared<const internal::ControlState>(
            bus, std::move(options))),
        inspector_(state_),
        messenger_(state_),
        controller_(state_) {}

  ~Impl() {
    Stop();
    state_->alarms->Stop();
    state_->answers->Stop();
  }

  absl::Status Start() {
    const ControlOptions& options = state_->options;
    const Bus& bus = state_->bus;
    if (absl::Status valid = Check(options, bus.loops()); !valid.ok()) {
      return valid;
    }
    internal::RouteProtobufLog();
    grpc_log_.emplace(bus);
    // First, because a failure of gRPC would end the process.
    if (absl::Status enough = internal::CheckGrpcNeeds(bus.sys());
        !enough.ok()) {
      return enough;
    }
    for (internal::Alarms* alarms :
         {state_->alarms.get(), state_->answers.get()}) {
      if (absl::Status ticking = alarms->Start(); !ticking.ok()) {
        return ticking;
      }
    }
    absl::StatusOr<UnixListenSocket> socket =
        ListenUnix(bus.sys(), options.path, {.mode = options.socket_mode});
    if (!socket.ok()) return socket.status();
    standard_streams_.emplace(bus.sys());
    if (absl::Status served = StartServer(); !served.ok()) return served;
    absl::StatusOr<Ref<internal::ControlListener>> listener =
        state_->bus.Spawn<internal::ControlListener>(
            {.loop = options.loop}, *std::move(socket), connections_,
            listener_ended_);
    if (!listener.ok()) return listener.status();
    listener_ = listener->address();
    return absl::OkStatus();
  }

  void Stop() {
    if (server_ == nullptr) return;
    if (listener_.Stop() == Delivery::kAccepted) {
      listener_ended_->Wait(kStopWait);
    }
    state_->calls->EndAll();
    state_->calls->AwaitNone(kStopWait);
    // When gRPC shuts down, it cancels the calls that come, and their clients
    // would get CANCELLED. So the connections end first: from here on clients
    // get nothing.
    connections_->Close(kStopWait);
    server_->GetHealthCheckService()->SetServingStatus(false);
    ShutDownWithin(kStopWait);
    server_->Wait();
    server_.reset();
    grpc_log_.reset();
  }

  const std::string& path() const { return state_->options.path; }
  const internal::Connections& connections() const { return *connections_; }

 private:
  // As server_->Shutdown(deadline), but by the monotonic clock.
  void ShutDownWithin(absl::Duration limit) {
    const auto cut_off = std::make_shared<Latch>();
    const internal::Alarms::Id late =
        state_->alarms->Set(limit, [server = server_->c_server(), cut_off] {
          grpc_server_cancel_all_calls(server);
          cut_off->Open();
        });
    server_->Shutdown();
    if (!state_->alarms->Cancel(late)) cut_off->Wait();
  }

  absl::Status StartServer() {
    const ControlOptions& options = state_->options;
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(options.max_message_bytes);
    builder.SetMaxSendMessageSize(options.max_message_bytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                               options.max_calls_per_connection);
    builder.AddChannelArgument(
        GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
        absl::ToInt64Milliseconds(options.handshake_timeout));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                               absl::ToInt64Milliseconds(options.idle_timeout));
    using Experimental = grpc::ServerBuilder::experimental_type;
    auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
        Experimental::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    builder.RegisterService(&inspector_);
    builder.RegisterService(&messenger_);
    builder.RegisterService(&controller_);
    connections_ = std::make_shared<internal::Connections>(
        state_->bus, options, geteuid(), std::move(acceptor));
    // This is a setting of the whole process, so it is restored below.
    const bool health = grpc::DefaultHealthCheckServiceEnabled();
    grpc::EnableDefaultHealthCheckService(true);
    server_ = builder.BuildAndStart();
    grpc::EnableDefaultHealthCheckService(health);
    if (server_ == nullptr) {
      return absl::InternalError("gRPC did not start; its log says why");
    }
    return absl::OkStatus();
  }

  const std::shared_ptr<const internal::ControlState> state_;
  internal::Inspector inspector_;
  internal::Messenger messenger_;
  internal::Controller controller_;
  std::shared_ptr<internal::Connections> connections_;
  std::shared_ptr<Latch> listener_ended_ = std::make_shared<Latch>();
  Address listener_;
  std::optional<internal::StandardStreams> standard_streams_;
  std::optional<internal::GrpcLog> grpc_log_;
  std::unique_ptr<grpc::Server> server_;  // null: not started, or stopped
};

ControlService::ControlService(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

ControlService::~ControlService() = default;

absl::StatusOr<std::unique_ptr<ControlService>> ControlService::Start(
    Bus& bus, ControlOptions options) {
  auto impl = std::make_unique<Impl>(bus, std::move(options));
  if (absl::Status started = impl->Start(); !started.ok()) return started;
  return std::unique_ptr<ControlService>(new ControlService(std::move(impl)));
}

std::string ControlService::address() const {
  return absl::StrCat("unix:", impl_->path());
}

uint64_t ControlService::refused_peers() const {
  return impl_->connections().refused_peers();
}

uint64_t ControlService::turned_away() const {
  return impl_->connections().turned_away();
}

uint64_t ControlService::displaced() const {
  return impl_->connections().displaced();
}

void ControlService::Stop() { impl_->Stop(); }

}  // namespace trolley
