// SPDX-License-Identifier: Apache-2.0
//
// Links over pairs of pipes, named and inherited: how they meet, what they
// refuse, and hostile peers. transports_test.cc and two_processes_test.cc have
// what they share with other transports.

#include "trolley/actors/pipe/pipe_link.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::HasSubstr;

// The other end of a link over pipes, as plain blocking descriptors.
class RawPipes {
 public:
  // Waits until the link has opened its ends.
  explicit RawPipes(const PipePaths& paths) {
    ::signal(SIGPIPE, SIG_IGN);
    in_ = ScopedFd(RealSys(),
                   ::open(paths.in.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    out_ = ScopedFd(RealSys(), ::open(paths.out.c_str(), O_WRONLY | O_CLOEXEC));
    ::fcntl(in_.get(), F_SETFL, 0);
  }
  RawPipes(ScopedFd in, ScopedFd out)
      : in_(std::move(in)), out_(std::move(out)) {
    ::signal(SIGPIPE, SIG_IGN);
  }

  void Say(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(out_.get(), bytes.data(), bytes.size());
      if (n <= 0) return;
      bytes.remove_prefix(n);
    }
  }
  std::string Read(size_t bytes) {
    std::string all;
    char buffer[4096];
    while (all.size() < bytes) {
      const ssize_t n = ::read(in_.get(), buffer,
                               std::min(sizeof(buffer), bytes - all.size()));
      if (n <= 0) break;
      all.append(buffer, n);
    }
    return all;
  }
  std::string ReadToTheEnd() { return Read(std::string::npos); }
  void CloseWriting() { out_.reset(); }
  void CloseReading() { in_.reset(); }

 private:
  ScopedFd in_;
  ScopedFd out_;
};

class PipeLinkTest : public LinkTest {
 protected:
  PipeLinkTest() : LinkTest(TransportNamed("pipes")) {}

  std::string folder() const { return WithoutPrefix(endpoint_); }
  PipePaths ServersPipes() const { return PipesOfServer(folder()); }
  PipePaths ClientsPipes() const { return PipesOfClient(folder()); }

  // A link of the client over two pipes without a name, and their other ends.
  RawPipes StartOverPair(LinkOptions options = PatientLink()) {
    int to[2] = {-1, -1};
    int from[2] = {-1, -1};
    EXPECT_EQ(::pipe2(to, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(from, O_CLOEXEC), 0);
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {.name = "watcher"});
    sink_ = SpawnOn<Sink>(*client_, {.name = "sink"});
    options.watcher = client_watcher_;
    link_ = SpawnOn<PipeLink>(*client_, {},
                              PipePair{.in = ScopedFd(RealSys(), from[0]),
                                       .out = ScopedFd(RealSys(), to[1])},
                              options);
    return RawPipes(ScopedFd(RealSys(), to[0]), ScopedFd(RealSys(), from[1]));
  }
  LinkDown FirstDownOf(PipePaths paths, LinkOptions options = PatientLink()) {
    if (client_ == nullptr) client_ = NewBus(*client_sys_);
    const Ref<Watcher> watcher = SpawnOn<Watcher>(*client_, {});
    options.watcher = watcher;
    SpawnOn<PipeLink>(*client_, {}, std::move(paths), options);
    return NextDownOf(watcher);
  }
};

// --- How they meet ---------------------------------------------------------

TEST_F(PipeLinkTest, P13_WhicheverSideComesFirstTheyMeet) {
  for (const bool server_first : {true, false}) {
    SCOPED_TRACE(server_first);
    if (server_first) {
      StartServer();
      // Its first attempt has failed, and the next one waits.
      NextDownOf(server_watcher_);
      StartClient();
    } else {
      StartClient();
      NextDownOf(client_watcher_);
      StartServer();
    }
    NextUpOf(client_watcher_);
    EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
    StopClient();
    StopServer();
  }
}

TEST_F(PipeLinkTest, P13_APipeHasOneWriter) {
  StartServer();
  StartClient();
  NextUpOf(client_watcher_);
  const LinkDown down = FirstDownOf(ClientsPipes());
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(down.reason.message()),
              HasSubstr("another process writes to "));
  // It has done no harm to those that were there.
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
}

TEST_F(PipeLinkTest, P13_WhatAPeerLeftInThePipeIsNotTakenForTheNextOne) {
  StartServer();
  NextDownOf(server_watcher_);
  {
    // It comes and goes while the server waits.
    const ScopedFd gone(
        RealSys(), ::open(ClientsPipes().out.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::write(gone.get(), "TRLY garbage", 12), 12);
  }
  StartClient();
  NextUpOf(client_watcher_);
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(3), kLong).value().value(), 3u);
}

// No end comes between two writers of a named pipe.
TEST_F(PipeLinkTest, P15_AProcessThatFollowsIsTheEndOfTheOneBefore) {
  StartServer();
  NextDownOf(server_watcher_);
  RawPipes peer(ClientsPipes());
  peer.Say(GoodHello() + Data(1, PutTo("sink", PutOf(7))) + GoodHello());
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kLost)) << down.reason;
  EXPECT_EQ(down.stats.delivered, 1u);
  EXPECT_EQ(down.stats.protocol_errors, 0u);
}

TEST_F(PipeLinkTest, P11_NoDescriptorIsLeftAfter50Connections) {
  int before = 0;
  for (int i = 0; i < 50; ++i) {
    StartServer();
    StartClient();
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(i), kLong).ok());
    StopClient();
    StopServer();
    if (i == 0) before = OpenDescriptors();
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// --- What they refuse ------------------------------------------------------

TEST_F(PipeLinkTest, EachPathThatIsNoPipeIsNamed) {
  const std::string file = folder_ / "file";
  const std::string missing = folder_ / "missing";
  const std::string none = folder_ / "none/deeper";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const PipePaths good = ClientsPipes();
  struct Case {
    PipePaths paths;
    absl::StatusCode code;
    std::string text;
  };
  const Case cases[] = {
      {{file, good.out},
       absl::StatusCode::kFailedPrecondition,
       file + " is no named pipe"},
      {{good.in, file},
       absl::StatusCode::kFailedPrecondition,
       file + " is no named pipe"},
      {{missing, good.out}, absl::StatusCode::kNotFound, missing},
      {{good.in, missing}, absl::StatusCode::kNotFound, missing},
      {{none, good.out}, absl::StatusCode::kNotFound, none},
      {{"", good.out},
       absl::StatusCode::kInvalidArgument,
       "PipePaths::in is empty"},
      {{good.in, ""},
       absl::StatusCode::kInvalidArgument,
       "PipePaths::out is empty"},
      {{std::string("a\0b", 3), good.out},
       absl::StatusCode::kInvalidArgument,
       "PipePaths::in has a NUL byte"},
      {{good.in, good.in}, absl::StatusCode::kInvalidArgument, "are the same"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text);
    const LinkDown down = FirstDownOf(each.paths);
    EXPECT_EQ(down.end, LinkEnd::kNoConnection);
    EXPECT_EQ(down.reason.code(), each.code) << down.reason;
    EXPECT_THAT(std::string(down.reason.message()), HasSubstr(each.text));
  }
}

TEST(InheritedPipesTest, TellsWhatADescriptorIsInstead) {
  Sys& sys = RealSys();
  int pipe[2] = {-1, -1};
  int sockets[2] = {-1, -1};
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  const ScopedFd in(sys, pipe[0]);
  const ScopedFd out(sys, pipe[1]);
  const ScopedFd one(sys, sockets[0]);
  const ScopedFd two(sys, sockets[1]);
  const ScopedFd both(sys, ::open("/dev/null", O_RDWR | O_CLOEXEC));

  const absl::StatusOr<PipePair> good = InheritedPipes(sys, pipe[0], pipe[1]);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_NE(good->in.get(), pipe[0]);
  EXPECT_NE(::fcntl(good->in.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(good->out.get(), F_GETFD) & FD_CLOEXEC, 0);

  struct Case {
    int in;
    int out;
    const char* text;
  };
  const Case cases[] = {
      {pipe[1], pipe[1], "is not open for reading"},
      {pipe[0], pipe[0], "is not open for writing"},
      {sockets[0], pipe[1], "is no pipe"},
      {pipe[0], both.get(), "is no pipe"},
      {1'000'000, pipe[1], "descriptor 1000000 is closed"},
      {pipe[0], -1, "descriptor -1 is closed"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text);
    const absl::Status status = InheritedPipes(sys, each.in, each.out).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.text));
  }
}

// --- Peers -----------------------------------------------------------------

TEST_F(PipeLinkTest, OpenPipesCarryALinkUntilThePeerCloses) {
  std::optional<RawPipes> peer = StartOverPair();
  peer->Say(GoodHello());
  NextUpOf(client_watcher_);
  peer->Say(Data(1, PutTo("sink", PutOf(7))));
  const auto seen =
      AskUntil([&] { return sink_.AskAndWait(GetSeen{}, kLong).value(); },
               [](const Seen& now) { return now.count == 1; });
  EXPECT_EQ(seen.count, 1u);
  peer.reset();
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
  EXPECT_EQ(down.stats.torn, 0u);
  AwaitEnd(link_.address());
}

TEST_F(PipeLinkTest, P14_APeerThatBreaksARuleIsToldWhich) {
  struct Case {
    std::string said;
    const char* error;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\nHost: trolley\r\n\r\n", "BAD_MAGIC"},
      {GoodHello() + GoodHello(), "DUPLICATE_HELLO"},
      {GoodHello() + std::string(24, '\0'), "BAD_HEADER_CRC"},
      {GoodHello() + Data(2, "x"), "BAD_SEQUENCE"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.error);
    RawPipes peer = StartOverPair();
    peer.Say(each.said);
    const std::string said = peer.ReadToTheEnd();
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), each.error);
    EXPECT_EQ(NextDownOf(client_watcher_).stats.protocol_errors, 1u);
    StopClient();
  }
}

TEST_F(PipeLinkTest, P15_AFrameThatIsCutIsTornOnce) {
  const std::string whole = Data(1, PutTo("sink", PutOf(7)));
  for (const size_t cut : {size_t{1}, size_t{23}, whole.size() - 1}) {
    std::optional<RawPipes> peer = StartOverPair();
    peer->Say(GoodHello() + whole.substr(0, cut));
    peer.reset();
    LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
    EXPECT_TRUE(absl::IsDataLoss(down.reason)) << down.reason;
    EXPECT_EQ(down.stats.torn, 1u);
    EXPECT_EQ(down.stats.received, 0u);
    StopClient();
  }
}

// The end of a direction is not the end of the other one at once: answers that
// are ready leave.
TEST_F(PipeLinkTest, P15_APeerThatOnlyReadsStillGetsItsAnswer) {
  RawPipes peer = StartOverPair();
  peer.Say(GoodHello() + Data(1, MessageTo("sink", 1, 3'600'000'000'000)));
  peer.CloseWriting();
  const std::string said = peer.ReadToTheEnd();
  EXPECT_GT(said.size(), wire::kHelloBytes + 24);
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kLost);
}

TEST_F(PipeLinkTest, P14_APeerThatReadsNothingIsGivenUp) {
  LinkOptions options = PatientLink();
  options.write_deadline = absl::Milliseconds(50);
  RawPipes peer = StartOverPair(options);
  peer.Say(GreedyHello());
  NextUpOf(client_watcher_);
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*client_, {}, link_, "anybody");
  // Far more than the pipe holds.
  EXPECT_EQ(there.Tell(PutOf(1, 900'000)), Delivery::kAccepted);
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kNotReading))
      << down.reason;
  EXPECT_EQ(down.stats.unsent, 1u);
  AwaitEnd(link_.address());  // the coroutine that waited to write is gone
}

TEST_F(PipeLinkTest, APeerThatClosesItsReadingEndIsNoSignal) {
  RawPipes peer = StartOverPair();
  peer.Say(GoodHello());
  NextUpOf(client_watcher_);
  peer.CloseReading();
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*client_, {}, link_, "anybody");
  EXPECT_EQ(there.Tell(PutOf(1)), Delivery::kAccepted);
  StatsWhen(link_, [](const LinkStats& s) { return s.waiting == 1; });
  peer.CloseWriting();
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
  EXPECT_EQ(down.stats.unsent, 1u);
}

}  // namespace
}  // namespace trolley::links_test
