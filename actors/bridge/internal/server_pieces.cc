// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/server_pieces.h"

#include <string>

namespace trolley::internal {

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

void ServerPieces::Refuse(const absl::Status& status) {
  EndForLoop(status);
  Close();
}

void ServerPieces::Release() { Finish(ToGrpc(why())); }

void ServerPieces::OnDone() {
  const std::shared_ptr<ServerPieces> last = std::move(self_);
  calls_->Remove(this);
  Done(absl::OkStatus());
}

bool ServerCalls::Add(const std::shared_ptr<ServerPieces>& call) {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return false;
  calls_.emplace(call.get(), call);
  return true;
}

void ServerCalls::Remove(const ServerPieces* call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call);
}

void ServerCalls::EndAll(const absl::Status& status) {
  std::vector<std::shared_ptr<ServerPieces>> open;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    for (const auto& [key, call] : calls_) {
      if (auto one = call.lock()) open.push_back(std::move(one));
    }
  }
  for (const auto& call : open) call->Refuse(status);
}

}  // namespace trolley::internal
