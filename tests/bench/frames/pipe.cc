// SPDX-License-Identifier: Apache-2.0
//
// Pipes between two buses: actors that read with PipeReader and write with
// Stream, which is all that pipes have. A stream is gathered, 64 KiB at a time.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/frames/carriers.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/stream.h"
#include "trolley/proto/delimited.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/child.h"
#include "trolley/tests/bench/lib/frames.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr size_t kAtOnce = 64 << 10;

struct Go {};

void Append(const std::string& frame, std::string& to) {
  if (!wire::AppendDelimited(frame, &to).ok()) Die("a frame is too long");
}

ScopedFd NonBlocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return ScopedFd(RealSys(), fd);
}

// Both ends of a round trip, and the sender of a stream.
class End : public Actor {
 public:
  End(int out, size_t bytes) : out_(out), frame_(bytes, 'f') {}

 protected:
  void OnStart() override { stream_.emplace(context(), NonBlocking(out_)); }
  Task<absl::Status> WriteFrame() {
    buffer_.clear();
    Append(frame_, buffer_);
    return stream_->Write(buffer_);
  }
  void CheckSize(const PipePiece& piece) const {
    if (piece.bytes.size() != frame_.size()) Die("a frame was changed");
  }

  const int out_;
  const std::string frame_;
  std::string buffer_;
  std::optional<trolley::Stream> stream_;
};

class Caller : public End {
 public:
  Caller(int out, size_t bytes, std::vector<double>& times,
         absl::Notification& done)
      : End(out, bytes), times_(times), done_(done) {}
  Task<absl::Status> On(Go) { return Serve(); }
  Task<absl::Status> On(const PipePiece& piece) {
    CheckSize(piece);
    times_[trip_++] = static_cast<double>(Nanoseconds() - start_);
    if (trip_ < times_.size()) co_return co_await Serve();
    stream_.reset();
    done_.Notify();
    co_return absl::OkStatus();
  }
  void On(const PipeEnd&) {}

 private:
  Task<absl::Status> Serve() {
    start_ = Nanoseconds();
    return WriteFrame();
  }

  std::vector<double>& times_;
  absl::Notification& done_;
  size_t trip_ = 0;
  int64_t start_ = 0;
};

class Echo : public End {
 public:
  Echo(int out, size_t bytes, absl::Notification& done)
      : End(out, bytes), done_(done) {}
  Task<absl::Status> On(const PipePiece& piece) {
    CheckSize(piece);
    return WriteFrame();
  }
  void On(const PipeEnd&) { done_.Notify(); }

 private:
  absl::Notification& done_;
};

class Source : public End {
 public:
  Source(int out, size_t bytes, uint64_t frames)
      : End(out, bytes), frames_(frames) {}
  Task<absl::Status> On(Go) {
    for (uint64_t left = frames_; left > 0; --left) {
      Append(frame_, buffer_);
      if (buffer_.size() < kAtOnce && left > 1) continue;
      absl::Status written = co_await stream_->Write(buffer_);
      if (!written.ok()) Die(written.ToString());
      buffer_.clear();
    }
    stream_.reset();  // the end of the input, for the other process
    co_return absl::OkStatus();
  }

 private:
  const uint64_t frames_;
};

class Sink : public Actor {
 public:
  Sink(uint64_t& count, absl::Notification& done)
      : count_(count), done_(done) {}
  void On(const PipePiece& piece) {
    if (piece.bytes[0] != 'f') Die("a frame was changed");
    ++count_;
  }
  void On(const PipeEnd& end) {
    if (!end.status.ok()) Die(end.status.ToString());
    done_.Notify();
  }

 private:
  uint64_t& count_;
  absl::Notification& done_;
};

void ReadFrom(RunBus& run, int fd, PipeReader::Receiver receiver) {
  PipeReaderOptions options;
  options.format = PipeFormat::kDelimited;
  run.Spawn<PipeReader>(0, RunBus::kDefaultCapacity, NonBlocking(fd),
                        std::move(receiver), options);
}

struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe2 failed");
  }
  int ends[2];
};

Figures RoundTrips(size_t bytes, uint64_t trips) {
  Pipe there, back;
  Child child({"pipe", "rtt", std::to_string(bytes)},
              {there.ends[0], back.ends[1]});
  close(there.ends[0]);
  close(back.ends[1]);
  std::vector<double> times(trips);
  absl::Notification done;
  RunBus run({0});
  auto caller = run.Spawn<Caller>(0, RunBus::kDefaultCapacity, there.ends[1],
                                  bytes, times, done);
  ReadFrom(run, back.ends[0], caller);
  caller.Tell(Go{});
  done.WaitForNotification();
  run.Finish(trips);
  return Percentiles(std::move(times));
}

Figures Stream(size_t bytes, uint64_t frames) {
  Pipe there, back;
  Child child({"pipe", "oneway"}, {there.ends[0], back.ends[1]});
  close(there.ends[0]);
  close(back.ends[1]);
  RunBus run({0});
  auto source = run.Spawn<Source>(0, RunBus::kDefaultCapacity, there.ends[1],
                                  bytes, frames);
  const int64_t start = Nanoseconds();
  source.Tell(Go{});
  uint64_t came = 0;
  if (read(back.ends[0], &came, sizeof(came)) != sizeof(came) ||
      came != frames) {
    Die("a frame was lost");
  }
  const int64_t took = Nanoseconds() - start;
  close(back.ends[0]);
  run.Finish(1);
  return Millions(frames, took);
}

}  // namespace

int ServePipe(const Arguments& arguments) {
  constexpr int kIn = kFirstChildFd, kOut = kFirstChildFd + 1;
  absl::Notification done;
  RunBus run({1});
  if (arguments[1] == "rtt") {
    ReadFrom(run, kIn,
             run.Spawn<Echo>(0, RunBus::kDefaultCapacity, kOut,
                             std::stoull(arguments[2]), done));
    SayReady();
    done.WaitForNotification();
  } else {
    uint64_t came = 0;
    ReadFrom(run, kIn,
             run.Spawn<Sink>(0, RunBus::kDefaultCapacity, came, done));
    SayReady();
    done.WaitForNotification();
    if (write(kOut, &came, sizeof(came)) != sizeof(came)) Die("cannot answer");
  }
  run.Finish(0);
  return 0;
}

void AddPipeFrames(Bench& bench) {
  AddFrames(bench, "pipe", "trolley", RoundTrips, Stream);
}

}  // namespace trolley::bench
