// SPDX-License-Identifier: Apache-2.0
//
// Two buses and a link. A round trip is an ask, with its deadline; a stream is
// tells, from a coroutine that waits for room.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/frames/carriers.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/frames/frames.pb.h"
#include "trolley/tests/bench/lib/child.h"
#include "trolley/tests/bench/lib/frames.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

// Told and counted; or asked, and sent back.
using Sinks = Protocol<Frame, Answer(Question)>;
using Echoes = Protocol<Frame(Frame)>;

Frame FrameOf(uint64_t number, size_t bytes) {
  Frame frame;
  frame.set_number(number);
  if (bytes > 8) frame.set_filler(std::string(bytes - 8, 'f'));
  return frame;
}

class Sink : public Actor {
 public:
  using Receives = Sinks;
  void On(const Frame& frame) {
    sum_ += frame.number();
    ++frames_;
  }
  Answer On(const Question&) {
    Answer answer;
    answer.set_frames(frames_);
    answer.set_sum(sum_);
    return answer;
  }

 private:
  uint64_t frames_ = 0, sum_ = 0;
};

class Echo : public Actor {
 public:
  using Receives = Echoes;
  Frame On(Frame&& frame) { return std::move(frame); }
};

// Frames of a mebibyte and their fields fit.
UnixLinkOptions LinkOptions() {
  UnixLinkOptions options;
  options.max_frame_bytes = 2 << 20;
  options.credit_bytes = 8 << 20;
  options.outbox_bytes = 4 << 20;
  options.reconnect = false;
  return options;
}

// Mailboxes hold so many messages, whatever their size: of long ones as many as
// fit in the caches.
uint32_t CapacityFor(size_t bytes) {
  return std::clamp<size_t>((512 << 10) / bytes, 4, RunBus::kDefaultCapacity);
}

struct Go {};

class Trips : public Actor {
 public:
  Trips(Ref<Echoes> echo, size_t bytes, std::vector<double>& times,
        absl::Notification& done)
      : echo_(std::move(echo)), bytes_(bytes), times_(times), done_(done) {}
  Task<absl::Status> On(Go) {
    // The first one waits for the connection.
    for (int64_t trip = -1; trip < static_cast<int64_t>(times_.size());
         ++trip) {
      Frame frame = FrameOf(trip + 1, bytes_);
      const int64_t start = Nanoseconds();
      absl::StatusOr<Frame> back = co_await echo_.Ask(std::move(frame), kLong);
      if (!back.ok()) Die(back.status().ToString());
      if (trip < 0) continue;
      times_[trip] = static_cast<double>(Nanoseconds() - start);
      if (back->number() != static_cast<uint64_t>(trip) + 1) {
        Die("another frame came back");
      }
    }
    done_.Notify();
    co_return absl::OkStatus();
  }

 private:
  const Ref<Echoes> echo_;
  const size_t bytes_;
  std::vector<double>& times_;
  absl::Notification& done_;
};

class Streams : public Actor {
 public:
  Streams(Ref<Sinks> sink, size_t bytes, uint64_t frames, int64_t& took,
          absl::Notification& done)
      : sink_(std::move(sink)),
        bytes_(bytes),
        frames_(frames),
        took_(took),
        done_(done) {}
  Task<absl::Status> On(Go) {
    // Waits for the connection.
    absl::StatusOr<Answer> there = co_await sink_.Ask(Question(), kLong);
    if (!there.ok()) Die(there.status().ToString());
    const int64_t start = Nanoseconds();
    for (uint64_t i = 1; i <= frames_; ++i) {
      Frame frame = FrameOf(i, bytes_);
      if (sink_.Tell(std::move(frame)) == Delivery::kAccepted) continue;
      absl::Status sent = co_await sink_.Send(std::move(frame));
      if (!sent.ok()) Die(sent.ToString());
    }
    // An ask does not wait for room, which there is none of at first.
    absl::StatusOr<Answer> answer = co_await sink_.Ask(Question(), kLong);
    while (absl::IsResourceExhausted(answer.status())) {
      co_await Sleep(absl::Microseconds(50));
      answer = co_await sink_.Ask(Question(), kLong);
    }
    if (!answer.ok()) Die(answer.status().ToString());
    took_ = Nanoseconds() - start;
    if (answer->frames() != frames_ ||
        answer->sum() != frames_ * (frames_ + 1) / 2) {
      Die("frames were lost or changed");
    }
    done_.Notify();
    co_return absl::OkStatus();
  }

 private:
  const Ref<Sinks> sink_;
  const size_t bytes_;
  const uint64_t frames_;
  int64_t& took_;
  absl::Notification& done_;
};

// A child that ends when the parent closes the pipe of its last descriptor.
class Server {
 public:
  explicit Server(const std::string& path) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe2 failed");
    end_ = ends[1];
    child_.emplace(Arguments{"unix", path}, std::vector<int>{ends[0]});
    close(ends[0]);
  }
  ~Server() { close(end_); }

 private:
  std::optional<Child> child_;  // destroyed after the pipe is closed
  int end_;
};

template <typename P>
Ref<P> Dial(RunBus& run, const std::string& path, const char* target,
            size_t bytes) {
  auto link = run.Spawn<UnixLink>(0, CapacityFor(bytes), path, LinkOptions());
  return run.Spawn<Remote<P>>(0, CapacityFor(bytes), link, target);
}

Figures RoundTrips(size_t bytes, uint64_t trips) {
  SocketPath socket;
  Server server(socket.path());
  RunBus run({0});
  std::vector<double> times(trips);
  absl::Notification done;
  auto trips_actor = run.Spawn<Trips>(
      0, RunBus::kDefaultCapacity,
      Dial<Echoes>(run, socket.path(), "echo", bytes), bytes, times, done);
  trips_actor.Tell(Go{});
  done.WaitForNotification();
  run.Finish(trips);
  return Percentiles(std::move(times));
}

Figures Stream(size_t bytes, uint64_t frames) {
  SocketPath socket;
  Server server(socket.path());
  RunBus run({0});
  int64_t took = 0;
  absl::Notification done;
  auto streams =
      run.Spawn<Streams>(0, RunBus::kDefaultCapacity,
                         Dial<Sinks>(run, socket.path(), "sink", bytes), bytes,
                         frames, took, done);
  streams.Tell(Go{});
  done.WaitForNotification();
  run.Finish(frames);
  return Millions(frames, took);
}

}  // namespace

int ServeUnix(const Arguments& arguments) {
  absl::StatusOr<UnixListenSocket> socket = ListenUnix(RealSys(), arguments[1]);
  if (!socket.ok()) Die(socket.status().ToString());
  RunBus run({1});
  UnixListenerOptions options;
  options.link = LinkOptions();
  auto must = [](const auto& spawned) {
    if (!spawned.ok()) Die(spawned.status().ToString());
  };
  must(run.bus().Spawn<Sink>({.name = "sink"}));
  must(run.bus().Spawn<Echo>({.name = "echo"}));
  must(run.bus().Spawn<UnixListener>({.name = "uds"}, *std::move(socket),
                                     options));
  SayReady();
  char byte;
  while (read(kFirstChildFd, &byte, 1) > 0) {
  }
  run.Finish(0);
  return 0;
}

void AddUnixFrames(Bench& bench) {
  AddFrames(bench, "unix", "trolley", RoundTrips, Stream);
}

}  // namespace trolley::bench
