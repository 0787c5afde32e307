// SPDX-License-Identifier: Apache-2.0
//
// SimFile: what a descriptor of SimSys refers to: an end of a pipe, a stream
// socket, a listener or an eventfd. They live in memory and are readable and
// writable when Linux's would be.
//
// Ownership: the descriptors that name a file share it. The two files at the
//            ends of a channel share the channel.
// Threads:   one thread, that of the simulated world.
// Bounds:    a channel holds at most `capacity` bytes. A listener holds at most
//            `backlog` + 1 connections, as in Linux.

#ifndef TROLLEY_POLLER_SIM_SIM_FILE_H_
#define TROLLEY_POLLER_SIM_SIM_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "trolley/poller/event.h"

namespace trolley::internal {

// The bytes on their way from one file to another, in one direction.
struct SimChannel {
  explicit SimChannel(size_t most) : capacity(most) {}

  const size_t capacity;
  std::deque<char> bytes;
  bool writer_gone = false;     // no more bytes will come
  bool reader_gone = false;     // a write fails with EPIPE
  bool reset = false;           // the writer closed with unread bytes
  uint64_t reader_changes = 0;  // edges for the file that reads
  uint64_t writer_changes = 0;  // edges for the file that writes
};

class SimFile {
 public:
  virtual ~SimFile() = default;

  // All conditions that hold now, for a level-triggered poller.
  virtual Ready Poll() const = 0;
  // The number of changes so far, each an edge for an edge-triggered poller.
  virtual uint64_t Changes() const = 0;

  // As read() and write(): bytes or -errno. -EAGAIN: a blocking call would
  // wait.
  virtual ssize_t Read(absl::Span<char> to) = 0;
  virtual ssize_t Write(absl::Span<const char> from) = 0;

  // Called when the last descriptor of this file was closed.
  virtual void Closed() {}

  virtual mode_t type() const { return 0; }  // as in st_mode, e.g. S_IFIFO
};

// An end of a pipe (one channel) or a stream socket (two channels).
class SimStream final : public SimFile {
 public:
  using Channel = std::shared_ptr<SimChannel>;

  // Null for a direction that it does not have.
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

// A Unix stream socket that is not connected: new, bound or listening.
class SimListener final : public SimFile {
 public:
  Ready Poll() const override;
  uint64_t Changes() const override { return changes_; }
  ssize_t Read(absl::Span<char> to) override;
  ssize_t Write(absl::Span<const char> from) override;
  void Closed() override;
  mode_t type() const override;

  // Queues the accepting end of a new connection.
  //
  //   0              queued
  //   -ECONNREFUSED  this socket does not listen
  //   -EAGAIN        the backlog is full
  int Enqueue(std::shared_ptr<SimStream> connection);
  // Takes the oldest queued connection; null when there is none.
  std::shared_ptr<SimStream> Dequeue();

  std::string path;  // where it is bound; empty: not bound
  int backlog = -1;  // < 0: not listening

 private:
  std::deque<std::shared_ptr<SimStream>> waiting_;
  uint64_t changes_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_SIM_SIM_FILE_H_
