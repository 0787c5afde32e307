// SPDX-License-Identifier: Apache-2.0
//
// The simulated world: its clock jumps, it reports when nothing can happen any
// more, the same seed gives the same trace, and its system calls behave as
// those of the kernel.

#include "trolley/poller/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::internal {
namespace {

constexpr Token kToken = {.slot = 1, .generation = 1};

struct Pipe {
  explicit Pipe(Sys& sys) {
    int fds[2] = {-1, -1};
    EXPECT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    read = ScopedFd(sys, fds[0]);
    write = ScopedFd(sys, fds[1]);
  }
  ScopedFd read;
  ScopedFd write;
};

TEST(SimTest, AWaitJumpsToItsDeadline) {
  SimWorld world(1);
  const auto poller = world.NewPoller();
  const Instant deadline = world.clock().Now() + absl::Hours(24 * 365);
  Event event;
  const auto result = poller->Wait({&event, 1}, deadline);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->events, 0u);
  EXPECT_EQ(world.clock().Now(), deadline);
}

TEST(SimTest, TimesAtTheirEnds) {
  ForEachExtreme("poller/sim.h At(at)", [](const Extreme& e) {
    SimWorld world(1);
    bool ran = false;
    world.At(e.After(world.clock().Now()), [&] { ran = true; });
    world.StepTime(world.clock().Now() + absl::Nanoseconds(1));
    EXPECT_EQ(ran, e.soon());
    while (!ran && world.StepTime(Instant::Infinite())) {
    }
    EXPECT_EQ(ran, !e.never());
  });
  ForEachExtreme("poller/sim.h StepTime(limit)", [](const Extreme& e) {
    SimWorld world(1);
    const Instant start = world.clock().Now();
    const Instant limit = e.After(start);
    EXPECT_EQ(world.StepTime(limit), !e.never());
    EXPECT_EQ(world.clock().Now(), e.never() || !e.positive() ? start : limit);
  });
  ForEachExtreme("poller/sim/sim_clock.h AdvanceTo(at)", [](const Extreme& e) {
    SimClock clock;
    const Instant at = e.After(clock.Now());
    clock.AdvanceTo(at);
    EXPECT_EQ(clock.Now(), e.never() || !e.positive() ? SimClock::kStart : at);
  });
}

TEST(SimTest, ActionsRunAtTheirTimesAndInTheirOrder) {
  SimWorld world(1);
  const auto poller = world.NewPoller();
  const Instant start = world.clock().Now();
  std::vector<std::pair<int, int64_t>> ran;
  const auto note = [&](int id) {
    return [&, id] {
      ran.emplace_back(id, world.clock().Now().nanos() - start.nanos());
    };
  };
  world.At(start + absl::Nanoseconds(20), note(3));
  world.At(start + absl::Nanoseconds(10), note(1));
  world.At(start + absl::Nanoseconds(10), note(2));
  world.At(start + absl::Nanoseconds(30), [&] { poller->Wake(); });
  world.At(start + absl::Nanoseconds(40), note(4));
  Event event;
  const auto result = poller->Wait({&event, 1}, Instant::Infinite());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->woken);
  EXPECT_EQ(ran,
            (std::vector<std::pair<int, int64_t>>{{1, 10}, {2, 10}, {3, 20}}));
}

TEST(SimTest, WhenNothingCanHappenAnyMoreTheWaitSaysSo) {
  SimWorld world(42);
  const auto poller = world.NewPoller();
  Event event;
  const auto result = poller->Wait({&event, 1}, Instant::Infinite());
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(result.status().ToString().find("seed 42"), std::string::npos)
      << result.status();
}

TEST(SimTest, TheIdleHookRunsBeforeTimeMoves) {
  SimWorld world(1);
  const auto poller = world.NewPoller();
  const Instant start = world.clock().Now();
  int calls = 0;
  world.SetIdleHook([&] {
    if (++calls < 3) return true;
    if (calls == 3) poller->Wake();
    return calls == 3;
  });
  Event event;
  const auto result = poller->Wait({&event, 1}, start + absl::Seconds(1));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->woken);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(world.clock().Now(), start);
}

// Two pollers, pipes that talk, faults, batches by chance.
uint64_t RunAndHash(uint64_t seed) {
  SimWorld world(seed, {.interrupted_per_mille = 100,
                        .would_block_per_mille = 100,
                        .short_transfer_per_mille = 300});
  Sys& sys = world.sys();
  std::vector<Pipe> pipes;
  std::vector<std::unique_ptr<Poller>> pollers;
  pollers.push_back(world.NewPoller());
  pollers.push_back(world.NewPoller());
  for (uint32_t i = 0; i < 8; ++i) {
    pipes.emplace_back(sys);
    EXPECT_TRUE(pollers[i % 2]
                    ->Add(pipes[i].read.get(), {.slot = i, .generation = 1},
                          {.ready = Ready::kReadable})
                    .ok());
  }
  for (int i = 0; i < 200; ++i) {
    const size_t target = world.random().Below(pipes.size());
    sys.Write(pipes[target].write.get(), "abcdefgh");
    Event events[4];
    const auto result = pollers[world.random().Below(2)]->Wait(
        absl::MakeSpan(events),
        world.clock().Now() + absl::Microseconds(world.random().Below(50)));
    if (!result.ok()) break;
    for (size_t e = 0; e < result->events; ++e) {
      char to[5];
      sys.Read(pipes[events[e].token.slot].read.get(), absl::MakeSpan(to));
    }
  }
  return world.trace_hash();
}

TEST(SimTest, P18_TheSameSeedGivesTheSameTrace) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const uint64_t once = RunAndHash(seed);
    // On a thread of its own, where everything has other addresses.
    uint64_t again = 0;
    std::thread([&] { again = RunAndHash(seed); }).join();
    ASSERT_EQ(once, again) << "seed " << seed;
    hashes.insert(once);
  }
  EXPECT_GT(hashes.size(), 990u) << "the seed decides nothing";
}

TEST(SimSysTest, FaultsComeAndNoByteIsLost) {
  int interrupted = 0;
  int would_block = 0;
  int shortened = 0;
  SimWorld world(7, {.interrupted_per_mille = 50,
                     .would_block_per_mille = 50,
                     .short_transfer_per_mille = 200});
  Sys& sys = world.sys();
  const Pipe pipe(sys);
  const std::string sent = "the quick brown fox jumps over the lazy dog";
  std::string received;
  for (int round = 0; round < 50; ++round) {
    for (size_t at = 0; at < sent.size();) {
      const ssize_t count =
          sys.Write(pipe.write.get(), absl::MakeConstSpan(sent).subspan(at));
      interrupted += count == -EINTR;
      would_block += count == -EAGAIN;
      if (count < 0) continue;
      shortened += static_cast<size_t>(count) < sent.size() - at;
      at += static_cast<size_t>(count);
    }
    char to[64];
    for (size_t got = 0; got < sent.size();) {
      const ssize_t count = sys.Read(pipe.read.get(), absl::MakeSpan(to));
      if (count <= 0) continue;
      received.append(to, static_cast<size_t>(count));
      got += static_cast<size_t>(count);
    }
  }
  ASSERT_EQ(received.size(), 50 * sent.size());
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(received.substr(round * sent.size(), sent.size()), sent);
  }
  EXPECT_GT(interrupted, 0);
  EXPECT_GT(would_block, 0);
  EXPECT_GT(shortened, 0);
}

TEST(SimSysTest, AFalseEagainDoesNotLoseAnEdge) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimWorld world(seed, {.would_block_per_mille = 500});
    Sys& sys = world.sys();
    const Pipe pipe(sys);
    const auto poller = world.NewPoller();
    ASSERT_TRUE(
        poller->Add(pipe.read.get(), kToken, {Ready::kReadable, Trigger::kEdge})
            .ok());
    while (sys.Write(pipe.write.get(), {"abc", 3}) < 0) {
    }
    for (size_t got = 0; got < 3;) {
      Event event;
      const auto result = poller->Wait({&event, 1}, Instant::Infinite());
      ASSERT_TRUE(result.ok()) << "seed " << seed << ": " << result.status();
      char byte = 0;
      // Until EAGAIN, as edge asks.
      while (sys.Read(pipe.read.get(), {&byte, 1}) == 1) ++got;
    }
  }
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

TEST(SimSysTest, AListenerAcceptsAndBothSidesTalk) {
  SimWorld world(1);
  Sys& sys = world.sys();
  const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const sockaddr_un address = AddressOf("/run/sim.sock");
  const auto* const name = reinterpret_cast<const sockaddr*>(&address);
  const ScopedFd client(sys, sys.Socket(AF_UNIX, type, 0));
  EXPECT_EQ(sys.Connect(client.get(), name, sizeof(address)), -ENOENT);

  ScopedFd listener(sys, sys.Socket(AF_UNIX, type, 0));
  ASSERT_EQ(sys.Bind(listener.get(), name, sizeof(address)), 0);
  EXPECT_EQ(sys.Connect(client.get(), name, sizeof(address)), -ECONNREFUSED);
  ASSERT_EQ(sys.Listen(listener.get(), 1), 0);
  EXPECT_EQ(sys.Accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK),
            -EAGAIN);

  const auto poller = world.NewPoller();
  ASSERT_TRUE(poller->Add(listener.get(), kToken, {Ready::kReadable}).ok());
  ASSERT_EQ(sys.Connect(client.get(), name, sizeof(address)), 0);
  EXPECT_EQ(sys.Connect(client.get(), name, sizeof(address)), -EISCONN);
  Event event;
  const auto result = poller->Wait({&event, 1}, Instant::Infinite());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(event.ready, Ready::kReadable);
  ScopedFd server(sys, sys.Accept4(listener.get(), nullptr, nullptr,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC));
  ASSERT_TRUE(server);
  server.CheckFlags();

  char to[8] = {};
  EXPECT_EQ(sys.Write(client.get(), {"ping", 4}), 4);
  EXPECT_EQ(sys.Read(server.get(), absl::MakeSpan(to)), 4);
  EXPECT_EQ(std::string(to, 4), "ping");
  EXPECT_EQ(sys.Write(server.get(), {"pong", 4}), 4);
  server.reset();
  EXPECT_EQ(sys.Read(client.get(), absl::MakeSpan(to)), 4);
  EXPECT_EQ(sys.Read(client.get(), absl::MakeSpan(to)), 0);
  EXPECT_EQ(sys.Write(client.get(), {"x", 1}), -EPIPE);

  // The name outlives the socket, and unlink() frees it.
  ASSERT_TRUE(poller->Remove(listener.get(), kToken).ok());
  listener.reset();
  const ScopedFd second(sys, sys.Socket(AF_UNIX, type, 0));
  EXPECT_EQ(sys.Bind(second.get(), name, sizeof(address)), -EADDRINUSE);
  EXPECT_EQ(sys.Unlink("/run/sim.sock"), 0);
  EXPECT_EQ(sys.Bind(second.get(), name, sizeof(address)), 0);
}

TEST(SimSysTest, ABacklogHasAnEnd) {
  SimWorld world(1);
  Sys& sys = world.sys();
  const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const sockaddr_un address = AddressOf("/run/full.sock");
  const auto* const name = reinterpret_cast<const sockaddr*>(&address);
  const ScopedFd listener(sys, sys.Socket(AF_UNIX, type, 0));
  ASSERT_EQ(sys.Bind(listener.get(), name, sizeof(address)), 0);
  ASSERT_EQ(sys.Listen(listener.get(), 1), 0);
  std::vector<ScopedFd> clients;
  int connected = 0;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(sys, sys.Socket(AF_UNIX, type, 0));
    const int done = sys.Connect(clients.back().get(), name, sizeof(address));
    connected += done == 0;
    if (done != 0) {
      EXPECT_EQ(done, -EAGAIN);
    }
  }
  EXPECT_EQ(connected, 2);  // Linux: one more than the backlog
}

TEST(SimSysTest, DescriptorsHaveAnEndAndTheLowestIsUsedAgain) {
  SimWorld world(1, {.max_descriptors = 3});
  Sys& sys = world.sys();
  const ScopedFd counter(sys, sys.Eventfd(0, 0));
  EXPECT_EQ(counter.get(), SimSys::kFirstFd);
  int fds[2];
  ASSERT_EQ(sys.Pipe2(fds, O_NONBLOCK), 0);
  EXPECT_EQ(sys.Eventfd(0, 0), -EMFILE);
  EXPECT_EQ(sys.Close(fds[0]), 0);
  EXPECT_EQ(sys.Close(fds[0]), -EBADF);
  EXPECT_EQ(sys.Eventfd(0, 0), fds[0]);
}

TEST(SimSysTest, AReadThatWouldBlockForEverIsADeadlock) {
  SimWorld world(1);
  Sys& sys = world.sys();
  int fds[2];
  ASSERT_EQ(sys.Pipe2(fds, 0), 0);
  char byte = 0;
  EXPECT_EQ(sys.Read(fds[0], {&byte, 1}), -EDEADLK);
}

TEST(SimSysTest, WhatItDoesNotHaveIsMissing) {
  SimWorld world(1);
  EXPECT_EQ(world.sys().EpollCreate1(0), -ENOSYS);
  EXPECT_EQ(world.sys().Openat(AT_FDCWD, "/etc/passwd", O_RDONLY, 0), -ENOSYS);
}

}  // namespace
}  // namespace trolley::internal
