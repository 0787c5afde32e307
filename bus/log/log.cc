// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/log/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/bus/thread/start_thread.h"
#include "trolley/poller/printable.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {
namespace {

constexpr char kPrefix[] = "trolley: ";
// The bytes of the mark of a cut line, of the prefix and of the line break.
constexpr size_t kAround = sizeof("...") + sizeof(kPrefix) + sizeof("\n");
constexpr int kStandardError = 2;

// Waits until standard error takes the line. False: it is closed or broken.
// Uses the real system calls: the thread may outlive TestOptions::sys.
bool WriteToStandardError(absl::string_view line) {
  Sys& sys = RealSys();
  const std::string text = absl::StrCat(kPrefix, line, "\n");
  for (absl::Span<const char> rest = text; !rest.empty();) {
    const ssize_t n = sys.Write(kStandardError, rest);
    if (n >= 0) {
      rest.remove_prefix(n);
    } else if (n == -EAGAIN) {
      pollfd room = {.fd = kStandardError, .events = POLLOUT, .revents = 0};
      sys.Ppoll(absl::MakeSpan(&room, 1), nullptr);
    } else if (n != -EINTR) {
      return false;
    }
  }
  return true;
}

std::string DroppedLine(uint64_t count) {
  return absl::StrCat("... ", count, count == 1 ? " line was" : " lines were",
                      " dropped: the log took no more (LogOptions)");
}

}  // namespace

class BusLog::Queue {
 public:
  Queue(const LogOptions& options, Sink sink, const Clock* clock)
      : options_(options),
        sink_(std::move(sink)),
        clock_(clock != nullptr ? *clock : MonotonicClock()),
        queues_(clock == nullptr),
        limits_(options) {}

  const LogOptions& options() const { return options_; }
  bool queues() const { return queues_; }

  void Write(absl::string_view text, absl::string_view source, LogKind kind) {
    std::vector<std::string> now;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (closed_) {
        ++counts_.dropped;
        return;
      }
      const bool waits = !limits_.any_left_out();
      std::string left_out;
      if (!limits_.Admit(kind, source, text, clock_.Now(), left_out)) {
        ++counts_.left_out;
        if (waits) work_.notify_one();  // it wakes again after the interval
        return;
      }
      if (!left_out.empty()) now.push_back(std::move(left_out));
      now.push_back(Printable(text, kMaxLineBytes - kAround));
      // mutant: P7_ALoopThatLogsWaitsForTheSink
      if (queues_) return Push(std::move(now));
    }
    for (const std::string& line : now) Count(Deliver(line));
  }

  bool Flush(absl::Duration limit) {
    std::unique_lock<std::mutex> lock(mutex_);
    const uint64_t until = queued_;
    WaitFor(lock, limit,
            [&] { return done_ >= until || ended_ || left_behind_; });
    return done_ >= until;
  }

  // False: the sink did not take all lines in time.
  bool Close() {
    std::vector<std::string> last;
    std::unique_lock<std::mutex> lock(mutex_);
    if (!std::exchange(closed_, true)) {
      last = limits_.TakeAll();
      if (queues_) Push(std::exchange(last, {}));
    }
    if (!queues_) {
      lock.unlock();
      for (const std::string& line : last) Count(Deliver(line));
      // As in Run().
      const Sink sink = std::exchange(sink_, nullptr);
      return true;
    }
    work_.notify_one();
    if (WaitFor(lock, options_.patience, [&] { return ended_; })) return true;
    left_behind_ = true;
    counts_.dropped += queue_.size();
    queue_.clear();
    return false;
  }

  LogCounts counts() {
    std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }

  // The function of the log's thread.
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (std::optional<std::string> line = Next(lock)) {
      lock.unlock();
      const bool taken = Deliver(*line);
      lock.lock();
      ++(taken ? counts_.written : counts_.failed);
      ++done_;
      progress_.notify_all();
    }
    // The sink may have an Address, which keeps the bus and this queue.
    Sink sink = std::exchange(sink_, nullptr);
    lock.unlock();
    sink = nullptr;
    lock.lock();
    ended_ = true;
    progress_.notify_all();
  }

 private:
  template <typename Condition>
  bool WaitFor(std::unique_lock<std::mutex>& lock, absl::Duration limit,
               Condition condition) {
    // An infinite duration does not fit into a time point; a hundred years do.
    const absl::Duration most = std::min(limit, absl::Hours(24 * 365 * 100));
    return progress_.wait_until(
        lock,
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(most),
        condition);
  }

  // Under the lock. Before a line it adds how many were dropped there.
  void Push(std::vector<std::string> lines) {
    for (std::string& line : lines) {
      std::string dropped;
      if (dropped_now_ > 0) dropped = DroppedLine(dropped_now_);
      // mutant: P6_TheLinesOfTheLogPileUp
      if (queue_.size() + (dropped_now_ > 0 ? 2 : 1) >
              options_.max_waiting_lines ||
          bytes_ + dropped.size() + line.size() > options_.max_waiting_bytes) {
        ++counts_.dropped;
        ++dropped_now_;
        continue;
      }
      if (std::exchange(dropped_now_, 0) > 0) Append(std::move(dropped));
      Append(std::move(line));
    }
    work_.notify_one();
  }

  void Append(std::string line) {
    // mutant: P6_TheBytesOfTheLogPileUp
    bytes_ += line.size();
    ++queued_;
    queue_.push_back(std::move(line));
  }

  // Under the lock. Waits for the next line to write; nullopt: the log ends.
  std::optional<std::string> Next(std::unique_lock<std::mutex>& lock) {
    while (queue_.empty() && !left_behind_) {
      if (dropped_now_ > 0) {
        Append(DroppedLine(std::exchange(dropped_now_, 0)));
      } else if (closed_) {
        break;
      } else if (!limits_.any_left_out()) {
        work_.wait(lock);
      } else {
        work_.wait_until(lock,
                         std::chrono::steady_clock::now() +
                             absl::ToChronoNanoseconds(options_.interval));
        Push(limits_.TakeDue(clock_.Now()));
      }
    }
    if (queue_.empty() || left_behind_) return std::nullopt;
    std::string line = std::move(queue_.front());
    queue_.pop_front();
    bytes_ -= line.size();
    return line;
  }

  bool Deliver(absl::string_view line) const {
    if (sink_ == nullptr) return WriteToStandardError(line);
    try {
      sink_(line);
      return true;
    } catch (...) {
      // mutant: P8_ALineThatTheSinkDidNotTakeIsWritten
      return false;
    }
  }

  void Count(bool taken) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++(taken ? counts_.written : counts_.failed);
  }

  const LogOptions options_;
  Sink sink_;  // called without the lock
  const Clock& clock_;
  const bool queues_;  // false: no thread; Write() calls the sink

  // Guards all below. A std::mutex: the timed waits of Abseil follow the wall
  // clock.
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable progress_;
  LogLimits limits_;
  LogCounts counts_;
  std::deque<std::string> queue_;
  size_t bytes_ = 0;
  uint64_t queued_ = 0;       // lines that were put into the queue
  uint64_t done_ = 0;         // lines of these that the sink has had
  uint64_t dropped_now_ = 0;  // lines dropped since the last DroppedLine()
  bool closed_ = false;
  bool left_behind_ = false;
  bool ended_ = false;
};

BusLog::BusLog(const LogOptions& options, Sink sink, const Clock* clock)
    : queue_(std::make_shared<Queue>(options, std::move(sink), clock)) {}

BusLog::~BusLog() { Close(); }

absl::Status BusLog::Start() {
  if (!queue_->queues()) return absl::OkStatus();
  // This thread blocks all signals, so that the program's threads get them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  RealSys().Sigmask(SIG_SETMASK, &all, &before);
  absl::StatusOr<std::thread> thread =
      StartThread("the thread of the log", {.name = "trolley log"},
                  [queue = queue_] { queue->Run(); });
  RealSys().Sigmask(SIG_SETMASK, &before, nullptr);
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void BusLog::Write(absl::string_view line, absl::string_view source,
                   LogKind kind) {
  queue_->Write(line, source, kind);
}

bool BusLog::Flush(absl::Duration limit) const { return queue_->Flush(limit); }

void BusLog::Close() {
  if (!thread_.joinable() && queue_->queues()) return;
  const bool ended = queue_->Close();
  if (!thread_.joinable()) return;
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

LogCounts BusLog::counts() const { return queue_->counts(); }

}  // namespace trolley::internal
