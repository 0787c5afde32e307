// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/grpc_link.h"

#include <memory>
#include <utility>

#include "trolley/actors/bridge/internal/grpc_dialer.h"

namespace trolley {

GrpcLink::GrpcLink(std::string target, GrpcLinkOptions options)
    : StreamLink(
          std::make_unique<internal::GrpcDialer>(std::move(target), options),
          options) {}

}  // namespace trolley
