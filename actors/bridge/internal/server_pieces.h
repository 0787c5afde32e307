// SPDX-License-Identifier: Apache-2.0
//
// ServerPieces: a call that a client has made: here, of Bridge.Link. The call
// of another method derives from it.
//
//   auto pieces = ServerPieces::Begin<ServerPieces>(context, calls);
//   return pieces->reactor();  // to gRPC
//
// Ownership, bounds and ends: as GrpcPieces.
// Threads:   as GrpcPieces.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_SERVER_PIECES_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_SERVER_PIECES_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/bridge/internal/grpc_pieces.h"

namespace trolley::internal {

class ServerCalls;

// The codes of both are the same.
grpc::Status ToGrpc(const absl::Status& status);

class ServerPieces
    : public GrpcPieces,
      private grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Makes a Pieces, which is a ServerPieces. gRPC keeps it until OnDone().
  template <typename Pieces>
  static std::shared_ptr<Pieces> Begin(grpc::CallbackServerContext* context,
                                       std::shared_ptr<ServerCalls> calls) {
    auto pieces = std::make_shared<Pieces>(context, std::move(calls));
    static_cast<ServerPieces*>(pieces.get())->self_ = pieces;
    return pieces;
  }
  ServerPieces(grpc::CallbackServerContext* context,
               std::shared_ptr<ServerCalls> calls)
      : context_(context), calls_(std::move(calls)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* reactor() {
    return this;
  }

  // Ends the call with `status`, also for the loop's side, if it has not ended.
  void Refuse(const absl::Status& status);

  // Keeps `slot` as long as the call: a listener counts its calls by it. Before
  // the loop's side attaches.
  void Hold(std::shared_ptr<void> slot) { slot_ = std::move(slot); }

 private:
  friend class ServerCalls;

  void StartReading(grpc::ByteBuffer* into) override { StartRead(into); }
  void StartWriting(const grpc::ByteBuffer* from) override { StartWrite(from); }
  void SayEnd() override {}
  void Release() override;
  void CancelCall() override { context_->TryCancel(); }
  bool MustSayEnd(const View&) const override { return false; }
  bool MustRelease(const View& view) const override {
    return view.failed || (view.closed && view.all_written);
  }
  bool EndsWithInput() const override { return false; }

  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  void OnCancel() override { Failed(); }
  void OnDone() override;

  grpc::CallbackServerContext* const context_;  // valid until OnDone() returns
  const std::shared_ptr<ServerCalls> calls_;
  std::shared_ptr<void> slot_;
  std::shared_ptr<ServerPieces> self_;  // until OnDone()
};

// The calls of one service that gRPC has not done with.
class ServerCalls {
 public:
  // False: the service was stopped.
  bool Add(const std::shared_ptr<ServerPieces>& call);
  void Remove(const ServerPieces* call);
  // Ends all of them with `status`, and lets no further one in.
  void EndAll(const absl::Status& status);

 private:
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const ServerPieces*, std::weak_ptr<ServerPieces>> calls_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_SERVER_PIECES_H_
