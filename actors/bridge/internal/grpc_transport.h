// SPDX-License-Identifier: Apache-2.0
//
// GrpcTransport: the bytes of a link through a call of gRPC. The threads of
// gRPC wake the loop by an eventfd.
//
//   LinkSocket connected;
//   connected.transport = std::make_unique<GrpcTransport>(std::move(pieces));
//
// Ownership: owns the eventfd, and shares the call with gRPC.
// Threads:   loop thread only. Any thread may make it, or drop it before
//            Start().
// Bounds:    those of GrpcPieces.
// Ends:      Close() lets the peer read the rest; the destructor without
//            Close() cancels the call.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_TRANSPORT_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_TRANSPORT_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bridge/internal/grpc_pieces.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/link_transport.h"
#include "trolley/actors/task.h"
#include "trolley/bus/watcher.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

class GrpcTransport final : public LinkTransport, private Watcher {
 public:
  explicit GrpcTransport(std::shared_ptr<GrpcPieces> pieces)
      : pieces_(std::move(pieces)) {}
  ~GrpcTransport() override;

  // A second call does nothing. Errors: as WakeFd::Open() and
  // ActorContext::Watch().
  absl::Status Start(ActorContext context) override;

  // After Start(): waits until the peer has sent something.
  //   DeadlineExceeded   it has sent nothing until `deadline`
  //   other codes        the call has ended; the code is that of gRPC
  Task<absl::Status> AwaitOpen(Instant deadline);

  Task<absl::StatusOr<size_t>> Read(absl::Span<char> into) override;
  ssize_t WriteSome(absl::Span<const iovec> parts) override;
  Task<absl::StatusOr<size_t>> WhenWritable(
      absl::FunctionRef<ssize_t()> write) override;
  void Close() override;

  // Has nothing to do with the call any more, which goes on.
  void Forget();

 private:
  // Pieces in a row before other work of the loop has its turn; a count.
  static constexpr int kPiecesPerTurn = 16;

  void OnReady(Ready ready) override;
  absl::Status Gone() const;

  std::shared_ptr<GrpcPieces> pieces_;   // null: forgotten
  std::optional<ActorContext> context_;  // from Start()
  std::optional<WakeFd> wake_;
  std::optional<Token> token_;  // while it watches
  AsyncCondition changed_;
  int reads_ = 0;  // in a row
  int writes_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_TRANSPORT_H_
