// SPDX-License-Identifier: Apache-2.0
//
// BusLog: the lines of one bus on their way to its sink: standard error, or the
// function that the program gave (BusOptions::log). Who logs only queues a
// line. A thread of the log's own writes, so a sink that takes nothing, such as
// a pipe that is not read, stops no loop.
//
// A line is made printable and cut, so it is one line whatever went into it.
// Of many of one kind a few are written, and then how many were left out.
// Lines come in the order in which they were logged.
//
//   any thread      Write -> limits, cut -> queue (bounded)
//   the log's own            queue -> sink
//
// A bus with BusOptions::single_threaded has no such thread: Write() calls the
// sink. The same seed gives the same lines there, and a sink that blocks blocks
// the caller.
//
// Ownership: part of the bus's state; owns its thread.
// Threads:   Write, Flush and counts: thread-safe. Start and Close: the bus.
// Bounds:    LogOptions; kMaxLineBytes.
// Ends:      Close(). What was logged before is written if the sink takes it in
//            time. Else the thread is left behind, with the queue that it uses;
//            it ends when the sink returns, and writes no further line.

#ifndef TROLLEY_BUS_LOG_H_
#define TROLLEY_BUS_LOG_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/log_limits.h"
#include "trolley/bus/options.h"
#include "trolley/poller/clock.h"

namespace trolley {

class BusLog {
 public:
  // Longest line, in bytes, with "trolley: " before it and the line break after
  // it: what a pipe takes as one piece (PIPE_BUF), so that the lines of several
  // processes do not mix.
  static constexpr size_t kMaxLineBytes = 4096;

  using Sink = std::function<void(absl::string_view)>;

  // Without a `sink` lines go to standard error. With a `clock`, which the
  // limits then read, there is no thread; it outlives the log.
  BusLog(const LogOptions& options, Sink sink, const Clock* clock = nullptr);
  BusLog(const BusLog&) = delete;
  BusLog& operator=(const BusLog&) = delete;
  ~BusLog();

  // InvalidArgument: names the field, its value and its limit.
  static absl::Status Check(const LogOptions& options);

  // Starts the thread. ResourceExhausted: none is to be had; then the callers
  // of Write() call the sink.
  absl::Status Start();

  // Logs a line. `source`: what caused it, for the limits (LogOptions). Never
  // blocks, unless it calls the sink itself. After Close() it only counts.
  void Write(absl::string_view line, absl::string_view source, LogKind kind);

  // Waits until the sink has had what was logged before. False: it took longer
  // than `limit`. For plain threads; for tests above all.
  bool Flush(absl::Duration limit) const;

  // Says what was left out, waits for the sink as long as
  // LogOptions::patience, and ends. Idempotent.
  void Close();

  LogCounts counts() const;

 private:
  class Queue;

  const std::shared_ptr<Queue> queue_;  // shared with the thread
  std::thread thread_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOG_H_
