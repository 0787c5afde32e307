// SPDX-License-Identifier: Apache-2.0
//
// PipeTransport: the bytes of a link through two pipes.
//
// Ownership: owns both descriptors.
// Threads:   loop thread only.
// Bounds:    what the pipes hold, 64 KiB each by default.
// Ends:      Close() ends the waits; the destructor closes both pipes.

#ifndef TROLLEY_ACTORS_PIPE_INTERNAL_PIPE_TRANSPORT_H_
#define TROLLEY_ACTORS_PIPE_INTERNAL_PIPE_TRANSPORT_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/link_transport.h"
#include "trolley/actors/pipe/pipes.h"
#include "trolley/actors/stream.h"
#include "trolley/actors/task.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// Of a descriptor that can be read: 0 if a read would give nothing yet. A named
// pipe that no process has written to since it was opened would give the end of
// the input. Below 0: -errno.
int PollsReadable(Sys& sys, int fd);

class PipeTransport final : public LinkTransport {
 public:
  enum class Kind { kNamed, kInherited };

  PipeTransport(PipePair pipes, Kind kind)
      : pipes_(std::move(pipes)), kind_(kind) {}

  absl::Status Start(ActorContext context) override;
  Task<absl::StatusOr<size_t>> Read(absl::Span<char> into) override;
  ssize_t WriteSome(absl::Span<const iovec> parts) override;
  Task<absl::StatusOr<size_t>> WhenWritable(
      absl::FunctionRef<ssize_t()> write) override;
  // A process that was started again opens a named pipe at once.
  bool peers_may_follow() const override { return kind_ == Kind::kNamed; }
  void Close() override;

 private:
  PipePair pipes_;  // until Start()
  const Kind kind_;
  std::optional<Stream> in_;
  std::optional<Stream> out_;
  bool heard_ = false;  // the peer has had its end of `in`
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PIPE_INTERNAL_PIPE_TRANSPORT_H_
