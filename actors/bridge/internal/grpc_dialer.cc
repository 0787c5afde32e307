// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/grpc_dialer.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/client_pieces.h"
#include "trolley/actors/bridge/internal/grpc_process.h"
#include "trolley/actors/bridge/internal/grpc_transport.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

// A whole piece, and what is around it.
constexpr int kMostMessageBytes = kMostPieceBytes + 1024;

int MillisecondsOf(const GrpcLinkOptions& options) {
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  const int64_t wait = absl::ToInt64Milliseconds(options.connect_timeout);
  return static_cast<int>(std::clamp<int64_t>(wait, 1, kMost));
}

}  // namespace

GrpcDialer::GrpcDialer(std::string target, GrpcLinkOptions options)
    : target_(std::move(target)), options_(std::move(options)) {}

absl::Status GrpcDialer::Check() {
  absl::Status valid = ValidateGrpcLinkOptions(options_);
  if (valid.ok() &&
      (target_.empty() || target_.find('\0') != std::string::npos)) {
    valid = absl::InvalidArgumentError(
        target_.empty() ? "the target of a GrpcLink is empty"
                        : "the target of a GrpcLink has a NUL byte");
  }
  return valid;
}

std::shared_ptr<grpc::Channel> GrpcDialer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostMessageBytes);
  // A connection of its own, which goes where the program said.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // An attempt that was given up ends soon.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, MillisecondsOf(options_));
  // The link counts what is lost, so gRPC must not send it again.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(target_, options_.credentials, arguments);
}

absl::Status GrpcDialer::Failed(const absl::Status& why) const {
  return absl::Status(why.code(),
                      absl::StrCat("the bridge at ", Printable(target_), ": ",
                                   std::string(why.message())));
}

Task<absl::StatusOr<LinkSocket>> GrpcDialer::Dial(ActorContext context) {
  absl::Status prepared = PrepareGrpc(context.sys());
  if (!prepared.ok()) co_return Failed(prepared);
  auto transport =
      std::make_unique<GrpcTransport>(ClientPieces::Begin(NewChannel()));
  absl::Status started = transport->Start(context);
  if (!started.ok()) co_return started;
  const Instant deadline = context.Now() + options_.connect_timeout;
  absl::Status opened = co_await transport->AwaitOpen(deadline);
  if (absl::IsDeadlineExceeded(opened)) {
    opened = absl::DeadlineExceededError(absl::StrCat(
        "no answer within ", absl::FormatDuration(options_.connect_timeout),
        " (GrpcLinkOptions::connect_timeout)"));
  }
  if (!opened.ok()) co_return Failed(opened);
  LinkSocket connected;
  connected.peer = {.name = absl::StrCat("the bridge at ", Printable(target_)),
                    .identity = Printable(target_)};
  connected.transport = std::move(transport);
  co_return std::move(connected);
}

}  // namespace trolley::internal
