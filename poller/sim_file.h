// SPDX-License-Identifier: Apache-2.0
//
// What a descriptor of SimSys stands for: pipe ends, stream sockets, listeners
// and eventfds, in memory, with the readiness that Linux gives them.
//
// Ownership: shared by the descriptors that name it; a channel is shared by the
//            two files at its ends.
// Threads:   one thread, that of the simulated world.
// Bounds:    a channel holds at most `capacity` bytes, a listener its backlog.

#ifndef TROLLEY_POLLER_SIM_FILE_H_
#define TROLLEY_POLLER_SIM_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "trolley/poller/event.h"

namespace trolley {

// Bytes on their way from one file to another.
struct SimChannel {
  explicit SimChannel(size_t most) : capacity(most) {}

  const size_t capacity;
  std::deque<char> bytes;
  bool writer_gone = false;     // what is in it is all there will be
  bool reader_gone = false;     // a write fails with EPIPE
  bool reset = false;           // the writer left bytes of ours unread
  uint64_t reader_changes = 0;  // edges for the file that reads from it
  uint64_t writer_changes = 0;  // edges for the file that writes to it
};

class SimFile {
 public:
  virtual ~SimFile() = default;

  // What a level-triggered poller reports now, asked for or not.
  virtual Ready Poll() const = 0;
  // Grows with each change that an edge-triggered poller reports.
  virtual uint64_t Changes() const = 0;

  // >= 0 or -errno; -EAGAIN where a blocking call would wait.
  virtual ssize_t Read(absl::Span<char> to) = 0;
  virtual ssize_t Write(absl::Span<const char> from) = 0;

  // The last descriptor of it was closed.
  virtual void Closed() {}

  virtual mode_t type() const { return 0; }  // as in st_mode: S_IFIFO
};

// A pipe's end (one channel) or a stream socket (two).
class SimStream final : public SimFile {
 public:
  using Channel = std::shared_ptr<SimChannel>;

  // Null for the direction it does not have.
  SimStream(Channel in, Channel out)
      : in_(std::move(in)), out_(std::move(out)) {}

  Ready Poll() const override;
  uint64_t Changes() const override;
  ssize_t Read(absl::Span<char> to) override;
  ssize_t Write(absl::Span<const char> from) override;
  void Closed() override;
  mode_t type() const override;

  // As shutdown(2): 0 or -errno.
  int Shutdown(int how);
  bool is_socket() const { return in_ != nullptr && out_ != nullptr; }

 private:
  void EndReading();
  void EndWriting();

  const Channel in_;
  const Channel out_;
};

class SimEventfd final : public SimFile {
 public:
  explicit SimEventfd(uint64_t count) : count_(count) {}

  Ready Poll() const override;
  uint64_t Changes() const override { return changes_; }
  ssize_t Read(absl::Span<char> to) override;
  ssize_t Write(absl::Span<const char> from) override;

 private:
  uint64_t count_;
  uint64_t changes_ = 0;
};

// A Unix stream socket that is not connected: fresh, bound or listening.
class SimListener final : public SimFile {
 public:
  Ready Poll() const override;
  uint64_t Changes() const override { return changes_; }
  ssize_t Read(absl::Span<char> to) override;
  ssize_t Write(absl::Span<const char> from) override;
  void Closed() override;
  mode_t type() const override;

  // The other side's end of a new connection waits here to be accepted.
  // 0, -ECONNREFUSED (not listening) or -EAGAIN (backlog full).
  int Enqueue(std::shared_ptr<SimStream> connection);
  // Null when none waits.
  std::shared_ptr<SimStream> Dequeue();

  std::string path;  // bound to; empty is unbound
  int backlog = -1;  // < 0: not listening

 private:
  std::deque<std::shared_ptr<SimStream>> waiting_;
  uint64_t changes_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIM_FILE_H_
