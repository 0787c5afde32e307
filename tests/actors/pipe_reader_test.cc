// SPDX-License-Identifier: Apache-2.0
//
// PipeReader over real pipes and files: every piece arrives, in order, even if
// the receiver is slow. An error in the input is reported once.

#include "trolley/actors/pipe_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bus.h"
#include "trolley/proto/delimited.h"
#include "trolley/tests/bus/bus_form.h"
#include "trolley/tests/bus/interleaved.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct All {
  std::vector<std::string> pieces;
  PipeEnd end;
};

// Keeps what it is sent, and says when the input has ended.
class Collector : public Actor {
 public:
  Collector(All& all, absl::Notification& ended) : all_(all), ended_(ended) {}

  void On(const PipePiece& piece) {
    EXPECT_EQ(piece.number, all_.pieces.size() + 1);
    all_.pieces.push_back(piece.bytes);
  }
  void On(const PipeEnd& end) {
    all_.end = end;
    // A text of its own: TSan does not see the count by which Abseil's statuses
    // share theirs.
    all_.end.status = absl::Status(end.status.code(), end.status.message());
    ended_.Notify();
  }

 private:
  All& all_;
  absl::Notification& ended_;
};

class PipeReaderTest : public ::testing::TestWithParam<BusForm> {
 protected:
  // What the collector has when `input` was written to a pipe and closed.
  All ReadAll(const std::string& input, PipeReaderOptions options = {},
              uint32_t mailbox = 4) {
    int fds[2];
    EXPECT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
    EXPECT_EQ(RealSys().Fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    ScopedFd in(RealSys(), fds[0]);
    std::thread writer([&input, fd = fds[1]] {
      ScopedFd out(RealSys(), fd);
      absl::string_view left = input;
      while (!left.empty()) {
        const ssize_t n = RealSys().Write(
            out.get(), absl::MakeConstSpan(left.data(), left.size()));
        if (n < 0) return;
        left.remove_prefix(n);
      }
    });
    All all;
    absl::Notification ended;
    auto collector = bus_.Spawn<Collector>(
        {.loop = LastLoop(), .mailbox_capacity = mailbox}, all, ended);
    EXPECT_TRUE(
        bus_.Spawn<PipeReader>({.loop = 0}, std::move(in), *collector, options)
            .ok());
    ended.WaitForNotification();
    writer.join();
    return all;
  }

  int LastLoop() const { return GetParam().loops - 1; }

  Bus bus_ = Bus::CreateOrDie({.loops = LoopsOf(GetParam())});
};

INSTANTIATE_TEST_SUITE_P(Forms, PipeReaderTest,
                         testing::ValuesIn(ThreadedBusForms()), BusFormName);

TEST_P(PipeReaderTest, LinesArriveInOrderTheLastOneWithoutItsEndToo) {
  const All all = ReadAll("one\n\nthree\r\nfour");
  EXPECT_THAT(all.pieces, ElementsAre("one", "", "three\r", "four"));
  EXPECT_TRUE(all.end.status.ok()) << all.end.status;
  EXPECT_EQ(all.end.pieces, 4u);
  EXPECT_EQ(all.end.bytes, 16u);
}

TEST_P(PipeReaderTest, AnEmptyInputIsAnEndAndNothingElse) {
  const All all = ReadAll("");
  EXPECT_THAT(all.pieces, IsEmpty());
  EXPECT_TRUE(all.end.status.ok()) << all.end.status;
}

TEST_P(PipeReaderTest,
       P6_AReceiverWithRoomForOneSlowsTheReaderAndLosesNothing) {
  std::string input;
  std::vector<std::string> lines;
  for (int i = 0; i < 1'000; ++i) {
    lines.push_back(absl::StrCat("line ", i));
    absl::StrAppend(&input, lines.back(), "\n");
  }
  const All all = ReadAll(input, {}, /*mailbox=*/1);
  EXPECT_EQ(all.pieces, lines);
  EXPECT_TRUE(bus_.Shutdown(absl::Seconds(10)).ledger.Balances());
}

// Its handlers of Hold keep their places until the input has ended.
class Holder : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  struct Hold {};
  Holder(int holds, absl::Notification& full, absl::Notification& released)
      : left_(holds), full_(full), released_(released) {}

  Task<void> On(Hold) {
    if (--left_ == 0) full_.Notify();
    co_await ended_.Wait();
    if (!released_.HasBeenNotified()) released_.Notify();
  }
  void On(const PipePiece&) {}
  void On(const PipeEnd&) { ended_.Notify(); }

 private:
  int left_;
  absl::Notification& full_;
  absl::Notification& released_;
  AsyncCondition ended_;
};

TEST_P(PipeReaderTest, P6_TheEndOfTheInputNeedsNoCreditOfAFullMailbox) {
  int fds[2];
  ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  ScopedFd in(RealSys(), fds[0]);
  ScopedFd out(RealSys(), fds[1]);
  constexpr int kCapacity = 4;
  absl::Notification full, released;
  auto holder =
      bus_.Spawn<Holder>({.loop = LastLoop(), .mailbox_capacity = kCapacity},
                         kCapacity, full, released);
  for (int i = 0; i < kCapacity; ++i) {
    ASSERT_EQ(holder->Tell(Holder::Hold{}), Delivery::kAccepted);
  }
  full.WaitForNotification();
  ASSERT_EQ(holder->Tell(Holder::Hold{}), Delivery::kFull);
  ASSERT_TRUE(bus_.Spawn<PipeReader>({.loop = 0}, std::move(in), *holder).ok());
  out.reset();
  released.WaitForNotification();
  EXPECT_TRUE(bus_.Shutdown(absl::Seconds(10)).ledger.Balances());
}

// The loop of the reader has no reply slot for a send that waits.
TEST(PipeReaderLimitsTest, APieceThatCouldNotBeSentDoesNotCount) {
  class Last : public Actor {
   public:
    struct Hold {};
    struct Open {};
    Last(PipeEnd& end, absl::Notification& ended) : end_(end), ended_(ended) {}
    Task<void> On(Hold) { co_await opened_.Wait(); }
    void On(const PipePiece&) { ADD_FAILURE() << "there was no room for it"; }
    void On(const PipeEnd& end) {
      end_.status = absl::Status(end.status.code(), end.status.message());
      end_.pieces = end.pieces;
      opened_.Notify();
      ended_.Notify();
    }

   private:
    PipeEnd& end_;
    absl::Notification& ended_;
    AsyncCondition opened_;
  };

  PipeEnd end;
  absl::Notification ended;
  Bus bus = Bus::CreateOrDie({.loops = {{.max_pending_asks = 0}}});
  auto last = SpawnInterleaved<Last>(bus, {.mailbox_capacity = 1}, end, ended);
  ASSERT_EQ(last.Tell(Last::Hold{}), Delivery::kAccepted);
  int fds[2];
  ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  ScopedFd in(RealSys(), fds[0]);
  const ScopedFd out(RealSys(), fds[1]);
  ASSERT_EQ(RealSys().Write(out.get(), {"a\n", 2}), 2);
  ASSERT_TRUE(bus.Spawn<PipeReader>({}, std::move(in), last).ok());
  ended.WaitForNotification();
  EXPECT_EQ(end.status.code(), absl::StatusCode::kResourceExhausted)
      << end.status;
  EXPECT_EQ(end.pieces, 0u);
}

TEST_P(PipeReaderTest, FramesArriveInOrder) {
  std::string input;
  std::vector<std::string> frames = {"", "a", std::string(100'000, 'x'), "z"};
  for (const std::string& frame : frames) {
    EXPECT_TRUE(wire::AppendDelimited(frame, &input).ok());
  }
  const All all = ReadAll(input, {.format = PipeFormat::kDelimited});
  EXPECT_EQ(all.pieces, frames);
  EXPECT_TRUE(all.end.status.ok()) << all.end.status;
}

TEST_P(PipeReaderTest, ATornFrameIsSaidAndTheOnesBeforeItArrive) {
  std::string input;
  EXPECT_TRUE(wire::AppendDelimited("whole", &input).ok());
  EXPECT_TRUE(wire::AppendDelimited("torn apart", &input).ok());
  input.resize(input.size() - 3);
  const All all = ReadAll(input, {.format = PipeFormat::kDelimited});
  EXPECT_THAT(all.pieces, ElementsAre("whole"));
  EXPECT_FALSE(all.end.status.ok());
  EXPECT_THAT(std::string(all.end.status.message()), HasSubstr("7 of 10"));
}

TEST_P(PipeReaderTest, P14_ALineOverTheLimitEndsTheReadingAndIsNamed) {
  const All all = ReadAll("short\n" + std::string(101, 'x') + "\nmore\n",
                          {.max_piece_bytes = 100});
  EXPECT_THAT(all.pieces, ElementsAre("short"));
  EXPECT_EQ(all.end.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(all.end.status.message()), HasSubstr("line 2"));
}

// Returns when the actor has ended, destructor and all.
void AwaitEnd(const Address& of) {
  absl::Notification ended;
  of.WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  ended.WaitForNotification();
}

// Takes nothing until it has ended.
class Stuck : public Actor {
 public:
  Task<absl::Status> On(const PipePiece&) {
    co_await Sleep(absl::InfiniteDuration());
    co_return absl::OkStatus();
  }
  void On(const PipeEnd&) {}
};

// No input comes, or no room: the receiver's end is all that happens.
TEST_P(PipeReaderTest, EndsWithItsReceiverAndLeavesTheInputInThePipe) {
  for (const char* before : {"", "one\n", "1\n2\n3\n4\n5\n"}) {
    int fds[2];
    ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
    const ScopedFd writer(RealSys(), fds[1]);
    const ScopedFd kept(RealSys(), RealSys().Dup(fds[0]));
    const auto put = [&](absl::string_view text) {
      EXPECT_EQ(RealSys().Write(writer.get(), {text.data(), text.size()}),
                static_cast<ssize_t>(text.size()));
    };
    put(before);
    auto receiver =
        bus_.Spawn<Stuck>({.loop = LastLoop(), .mailbox_capacity = 2});
    auto reader = bus_.Spawn<PipeReader>(
        {.loop = 0}, ScopedFd(RealSys(), fds[0]), *receiver);
    ASSERT_TRUE(reader.ok());
    // It has read all there is: the pipe is empty.
    pollfd item = {.fd = kept.get(), .events = POLLIN, .revents = 0};
    while (::poll(&item, 1, 0) > 0) std::this_thread::yield();
    receiver->address().Stop();
    AwaitEnd(reader->address());
    put("later\n");
    char to[16];
    ASSERT_EQ(RealSys().Read(kept.get(), absl::MakeSpan(to)), 6) << before;
    EXPECT_EQ(absl::string_view(to, 6), "later\n");
  }
}

TEST_P(PipeReaderTest, OfAReceiverThatHasEndedOrIsNobodyItEndsAtOnce) {
  auto ended = bus_.Spawn<Stuck>({.loop = LastLoop()});
  ended->address().Stop();
  AwaitEnd(ended->address());
  for (const PipeReader::Receiver& receiver :
       {PipeReader::Receiver(*ended), PipeReader::Receiver()}) {
    int fds[2];
    ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
    const ScopedFd writer(RealSys(), fds[1]);
    auto reader = bus_.Spawn<PipeReader>({.loop = 0},
                                         ScopedFd(RealSys(), fds[0]), receiver);
    AwaitEnd(reader->address());
  }
}

TEST_P(PipeReaderTest, ABlockingDescriptorKeepsNobodyAndStaysBlocking) {
  int fds[2];
  ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
  const ScopedFd writer(RealSys(), fds[1]);
  const ScopedFd kept(RealSys(), RealSys().Dup(fds[0]));
  auto receiver = bus_.Spawn<Stuck>({.loop = 0});
  ASSERT_TRUE(bus_.Spawn<PipeReader>({.loop = 0}, ScopedFd(RealSys(), fds[0]),
                                     *receiver)
                  .ok());
  // The loop answers, and ends.
  auto other = bus_.Spawn<Stuck>({.loop = 0});
  other->address().Stop();
  AwaitEnd(other->address());
  EXPECT_EQ(RealSys().Fcntl(kept.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_TRUE(bus_.Shutdown(absl::InfiniteDuration()).survivors.empty());
  EXPECT_EQ(RealSys().Fcntl(kept.get(), F_GETFL) & (O_NONBLOCK | O_ASYNC), 0);
}

TEST_P(PipeReaderTest, ANamedPipeIsOpenedAtOnceAndWaitsForItsWriter) {
  const TempFolder folder;
  const std::string path = folder / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  All all;
  absl::Notification ended;
  auto collector = bus_.Spawn<Collector>({.loop = LastLoop()}, all, ended);
  auto fd = OpenForReading(RealSys(), path);  // returns
  ASSERT_TRUE(fd.ok()) << fd.status();
  ASSERT_TRUE(
      bus_.Spawn<PipeReader>({.loop = 0}, *std::move(fd), *collector).ok());
  auto other = bus_.Spawn<Stuck>({.loop = 0});
  other->address().Stop();
  AwaitEnd(other->address());
  EXPECT_FALSE(ended.HasBeenNotified());
  {
    const ScopedFd writer(RealSys(), RealSys().Openat(AT_FDCWD, path.c_str(),
                                                      O_WRONLY | O_CLOEXEC, 0));
    EXPECT_EQ(RealSys().Write(writer.get(), {"a\nb\n", 4}), 4);
  }
  ended.WaitForNotification();
  EXPECT_THAT(all.pieces, ElementsAre("a", "b"));
  EXPECT_TRUE(all.end.status.ok()) << all.end.status;
}

TEST_P(PipeReaderTest, OpenForReadingNamesWhatIsWrong) {
  EXPECT_THAT(OpenForReading(RealSys(), "/no/such/file").status().message(),
              HasSubstr("/no/such/file"));
  EXPECT_EQ(OpenForReading(RealSys(), "/tmp").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(OpenForReading(RealSys(), "/dev/null").ok());
}

}  // namespace
}  // namespace trolley
