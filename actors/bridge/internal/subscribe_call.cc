// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/subscribe_call.h"

#include <grpcpp/support/slice.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

absl::StatusOr<std::string> SubscribeCall::Decode(
    grpc::ByteBuffer& message) const {
  const size_t length = message.Length();
  if (length == 0 || length > kMostRequestBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a request of ", length, " bytes; it has 1 to ", kMostRequestBytes));
  }
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) {
    return absl::InvalidArgumentError("a request that cannot be unpacked");
  }
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

void SubscribeCall::Encode(std::string bytes, grpc::ByteBuffer& message) const {
  const grpc::Slice slice(bytes);
  message = grpc::ByteBuffer(&slice, 1);
}

}  // namespace trolley::internal
