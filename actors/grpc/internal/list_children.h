// SPDX-License-Identifier: Apache-2.0
//
// ListChildren: the method of that name. It asks one supervisor for a page of
// its children (ControlOptions::tree). If no answer comes, it says whether the
// loop of the supervisor runs.
//
// A function without state; thread-safe.
// Bounds: a page of one supervisor. Until the loop of the supervisor goes on,
//         the call counts (OpenCalls), and its ask waits in the mailbox.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_LIST_CHILDREN_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_LIST_CHILDREN_H_

#include <memory>

#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/grpc/internal/serve.h"

namespace trolley::internal {

grpc::ServerUnaryReactor* ListChildren(
    const std::shared_ptr<const ControlState>& state, const RawCall& raw);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_LIST_CHILDREN_H_
