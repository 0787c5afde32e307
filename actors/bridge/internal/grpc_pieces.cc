// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/grpc_pieces.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/grpc_process.h"
#include "trolley/proto/bridge.pb.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {
namespace {

using bridge::v1::Piece;
using wire::MakeWireError;
using wire::WireError;

// What a Piece has beside its bytes: a tag and a length.
constexpr size_t kAroundBytes = 8;

}  // namespace

absl::StatusOr<std::string> GrpcPieces::Decode(
    grpc::ByteBuffer& message) const {
  // mutant: P14_APieceMayHaveAnyLength
  if (message.Length() > kMostPieceBytes + kAroundBytes) {
    return MakeWireError(
        WireError::kFrameTooLong,
        absl::StrCat("a message of ", message.Length(),
                     " bytes; a piece has at most ", kMostPieceBytes));
  }
  Piece piece;
  if (!grpc::SerializationTraits<Piece>::Deserialize(&message, &piece).ok()) {
    return MakeWireError(WireError::kBadEnvelope,
                         "a message that is no trolley.bridge.v1.Piece");
  }
  const size_t bytes = piece.bytes().size();
  // mutant: P14_PiecesMayBeEmpty
  if (bytes == 0 || bytes > kMostPieceBytes) {
    return MakeWireError(WireError::kBadLength,
                         absl::StrCat("a piece of ", bytes,
                                      " bytes; it has 1 to ", kMostPieceBytes));
  }
  return std::move(*piece.mutable_bytes());
}

void GrpcPieces::Encode(std::string bytes, grpc::ByteBuffer& message) const {
  Piece piece;
  piece.set_bytes(std::move(bytes));
  bool own = false;
  (void)grpc::SerializationTraits<Piece>::Serialize(piece, &message, &own);
}

// --- The loop's side -------------------------------------------------------

void GrpcPieces::Attach(WakeFd* wake) {
  {
    absl::MutexLock lock(&mutex_);
    wake_ = wake;
  }
  if (wake != nullptr) Drive();
}

void GrpcPieces::Wake() {
  // mutant: P16_TheLoopIsNotWokenByGrpc
  if (std::exchange(loop_waits_, false) && wake_ != nullptr) wake_->Notify();
}

bool GrpcPieces::Opened() {
  absl::MutexLock lock(&mutex_);
  const bool opened = any_arrived_ || over_;
  if (!opened) loop_waits_ = true;
  return opened;
}

absl::Status GrpcPieces::ended_early() {
  absl::MutexLock lock(&mutex_);
  if (any_arrived_) return absl::OkStatus();
  return why_.ok() ? absl::UnavailableError("the call ended at once") : why_;
}

bool GrpcPieces::closed() {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

absl::Status GrpcPieces::why() {
  absl::MutexLock lock(&mutex_);
  return broken_.ok() ? why_ : broken_;
}

ssize_t GrpcPieces::Read(absl::Span<char> into) {
  size_t n = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ && !over_) return 0;
    if (arrived_.empty()) {
      if (!broken_.ok()) return -EPROTO;
      if (over_) return why_.ok() ? 0 : -EPIPE;
      if (read_over_ && !EndsWithInput()) return 0;
      loop_waits_ = true;
      return -EAGAIN;
    }
    const std::string& first = arrived_.front();
    n = std::min(into.size(), first.size() - taken_);
    std::memcpy(into.data(), first.data() + taken_, n);
    taken_ += n;
    if (taken_ < first.size()) return static_cast<ssize_t>(n);
    arrived_.pop_front();
    taken_ = 0;
  }
  Drive();
  return static_cast<ssize_t>(n);
}

ssize_t GrpcPieces::Write(absl::Span<const iovec> parts) {
  size_t taken = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || failed_ || over_) return -EPIPE;
    // mutant: P14_WhatIsNotReadPilesUpInPieces
    const size_t room = kMostPieceBytes - waiting_.size();
    size_t wanted = 0;
    for (const iovec& part : parts) {
      const size_t n = std::min(part.iov_len, room - taken);
      waiting_.append(static_cast<const char*>(part.iov_base), n);
      taken += n;
      wanted += part.iov_len;
    }
    if (wanted == 0) return 0;
    if (taken == 0) {
      loop_waits_ = true;
      return -EAGAIN;
    }
  }
  Drive();
  return static_cast<ssize_t>(taken);
}

ssize_t GrpcPieces::WriteWhole(const std::string& bytes) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || failed_ || over_) return -EPIPE;
    if (!waiting_.empty()) {
      loop_waits_ = true;
      return -EAGAIN;
    }
    waiting_ = bytes;
  }
  Drive();
  return static_cast<ssize_t>(bytes.size());
}

void GrpcPieces::Close() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) return;
    arrived_.clear();
    taken_ = 0;
    if (!done_) {
      goodbye_ = Goodbyes().Set(kGoodbye, [weak = weak_from_this()] {
        if (const auto late = weak.lock()) late->Cancel();
      });
    }
  }
  Drive();
}

void GrpcPieces::Cancel() {
  Close();
  {
    absl::MutexLock lock(&mutex_);
    waiting_.clear();
    if (!done_) CancelCall();
  }
  Drive();
}

void GrpcPieces::EndForLoop(absl::Status why) {
  absl::MutexLock lock(&mutex_);
  if (over_) return;
  over_ = true;
  why_ = std::move(why);
  Wake();
}

// --- gRPC's side -----------------------------------------------------------

void GrpcPieces::TakePiece() {
  absl::StatusOr<std::string> bytes = Decode(incoming_);
  incoming_.Clear();
  if (closed_ || !broken_.ok()) return;
  any_arrived_ = true;
  if (bytes.ok()) {
    arrived_.push_back(*std::move(bytes));
  } else {
    broken_ = bytes.status();
  }
}

void GrpcPieces::ReadDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (ok) {
      TakePiece();
    } else {
      read_over_ = true;
      if (EndsWithInput()) failed_ = true;
    }
    Wake();
  }
  Drive();
}

void GrpcPieces::WriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) failed_ = true;
    Wake();
  }
  Drive();
}

void GrpcPieces::Failed() {
  {
    absl::MutexLock lock(&mutex_);
    failed_ = true;
    Wake();
  }
  Drive();
}

void GrpcPieces::Done(absl::Status why) {
  EndForLoop(std::move(why));
  Alarms::Id goodbye;
  {
    absl::MutexLock lock(&mutex_);
    done_ = true;
    goodbye = goodbye_;
  }
  Goodbyes().Cancel(goodbye);
}

// --- Calls into gRPC -------------------------------------------------------

void GrpcPieces::Drive() {
  const std::shared_ptr<GrpcPieces> keep = shared_from_this();
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(driving_, true)) return;
  }
  for (;;) {
    Step step;
    std::string bytes;
    {
      absl::MutexLock lock(&mutex_);
      step = NextStep(bytes);
      if (step == Step::kNothing) {
        driving_ = false;
        return;
      }
    }
    Make(step, std::move(bytes));
  }
}

GrpcPieces::Step GrpcPieces::NextStep(std::string& bytes) {
  if (released_ || done_) return Step::kNothing;
  if (!waiting_.empty() && !writing_ && !failed_ && !said_end_) {
    writing_ = true;
    bytes = std::exchange(waiting_, std::string());
    Wake();  // there is room
    return Step::kWrite;
  }
  // mutant: P15_TheEndIsSaidBeforeWhatWasWritten
  const View view{.closed = closed_,
                  .all_written = waiting_.empty() && !writing_,
                  .failed = failed_ && !writing_,
                  .read_over = read_over_};
  if (!said_end_ && MustSayEnd(view)) {
    said_end_ = true;
    return Step::kSayEnd;
  }
  if (MustRelease(view)) {
    released_ = true;
    return Step::kRelease;
  }
  // mutant: P14_WhatIsNotHandledPilesUpInPieces
  const bool room = closed_ || (broken_.ok() && arrived_.size() < kMostWaiting);
  if (room && !reading_ && !read_over_) {
    reading_ = true;
    return Step::kRead;
  }
  return Step::kNothing;
}

void GrpcPieces::Make(Step step, std::string bytes) {
  switch (step) {
    case Step::kNothing:
      return;
    case Step::kRead:
      return StartReading(&incoming_);
    case Step::kWrite: {
      outgoing_.Clear();
      Encode(std::move(bytes), outgoing_);
      return StartWriting(&outgoing_);
    }
    case Step::kSayEnd:
      return SayEnd();
    case Step::kRelease:
      return Release();
  }
}

}  // namespace trolley::internal
