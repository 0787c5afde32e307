// SPDX-License-Identifier: Apache-2.0
//
// Pitfall 52: a program must get the same results from every poller. A seeded
// script (write, drain, fill up, close, half-close, silence, ask again) is
// played to every poller, also to the simulated one on simulated descriptors.
// After each step all pollers must report the same.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "trolley/poller/pollers.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sim.h"

namespace trolley::internal {
namespace {

constexpr int kPairs = 4;
constexpr int kSteps = 60;
constexpr int kSeeds = 60;

// Two descriptors that are connected, both watched: a pipe or sockets.
struct Pair {
  ScopedFd ends[2];
  Token tokens[2];
  bool sockets = false;
};

class Player {
 public:
  Player(Sys& sys, Poller& poller, uint64_t seed)
      : sys_(sys), poller_(poller), random_(seed) {}

  // One line for each step.
  std::vector<std::string> Play() {
    for (Pair& pair : pairs_) Open(pair);
    std::vector<std::string> lines;
    for (int step = 0; step < kSteps; ++step) {
      std::ostringstream line;
      line << Step() << " ->";
      for (const auto& [slot, ready] : Look()) {
        line << " " << slot << ":" << static_cast<int>(ready);
      }
      lines.push_back(line.str());
    }
    for (Pair& pair : pairs_) Close(pair);
    return lines;
  }

 private:
  void Open(Pair& pair) {
    pair.sockets = random_.Below(2) == 0;
    int fds[2] = {-1, -1};
    if (pair.sockets) {
      EXPECT_EQ(
          sys_.Socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          0, fds),
          0);
    } else {
      EXPECT_EQ(sys_.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    }
    for (int i = 0; i < 2; ++i) {
      pair.ends[i] = ScopedFd(sys_, fds[i]);
      pair.tokens[i] = {.slot = ++last_slot_, .generation = 1};
      const absl::Status added =
          poller_.Add(fds[i], pair.tokens[i], SomeInterest(pair, i));
      EXPECT_TRUE(added.ok()) << added;
    }
  }

  void CloseEnd(Pair& pair, int end) {
    if (!pair.ends[end]) return;
    const absl::Status removed =
        poller_.Remove(pair.ends[end].get(), pair.tokens[end]);
    EXPECT_TRUE(removed.ok()) << removed;
    pair.ends[end].reset();
  }
  void Close(Pair& pair) {
    CloseEnd(pair, 0);
    CloseEnd(pair, 1);
  }

  // What the end can do: one end of a pipe reads, the other writes.
  Interest SomeInterest(const Pair& pair, int end) {
    Ready ready = Ready::kNone;
    if (random_.Below(2) == 0 && (pair.sockets || end == 0)) {
      ready = ready | Ready::kReadable;
    }
    if (random_.Below(2) == 0 && (pair.sockets || end == 1)) {
      ready = ready | Ready::kWritable;
    }
    return {ready, random_.Below(3) == 0 ? Trigger::kOneshot : Trigger::kLevel};
  }

  std::string Step() {
    const size_t which = random_.Below(kPairs);
    Pair& pair = pairs_[which];
    const int end = static_cast<int>(random_.Below(2));
    const int fd = pair.ends[end].get();
    const std::string where = std::to_string(which) + (end == 0 ? "a" : "b");
    switch (random_.Below(8)) {
      case 0:
        return "write " + where + " " + Name(sys_.Write(fd, {"x", 1}));
      case 1: {
        char to[4096];
        ssize_t last = 0;
        while ((last = sys_.Read(fd, absl::MakeSpan(to))) > 0) {
        }
        return "drain " + where + " " + Name(last);
      }
      case 2: {
        // Pipes only: when a socket is full depends on how the kernel counts.
        if (pair.sockets) return "nothing";
        const std::string much(4096, 'x');
        ssize_t last = 0;
        while ((last = sys_.Write(fd, much)) > 0) {
        }
        return "fill " + where + " " + Name(last);
      }
      case 3:
        if (!pair.sockets || fd < 0) return "nothing";
        return "half-close " + where + " " + Name(sys_.Shutdown(fd, SHUT_WR));
      case 4:
        CloseEnd(pair, end);
        return "close " + where;
      case 5:
        Close(pair);
        Open(pair);
        return "new " + where;
      default: {
        const Interest interest = SomeInterest(pair, end);
        if (fd < 0) return "nothing";
        const absl::Status modified =
            poller_.Modify(fd, pair.tokens[end], interest);
        EXPECT_TRUE(modified.ok()) << modified;
        return "modify " + where;
      }
    }
  }

  static std::string Name(ssize_t result) { return std::to_string(result); }

  // All that is ready, in as many waits as a poller may take for it.
  std::map<uint32_t, Ready> Look() {
    std::map<uint32_t, Ready> found;
    for (int i = 0; i < 3 * kPairs; ++i) {
      Event events[2 * kPairs];
      const auto result = poller_.Wait(absl::MakeSpan(events), Instant());
      if (!result.ok()) {
        ADD_FAILURE() << result.status();
        break;
      }
      for (size_t e = 0; e < result->events; ++e) {
        Ready& ready = found[events[e].token.slot];
        ready = ready | events[e].ready;
      }
    }
    return found;
  }

  Sys& sys_;
  Poller& poller_;
  SimRandom random_;
  uint32_t last_slot_ = 0;
  Pair pairs_[kPairs];
};

TEST(AgreementTest, P16_Pitfall52_EveryPollerReportsTheSame) {
  ::signal(SIGPIPE, SIG_IGN);  // the script writes to what it has closed
  int played = 0;
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SimWorld world(seed);
    const auto simulated = world.NewPoller();
    const std::vector<std::string> expected =
        Player(world.sys(), *simulated, seed).Play();
    for (const NamedPoller& named : BuiltinPollers()) {
      const auto poller = named.create(RealSys(), MonotonicClock());
      if (!poller.ok()) {
        if (seed == 1) std::cout << "left out: " << poller.status() << "\n";
        continue;
      }
      ++played;
      const std::vector<std::string> lines =
          Player(RealSys(), **poller, seed).Play();
      for (int step = 0; step < kSteps; ++step) {
        ASSERT_EQ(lines[step], expected[step])
            << named.name << " and sim differ, seed " << seed << ", step "
            << step << (step > 0 ? ", after: " + lines[step - 1] : "");
      }
    }
  }
  std::cout << played << " plays of " << kSteps << " steps agree\n";
}

}  // namespace
}  // namespace trolley::internal
