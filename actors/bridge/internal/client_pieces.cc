// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/client_pieces.h"

#include <grpcpp/generic/generic_stub.h>

#include <utility>

#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

constexpr char kMethod[] = "/trolley.bridge.v1.Bridge/Link";

absl::Status StatusOf(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      Printable(status.error_message()));
}

}  // namespace

std::shared_ptr<ClientPieces> ClientPieces::Begin(
    const std::shared_ptr<grpc::Channel>& channel) {
  auto pieces = std::make_shared<ClientPieces>();
  pieces->self_ = pieces;
  grpc::GenericStub(channel).PrepareBidiStreamingCall(
      &pieces->context_, kMethod, {}, pieces.get());
  pieces->AddHold();
  pieces->StartCall();
  pieces->Drive();
  return pieces;
}

void ClientPieces::OnDone(const grpc::Status& status) {
  const std::shared_ptr<ClientPieces> last = std::move(self_);
  Done(StatusOf(status));
}

}  // namespace trolley::internal
