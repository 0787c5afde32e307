// SPDX-License-Identifier: Apache-2.0
//
// SubscribeCall: a call of Bridge.Subscribe that a client has made. Each Read()
// gives a whole SubscribeRequest, if there is room for kMostRequestBytes, and
// each WriteWhole() takes a whole SubscribeEvent; both as Protobuf's bytes.
//
// Ownership, threads, bounds and ends: as ServerPieces.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_SUBSCRIBE_CALL_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_SUBSCRIBE_CALL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "trolley/actors/bridge/internal/server_pieces.h"

namespace trolley::internal {

// The longest request, in bytes (proto/bridge.proto).
inline constexpr size_t kMostRequestBytes = 4096;

class SubscribeCall final : public ServerPieces {
 public:
  using ServerPieces::ServerPieces;

 private:
  absl::StatusOr<std::string> Decode(grpc::ByteBuffer& message) const override;
  void Encode(std::string bytes, grpc::ByteBuffer& message) const override;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_SUBSCRIBE_CALL_H_
