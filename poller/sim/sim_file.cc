// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sim/sim_file.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace trolley::internal {

Ready SimStream::Poll() const {
  Ready ready = Ready::kNone;
  if (in_ != nullptr) {
    if (!in_->bytes.empty()) ready = ready | Ready::kReadable;
    if (in_->writer_gone) {
      ready = ready | Ready::kReadable;
      if (is_socket()) ready = ready | Ready::kReadHangup;
    }
  }
  if (out_ != nullptr) {
    if (out_->bytes.size() < out_->capacity || out_->reader_gone) {
      ready = ready | Ready::kWritable;
    }
    if (out_->reader_gone && !is_socket()) {
      ready = ready | Ready::kError | Ready::kReadable | Ready::kWritable;
    }
  }
  if (in_ != nullptr && in_->reset) {
    ready = ready | Ready::kError | Ready::kReadable | Ready::kWritable;
  }
  const bool no_more_in = in_ != nullptr && in_->writer_gone;
  const bool no_more_out =
      out_ == nullptr || out_->reader_gone || out_->writer_gone;
  if (no_more_in && no_more_out) {
    ready = ready | Ready::kHangup | Ready::kReadable;
  }
  return ready;
}

uint64_t SimStream::Changes() const {
  return (in_ == nullptr ? 0 : in_->reader_changes) +
         (out_ == nullptr ? 0 : out_->writer_changes);
}

ssize_t SimStream::Read(absl::Span<char> to) {
  if (in_ == nullptr) return -EBADF;
  if (to.empty()) return 0;
  if (in_->bytes.empty()) {
    if (std::exchange(in_->reset, false)) return -ECONNRESET;
    return in_->writer_gone ? 0 : -EAGAIN;
  }
  const bool was_full = in_->bytes.size() >= in_->capacity;
  const size_t count = std::min(to.size(), in_->bytes.size());
  std::copy_n(in_->bytes.begin(), count, to.begin());
  in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + count);
  if (was_full) ++in_->writer_changes;
  return static_cast<ssize_t>(count);
}

ssize_t SimStream::Write(absl::Span<const char> from) {
  if (out_ == nullptr) return -EBADF;
  if (out_->reader_gone || out_->writer_gone) return -EPIPE;
  if (from.empty()) return 0;
  const size_t count =
      std::min(from.size(), out_->capacity - out_->bytes.size());
  if (count == 0) return -EAGAIN;
  out_->bytes.insert(out_->bytes.end(), from.begin(), from.begin() + count);
  ++out_->reader_changes;
  return static_cast<ssize_t>(count);
}

void SimStream::EndReading() {
  if (in_ == nullptr || in_->reader_gone) return;
  in_->reader_gone = true;
  ++in_->writer_changes;
}

void SimStream::EndWriting() {
  if (out_ == nullptr || out_->writer_gone) return;
  out_->writer_gone = true;
  ++out_->reader_changes;
}

void SimStream::Closed() {
  // As in Linux, the other side of a socket learns that bytes were not read.
  if (is_socket() && !in_->bytes.empty()) out_->reset = true;
  EndReading();
  EndWriting();
}

mode_t SimStream::type() const { return is_socket() ? S_IFSOCK : S_IFIFO; }

int SimStream::Shutdown(int how) {
  if (!is_socket()) return -ENOTSOCK;
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
  if (how != SHUT_WR) {
    EndReading();
    in_->writer_gone = true;  // this file's own reads end, too
    ++in_->reader_changes;
  }
  if (how != SHUT_RD) EndWriting();
  return 0;
}

Ready SimEventfd::Poll() const {
  Ready ready = Ready::kNone;
  if (count_ > 0) ready = ready | Ready::kReadable;
  if (count_ < std::numeric_limits<uint64_t>::max() - 1) {
    ready = ready | Ready::kWritable;
  }
  return ready;
}

ssize_t SimEventfd::Read(absl::Span<char> to) {
  if (to.size() < sizeof(count_)) return -EINVAL;
  if (count_ == 0) return -EAGAIN;
  std::memcpy(to.data(), &count_, sizeof(count_));
  count_ = 0;
  ++changes_;
  return sizeof(count_);
}

ssize_t SimEventfd::Write(absl::Span<const char> from) {
  uint64_t added = 0;
  if (from.size() < sizeof(added)) return -EINVAL;
  std::memcpy(&added, from.data(), sizeof(added));
  const uint64_t most = std::numeric_limits<uint64_t>::max() - 1;
  if (added > most) return -EINVAL;
  if (added > most - count_) return -EAGAIN;
  count_ += added;
  ++changes_;
  return sizeof(added);
}

// As in Linux, an unconnected stream socket is in hangup, and writable.
Ready SimListener::Poll() const {
  if (backlog < 0) {
    return Ready::kHangup | Ready::kReadable | Ready::kWritable;
  }
  return waiting_.empty() ? Ready::kNone : Ready::kReadable;
}

ssize_t SimListener::Read(absl::Span<char> /*to*/) { return -EINVAL; }
ssize_t SimListener::Write(absl::Span<const char> /*from*/) {
  return -ENOTCONN;
}

void SimListener::Closed() {
  for (const auto& connection : waiting_) connection->Closed();
  waiting_.clear();
  backlog = -1;
}

mode_t SimListener::type() const { return S_IFSOCK; }

int SimListener::Enqueue(std::shared_ptr<SimStream> connection) {
  if (backlog < 0) return -ECONNREFUSED;
  if (waiting_.size() > static_cast<size_t>(backlog)) return -EAGAIN;
  waiting_.push_back(std::move(connection));
  ++changes_;
  return 0;
}

std::shared_ptr<SimStream> SimListener::Dequeue() {
  if (waiting_.empty()) return nullptr;
  std::shared_ptr<SimStream> first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

}  // namespace trolley::internal
