// SPDX-License-Identifier: Apache-2.0
//
// Bare descriptors and blocking calls. A stream once with a call for each
// frame, once with 64 KiB at a time.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bench/frames/carriers.h"
#include "trolley/tests/bench/lib/child.h"
#include "trolley/tests/bench/lib/frames.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr size_t kAtOnce = 64 << 10;

void WriteAll(int fd, const char* bytes, size_t left) {
  while (left > 0) {
    const ssize_t wrote = write(fd, bytes, left);
    if (wrote <= 0) Die("a write failed");
    bytes += wrote;
    left -= static_cast<size_t>(wrote);
  }
}

void ReadAll(int fd, char* bytes, size_t left) {
  while (left > 0) {
    const ssize_t got = read(fd, bytes, left);
    if (got <= 0) Die("a read failed");
    bytes += got;
    left -= static_cast<size_t>(got);
  }
}

// Two directions: two pipes, or one socket.
struct Ends {
  int in, out;
  int child_in, child_out;
};

Ends Open(bool pipes) {
  int there[2], back[2];
  if (!pipes) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, there) != 0) {
      Die("socketpair failed");
    }
    return {there[0], there[0], there[1], there[1]};
  }
  if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0) {
    Die("pipe2 failed");
  }
  return {back[0], there[1], there[0], back[1]};
}

void Close(int one, int other) {
  close(one);
  if (other != one) close(other);
}

Figures RoundTrips(bool pipes, size_t bytes, uint64_t trips) {
  const Ends ends = Open(pipes);
  Child child({"raw", "rtt", std::to_string(bytes), std::to_string(trips)},
              {ends.child_in, ends.child_out});
  Close(ends.child_in, ends.child_out);
  const Figures figures = OnCpu0([&]() -> Figures {
    std::vector<char> frame(bytes, 'f');
    std::vector<double> times(trips);
    for (double& time : times) {
      const int64_t start = Nanoseconds();
      WriteAll(ends.out, frame.data(), bytes);
      ReadAll(ends.in, frame.data(), bytes);
      time = static_cast<double>(Nanoseconds() - start);
    }
    return Percentiles(std::move(times));
  });
  Close(ends.in, ends.out);
  return figures;
}

Figures Stream(bool pipes, bool batched, size_t bytes, uint64_t frames) {
  const Ends ends = Open(pipes);
  Child child({"raw", "oneway", std::to_string(bytes), std::to_string(frames)},
              {ends.child_in, ends.child_out});
  Close(ends.child_in, ends.child_out);
  const Figures figures = OnCpu0([&]() -> Figures {
    const uint64_t together =
        batched ? std::max<size_t>(1, kAtOnce / bytes) : 1;
    std::vector<char> buffer(bytes * together, 'f');
    const int64_t start = Nanoseconds();
    for (uint64_t left = frames; left > 0;) {
      const uint64_t now = std::min(left, together);
      WriteAll(ends.out, buffer.data(), bytes * now);
      left -= now;
    }
    uint64_t came;
    ReadAll(ends.in, reinterpret_cast<char*>(&came), sizeof(came));
    if (came != frames) Die("a frame was lost");
    return Millions(frames, Nanoseconds() - start);
  });
  Close(ends.in, ends.out);
  return figures;
}

}  // namespace

int ServeRaw(const Arguments& arguments) {
  constexpr int kIn = kFirstChildFd, kOut = kFirstChildFd + 1;
  const size_t bytes = std::stoull(arguments[2]);
  uint64_t frames = std::stoull(arguments[3]);
  SayReady();
  if (arguments[1] == "rtt") {
    std::vector<char> frame(bytes);
    for (; frames > 0; --frames) {
      ReadAll(kIn, frame.data(), bytes);
      WriteAll(kOut, frame.data(), bytes);
    }
    return 0;
  }
  // Takes whatever is there, and looks at the first byte of each frame.
  std::vector<char> buffer(std::max(kAtOnce, bytes));
  size_t held = 0;
  uint64_t came = 0;
  while (came < frames) {
    const ssize_t got = read(kIn, buffer.data() + held, buffer.size() - held);
    if (got <= 0) Die("a read failed");
    held += static_cast<size_t>(got);
    size_t at = 0;
    for (; held - at >= bytes; at += bytes, ++came) {
      if (buffer[at] != 'f') Die("a frame was changed");
    }
    std::memmove(buffer.data(), buffer.data() + at, held - at);
    held -= at;
  }
  WriteAll(kOut, reinterpret_cast<const char*>(&came), sizeof(came));
  return 0;
}

void AddRawFrames(Bench& bench) {
  for (bool pipes : {true, false}) {
    const std::string transport = pipes ? "pipe" : "unix";
    AddFrames(
        bench, transport, "raw." + transport,
        [pipes](size_t bytes, uint64_t trips) {
          return RoundTrips(pipes, bytes, trips);
        },
        [pipes](size_t bytes, uint64_t frames) {
          return Stream(pipes, false, bytes, frames);
        });
    for (size_t bytes : kFrameSizes) {
      if (bytes >= kAtOnce) continue;
      bench.Add(FrameStream(transport, bytes), "raw." + transport + "_batched",
                [=](double scale) {
                  return Stream(pipes, true, bytes, FramesOf(bytes, scale));
                });
    }
  }
}

}  // namespace trolley::bench
