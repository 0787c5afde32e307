// SPDX-License-Identifier: Apache-2.0
//
// ClientPieces: a call of Bridge.Link that this process has made.
//
//   auto pieces = ClientPieces::Begin(channel);  // after PrepareGrpc()
//
// Ownership, bounds and ends: as GrpcPieces. gRPC keeps what it needs of the
//            channel.
// Threads:   as GrpcPieces.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_CLIENT_PIECES_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_CLIENT_PIECES_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>

#include "trolley/actors/bridge/internal/grpc_pieces.h"

namespace trolley::internal {

class ClientPieces final
    : public GrpcPieces,
      private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static std::shared_ptr<ClientPieces> Begin(
      const std::shared_ptr<grpc::Channel>& channel);

 private:
  void StartReading(grpc::ByteBuffer* into) override { StartRead(into); }
  void StartWriting(const grpc::ByteBuffer* from) override { StartWrite(from); }
  void SayEnd() override { StartWritesDone(); }
  // The hold lets the loop start reads and writes.
  void Release() override { RemoveHold(); }
  void CancelCall() override { context_.TryCancel(); }
  bool MustSayEnd(const View& view) const override {
    return view.closed && view.all_written && !view.failed && !view.read_over;
  }
  bool MustRelease(const View& view) const override {
    return view.read_over && (view.all_written || view.failed);
  }
  bool EndsWithInput() const override { return true; }

  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  void OnWritesDoneDone(bool) override {}
  void OnDone(const grpc::Status& status) override;

  grpc::ClientContext context_;
  std::shared_ptr<ClientPieces> self_;  // until OnDone()
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_CLIENT_PIECES_H_
