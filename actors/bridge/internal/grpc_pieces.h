// SPDX-License-Identifier: Apache-2.0
//
// GrpcPieces: a call of Bridge.Link (proto/bridge.proto) as a pipe for bytes.
// It stands between the threads of gRPC, which run the call, and the loop of a
// link, which reads and writes. The client and the server derive from it:
// ClientPieces and ServerPieces.
//
//   pieces->Attach(&wake);
//   const ssize_t n = pieces->Read(into);  // -EAGAIN: wait for `wake`
//   pieces->Close();
//
// The rules of gRPC are kept in one place, Drive():
//
//   one thread at a time makes calls into gRPC, and holds no lock meanwhile
//   at most one read and one write are under way
//   nothing is started after the call has ended
//
// Ownership: shared by the loop's side (GrpcTransport) and by gRPC, which keeps
//            it until its OnDone().
// Threads:   thread-safe. No method waits.
// Bounds:    in each direction kMostWaiting pieces wait, and one is under way;
//            kMostPieceBytes each. Beyond that, HTTP/2's windows and the
//            settings of the channel and the server.
// Ends:      Close() or Cancel(); and when gRPC ends the call. After Close()
//            the call ends when the peer has read what was written, and
//            kGoodbye later at the latest.
// Memory ordering: what Read() gives was written before by a thread of gRPC;
//            the lock orders them.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PIECES_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PIECES_H_

#include <grpcpp/support/byte_buffer.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "trolley/actors/grpc/internal/alarms.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

// The longest piece, in bytes (proto/bridge.proto).
inline constexpr size_t kMostPieceBytes = 64 << 10;

class GrpcPieces : public std::enable_shared_from_this<GrpcPieces> {
 public:
  // Pieces that have arrived and that the loop has not read; a count.
  static constexpr size_t kMostWaiting = 2;
  // How long a peer may take to read the rest after Close(). 5 s: it has to
  // read 192 KiB at most.
  static constexpr absl::Duration kGoodbye = absl::Seconds(5);

  GrpcPieces() = default;
  GrpcPieces(const GrpcPieces&) = delete;
  GrpcPieces& operator=(const GrpcPieces&) = delete;
  virtual ~GrpcPieces() = default;

  // `wake` is notified when a Read() or Write() that said -EAGAIN, or an
  // Opened() that said false, may say more. From the first call on the pieces
  // of the peer are read. Null: `wake` is not used any more.
  void Attach(WakeFd* wake);

  // True: a piece has come, or the call has ended.
  bool Opened();
  // After that. OK: a piece has come. Otherwise the end; never OK.
  absl::Status ended_early();
  bool closed();

  // The number of bytes put into `into`, which is not empty; 0: the peer sends
  // no more, or Close() was called. Or:
  //   -EAGAIN   nothing has come
  //   -EPIPE    the call has failed; why() says how
  //   -EPROTO   the peer broke a rule; why() is a wire::WireError
  ssize_t Read(absl::Span<char> into);

  // The number of bytes taken, at least 1 if `parts` has any. Or:
  //   -EAGAIN   there is no room
  //   -EPIPE    the peer reads no more
  ssize_t Write(absl::Span<const iovec> parts);

  // Takes `bytes` as a message of its own: their number, which is at least 1.
  // Errors: as Write().
  ssize_t WriteWhole(const std::string& bytes);

  // How the call has ended, or which rule the peer broke.
  absl::Status why();

  // The loop reads and writes no more. The peer still gets what was written.
  void Close();
  // As Close(), and gRPC drops what the peer has not got.
  void Cancel();

 protected:
  // How a message of the call is bytes: here, as a Piece. An error says which
  // rule the message breaks.
  virtual absl::StatusOr<std::string> Decode(grpc::ByteBuffer& message) const;
  virtual void Encode(std::string bytes, grpc::ByteBuffer& message) const;

  // What Drive() calls: never two of these at a time, and with no lock.
  virtual void StartReading(grpc::ByteBuffer* into) = 0;
  virtual void StartWriting(const grpc::ByteBuffer* from) = 0;
  // Says to the peer that nothing more comes. Once; no write is under way.
  virtual void SayEnd() = 0;
  // The last one: no read and no write follows.
  virtual void Release() = 0;
  // Called under the lock, and not after Done().
  virtual void CancelCall() = 0;
  // Whether the call needs SayEnd(), or Release(), now.
  struct View {
    bool closed;       // Close() was called
    bool all_written;  // nothing waits to be written, or is under way
    bool failed;       // nothing can be written any more
    bool read_over;    // nothing can be read any more
  };
  virtual bool MustSayEnd(const View& view) const = 0;
  virtual bool MustRelease(const View& view) const = 0;
  // Whether Done() follows soon when nothing can be read any more.
  virtual bool EndsWithInput() const = 0;

  // Makes the next calls into gRPC, unless another thread does.
  void Drive();

  // What gRPC says.
  void ReadDone(bool ok);
  void WriteDone(bool ok);
  void Failed();                // nothing can be written any more
  void Done(absl::Status why);  // the call has ended
  // The loop's side finds the call at its end, with `why`.
  void EndForLoop(absl::Status why);

 private:
  enum class Step { kNothing, kRead, kWrite, kSayEnd, kRelease };

  Step NextStep(std::string& bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Make(Step step, std::string bytes);
  void TakePiece() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Of the read and the write under way; gRPC has them meanwhile.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;

  absl::Mutex mutex_;
  bool driving_ ABSL_GUARDED_BY(mutex_) = false;
  WakeFd* wake_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool loop_waits_ ABSL_GUARDED_BY(mutex_) = false;

  std::deque<std::string> arrived_ ABSL_GUARDED_BY(mutex_);
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes of arrived_.front()
  bool any_arrived_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);  // the rule

  std::string waiting_ ABSL_GUARDED_BY(mutex_);  // to be written
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;

  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool said_end_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // why_ is known
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);

  Alarms::Id goodbye_ ABSL_GUARDED_BY(mutex_);  // from Close() to Done()
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PIECES_H_
