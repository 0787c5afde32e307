// SPDX-License-Identifier: Apache-2.0
//
// A link between two real processes.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/actors/remote_topics/topic_export.h"
#include "trolley/actors/remote_topics/topic_import.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/mourner.h"
#include "trolley/tests/links/reader.h"

namespace trolley::links_test {
namespace {

std::string* peer_program;

// A running `peer`.
class Peer {
 public:
  explicit Peer(std::vector<std::string> arguments, bool ready = true) {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    arguments.insert(arguments.begin(), *peer_program);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, peer_program->c_str(), &actions, nullptr,
                            pointers.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
    // It says "ready" when it listens.
    char line[6];
    EXPECT_EQ(::read(output_, line, sizeof(line)), ready ? 6 : 0);
  }
  ~Peer() {
    if (pid_ > 0) Kill();
    ::close(output_);
  }

  pid_t pid() const { return pid_; }

  // Ends it in order and returns its exit status.
  int Finish() {
    ::close(input_);
    int status = -1;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }
  // Returns when it has stopped, which a signal alone does not say.
  void Suspend() {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  void Resume() { ::kill(pid_, SIGCONT); }
  void Kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    ::close(input_);
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

class TwoProcessesTest : public EachTransportTest {
 protected:
  // What the sink has seen, as soon as it has seen so many.
  Seen SeenOf(uint64_t least) {
    return AskUntil(
        [&] { return sink_.AskAndWait(GetSeen{}, kLong).value_or(Seen()); },
        [&](const Seen& now) { return now.count >= least; });
  }
};

INSTANTIATE_TEST_SUITE_P(Over, TwoProcessesTest, EachTransport(),
                         NameOfTransport);

TEST_P(TwoProcessesTest, AskIsAnsweredByTheOtherProcess) {
  Peer peer({endpoint_});
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(sink.Tell(PutOf(i)), Delivery::kAccepted);
  }
  absl::StatusOr<Answer> answer = sink.AskAndWait(AskOf(100), kLong);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->value(), 110u);
  StopClient();
  EXPECT_EQ(peer.Finish(), 0);
}

TEST_P(TwoProcessesTest, P15_AProcessThatIsSuspendedIsFound) {
  Peer peer({endpoint_});
  LinkOptions options = PatientLink();
  options.heartbeat = absl::Milliseconds(20);
  options.reconnect = false;
  StartClient(options);
  NextUpOf(client_watcher_);
  peer.Suspend();
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kSilent))
      << down.reason;
  peer.Resume();
  StopClient();
  EXPECT_EQ(peer.Finish(), 0);
}

TEST_P(TwoProcessesTest, HundredThousandMessagesArriveInOrder) {
  constexpr uint64_t kMessages = 100'000;
  StartServer();
  Peer peer({endpoint_, "stream", absl::StrCat(kMessages)});
  const Seen seen = SeenOf(kMessages);
  EXPECT_EQ(seen.count, kMessages);
  EXPECT_EQ(seen.out_of_order, 0u);
  EXPECT_EQ(peer.Finish(), 0);
}

TEST_P(TwoProcessesTest, EndpointOfALiveServerIsNotTakenAndThatOfADeadOneIs) {
  if (!transport().sockets) GTEST_SKIP() << "gRPC and pipes take it";
  Peer first({endpoint_});
  Peer second({endpoint_}, /*ready=*/false);
  EXPECT_EQ(WEXITSTATUS(second.Finish()), 1);
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  first.Kill();
  Peer third({endpoint_});
  NextUpOf(client_watcher_);
  NextUpOf(client_watcher_);
  EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
}

// The receiver's books after its sender was killed: a prefix of what was sent,
// at most one torn frame, then one Down.
TEST_P(TwoProcessesTest, P15_KilledSenderLeavesAPrefix) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    StartServer();
    Peer peer({endpoint_, "stream", "1000000000"});
    // Killed when so many have arrived, which is in the middle of the rest.
    SeenOf(random() % 5000);
    peer.Kill();
    LinkDown down = NextDownOf(server_watcher_);
    // Over pipes the server dials, too.
    if (down.end == LinkEnd::kNoConnection) down = NextDownOf(server_watcher_);
    const auto last =
        AskUntil([&] { return sink_.AskAndWait(GetSeen{}, kLong); },
                 [](const auto& answer) { return answer.ok(); });
    EXPECT_EQ(last->out_of_order, 0u);
    EXPECT_EQ(last->count, down.stats.delivered);
    EXPECT_EQ(down.stats.received, down.stats.delivered);
    EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
    EXPECT_EQ(down.stats.torn, absl::IsDataLoss(down.reason) ? 1u : 0u)
        << down.reason;
    StopServer();
  }
}

// The counts of the sender after its receiver was killed: each message that the
// Remote accepted is counted as written, unsent or not sent.
TEST_P(TwoProcessesTest, P15_KilledReceiverLeavesExactCounts) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    Peer peer({endpoint_});
    // The link stays, so that it counts what the Remote still has for it.
    LinkOptions options = PatientLink();
    options.backoff_first = options.backoff_last = absl::Hours(1);
    StartClient(options);
    const Ref<Streamer> streamer = SpawnOn<Streamer>(
        *client_, {}, RemoteOf("sink"), uint64_t{1'000'000'000}, size_t{100});
    NextUpOf(client_watcher_);
    const uint64_t enough = random() % 5000;
    AskUntil([&] { return streamer.AskAndWait(GetProgress{}, kLong); },
             [&](const auto& now) { return now.value().sent >= enough; })
        .IgnoreError();
    peer.Kill();
    const LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
    EXPECT_EQ(down.stats.waiting, 0u);
    EXPECT_EQ(down.stats.torn, 0u);
    const Progress end = streamer.AskAndWait(WaitUntilDone{}, kLong).value();
    EXPECT_TRUE(absl::IsUnavailable(end.status)) << end.status;
    const auto counted = [](const LinkStats& s) {
      return s.written + s.unsent + s.not_sent;
    };
    const LinkStats stats = StatsWhen(
        link_, [&](const LinkStats& s) { return counted(s) >= end.sent; });
    EXPECT_EQ(counted(stats), end.sent);
    StopClient();
  }
}

// The same by its ledger. What is open is known to have left or not.
TEST_P(TwoProcessesTest, P15_KilledReceiverLeavesALedgerThatBalances) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    Peer peer({endpoint_});
    LinkOptions options = PatientLink();
    options.backoff_first = options.backoff_last = absl::Hours(1);
    StartClient(options);
    const Ref<Streamer> streamer = SpawnOn<Streamer>(
        *client_, {}, RemoteOf("sink"), uint64_t{1'000'000'000}, size_t{100});
    NextUpOf(client_watcher_);
    const uint64_t enough = 5000 + random() % 5000;
    AskUntil([&] { return streamer.AskAndWait(GetProgress{}, kLong); },
             [&](const auto& now) { return now.value().sent >= enough; })
        .IgnoreError();
    peer.Kill();
    const LinkDown down = NextDownOf(client_watcher_);
    const Progress end = streamer.AskAndWait(WaitUntilDone{}, kLong).value();
    const LinkLedger ledger = AskUntil(
        [&] {
          return link_.AskAndWait(GetLinkLedger{}, kLong)
              .value_or(LinkLedger());
        },
        [&](const LinkLedger& now) { return now.accepted >= end.sent; });
    EXPECT_EQ(ledger.accepted, end.sent);
    EXPECT_EQ(ledger.open, 0u);
    EXPECT_EQ(ledger.acknowledged + ledger.fate_unknown, ledger.written);
    EXPECT_EQ(ledger.failed, ledger.accepted - ledger.written);
    EXPECT_EQ(ledger.written, down.stats.written);
    EXPECT_GT(ledger.acknowledged, 0u);
    StopClient();
  }
}

// One link to one process after the other. The sender never stops.
TEST_P(TwoProcessesTest,
       P15_AServerKilledTwentyTimesUnderLoadLeavesExactCounts) {
  constexpr uint64_t kRounds = 20;
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  LinkOptions options = PatientLink();
  options.backoff_last = absl::Milliseconds(50);
  StartClient(options);
  const Ref<Numbers> sink = RemoteOf("sink");
  std::atomic<bool> stop = false;
  uint64_t accepted = 0;
  std::thread sender([&] {
    while (!stop) {
      if (sink.Tell(PutOf(1, 100)) == Delivery::kAccepted) {
        ++accepted;
      } else {
        client_->Inspect(kLong).IgnoreError();  // each loop has had a turn
      }
    }
  });
  uint64_t written = 0;
  for (uint64_t round = 0; round < kRounds; ++round) {
    Peer peer({endpoint_});
    NextUpOf(client_watcher_);
    const uint64_t enough = written + random() % 5000;
    StatsWhen(link_, [&](const LinkStats& s) { return s.written >= enough; });
    peer.Kill();
    LinkDown down = NextDownOf(client_watcher_);
    // The first one is that of a process that was not there yet.
    if (down.stats.connections == 0) down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kLost) << down.reason;
    written = down.stats.written;
  }
  stop = true;
  sender.join();
  const auto counted = [](const LinkStats& s) {
    return s.written + s.unsent + s.not_sent;
  };
  const LinkStats stats = StatsWhen(
      link_, [&](const LinkStats& s) { return counted(s) >= accepted; });
  EXPECT_EQ(counted(stats), accepted);
  EXPECT_EQ(stats.connections, kRounds);
}

TEST_P(TwoProcessesTest, P15_AskOfAKilledProcessFailsAtOnce) {
  Peer peer({endpoint_});
  StartClient();
  const Ref<Numbers> sink = RemoteOf("sink");
  ASSERT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  const uint64_t written = StatsOf(link_).written;
  peer.Suspend();
  absl::Status status;
  std::thread asker(
      [&] { status = sink.AskAndWait(AskOf(1), kLong).status(); });
  StatsWhen(link_, [&](const LinkStats& s) { return s.written > written; });
  peer.Kill();
  asker.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find("the question had left"),
            absl::string_view::npos)
      << status;
}

// What link_end_test.cc has of peers of its own, of a real one.
TEST_P(TwoProcessesTest, P15_AKilledProcessIsToldFromOneThatEnds) {
  for (const bool killed : {true, false}) {
    Peer peer({endpoint_});
    StartClient();
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
    if (killed) {
      peer.Kill();
    } else {
      EXPECT_EQ(peer.Finish(), 0);
    }
    const LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, killed ? LinkEnd::kLost : LinkEnd::kGoAway);
    EXPECT_EQ(down.reason.code(), killed ? absl::StatusCode::kAborted
                                         : absl::StatusCode::kUnavailable)
        << down.reason;
    StopClient();
  }
}

TEST_P(TwoProcessesTest, P9_AWatchOfAKilledProcessIsToldThatItIsLost) {
  for (const bool killed : {true, false}) {
    Peer peer({endpoint_});
    StartClient();
    const auto mourner = SpawnOn<Mourner>(*client_, {});
    for (int i = 0; i < 10; ++i) mourner.Tell(Mourn{link_, "sink"});
    // Answered behind the watches.
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
    EXPECT_EQ(mourner.AskAndWait(CountEnds{}, kLong).value(), 0u);
    if (killed) {
      peer.Kill();
    } else {
      EXPECT_EQ(peer.Finish(), 0);
    }
    for (int i = 0; i < 10; ++i) {
      const Down down = mourner.AskAndWait(NextEnd{}, kLong).value();
      EXPECT_EQ(down.name, "sink");
      // A process that ends in order may tell the end of its actor first.
      const bool told =
          down.lost.ok() && down.reason.kind == ExitReason::Kind::kBusEnded;
      EXPECT_TRUE(absl::IsUnavailable(down.lost) || (!killed && told))
          << down.lost << down.reason.ToString();
    }
    NextDownOf(client_watcher_);
    EXPECT_EQ(mourner.AskAndWait(CountEnds{}, kLong).value(), 0u);
    StopClient();
  }
}

TEST_P(TwoProcessesTest, P9_TheWatchesOfAKilledProcessAreForgotten) {
  if (!transport().listens) {
    GTEST_SKIP() << "the process finds no reader of its pipe at once";
  }
  StartServer();
  for (int round = 0; round < 3; ++round) {
    Peer peer({endpoint_, "watch", "sink"});
    const LinkUp up = NextUpOf(server_watcher_);
    StatsWhen(up.link, [](const LinkStats& s) { return s.peer_watches == 1; });
    peer.Kill();
    EXPECT_EQ(NextDownOf(server_watcher_).stats.peer_watches, 0u);
  }
  sink_.Stop();
  AwaitEnd(sink_.address());
}

TEST_P(TwoProcessesTest, P21_AKilledExportIsAGapOfUnknownSize) {
  StartClient();
  const auto reader = SpawnOn<Reader>(*client_, {.name = "reader"});
  SpawnOn<TopicImport<Put>>(*client_, {}, link_, "topics", "n.*",
                            TopicImport<Put>::Subscriber(reader),
                            TopicImportOptions{.pause = absl::Milliseconds(1)});
  const auto read_when = [&](const std::function<bool(const Read&)>& done) {
    return AskUntil(
        [&] { return reader.AskAndWait(GetRead{}, kLong).value_or(Read()); },
        done);
  };
  // The first publications of a process are before its subscription.
  reader.Tell(Gap{.subscription = {}, .pattern = "", .missed = Gap::kUnknown});
  for (int round = 0; round < 3; ++round) {
    Peer peer({endpoint_, "export", "n.x"});
    const uint64_t before =
        read_when([](const Read&) { return true; }).published;
    read_when([&](const Read& r) { return r.published > before + 100; });
    peer.Kill();
  }
  const Read read = read_when([](const Read&) { return true; });
  EXPECT_EQ(read.unknown, 1u + 2u);  // that of this test, and two restarts
  EXPECT_EQ(read.out_of_place, 0u);
}

TEST_P(TwoProcessesTest, P21_AKilledImportIsForgotten) {
  StartServer();
  Topics topics;
  SpawnOn<TopicExport<Put>>(*server_, {.name = "topics"}, topics,
                            TopicExportOptions{.keep = absl::Milliseconds(20)});
  for (int round = 0; round < 3; ++round) {
    Peer peer({endpoint_, "import", "n.*"});
    NextUpOf(server_watcher_);
    AskUntil([&] { return topics.Stats().subscriptions; },
             [](uint64_t now) { return now == 1; });
    peer.Kill();
    AskUntil([&] { return topics.Stats().subscriptions; },
             [](uint64_t now) { return now == 0; });
  }
}

TEST_P(TwoProcessesTest, P15_StoppedAndContinuedProcessLosesNothing) {
  constexpr uint64_t kMessages = 50'000;
  StartServer();
  Peer peer({endpoint_, "stream", absl::StrCat(kMessages)});
  Seen seen;
  while (seen.count < kMessages) {
    seen = SeenOf(std::min(seen.count + 500, kMessages));
    peer.Suspend();
    // The own loop goes on meanwhile.
    sink_.AskAndWait(GetSeen{}, kLong).IgnoreError();
    peer.Resume();
  }
  EXPECT_EQ(seen.out_of_order, 0u);
  EXPECT_EQ(peer.Finish(), 0);
}

}  // namespace
}  // namespace trolley::links_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  trolley::links_test::peer_program = new std::string(argv[1]);
  return RUN_ALL_TESTS();
}
