// SPDX-License-Identifier: Apache-2.0
//
// P16 for poller/completions.h: each started operation ends once, with the
// result of its call. The kernel does not touch the buffer of a cancelled one.

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "trolley/poller/completions.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

#define SKIP_WITHOUT_COMPLETIONS()              \
  if (!capabilities().completion) {             \
    GTEST_SKIP() << "it claims no completions"; \
  }                                             \
  ASSERT_NE(poller().completions(), nullptr)

class Counted final : public Operation {
 public:
  Counted() = default;
  Counted(Kind kind, int fd, size_t size = 0) : bytes(size, '.') {
    request = {kind, fd, bytes.data(), size};
  }
  ~Counted() override { Cancel(); }
  void OnCompletion() override { ++ended; }

  std::string bytes;
  int ended = 0;
};

using Kind = Operation::Kind;

class Driver {
 public:
  explicit Driver(Poller& poller) : poller_(poller) {}

  void Start(Operation& operation) { poller_.completions()->Start(operation); }

  // One Wait, and what has ended.
  absl::StatusOr<WaitResult> Wait(Instant deadline) {
    Event events[64];
    absl::StatusOr<WaitResult> result =
        poller_.Wait(absl::MakeSpan(events), deadline);
    if (!result.ok()) return result;
    bool any = false;
    while (Operation* done = poller_.completions()->TakeCompleted()) {
      any = true;
      EXPECT_FALSE(done->pending());
      done->OnCompletion();
    }
    EXPECT_EQ(result->completed, any);
    return result;
  }

  void Look(int times = 8) {
    for (int i = 0; i < times; ++i) EXPECT_TRUE(Wait(Instant()).ok());
  }

  // Waits, for ever if need be.
  void Finish(const Counted& operation) {
    while (operation.ended == 0 && !testing::Test::HasFailure()) {
      const auto result = Wait(Instant::Infinite());
      EXPECT_TRUE(result.ok()) << result.status();
    }
  }

 private:
  Poller& poller_;
};

// A listener of a Unix socket with an abstract name, and its clients.
class Listener {
 public:
  explicit Listener(Sys& sys) : sys_(sys) {
    fd = NewSocket();
    address_.sun_family = AF_UNIX;
    const std::string name =
        "trolley-conformance-" + std::to_string(::getpid());
    std::memcpy(address_.sun_path + 1, name.data(), name.size());
    size_ = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    EXPECT_EQ(sys_.Bind(fd.get(), address(), size_), 0);
    EXPECT_EQ(sys_.Listen(fd.get(), 64), 0);
  }
  ScopedFd Connect() {
    ScopedFd made = NewSocket();
    EXPECT_EQ(sys_.Connect(made.get(), address(), size_), 0);
    return made;
  }
  ScopedFd fd;

 private:
  ScopedFd NewSocket() {
    return ScopedFd(
        sys_,
        sys_.Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  Sys& sys_;
  sockaddr_un address_ = {};
  socklen_t size_ = 0;
};

TEST_P(PollerConformance, CompletionsAreOfferedIfTheyAreClaimed) {
  EXPECT_EQ(poller().completions() != nullptr, capabilities().completion);
}

TEST_P(PollerConformance, AReadTakesWhatIsThereAndTheEnd) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  Write(sockets.a.get(), 3);
  Counted read(Kind::kRead, sockets.b.get(), 10);
  driver.Start(read);
  EXPECT_TRUE(read.pending());
  EXPECT_FALSE(poller().completions()->idle());
  driver.Finish(read);
  EXPECT_EQ(read.result(), 3);
  EXPECT_EQ(read.bytes, "xxx.......");
  EXPECT_TRUE(poller().completions()->idle());
  sockets.a.reset();
  driver.Start(read);
  read.ended = 0;
  driver.Finish(read);
  EXPECT_EQ(read.result(), 0);
}

TEST_P(PollerConformance, AReadWaitsForItsBytes) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  Counted read(Kind::kRead, sockets.b.get(), 4);
  driver.Start(read);
  driver.Look();
  EXPECT_EQ(read.ended, 0);
  rig().WhileWaiting([&] { Write(sockets.a.get(), 2); });
  driver.Finish(read);
  rig().Settle();
  EXPECT_EQ(read.result(), 2);
  EXPECT_EQ(read.bytes, "xx..");
  driver.Look();
  EXPECT_EQ(read.ended, 1);
}

TEST_P(PollerConformance, AWriteWaitsForRoom) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  FillUp(sockets.a.get());
  Counted write(Kind::kWrite, sockets.a.get(), 1000);
  driver.Start(write);
  driver.Look();
  EXPECT_EQ(write.ended, 0);
  int64_t arrived = 0;
  const auto read_all = [&] {
    char to[4096];
    ssize_t n = 0;
    while ((n = sys().Read(sockets.b.get(), absl::MakeSpan(to))) > 0) {
      arrived += std::count(to, to + n, '.');
    }
  };
  rig().WhileWaiting(read_all);
  driver.Finish(write);
  rig().Settle();
  read_all();
  EXPECT_GT(write.result(), 0);
  EXPECT_EQ(write.result(), arrived);
}

TEST_P(PollerConformance, P11_AnAcceptGivesAConnectionThatIsClosedOnExec) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  Listener listener(sys());
  Counted accept(Kind::kAccept, listener.fd.get());
  driver.Start(accept);
  driver.Look();
  EXPECT_EQ(accept.ended, 0);
  ScopedFd client;
  rig().WhileWaiting([&] { client = listener.Connect(); });
  driver.Finish(accept);
  rig().Settle();
  ASSERT_GE(accept.result(), 0);
  const ScopedFd connection(sys(), static_cast<int>(accept.result()));
  EXPECT_TRUE(IsCloexecAndNonblocking(sys(), connection.get()));
  Write(client.get(), 5);
  EXPECT_EQ(ReadAll(connection.get()), 5u);
}

TEST_P(PollerConformance, WhatTheCallSaysIsTheResult) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestPipe pipe(sys());
  TestSockets sockets(sys());
  Counted closed(Kind::kRead, 100'000, 1);
  Counted wrong_end(Kind::kRead, pipe.write.get(), 1);
  Counted no_listener(Kind::kAccept, sockets.a.get());
  for (Counted* operation : {&closed, &wrong_end, &no_listener}) {
    driver.Start(*operation);
  }
  for (Counted* operation : {&closed, &wrong_end, &no_listener}) {
    driver.Finish(*operation);
  }
  EXPECT_EQ(closed.result(), -EBADF);
  EXPECT_EQ(wrong_end.result(), -EBADF);
  EXPECT_EQ(no_listener.result(), -EINVAL);
}

TEST_P(PollerConformance, ReadingAndWritingOneDescriptorAndWatchingIt) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  const Token token = Add(sockets.b.get(), Ready::kReadable);
  Counted read(Kind::kRead, sockets.b.get(), 1);
  Counted write(Kind::kWrite, sockets.b.get(), 7);
  driver.Start(read);
  driver.Start(write);
  driver.Finish(write);
  EXPECT_EQ(write.result(), 7);
  EXPECT_EQ(ReadAll(sockets.a.get()), 7u);
  EXPECT_EQ(read.ended, 0);
  Write(sockets.a.get(), 1);
  driver.Finish(read);
  EXPECT_EQ(read.result(), 1);
  // What the operation has not taken is reported as ever.
  Write(sockets.a.get(), 1);
  EXPECT_TRUE(Any(WaitFor(token).Of(token) & Ready::kReadable));
}

TEST_P(PollerConformance, AnEndedOperationDoesNotLetTheWaitSleep) {
  SKIP_WITHOUT_COMPLETIONS();
  TestSockets sockets(sys());
  Counted first(Kind::kRead, sockets.b.get(), 1);
  Counted second(Kind::kWrite, sockets.b.get(), 1);
  poller().completions()->Start(first);
  poller().completions()->Start(second);
  Write(sockets.a.get(), 1);
  // As long as the completed operation is not taken, each Wait reports it.
  for (int i = 0; i < 3; ++i) {
    Event event;
    const auto result = poller().Wait({&event, 1}, Instant::Infinite());
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->completed);
  }
  Driver driver(poller());
  driver.Finish(first);
  driver.Finish(second);
}

TEST_P(PollerConformance, AWakeIsNotHiddenByCompletions) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  Write(sockets.a.get(), 1);
  Counted read(Kind::kRead, sockets.b.get(), 1);
  driver.Start(read);
  poller().Wake();
  bool woken = false;
  for (int i = 0; i < 4; ++i) {
    const auto result = driver.Wait(Instant());
    ASSERT_TRUE(result.ok());
    woken = woken || result->woken;
  }
  EXPECT_TRUE(woken);
  EXPECT_EQ(read.ended, 1);
}

TEST_P(PollerConformance, Pitfall45_AnyNumberAtOnceAndEachEndsOnce) {
  SKIP_WITHOUT_COMPLETIONS();
  constexpr int kCount = 3000;
  Driver driver(poller());
  TestSockets sockets(sys());
  std::vector<std::unique_ptr<Counted>> reads;
  for (int i = 0; i < kCount; ++i) {
    reads.push_back(std::make_unique<Counted>(Kind::kRead, sockets.b.get(), 1));
    driver.Start(*reads.back());
  }
  driver.Look();
  Counted write(Kind::kWrite, sockets.a.get(), kCount);
  write.bytes.assign(kCount, 'x');
  driver.Start(write);
  driver.Finish(write);
  ASSERT_EQ(write.result(), kCount);
  for (const auto& read : reads) driver.Finish(*read);
  driver.Look();
  for (const auto& read : reads) {
    ASSERT_EQ(read->ended, 1);
    ASSERT_EQ(read->result(), 1);
    ASSERT_EQ(read->bytes, "x");
  }
  EXPECT_TRUE(poller().completions()->idle());
}

TEST_P(PollerConformance, NobodyTouchesTheBufferAfterCancel) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  for (const bool in_kernel : {false, true}) {
    TestSockets sockets(sys());
    Counted read(Kind::kRead, sockets.b.get(), 8);
    driver.Start(read);
    if (in_kernel) driver.Look();
    read.Cancel();
    EXPECT_FALSE(read.pending());
    EXPECT_EQ(read.result(), -ECANCELED);
    Write(sockets.a.get(), 4);
    driver.Look();
    EXPECT_EQ(read.bytes, "........");
    EXPECT_EQ(read.ended, 0);
    EXPECT_EQ(ReadAll(sockets.b.get()), 4u) << "bytes went elsewhere";
    EXPECT_TRUE(poller().completions()->idle());
  }
}

TEST_P(PollerConformance, WhatHasEndedAndIsCancelledIsNotTaken) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  Write(sockets.a.get(), 4);
  Counted read(Kind::kRead, sockets.b.get(), 8);
  driver.Start(read);
  Event event;
  while (!HasFailure()) {
    const auto result = poller().Wait({&event, 1}, Instant::Infinite());
    ASSERT_TRUE(result.ok());
    if (result->completed) break;
  }
  read.Cancel();
  EXPECT_EQ(read.result(), 4);
  EXPECT_EQ(poller().completions()->TakeCompleted(), nullptr);
  EXPECT_TRUE(poller().completions()->idle());
}

// Whichever is first, each byte is in the buffer or still in the socket.
TEST_P(PollerConformance, Pitfall8_ACancelThatRacesLosesNothing) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  int faster = 0;
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    Counted read(Kind::kRead, sockets.b.get(), 1);
    driver.Start(read);
    driver.Look(1);
    std::atomic<int> ready{0};
    std::thread writer([&] {
      ++ready;
      ready.notify_one();
      Write(sockets.a.get());
    });
    ready.wait(0);
    for (int spin = 0; spin < i * 100; ++spin) ready.load();
    if (i % 3 == 0) writer.join();
    read.Cancel();
    if (writer.joinable()) writer.join();
    const size_t left = ReadAll(sockets.b.get());
    if (read.result() == 1) {
      ++faster;
      EXPECT_EQ(read.bytes, "x");
      EXPECT_EQ(left, 0u);
    } else {
      EXPECT_EQ(read.result(), -ECANCELED);
      EXPECT_EQ(read.bytes, ".");
      EXPECT_EQ(left, 1u);
    }
    driver.Look(1);
    EXPECT_EQ(read.ended, 0);
  }
  std::cout << "the read was faster " << faster << " times of 300\n";
}

TEST_P(PollerConformance, P11_ACancelledAcceptLosesNoConnection) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  Listener listener(sys());
  const int before = OpenDescriptors();
  for (int i = 0; i < 40 && !HasFailure(); ++i) {
    Counted accept(Kind::kAccept, listener.fd.get());
    driver.Start(accept);
    if (i % 2 == 0) driver.Look(1);
    ScopedFd client;
    std::thread connecting([&] { client = listener.Connect(); });
    if (i % 4 < 2) connecting.join();
    Event event;
    if (i % 3 == 0) {
      ASSERT_TRUE(poller().Wait({&event, 1}, Instant()).ok());
    }
    accept.Cancel();
    if (connecting.joinable()) connecting.join();
    ScopedFd connection(sys(), static_cast<int>(accept.result()));
    if (!connection) {
      EXPECT_EQ(accept.result(), -ECANCELED);
      connection =
          ScopedFd(sys(), sys().Accept4(listener.fd.get(), nullptr, nullptr,
                                        SOCK_CLOEXEC | SOCK_NONBLOCK));
    }
    EXPECT_TRUE(connection) << "lost, attempt " << i;
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(PollerConformance, CancellingOneLeavesTheOthersAndTheEvents) {
  SKIP_WITHOUT_COMPLETIONS();
  Driver driver(poller());
  TestSockets sockets(sys());
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable, Trigger::kLevel);
  Counted idle(Kind::kRead, sockets.a.get(), 1);
  Counted read(Kind::kRead, sockets.b.get(), 1);
  driver.Start(idle);
  driver.Start(read);
  driver.Look();
  Write(sockets.a.get());
  Write(pipe.write.get());
  poller().Wake();
  idle.Cancel();  // the kernel tells of all of them here
  EXPECT_EQ(idle.result(), -ECANCELED);
  Reports reports;
  for (int i = 0; i < 8; ++i) WaitOnce(reports, 8, Instant());
  EXPECT_TRUE(reports.woken);
  EXPECT_TRUE(Any(reports.Of(token)));
  driver.Finish(read);
  EXPECT_EQ(read.result(), 1);
}

// With any one call failing, an operation ends, or the wait says that the
// poller is broken; and after Cancel the buffer is left alone all the same.
TEST_P(PollerConformance, P13_OperationsWhileAnyCallFails) {
  SKIP_WITHOUT_COMPLETIONS();
  for (size_t which = 0; which < 3; ++which) {
    for (uint64_t n = 1; !HasFailure(); ++n) {
      SCOPED_TRACE("fault " + std::to_string(n) + ", errno choice " +
                   std::to_string(which));
      FaultSys faulty(sys());
      const auto made = rig().NewPoller(faulty);
      ASSERT_TRUE(made.ok()) << made.status();
      TestSockets sockets(sys());
      TestSockets idle(sys());
      Counted read(Kind::kRead, sockets.b.get(), 4);
      Counted given_up(Kind::kRead, idle.b.get(), 4);
      Driver driver(**made);
      faulty.FailNthOfAny(n, which);
      driver.Start(read);
      driver.Start(given_up);
      bool broken = !driver.Wait(Instant()).ok();
      Write(sockets.a.get(), 2);
      for (int i = 0; i < 6 && !broken; ++i) {
        broken = !driver.Wait(Instant()).ok();
      }
      if (!broken) {
        EXPECT_EQ(read.ended, 1);
        EXPECT_TRUE(read.result() < 0 || read.bytes == "xx..");
      }
      read.Cancel();
      given_up.Cancel();
      read.bytes = given_up.bytes = "....";
      Write(idle.a.get(), 4);
      driver.Wait(Instant()).IgnoreError();
      EXPECT_EQ(given_up.bytes, "....");
      EXPECT_EQ(read.bytes, "....");
      if (faulty.faults() == 0) break;
    }
  }
}

}  // namespace
}  // namespace trolley
