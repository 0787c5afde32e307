// SPDX-License-Identifier: Apache-2.0
//
// BusLog: the log of one bus. Its sink is standard error, or the function
// BusOptions::log. Write() queues a line, and a thread of the log passes it to
// the sink. So a sink that blocks, such as a pipe that is not read, stops no
// loop.
//
//   any thread         Write(): limits, printable, cut -> queue (bounded)
//   the log's thread   queue -> sink
//
// Lines are written in the order in which they were logged. Of many lines of
// one kind it writes a few, and then how many it has left out.
//
// With TestOptions::single_threaded there is no such thread: Write() calls the
// sink, and waits for it. So a seed gives the same lines each time.
//
// Ownership: part of the bus's state; owns its thread.
// Threads:   Write, Flush and counts: thread-safe. Start and Close: the bus.
// Bounds:    LogOptions; kMaxLineBytes.
// Ends:      Close() writes the lines that wait. If the sink does not take them
//            within LogOptions::patience, it leaves the thread and its queue
//            behind. The thread ends when the sink returns, and writes no more.

#ifndef TROLLEY_BUS_LOG_LOG_H_
#define TROLLEY_BUS_LOG_LOG_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/log/log_limits.h"
#include "trolley/bus/options.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {

class BusLog {
 public:
  // The longest line, in bytes, with "trolley: " before it and the line break
  // after it. A pipe takes a write of at most PIPE_BUF (4096) bytes as one
  // piece, so the lines of several processes do not mix.
  static constexpr size_t kMaxLineBytes = LogOptions::kMostLineBytes;

  using Sink = std::function<void(absl::string_view)>;

  // `sink`: null is standard error. `clock`: if not null, there is no thread,
  // and the limits use this clock, which outlives the log.
  BusLog(const LogOptions& options, Sink sink, const Clock* clock = nullptr);
  BusLog(const BusLog&) = delete;
  BusLog& operator=(const BusLog&) = delete;
  ~BusLog();

  // Starts the thread. ResourceExhausted: no thread is left, and lines are not
  // written.
  absl::Status Start();

  // Logs a line. `source`: what caused it, for the limits (LogOptions). Never
  // blocks, unless there is no thread. After Close() it only counts the line.
  void Write(absl::string_view line, absl::string_view source, LogKind kind);

  // On a plain thread, mostly of tests: waits until the sink has taken all
  // lines logged before. False: it has not within `limit`.
  bool Flush(absl::Duration limit) const;

  // Logs how many lines were left out, waits at most LogOptions::patience for
  // the sink, and ends. A second call does nothing.
  void Close();

  LogCounts counts() const;

 private:
  class Queue;

  const std::shared_ptr<Queue> queue_;  // shared with the thread
  std::thread thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOG_LOG_H_
