// SPDX-License-Identifier: Apache-2.0
//
// Streams behave alike for the actors that use them, over every poller: with
// the completions of io_uring, with emulated ones, without, and in the
// simulated world. All cases but the last two drive their bus turn by turn on
// the thread of the test.

#include "trolley/actors/stream.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/actors/stream_rig.h"
#include "trolley/tests/lib/process.h"

namespace trolley::internal {
namespace {

class StreamTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);  // a loop's own thread blocks it
    rig_.emplace(GetParam(), /*seed=*/7);
    if (!rig_->refused().ok()) {
      GTEST_SKIP() << "not on this machine: " << rig_->refused();
    }
  }

  bool simulated() const { return rig_->simulated(); }
  Sys& sys() { return rig_->sys(); }
  Bus& bus() { return rig_->bus(); }
  Ref<Worker> Spawn(Worker::Body body) { return rig_->Spawn(std::move(body)); }
  void Run() { rig_->Run(); }
  // For what the kernel does in its own time.
  void RunUntil(const std::function<bool()>& done) {
    while (!done()) Run();
  }

  void OpenPipe() {
    int fds[2] = {-1, -1};
    ASSERT_EQ(sys().Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    a_ = ScopedFd(sys(), fds[0]);
    b_ = ScopedFd(sys(), fds[1]);
  }
  void OpenSockets() {
    int fds[2] = {-1, -1};
    ASSERT_EQ(sys().Socketpair(
                  AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
              0);
    a_ = ScopedFd(sys(), fds[0]);
    b_ = ScopedFd(sys(), fds[1]);
  }
  void Put(absl::string_view bytes) {
    EXPECT_EQ(
        sys().Write(b_.get(), absl::MakeConstSpan(bytes.data(), bytes.size())),
        static_cast<ssize_t>(bytes.size()));
  }
  // All that is there.
  std::string Get(int fd) {
    std::string all;
    char to[4096];
    ssize_t n = 0;
    while ((n = sys().Read(fd, absl::MakeSpan(to))) > 0) all.append(to, n);
    return all;
  }

  std::optional<StreamRig> rig_;
  ScopedFd a_;
  ScopedFd b_;
};

TEST_P(StreamTest, ABlockingDescriptorIsMadeNonBlockingAndKeepsNobody) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(sys().Pipe2(fds, O_CLOEXEC), 0);
  a_ = ScopedFd(sys(), fds[0]);
  b_ = ScopedFd(sys(), fds[1]);
  const int in = a_.get();
  std::string seen;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_));
    char buffer[4];
    absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
    if (!n.ok()) co_return n.status();
    seen.assign(buffer, *n);
    co_return absl::OkStatus();
  });
  Run();  // returns
  EXPECT_NE(sys().Fcntl(in, F_GETFL) & O_NONBLOCK, 0);
  Put("ab");
  Run();
  EXPECT_EQ(seen, "ab");
}

TEST_P(StreamTest, ADescriptorThatIsNoneIsSaidByEveryOperation) {
  absl::Status read;
  absl::Status written;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), ScopedFd());
    char buffer[4];
    read = (co_await stream.Read(absl::MakeSpan(buffer))).status();
    written = co_await stream.Write("x");
    co_return absl::OkStatus();
  });
  Run();
  EXPECT_EQ(read.code(), absl::StatusCode::kInvalidArgument) << read;
  EXPECT_EQ(written.code(), absl::StatusCode::kInvalidArgument) << written;
}

TEST_P(StreamTest, OnlyReadLeavesTheFlagsAloneAndKeepsNobody) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(sys().Pipe2(fds, O_CLOEXEC), 0);
  a_ = ScopedFd(sys(), fds[0]);
  b_ = ScopedFd(sys(), fds[1]);
  const ScopedFd shared(sys(), sys().Dup(a_.get()));
  const int flags = sys().Fcntl(shared.get(), F_GETFL) & ~O_ASYNC;
  std::string seen;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_), Stream::OnlyRead());
    char buffer[4];
    for (;;) {
      absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
      if (!n.ok()) co_return n.status();
      seen += "[" + std::string(buffer, *n) + "]";
      if (*n == 0) co_return absl::OkStatus();
    }
  });
  Run();
  Put("abcdef");
  Run();
  EXPECT_EQ(seen, "[abcd][ef]");
  // While it waits: a process that is killed now leaves them so.
  EXPECT_EQ(sys().Fcntl(shared.get(), F_GETFL) & ~O_ASYNC, flags);
  b_.reset();
  Run();
  EXPECT_EQ(seen, "[abcd][ef][]");
  EXPECT_EQ(sys().Fcntl(shared.get(), F_GETFL) & ~O_ASYNC, flags);
}

TEST_P(StreamTest, ReadsWhatComesAndThenTheEnd) {
  OpenPipe();
  std::string seen;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_));
    char buffer[4];
    for (;;) {
      absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
      if (!n.ok()) co_return n.status();
      seen += "[" + std::string(buffer, *n) + "]";
      if (*n == 0) co_return absl::OkStatus();
    }
  });
  Run();
  EXPECT_EQ(seen, "");
  Put("ab");
  Run();
  EXPECT_EQ(seen, "[ab]");
  Put("cdefgh");
  Run();
  EXPECT_EQ(seen, "[ab][cdef][gh]");
  b_.reset();
  Run();
  EXPECT_EQ(seen, "[ab][cdef][gh][]");
}

TEST_P(StreamTest, AWriteOfMoreThanThereIsRoomForGoesOnPieceByPiece) {
  OpenSockets();
  std::string sent;
  for (int i = 0; sent.size() < 700'000; ++i) sent += std::to_string(i) + " ";
  absl::Status written = absl::UnknownError("not yet");
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(b_));
    written = co_await stream.Write(sent);
    co_return absl::OkStatus();
  });
  Run();
  EXPECT_FALSE(written.ok());
  std::string received;
  for (size_t before = 1; received.size() != before; Run()) {
    before = received.size();
    received += Get(a_.get());
  }
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(received, sent);
}

TEST_P(StreamTest, AWriteWithoutAReaderIsUnavailable) {
  OpenPipe();
  absl::Status written;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(b_));
    const std::string much(200'000, 'x');
    written = co_await stream.Write(much);
    co_return absl::OkStatus();
  });
  Run();
  a_.reset();
  Run();
  EXPECT_TRUE(absl::IsUnavailable(written)) << written;
  EXPECT_TRUE(absl::StartsWith(written.message(), "write(fd ")) << written;
}

TEST_P(StreamTest, ReadsAndWritesAtOnceAndASecondReaderIsRefused) {
  OpenSockets();
  std::string seen;
  absl::Status second;
  absl::Status written = absl::UnknownError("not yet");
  std::optional<Stream> stream;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(a_));
    self.RunInBackground(
        [](Stream& on, absl::Status& to) -> Task<absl::Status> {
          const std::string much(500'000, 'w');
          to = co_await on.Write(much);
          co_return absl::OkStatus();
        }(*stream, written));
    self.RunInBackground([](Stream& on, std::string& to) -> Task<absl::Status> {
      char buffer[8];
      absl::StatusOr<size_t> n = co_await on.Read(absl::MakeSpan(buffer));
      if (n.ok()) to.assign(buffer, *n);
      co_return n.status();
    }(*stream, seen));
    char buffer[8];
    second = (co_await stream->Read(absl::MakeSpan(buffer))).status();
    co_return absl::OkStatus();
  });
  Run();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition) << second;
  Put("hello");
  Run();
  EXPECT_EQ(seen, "hello");
  EXPECT_FALSE(written.ok());
  size_t received = 0;
  for (size_t before = 1; received != before; Run()) {
    before = received;
    received += Get(b_.get()).size();
  }
  EXPECT_EQ(received, 500'000u);
  EXPECT_TRUE(written.ok());
  stream.reset();
}

// --- Accepting -------------------------------------------------------------

class ListeningTest : public StreamTest {
 protected:
  void SetUp() override {
    StreamTest::SetUp();
    if (!rig_->refused().ok()) return;
    address_.sun_family = AF_UNIX;
    const std::string name = "trolley-stream-" + std::to_string(::getpid());
    std::memcpy(address_.sun_path + 1, name.data(), name.size());
    size_ = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    listener_ = NewSocket();
    ASSERT_EQ(sys().Bind(listener_.get(), address(), size_), 0);
    ASSERT_EQ(sys().Listen(listener_.get(), 16), 0);
  }
  ScopedFd NewSocket() {
    return ScopedFd(
        sys(),
        sys().Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  ScopedFd Connect() {
    ScopedFd made = NewSocket();
    EXPECT_EQ(sys().Connect(made.get(), address(), size_), 0);
    return made;
  }
  const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  sockaddr_un address_ = {};
  socklen_t size_ = 0;
  ScopedFd listener_;
};

TEST_P(ListeningTest, AcceptsEachConnectionOnceUntilItIsCancelled) {
  std::vector<ScopedFd> accepted;
  absl::Status end;
  Stream* waiting = nullptr;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(listener_));
    waiting = &stream;
    for (;;) {
      absl::StatusOr<ScopedFd> connection = co_await stream.Accept();
      if (!connection.ok()) {
        end = connection.status();
        co_return absl::OkStatus();
      }
      accepted.push_back(*std::move(connection));
    }
  });
  Run();
  EXPECT_EQ(accepted.size(), 0u);
  std::vector<ScopedFd> clients;
  for (const size_t more : {1, 5, 40}) {
    const size_t before = accepted.size();
    for (size_t i = 0; i < more; ++i) {
      clients.push_back(Connect());
      if (i % 8 == 7) Run();
    }
    Run();
    EXPECT_EQ(accepted.size(), before + more);
  }
  for (size_t i = 0; i < accepted.size(); ++i) {
    EXPECT_TRUE(IsCloexecAndNonblocking(sys(), accepted[i].get()));
    const char byte = static_cast<char>(i);
    EXPECT_EQ(sys().Write(clients[i].get(), {&byte, 1}), 1);
    EXPECT_EQ(Get(accepted[i].get()), std::string(1, byte));
  }
  waiting->CancelReading();
  Run();
  EXPECT_TRUE(absl::IsCancelled(end)) << end;
}

TEST_P(ListeningTest, AnActorThatDiesWhileItAcceptsTakesNoConnectionAlong) {
  ScopedFd kept(sys(), sys().Dup(listener_.get()));
  Ref<Worker> worker = Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(listener_));
    absl::StatusOr<ScopedFd> never = co_await stream.Accept();
    co_return never.status();
  });
  Run();
  worker.Stop();
  Run();
  const ScopedFd client = Connect();
  Run();
  const ScopedFd connection(sys(), sys().Accept4(kept.get(), nullptr, nullptr,
                                                 SOCK_CLOEXEC | SOCK_NONBLOCK));
  EXPECT_TRUE(connection) << "nobody has it, and it does not wait either";
}

// --- Dying -----------------------------------------------------------------

TEST_P(StreamTest, AnActorThatDiesWhileItReadsLeavesItsBufferAlone) {
  OpenSockets();
  const int fd = a_.get();
  ScopedFd kept(sys(), sys().Dup(fd));
  std::string shared(64, '.');
  Ref<Worker> worker = Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_));
    absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(shared));
    co_return n.status();
  });
  Run();
  worker.Stop();
  Run();
  EXPECT_EQ(sys().Fcntl(fd, F_GETFD), -EBADF) << "it is not closed";
  Put("late");
  Run();
  EXPECT_EQ(shared, std::string(64, '.'));
  EXPECT_EQ(Get(kept.get()), "late");
}

// The same where only a sanitizer sees it: the buffer is gone by then.
TEST_P(StreamTest, AnActorThatDiesWhileItReadsTakesItsBufferAlong) {
  OpenSockets();
  ScopedFd kept(sys(), sys().Dup(a_.get()));
  Ref<Worker> worker = Spawn([&](Worker& self) -> Task<absl::Status> {
    std::string own(1 << 16, '.');
    Stream stream(self.context(), std::move(a_));
    absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(own));
    co_return n.status();
  });
  Run();
  worker.Stop();
  Run();
  const std::string next_owner(1 << 16, 'n');
  Put("late");
  Run();
  EXPECT_EQ(next_owner, std::string(1 << 16, 'n'));
  EXPECT_EQ(Get(kept.get()), "late");
}

TEST_P(StreamTest, AnActorThatDiesWhileItWritesLeavesAPrefix) {
  OpenSockets();
  auto bytes = std::make_unique<std::string>(700'000, 'x');
  Ref<Worker> worker = Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(b_));
    co_return co_await stream.Write(*bytes);
  });
  Run();
  worker.Stop();
  Run();
  bytes.reset();
  const std::string next_owner(700'000, 'n');
  std::string received;
  for (size_t before = 1; received.size() != before; Run()) {
    before = received.size();
    received += Get(a_.get());
  }
  EXPECT_GT(received.size(), 0u);
  EXPECT_LT(received.size(), 700'000u);
  EXPECT_EQ(received.find_first_not_of('x'), std::string::npos);
}

// Whatever is under way when a stream goes before its tasks ends with it.
TEST_P(StreamTest, AStreamThatGoesFirstNeverResumesWhoWaitsInIt) {
  OpenSockets();
  ScopedFd kept(sys(), sys().Dup(a_.get()));
  std::optional<Stream> stream;
  std::string shared(16, '.');
  bool resumed = false;
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(a_));
    (co_await stream->Read(absl::MakeSpan(shared))).IgnoreError();
    resumed = true;
    co_return absl::OkStatus();
  });
  Run();
  stream.reset();
  Put("late");
  Run();
  EXPECT_FALSE(resumed);
  EXPECT_EQ(shared, std::string(16, '.'));
  EXPECT_EQ(Get(kept.get()), "late");
}

// Its operation is done and waits for a turn: it yields, it was cancelled, or
// the other direction had that turn.
TEST_P(StreamTest, AStreamThatGoesBeforeATurnThatIsDueResumesNothing) {
  struct Case {
    const char* name;
    int reads;  // one byte each, of those that are there
    bool cancels;
  };
  const Case cases[] = {{"yields", Stream::kCallsPerTurn, false},
                        {"was cancelled", 1, true}};
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    OpenSockets();
    if (!each.cancels) Put(std::string(each.reads, 'x'));
    std::optional<Stream> stream;
    int begun = 0;
    int ended = 0;
    int ended_before = -1;
    const auto read = [&]() -> Task<absl::Status> {
      char to[1];
      while (begun < each.reads) {
        ++begun;
        (co_await stream->Read(absl::MakeSpan(to))).IgnoreError();
        ++ended;
      }
      co_return absl::OkStatus();
    };
    Spawn([&](Worker& self) -> Task<absl::Status> {
      stream.emplace(self.context(), std::move(a_));
      self.RunInBackground(read());
      while (begun < each.reads) co_await self.Sleep(absl::ZeroDuration());
      if (each.cancels) stream->CancelReading();
      ended_before = ended;
      stream.reset();
      co_return absl::OkStatus();
    });
    Run();
    EXPECT_EQ(begun, each.reads);
    EXPECT_EQ(ended, ended_before);
    b_.reset();
  }
}

TEST_P(StreamTest, AWriterThatWaitsIsCancelledAndTheStreamGoesOn) {
  OpenSockets();
  std::optional<Stream> stream;
  absl::Status written = absl::UnknownError("it still waits");
  const std::string much(1 << 22, 'x');
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(a_));
    stream->CancelWriting();  // nothing waits
    written = co_await stream->Write(much);
    co_return absl::OkStatus();
  });
  Run();
  ASSERT_EQ(written, absl::UnknownError("it still waits"));
  stream->CancelWriting();
  Run();
  EXPECT_TRUE(absl::IsCancelled(written)) << written;
  // The other direction is as before, and so is this one.
  const std::string before = Get(b_.get());
  EXPECT_FALSE(before.empty());
  std::string got;
  Spawn([&](Worker&) -> Task<absl::Status> {
    written = co_await stream->Write("again");
    char to[8];
    const absl::StatusOr<size_t> n = co_await stream->Read(absl::MakeSpan(to));
    got.assign(to, n.value_or(0));
    co_return absl::OkStatus();
  });
  Put("hello");
  Run();
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(got, "hello");
  stream.reset();
  Run();
}

TEST_P(StreamTest, AReaderThatEndsTheStreamResumesNoWriterThatIsDue) {
  OpenSockets();
  std::optional<Stream> stream;
  bool read = false;
  bool written = false;
  const std::string much(1 << 20, 'x');
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(a_));
    self.RunInBackground([&]() -> Task<absl::Status> {
      (co_await stream->Write(much)).IgnoreError();
      written = true;
      co_return absl::OkStatus();
    });
    char to[1];
    (co_await stream->Read(absl::MakeSpan(to))).IgnoreError();
    read = true;
    stream.reset();
    co_return absl::OkStatus();
  });
  Run();
  b_.reset();  // ends both directions in one event
  RunUntil([&] { return read; });
  Run();
  EXPECT_FALSE(written);
}

// --- Kinds of descriptors --------------------------------------------------

TEST_P(StreamTest, ATerminalGivesLinesAndTakesText) {
  if (simulated()) GTEST_SKIP() << "SimSys has no terminals";
  int master = -1;
  int slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  for (const int fd : {master, slave}) {
    sys().Fcntl(fd, F_SETFD, FD_CLOEXEC);
    sys().Fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
  }
  termios quiet = {};
  ASSERT_EQ(::tcgetattr(slave, &quiet), 0);
  quiet.c_lflag &= ~ECHO;
  quiet.c_oflag &= ~OPOST;
  ASSERT_EQ(::tcsetattr(slave, TCSANOW, &quiet), 0);
  b_ = ScopedFd(sys(), master);
  a_ = ScopedFd(sys(), slave);
  std::string seen;
  absl::Status status = absl::UnknownError("not yet");
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_));
    char buffer[100];
    for (int i = 0; i < 2; ++i) {
      absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
      if (!n.ok()) {
        status = n.status();
        co_return absl::OkStatus();
      }
      seen += "[" + std::string(buffer, *n) + "]";
    }
    status = co_await stream.Write("bye\n");
    co_await self.Sleep(absl::InfiniteDuration());
    co_return absl::OkStatus();
  });
  Run();
  Put("half a ");
  Run();
  EXPECT_EQ(seen, "");
  Put("line\nrest\n");
  RunUntil([&] { return status.code() != absl::StatusCode::kUnknown; });
  EXPECT_EQ(seen, "[half a line\n][rest\n]");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Get(b_.get()), "bye\n");
}

TEST_P(StreamTest, ARegularFileIsWrittenAndReadInOrder) {
  if (simulated()) GTEST_SKIP() << "SimSys has no files";
  const int file = sys().Openat(AT_FDCWD, ::testing::TempDir().c_str(),
                                O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file == -EOPNOTSUPP)
    GTEST_SKIP() << "no O_TMPFILE in " << testing::TempDir();
  ASSERT_GE(file, 0) << file;
  a_ = ScopedFd(sys(), file);
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const int again =
      sys().Openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  ASSERT_GE(again, 0) << again;
  b_ = ScopedFd(sys(), again);
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + " ";
  std::string seen;
  absl::Status status = absl::UnknownError("not yet");
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream out(self.context(), std::move(a_));
    status = co_await out.Write(text);
    if (!status.ok()) co_return absl::OkStatus();
    status = absl::UnknownError("not yet");
    Stream in(self.context(), std::move(b_));
    std::string buffer(100'000, '\0');
    for (;;) {
      absl::StatusOr<size_t> n = co_await in.Read(absl::MakeSpan(buffer));
      if (!n.ok() || *n == 0) {
        status = n.status();
        co_return absl::OkStatus();
      }
      seen.append(buffer, 0, *n);
    }
  });
  RunUntil([&] { return status.code() != absl::StatusCode::kUnknown; });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen == text, true) << seen.size() << " of " << text.size();
}

// --- Others' turns ---------------------------------------------------------

class Ticker : public Actor {
 public:
  struct Tick {};
  Ticker(int& ticks, const bool& stop) : ticks_(ticks), stop_(stop) {}
  void On(const Tick&) {
    ++ticks_;
    if (!stop_) Self(this).Tell(Tick{});
  }

 private:
  int& ticks_;
  const bool& stop_;
};

TEST_P(StreamTest, P7_ALongWriteThatNeverWaitsLetsOthersHaveTheirTurns) {
  if (simulated()) GTEST_SKIP() << "SimSys has no /dev/null";
  const int fd =
      sys().Openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC | O_NONBLOCK, 0);
  ASSERT_GE(fd, 0);
  a_ = ScopedFd(sys(), fd);
  const size_t pieces = 256;
  const std::string much(pieces * Stream::kMostBytesPerWrite, 'x');
  int ticks = 0;
  bool written = false;
  auto ticker = bus().Spawn<Ticker>({}, ticks, written);
  ASSERT_TRUE(ticker.ok());
  ticker->Tell(Ticker::Tick{});
  Spawn([&](Worker& self) -> Task<absl::Status> {
    Stream stream(self.context(), std::move(a_));
    ticks = 0;
    absl::Status status = co_await stream.Write(much);
    written = true;
    co_return status;
  });
  RunUntil([&] { return written; });
  EXPECT_GE(ticks, static_cast<int>(pieces / Stream::kCallsPerTurn) - 1);
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

INSTANTIATE_TEST_SUITE_P(P16, StreamTest, testing::ValuesIn(StreamRig::Names()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(P16, ListeningTest,
                         testing::ValuesIn(StreamRig::Names()), NameOf);

// --- What the system answers -----------------------------------------------

// A bus of one loop that the test drives; calls and completions may fail.
class AnswersTest : public testing::Test {
 protected:
  using Script = std::map<Operation::Kind, std::deque<int64_t>>;

  // Completes an operation with the next result of the script; without one, as
  // the system does. Nothing is waited for.
  class Scripted : public EmulatedCompletions {
   public:
    Scripted(Sys& sys, std::unique_ptr<Poller> inner, Script& script)
        : EmulatedCompletions(sys, std::move(inner)), script_(script) {
      set_never_waits(true);
    }

   private:
    int64_t Try(const Operation::Request& request) override {
      std::deque<int64_t>& next = script_[request.kind];
      if (next.empty()) return EmulatedCompletions::Try(request);
      const int64_t result = next.front();
      next.pop_front();
      return result;
    }

    Script& script_;
  };

  void StartBus(bool completions) {
    ::signal(SIGPIPE, SIG_IGN);
    LoopOptions loop;
    loop.factory = [this, completions](Sys& sys, const Clock& clock)
        -> absl::StatusOr<std::unique_ptr<Poller>> {
      auto inner = CreatePoller("epoll", sys, clock);
      if (!inner.ok() || !completions) return inner;
      return std::make_unique<Scripted>(sys, *std::move(inner), script_);
    };
    BusOptions options;
    options.loops = {loop};
    options.for_tests.sys = &faulty_;
    options.for_tests.single_threaded = true;
    bus_ = *Bus::Create(options);
  }
  void Spawn(Worker::Body body) {
    EXPECT_TRUE(bus_->Spawn<Worker>({}, std::move(body)).ok());
  }

  // Two sockets that are connected.
  std::pair<ScopedFd, ScopedFd> SocketPair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(faulty_.Socketpair(
                  AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
              0);
    return {ScopedFd(faulty_, fds[0]), ScopedFd(faulty_, fds[1])};
  }

  // Waits until a byte comes.
  static Task<absl::Status> ReadOne(Stream& from, std::string& to) {
    char byte[1];
    absl::StatusOr<size_t> n = co_await from.Read(absl::MakeSpan(byte));
    if (n.ok()) to.assign(byte, *n);
    co_return n.status();
  }

  // A client that connects is accepted, although the one before it was not.
  // The listening socket listens to an abstract name.
  void ExpectAccepted(const std::function<void()>& fail_once) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string name = "trolley-answers-" + std::to_string(::getpid());
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    const auto new_socket = [this] {
      return ScopedFd(
          faulty_, faulty_.Socket(
                       AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    };
    ScopedFd listener = new_socket();
    ASSERT_EQ(faulty_.Bind(listener.get(), to, size), 0);
    ASSERT_EQ(faulty_.Listen(listener.get(), 16), 0);
    const ScopedFd client = new_socket();
    ASSERT_EQ(faulty_.Connect(client.get(), to, size), 0);
    fail_once();
    absl::Status accepted = absl::UnknownError("not yet");
    Spawn([&](Worker& self) -> Task<absl::Status> {
      Stream stream(self.context(), std::move(listener));
      accepted = (co_await stream.Accept()).status();
      co_return absl::OkStatus();
    });
    bus_->RunUntilIdle();
    EXPECT_TRUE(accepted.ok()) << accepted;
  }

  // accept(2): errors of the connection that the call took from the queue.
  static constexpr int kErrorsOfTheConnection[] = {
      ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, ENETDOWN,
      ENETUNREACH,  ENONET,    ENOPROTOOPT,  EPROTO};

  FaultSys faulty_{RealSys()};
  Script script_;
  std::unique_ptr<Bus> bus_;
};

TEST_F(AnswersTest, P13_AnErrorOfOneConnectionEndsNoAccept) {
  StartBus(/*completions=*/false);
  for (const int error : kErrorsOfTheConnection) {
    SCOPED_TRACE(std::strerror(error));
    ExpectAccepted([&] { faulty_.FailNth(SysCall::kAccept4, 1, error); });
    EXPECT_EQ(faulty_.faults(), 1u);
  }
}

TEST_F(AnswersTest, P13_AnErrorOfOneConnectionEndsNoAcceptOfThePoller) {
  StartBus(/*completions=*/true);
  for (const int error : kErrorsOfTheConnection) {
    SCOPED_TRACE(std::strerror(error));
    ExpectAccepted([&] { script_[Operation::Kind::kAccept] = {-error}; });
    EXPECT_TRUE(script_[Operation::Kind::kAccept].empty());
  }
}

TEST_F(AnswersTest, P13_AChangeOfARegistrationThatFailedIsMadeAgain) {
  StartBus(/*completions=*/false);
  std::pair<ScopedFd, ScopedFd> pair = SocketPair();
  const ScopedFd& there = pair.second;
  std::optional<Stream> stream;
  std::string seen;
  absl::Status first, second = absl::UnknownError("not yet");
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(pair.first));
    self.RunInBackground(ReadOne(*stream, seen));
    co_await self.Sleep(absl::ZeroDuration());  // the reader waits by now
    faulty_.FailNth(SysCall::kEpollCtl, 1, ENOMEM);
    const std::string much(1 << 20, 'x');
    first = co_await stream->Write(much);
    second = co_await stream->Write("x");
    co_return absl::OkStatus();
  });
  bus_->RunUntilIdle();
  EXPECT_EQ(faulty_.faults(), 1u);
  EXPECT_FALSE(first.ok()) << "there was room for everything";
  EXPECT_FALSE(second.ok()) << "there was room for more";
  char to[4096];
  while (faulty_.Read(there.get(), absl::MakeSpan(to)) > 0) {
  }
  bus_->RunUntilIdle();
  EXPECT_TRUE(second.ok()) << second;
  // The reader is still waited for.
  ASSERT_EQ(faulty_.Write(there.get(), {"a", 1}), 1);
  bus_->RunUntilIdle();
  EXPECT_EQ(seen, "a");
  stream.reset();
}

// The write tells the stream to wait for readiness while the read is under way.
TEST_F(AnswersTest, AReadThatIsInterruptedGoesOnAfterAWriteThatCannotComplete) {
  StartBus(/*completions=*/true);
  script_[Operation::Kind::kWrite] = {-EAGAIN};
  script_[Operation::Kind::kRead] = {-EINTR};
  std::pair<ScopedFd, ScopedFd> pair = SocketPair();
  const ScopedFd& there = pair.second;
  std::optional<Stream> stream;
  std::string seen;
  absl::Status written = absl::UnknownError("not yet");
  Spawn([&](Worker& self) -> Task<absl::Status> {
    stream.emplace(self.context(), std::move(pair.first));
    self.RunInBackground(
        [](Stream& to, absl::Status& result) -> Task<absl::Status> {
          result = co_await to.Write("w");
          co_return absl::OkStatus();
        }(*stream, written));
    self.RunInBackground(ReadOne(*stream, seen));
    co_return absl::OkStatus();
  });
  bus_->RunUntilIdle();
  EXPECT_TRUE(script_[Operation::Kind::kRead].empty());
  EXPECT_TRUE(written.ok()) << written;
  ASSERT_EQ(faulty_.Write(there.get(), {"a", 1}), 1);
  bus_->RunUntilIdle();
  EXPECT_EQ(seen, "a");
  stream.reset();
}

// --- Threads and faults ----------------------------------------------------

struct GetCount {};

// Echoes what it reads from one stream into another, and counts.
class Echo : public Actor {
 public:
  Echo(int in, int out, size_t piece) : in_(in), out_(out), piece_(piece) {}

  int64_t On(const GetCount&) { return count_; }

 protected:
  void OnStart() override {
    from_.emplace(context(), ScopedFd(context().sys(), in_));
    to_.emplace(context(), ScopedFd(context().sys(), out_));
    RunInBackground(Pump());
  }

 private:
  Task<absl::Status> Pump() {
    std::string buffer(piece_, '\0');
    for (;;) {
      absl::StatusOr<size_t> n = co_await from_->Read(absl::MakeSpan(buffer));
      if (!n.ok()) co_return n.status();
      if (*n == 0) break;
      count_ += *n;
      absl::Status written =
          co_await to_->Write(absl::string_view(buffer.data(), *n));
      if (!written.ok()) co_return written;
    }
    to_.reset();
    co_return absl::OkStatus();
  }

  const int in_;
  const int out_;
  const size_t piece_;
  int64_t count_ = 0;
  std::optional<Stream> from_;
  std::optional<Stream> to_;
};

class KernelStreamTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    absl::Status made =
        CreatePoller(GetParam(), RealSys(), MonotonicClock()).status();
    if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made;
    ASSERT_EQ(RealSys().Pipe2(in_, O_CLOEXEC), 0);
    ASSERT_EQ(RealSys().Pipe2(out_, O_CLOEXEC), 0);
    RealSys().Fcntl(in_[0], F_SETFL, O_NONBLOCK);
    RealSys().Fcntl(out_[1], F_SETFL, O_NONBLOCK);
  }
  int in_[2];
  int out_[2];
};

TEST_P(KernelStreamTest, MovesMoreThanAPipeHoldsBothWaysAndSleepsBetween) {
  ScopedFd to_echo(RealSys(), in_[1]);
  ScopedFd from_echo(RealSys(), out_[0]);
  BusOptions options;
  options.loops = {LoopOptions{.poller = GetParam()}};
  Bus bus = Bus::CreateOrDie(options);
  auto echo = bus.Spawn<Echo>({}, in_[0], out_[1], 1000);
  ASSERT_TRUE(echo.ok());

  std::string sent;
  for (int i = 0; sent.size() < 1 << 20; ++i) sent += std::to_string(i) + " ";
  std::thread writer([&] {
    absl::string_view left = sent;
    while (!left.empty()) {
      ssize_t n = RealSys().Write(
          to_echo.get(), absl::MakeConstSpan(left.data(), left.size()));
      ASSERT_GT(n, 0);
      left.remove_prefix(n);
    }
    to_echo.reset();
  });
  std::string received;
  std::string buffer(4096, '\0');
  for (;;) {
    ssize_t n = RealSys().Read(from_echo.get(), absl::MakeSpan(buffer));
    ASSERT_GE(n, 0);
    if (n == 0) break;
    received.append(buffer.data(), n);
  }
  writer.join();
  EXPECT_EQ(received, sent);
  EXPECT_EQ(echo->AskAndWait(GetCount{}, absl::Seconds(10)).value(),
            static_cast<int64_t>(sent.size()));
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(5)).ledger.Balances());
}

// A loop that polls with every turn does not look at a poller that has gone.
TEST_P(KernelStreamTest, EndsWhileAReadIsUnderWay) {
  const ScopedFd to_echo(RealSys(), in_[1]);
  const ScopedFd from_echo(RealSys(), out_[0]);
  BusOptions options;
  options.loops = {LoopOptions{.poller = GetParam(), .turns_between_polls = 1}};
  Bus bus = Bus::CreateOrDie(options);
  auto echo = bus.Spawn<Echo>({}, in_[0], out_[1], 1000);
  ASSERT_TRUE(echo.ok());
  ASSERT_TRUE(echo->AskAndWait(GetCount{}, absl::Seconds(10)).ok());
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(5)).ledger.Balances());
}

// One call fails, whichever: what comes out is right as far as it goes, and if
// it is not all, the log says why.
TEST_P(KernelStreamTest, P13_WhicheverCallFailsNothingIsMadeUp) {
  for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) RealSys().Close(fd);
  // Not the second, an EAGAIN: no edge makes up for one that is not true.
  for (const size_t which : {0, 2, 3}) {
    for (uint64_t n = 1; !HasFailure(); ++n) {
      SCOPED_TRACE("fault " + std::to_string(n) + ", errno choice " +
                   std::to_string(which));
      const int before = OpenDescriptors();
      FaultSys faulty(RealSys());
      uint64_t faults = 0;
      {
        ASSERT_EQ(RealSys().Pipe2(in_, O_CLOEXEC | O_NONBLOCK), 0);
        ASSERT_EQ(RealSys().Pipe2(out_, O_CLOEXEC | O_NONBLOCK), 0);
        ScopedFd to_echo(RealSys(), in_[1]);
        ScopedFd from_echo(RealSys(), out_[0]);
        std::string log;
        BusOptions options;
        options.loops = {LoopOptions{.poller = GetParam()}};
        options.for_tests.sys = &faulty;
        options.for_tests.single_threaded = true;
        options.log = [&](absl::string_view line) { log += std::string(line); };
        Bus bus = Bus::CreateOrDie(options);
        auto echo = bus.Spawn<Echo>({}, in_[0], out_[1], 4);
        ASSERT_TRUE(echo.ok());
        bus.RunUntilIdle();
        faulty.FailNthOfAny(n, which);
        std::string received;
        const auto take = [&] {
          bus.RunUntilIdle();
          char to[100];
          const ssize_t got = RealSys().Read(out_[0], absl::MakeSpan(to));
          if (got > 0) received.append(to, got);
        };
        RealSys().Write(to_echo.get(), {"hello, ", 7});
        for (int i = 0; i < 4; ++i) take();
        RealSys().Write(to_echo.get(), {"world", 5});
        for (int i = 0; i < 4; ++i) take();
        if (log.empty()) {
          EXPECT_EQ(received, "hello, world");
        } else {
          EXPECT_EQ(received, std::string("hello, world", received.size()));
        }
        faults = faulty.faults();
        faulty.StopFailing();
        bus.Shutdown(absl::Seconds(5));
      }
      EXPECT_EQ(OpenDescriptors(), before);
      if (faults == 0) break;
    }
  }
}

std::vector<std::string> KernelPollers() {
  std::vector<std::string> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    names.emplace_back(poller.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(P16, KernelStreamTest,
                         testing::ValuesIn(KernelPollers()), NameOf);

}  // namespace
}  // namespace trolley::internal
