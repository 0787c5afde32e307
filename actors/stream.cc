// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley {
Stream::Stream(ActorContext context, ScopedFd fd)
    : loop_(ContextAccess::loop(context)),
      fd_(std::move(fd)),
      completions_(loop_.descriptors().completions()) {
  const int flags = sys().Fcntl(this->fd(), F_GETFL);
  if (flags < 0) {
    unusable_ = flags;
  } else if ((flags & O_NONBLOCK) == 0) {
    unusable_ =
        std::min(sys().Fcntl(this->fd(), F_SETFL, flags | O_NONBLOCK), 0);
  }
}

Stream::Stream(ActorContext context, ScopedFd fd, OnlyRead)
    : loop_(ContextAccess::loop(context)),
      fd_(std::move(fd)),
      completions_(loop_.descriptors().completions()) {
  struct stat about = {};
  const int told = sys().Fstat(this->fd(), &about);
  const int flags = sys().Fcntl(this->fd(), F_GETFL);
  unusable_ = std::min({told, flags, 0});
  if (unusable_ < 0) return;
  nonblocking_ = (flags & O_NONBLOCK) != 0;
  // A regular file is always ready. A descriptor that is not open for reading
  // fails in the read.
  looks_first_ = !S_ISREG(about.st_mode) && (flags & O_ACCMODE) != O_WRONLY;
  if (looks_first_) completions_ = nullptr;
}

Stream::~Stream() {
  if (reader_ != nullptr) reader_->Abandon();
  if (writer_ != nullptr) writer_->Abandon();
  if (token_.has_value()) loop_.descriptors().Unwatch(*token_);
}

Stream::TransferAwaiter Stream::Read(absl::Span<char> into) {
  return TransferAwaiter(*this, Ready::kReadable, SysCall::kRead,
                         {.kind = Operation::Kind::kRead,
                          .fd = fd(),
                          .data = into.data(),
                          .size = into.size()});
}

Stream::TransferAwaiter Stream::ReadSocket(absl::Span<char> into) {
  return TransferAwaiter(*this, Ready::kReadable, SysCall::kRead,
                         {.kind = Operation::Kind::kRead,
                          .fd = fd(),
                          .data = into.data(),
                          .size = into.size()},
                         /*short_means_empty=*/true);
}

Stream::TransferAwaiter Stream::WriteSome(absl::string_view bytes) {
  return TransferAwaiter(*this, Ready::kWritable, SysCall::kWrite,
                         {.kind = Operation::Kind::kWrite,
                          .fd = fd(),
                          .data = const_cast<char*>(bytes.data()),
                          .size = std::min(bytes.size(), kMostBytesPerWrite)});
}

Task<absl::Status> Stream::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    absl::StatusOr<size_t> n = co_await WriteSome(bytes);
    if (!n.ok()) co_return n.status();
    bytes.remove_prefix(*n);
  }
  co_return absl::OkStatus();
}

ssize_t Stream::ReadIfReady(absl::Span<char> into) {
  pollfd item = {.fd = fd(), .events = POLLIN, .revents = 0};
  const timespec now = {};
  const int ready = sys().Ppoll({&item, 1}, &now);
  if (ready <= 0) return ready < 0 ? ready : -EAGAIN;
  ssize_t n = sys().ReadNow(fd(), into);
  if (n == -EOPNOTSUPP || n == -ENOSYS) n = sys().Read(fd(), into);
  // Bytes have come, so a named pipe has had a writer. From now on a read of 0
  // bytes means its end, and the poll before the read is not needed.
  if (n > 0 && nonblocking_) looks_first_ = false;
  return n;
}

void Stream::Cancel(Waiter* waiter) {
  if (waiter == nullptr) return;
  waiter->Cancel();
  loop_.timers().Set(*waiter, loop_.Now());
  if (!loop_.capabilities().edge && token_.has_value()) Rearm().IgnoreError();
}

Stream::AcceptAwaiter Stream::Accept() { return AcceptAwaiter(*this); }

// --- Waiting until ready ---------------------------------------------------

bool Stream::Waiter::Enter() {
  if (stream_->unusable_ < 0) {
    error_ = ErrnoStatus(stream_->unusable_, SysCall::kFcntl,
                         absl::StrCat("the flags of fd ", stream_->fd()));
    return false;
  }
  const bool reads = direction_ == Ready::kReadable;
  Waiter*& place = reads ? stream_->reader_ : stream_->writer_;
  if (place != nullptr) {
    error_ = absl::FailedPreconditionError(absl::StrCat(
        "fd ", stream_->fd(), ": another coroutine already ",
        reads ? "reads from" : "writes to", " this stream; wait for it first"));
    return false;
  }
  place = this;
  return true;
}

void Stream::Waiter::Leave() {
  if (stream_ == nullptr) return;
  if (stream_->reader_ == this) stream_->reader_ = nullptr;
  if (stream_->writer_ == this) stream_->writer_ = nullptr;
}

void Stream::Waiter::Abandon() {
  Cancel();
  Timer::Cancel();  // it may be done already, and wait for its turn
  stream_ = nullptr;
}

bool Stream::Waiter::Try() {
  do {
    outcome_ = Call();
  } while (outcome_ == -EINTR);
  return outcome_ != -EAGAIN;
}

void Stream::Waiter::Suspend(std::coroutine_handle<> at) {
  if (at_)
    internal::ThrowMisuse("two coroutines await one operation of a stream");
  handler_ = &internal::HandlerInHand(&loop_, "co_await of a stream");
  at_ = at;
}

bool Stream::Waiter::await_suspend(std::coroutine_handle<> at) {
  Suspend(at);
  if (outcome_ == -EAGAIN) return WaitUntilReady();
  loop_.timers().Set(*this, loop_.Now());  // it is done, and yields
  return true;
}

bool Stream::Waiter::WaitUntilReady() {
  stream_->calls_ = 0;
  waits_ = true;
  error_ = stream_->Rearm();
  waits_ = error_.ok();
  return waits_;
}

absl::StatusOr<size_t> Stream::Waiter::await_resume() {
  Leave();
  if (!error_.ok()) return std::move(error_);
  if (outcome_ >= 0) return static_cast<size_t>(outcome_);
  return ErrnoStatus(static_cast<int>(outcome_), what_,
                     absl::StrCat("fd ", stream_->fd()));
}

absl::Status Stream::Rearm() {
  const bool edge = loop_.capabilities().edge;
  const auto waits = [](const Waiter* w) { return w != nullptr && w->waits_; };
  // An edge without a waiter would wake the loop for nothing, and each read of
  // the peer makes one. So it asks for kWritable only while a writer waits.
  const Ready wanted =
      (waits(reader_) ? Ready::kReadable
                      : (edge ? armed_ & Ready::kReadable : Ready::kNone)) |
      (waits(writer_) ? Ready::kWritable : Ready::kNone);
  const Interest interest{.ready = wanted,
                          .trigger = edge ? Trigger::kEdge : Trigger::kLevel};
  if (token_.has_value()) {
    if (armed_ == wanted) return absl::OkStatus();
    absl::Status changed = loop_.descriptors().Change(*token_, interest);
    if (changed.ok()) armed_ = wanted;  // else the next call tries again
    return changed;
  }
  absl::StatusOr<Token> token =
      loop_.descriptors().Watch(fd_.get(), interest, this);
  if (!token.ok()) return token.status();
  token_ = *token;
  armed_ = wanted;
  return absl::OkStatus();
}

void Stream::OnReady(Ready ready) {
  // A resumed coroutine may destroy this stream. So both directions are tried
  // before a coroutine is resumed.
  const Ready failed = ready & (Ready::kHangup | Ready::kError);
  emptied_ = false;
  ends_ |= Any(ready & (Ready::kHangup | Ready::kReadHangup | Ready::kError));
  const auto take = [&](Waiter* waiter, Ready direction) -> Waiter* {
    if (waiter == nullptr || !waiter->waits_) return nullptr;
    if (!Any((ready & direction) | failed)) return nullptr;
    waiter->waits_ = !waiter->Try();
    return waiter->waits_ ? nullptr : waiter;
  };
  Waiter* reader = take(reader_, Ready::kReadable);
  Waiter* writer = take(writer_, Ready::kWritable);
  if (!loop_.capabilities().edge) Rearm().IgnoreError();
  // Of two, one is resumed by a timer: the first may destroy the second.
  if (reader != nullptr && writer != nullptr) {
    loop_.timers().Set(*writer, loop_.Now());
  }
  if (reader != nullptr) {
    reader->Resume();
  } else if (writer != nullptr) {
    writer->Resume();
  }
}

bool Stream::MustYield() {
  if (++calls_ < kCallsPerTurn) return false;
  calls_ = 0;
  return true;
}

// --- Completions -----------------------------------------------------------

Stream::TransferAwaiter::TransferAwaiter(Stream& stream, Ready direction,
                                         SysCall what, Request of,
                                         bool short_means_empty)
    : Waiter(stream, direction, what), short_means_empty_(short_means_empty) {
  request = of;
}

ssize_t Stream::TransferAwaiter::Call() {
  Sys& sys = stream_->sys();
  switch (request.kind) {
    case Kind::kRead: {
      const absl::Span<char> into(request.data, request.size);
      const ssize_t n = stream_->looks_first_ ? stream_->ReadIfReady(into)
                                              : sys.Read(request.fd, into);
      // If the peer has closed, no further event comes: do not wait for one.
      stream_->emptied_ = short_means_empty_ && !stream_->ends_ && n > 0 &&
                          static_cast<size_t>(n) < request.size;
      return n;
    }
    case Kind::kWrite:
      return sys.Write(request.fd,
                       absl::MakeConstSpan(request.data, request.size));
    case Kind::kAccept: {
      ssize_t fd;
      do {
        fd = sys.Accept4(request.fd, nullptr, nullptr,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
      } while (IsOfOneConnection(static_cast<int>(fd)));  // take the next one
      return fd;
    }
  }
  return -EINVAL;
}

bool Stream::TransferAwaiter::await_suspend(std::coroutine_handle<> at) {
  if (stream_->completions_ == nullptr) return Waiter::await_suspend(at);
  Suspend(at);
  stream_->completions_->Start(*this);
  return true;
}

void Stream::TransferAwaiter::OnCompletion() {
  outcome_ = result();
  if (outcome_ == -EINTR || (request.kind == Kind::kAccept &&
                             IsOfOneConnection(static_cast<int>(outcome_)))) {
    // By the poller: the other direction may have told the stream by now to
    // wait until it is ready.
    loop_.descriptors().completions()->Start(*this);
    return;
  }
  if (outcome_ == -EAGAIN) {
    // The kernel cannot complete this kind. From now on it waits until ready.
    stream_->completions_ = nullptr;
    if (WaitUntilReady()) return;
  }
  Resume();
}

void Stream::TransferAwaiter::Cancel() {
  if (!pending()) return Waiter::Cancel();
  Operation::Cancel();
  outcome_ = result();
}

Stream::AcceptAwaiter::AcceptAwaiter(Stream& stream)
    : TransferAwaiter(stream, Ready::kReadable, SysCall::kAccept4,
                      {.kind = Kind::kAccept, .fd = stream.fd()}),
      sys_(stream.sys()) {
  outcome_ = -ECANCELED;  // so that the destructor closes no descriptor
}

Stream::AcceptAwaiter::~AcceptAwaiter() {
  TransferAwaiter::Cancel();
  if (taken_ || outcome_ < 0) return;
  const ScopedFd dropped(sys_, static_cast<int>(outcome_));
}

absl::StatusOr<ScopedFd> Stream::AcceptAwaiter::await_resume() {
  absl::StatusOr<size_t> fd = TransferAwaiter::await_resume();
  if (!fd.ok()) return fd.status();
  taken_ = true;
  ScopedFd connection(sys_, static_cast<int>(*fd));
  connection.CheckFlags();
  return connection;
}

}  // namespace trolley
