// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe/pipe_link.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "trolley/actors/pipe/internal/named_pipe_dialer.h"
#include "trolley/actors/pipe/internal/pipe_transport.h"

namespace trolley {
namespace {

LinkOptions WithShortPauses(LinkOptions options) {
  options.backoff_first = std::min(options.backoff_first, kLongestPipeBackoff);
  options.backoff_last = std::min(options.backoff_last, kLongestPipeBackoff);
  return options;
}

LinkSocket SocketOf(PipePair pipes) {
  LinkSocket connected;
  connected.peer = {.name = "the process at the other end of the pipes",
                    .identity = "pipes"};
  connected.transport = std::make_unique<internal::PipeTransport>(
      std::move(pipes), internal::PipeTransport::Kind::kInherited);
  return connected;
}

}  // namespace

PipeLink::PipeLink(PipePaths paths, LinkOptions options)
    : StreamLink(std::make_unique<internal::NamedPipeDialer>(
                     std::move(paths), options.handshake_deadline),
                 WithShortPauses(options)) {}

PipeLink::PipeLink(PipePair pipes, LinkOptions options)
    : StreamLink(SocketOf(std::move(pipes)), std::move(options)) {}

}  // namespace trolley
