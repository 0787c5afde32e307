// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of the simulated world and of the ChaosPoller at
// its extremes. All work. Chances are in thousandths: 0 and less is never, 1000
// and more is always.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/pollers.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sim.h"
#include "trolley/poller/sys.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/poller/chaos_poller.h"

namespace trolley {
namespace {

bool Always(int per_mille) { return per_mille >= 1000; }
bool Never(int per_mille) { return per_mille <= 0; }

struct Pipe {
  explicit Pipe(Sys& sys) {
    int fds[2] = {-1, -1};
    made = sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK);
    if (made != 0) return;
    read = ScopedFd(sys, fds[0]);
    write = ScopedFd(sys, fds[1]);
  }
  int made;
  ScopedFd read;
  ScopedFd write;
};

// What happened to the calls that sent bytes through a pipe.
struct Transfers {
  std::string received;
  int interrupted = 0;
  int would_block = 0;
  int shorter = 0;
  int done = 0;

  // Counts what a call for `asked` bytes returned; true: some bytes.
  bool Count(ssize_t result, size_t asked) {
    interrupted += result == -EINTR;
    would_block += result == -EAGAIN;
    if (result <= 0) return false;
    ++done;
    shorter += static_cast<size_t>(result) < asked;
    return true;
  }
};

Transfers SendThrough(Sys& sys, const Pipe& pipe, const std::string& bytes) {
  Transfers seen;
  size_t sent = 0;
  for (int i = 0; i < 5'000 && seen.received.size() < bytes.size(); ++i) {
    const auto rest = absl::string_view(bytes).substr(sent, 100);
    if (!rest.empty()) {
      const ssize_t wrote =
          sys.Write(pipe.write.get(), {rest.data(), rest.size()});
      if (seen.Count(wrote, rest.size())) sent += static_cast<size_t>(wrote);
    }
    char buffer[100];
    const size_t there = sent - seen.received.size();
    const ssize_t read = sys.Read(pipe.read.get(), absl::MakeSpan(buffer));
    if (seen.Count(read, std::min(there, sizeof(buffer)))) {
      seen.received.append(buffer, static_cast<size_t>(read));
    }
  }
  return seen;
}

absl::Status UseSimSys(const SimSysOptions& options) {
  SimWorld world(/*seed=*/1, options);
  Sys& sys = world.sys();
  {
    // As many descriptors as there may be, or 5.
    std::vector<ScopedFd> open;
    const size_t most = std::min<size_t>(options.max_descriptors, 5);
    for (size_t i = 0; i < 5; ++i) {
      const int fd = sys.Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      if (i >= most) {
        EXPECT_EQ(fd, -EMFILE);
        continue;
      }
      EXPECT_GE(fd, 0);
      open.emplace_back(sys, fd);
    }
  }
  const Pipe pipe(sys);
  if (options.max_descriptors < 2) {
    EXPECT_EQ(pipe.made, -EMFILE);
    return absl::OkStatus();
  }
  EXPECT_EQ(pipe.made, 0);
  std::string bytes;
  while (bytes.size() < 1000) bytes += "abcdefghijk";
  const Transfers seen = SendThrough(sys, pipe, bytes);
  const bool nothing = Always(options.interrupted_per_mille) ||
                       Always(options.would_block_per_mille) ||
                       options.channel_bytes == 0;
  EXPECT_TRUE(seen.received == (nothing ? "" : bytes)) << seen.received;
  if (Never(options.interrupted_per_mille)) {
    EXPECT_EQ(seen.interrupted, 0);
  }
  if (Always(options.interrupted_per_mille)) {
    EXPECT_EQ(seen.interrupted, 10'000);
  }
  if (Always(options.would_block_per_mille)) {
    EXPECT_EQ(seen.would_block, 10'000);
  }
  if (options.channel_bytes > 100 && Never(options.would_block_per_mille) &&
      Never(options.interrupted_per_mille) &&
      Never(options.short_transfer_per_mille)) {
    EXPECT_EQ(seen.shorter, 0);
  }
  if (Always(options.short_transfer_per_mille)) {
    // Each of two bytes or more is; one byte cannot be less.
    EXPECT_GT(seen.shorter, seen.done / 2);
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfASimulatedWorld) {
  AtExtremes<SimSysOptions>(
      [](SimSysOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, interrupted_per_mille, would_block_per_mille,
                       short_transfer_per_mille, max_descriptors,
                       channel_bytes);
      },
      UseSimSys);
  // "Always" begins at 1000; half of them is not too much.
  for (const int chance : {500, 1000, 1001}) {
    EXPECT_TRUE(UseSimSys({.interrupted_per_mille = chance}).ok());
  }
}

// 200 waits over a pipe that is readable and one that is not.
absl::Status UseChaos(const NamedPoller& under, const ChaosOptions& options) {
  const auto made = Chaos(under.create, options)(RealSys(), MonotonicClock());
  if (!made.ok()) return made.status();
  Poller& poller = **made;
  const Pipe ready(RealSys());
  const Pipe silent(RealSys());
  EXPECT_EQ(RealSys().Write(ready.write.get(), {"x", 1}), 1);
  constexpr Token kReady = {.slot = 1, .generation = 1};
  constexpr Token kSilent = {.slot = 2, .generation = 1};
  EXPECT_TRUE(poller.Add(ready.read.get(), kReady, {Ready::kReadable}).ok());
  EXPECT_TRUE(poller.Add(silent.read.get(), kSilent, {Ready::kReadable}).ok());
  constexpr int kWaits = 200;
  int true_events = 0, untrue = 0, woken = 0, wakes = 0;
  for (int i = 0; i < kWaits; ++i) {
    if (i % 10 == 0) {
      poller.Wake();
      ++wakes;
    }
    Event events[4];
    // Something is ready, so both end at once.
    const auto result = poller.Wait(
        absl::MakeSpan(events), i % 2 == 0 ? Instant() : Instant::Infinite());
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return result.status();
    woken += result->woken;
    for (size_t e = 0; e < result->events; ++e) {
      true_events += events[e].token == kReady;
      untrue += events[e].token == kSilent;
    }
  }
  EXPECT_GT(true_events, kWaits / 2);
  EXPECT_GE(woken, 1);
  if (Never(options.untrue_events)) {
    EXPECT_EQ(untrue, 0);
  }
  if (Always(options.untrue_events)) {
    EXPECT_GT(untrue, kWaits / 4);
  }
  if (Always(options.repeated_wakes)) {
    EXPECT_GT(woken, wakes);
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfChaos) {
  int used = 0;
  for (const NamedPoller& under : BuiltinPollers()) {
    // This machine may have no io_uring.
    if (!under.create(RealSys(), MonotonicClock()).ok()) continue;
    ++used;
    SCOPED_TRACE(std::string(under.name));
    AtExtremes<ChaosOptions>(
        [](ChaosOptions& o, auto visit) {
          TROLLEY_FIELDS(o, visit, seed, short_batches, reordering,
                         interruptions, late_wakes, untrue_events, double_wakes,
                         repeated_wakes);
        },
        [&](const ChaosOptions& options) { return UseChaos(under, options); });
  }
  EXPECT_GE(used, 5);
}

}  // namespace
}  // namespace trolley
