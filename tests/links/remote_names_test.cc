// SPDX-License-Identifier: Apache-2.0
//
// Names of actors of another process: looked up and awaited over a link.

#include "trolley/actors/link/remote_names.h"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Find {
  std::string name;
  absl::Duration timeout = kLong;
};
struct Await {
  std::string name;
  absl::Duration timeout = kLong;
};

class Seeker : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Seeker(const Ref<Link>& link) : names_(link) {}

  Task<absl::StatusOr<RemoteActor>> On(Find m) {
    co_return co_await names_.Find(std::move(m.name), m.timeout);
  }
  Task<absl::StatusOr<RemoteActor>> On(Await m) {
    co_return co_await names_.Await(std::move(m.name), m.timeout);
  }

 private:
  const RemoteNames names_;
};

std::string TextOf(const absl::StatusOr<RemoteActor>& result) {
  return std::string(result.status().message());
}

class RemoteNamesTest : public EachTransportTest {
 protected:
  void StartSeeker(const LinkOptions& options = PatientLink()) {
    StartClient(options);
    seeker_ = SpawnOn<Seeker>(*client_, {.name = "seeker"}, link_);
  }
  absl::StatusOr<RemoteActor> Finds(const std::string& name) {
    return seeker_.AskAndWait(Find{name}, kLong);
  }

  Ref<Seeker> seeker_;
};

INSTANTIATE_TEST_SUITE_P(Over, RemoteNamesTest, EachTransport(),
                         NameOfTransport);

TEST_P(RemoteNamesTest, AnActorOverThereIsFoundWithTheTypesThatItTakes) {
  StartServer();
  StartSeeker();
  const absl::StatusOr<RemoteActor> sink = Finds("sink");
  ASSERT_TRUE(sink.ok()) << sink.status();
  EXPECT_EQ(sink->name, "sink");
  EXPECT_THAT(sink->accepts,
              ElementsAre("trolley.links_test.Put", "trolley.links_test.Ask"));
  EXPECT_TRUE(sink->Takes<Numbers>().ok());
  using Strange = Protocol<Answer(Stranger), Put>;
  const absl::Status strange = sink->Takes<Strange>();
  EXPECT_EQ(strange.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(strange.message(),
            "\"sink\" of the other process does not take "
            "trolley.links_test.Stranger; it takes trolley.links_test.Put, "
            "trolley.links_test.Ask");
  // One that takes nothing is there, too.
  const absl::StatusOr<RemoteActor> watcher = Finds("watcher");
  ASSERT_TRUE(watcher.ok()) << watcher.status();
  EXPECT_TRUE(watcher->accepts.empty());
  EXPECT_THAT(std::string(watcher->Takes<Numbers>().message()),
              EndsWith("; it takes nothing from other processes"));
  const LinkStats theirs = StatsOf(NextUpOf(server_watcher_).link);
  EXPECT_EQ(theirs.received, theirs.delivered);
}

TEST_P(RemoteNamesTest, ANameThatNoActorHasIsNotFound) {
  StartServer();
  StartSeeker();
  EXPECT_EQ(Finds("nobody").status(),
            absl::NotFoundError("no actor named \"nobody\" is running"));
  for (const std::string& name :
       {std::string(), std::string("\x1b[2J"), std::string(1 << 20, 'x')}) {
    EXPECT_EQ(Finds(name).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(StatsOf(link_).written, 1u);
}

TEST_P(RemoteNamesTest, AnActorIsAwaitedUntilItRuns) {
  StartServer();
  StartSeeker();
  const Ref<Link> theirs = NextUpOf(server_watcher_).link;
  absl::StatusOr<RemoteActor> found;
  std::thread asker([&] { found = seeker_.AskAndWait(Await{"late"}, kLong); });
  StatsWhen(theirs, [](const LinkStats& s) { return s.delivered == 1; });
  EXPECT_EQ(StatsOf(link_).pending_asks, 1u);
  SpawnOn<Sink>(*server_, {.name = "late"});
  asker.join();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->Takes<Numbers>().ok());
  // One that runs is there at once.
  EXPECT_TRUE(seeker_.AskAndWait(Await{"late"}, kLong).ok());
  EXPECT_EQ(StatsOf(link_).written, 2u);
}

TEST_P(RemoteNamesTest, AnAwaitedNameHasADeadline) {
  StartServer();
  StartSeeker();
  EXPECT_EQ(seeker_.AskAndWait(Await{"nobody", absl::Milliseconds(20)}, kLong)
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
  // No server, no actor.
  StopServer();
  NextDownOf(client_watcher_);
  const absl::Status down =
      seeker_.AskAndWait(Await{"nobody", absl::Milliseconds(20)}, kLong)
          .status();
  EXPECT_TRUE(absl::IsUnavailable(down) || absl::IsDeadlineExceeded(down))
      << down;
}

TEST_P(RemoteNamesTest, AnActorIsAwaitedOverConnectionsThatComeAndGo) {
  StartSeeker();
  absl::StatusOr<RemoteActor> found;
  std::thread asker([&] { found = seeker_.AskAndWait(Await{"late"}, kLong); });
  NextDownOf(client_watcher_);  // no server listens
  for (int round = 0; round < 3; ++round) {
    StartServer();
    const Ref<Link> theirs = NextUpOf(server_watcher_).link;
    StatsWhen(theirs, [](const LinkStats& s) { return s.delivered == 1; });
    StopServer();
  }
  StartServer();
  SpawnOn<Sink>(*server_, {.name = "late"});
  asker.join();
  EXPECT_TRUE(found.ok()) << found.status();
}

TEST_P(RemoteNamesTest, ALinkThatHasEndedIsSaid) {
  StartServer();
  StartSeeker();
  link_.Stop();
  AwaitEnd(link_.address());
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<RemoteActor> ended =
        i == 0 ? Finds("sink") : seeker_.AskAndWait(Await{"sink"}, kLong);
    EXPECT_EQ(ended.status(),
              absl::NotFoundError("link has ended: it was stopped"));
  }
}

TEST_P(RemoteNamesTest, P6_AnAwaitedNameThatIsGivenUpHoldsNothing) {
  ServerOptions options = PatientListener();
  options.link.max_pending_asks = 1;
  StartServer(options);
  StartSeeker();
  const Ref<Link> theirs = NextUpOf(server_watcher_).link;
  seeker_.Tell(Await{"nobody"});
  StatsWhen(theirs, [](const LinkStats& s) { return s.delivered == 1; });
  EXPECT_EQ(RemoteOf("sink").AskAndWait(AskOf(1), kLong).status().code(),
            absl::StatusCode::kResourceExhausted);
  seeker_.Stop();
  StatsWhen(theirs, [](const LinkStats& s) { return s.cancelled == 1; });
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
}

TEST_P(RemoteNamesTest, P17_ExtremeTimes) {
  StartServer();
  StartSeeker();
  ASSERT_TRUE(Finds("sink").ok());  // the link is up
  const auto expect = [](const Extreme& e,
                         const absl::StatusOr<RemoteActor>& found) {
    EXPECT_EQ(absl::IsDeadlineExceeded(found.status()), e.soon())
        << found.status();
    EXPECT_EQ(found.ok(), !e.soon());
  };
  ForEachExtreme("actors/link/remote_names.h Find(timeout)",
                 [&](const Extreme& e) {
                   expect(e, seeker_.AskAndWait(Find{"sink", e.value}, kLong));
                 });
  ForEachExtreme("actors/link/remote_names.h Await(timeout)",
                 [&](const Extreme& e) {
                   expect(e, seeker_.AskAndWait(Await{"sink", e.value}, kLong));
                 });
  EXPECT_EQ(StatsOf(link_).connections, 1u);
}

// --- Peers of other versions, and lies -------------------------------------

class RawNamesTest : public RemoteNamesTest {
 protected:
  void SetUp() override {
    server_socket_ = std::make_unique<RawServer>(endpoint_);
    server_socket_->Listen();
    StartSeeker();
    peer_ = std::make_unique<RawPeer>(server_socket_->Accept());
    peer_->Say(GoodHello());
    peer_->Read(wire::kHelloBytes);
  }
  // What Find() gives when the peer gives this answer.
  absl::StatusOr<RemoteActor> FindsWhen(link::v1::Envelope answer) {
    absl::StatusOr<RemoteActor> found;
    std::thread asker([&] { found = Finds("sink"); });
    const link::v1::Envelope asked = NextEnvelope(*peer_);
    EXPECT_EQ(asked.message().type(),
              link::v1::Lookup::descriptor()->full_name());
    const uint64_t id = asked.message().ask_id();
    if (answer.has_refusal()) {
      answer.mutable_refusal()->set_ask_id(id);
    } else {
      answer.mutable_reply()->set_ask_id(id);
    }
    peer_->Say(Data(++sequence_, answer.SerializeAsString()));
    asker.join();
    return found;
  }

  std::unique_ptr<RawServer> server_socket_;
  std::unique_ptr<RawPeer> peer_;
  uint64_t sequence_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, RawNamesTest, EachSocket(), NameOfTransport);

TEST_P(RawNamesTest, ALookupIsAnAskThatAnOlderPeerRefuses) {
  link::v1::Envelope refusal;
  refusal.mutable_refusal()->set_reason(link::v1::Refusal::TYPE_REJECTED);
  refusal.mutable_refusal()->set_detail("it takes nothing");
  const absl::StatusOr<RemoteActor> found = FindsWhen(refusal);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(TextOf(found), EndsWith("it takes nothing"));
}

TEST_P(RawNamesTest, P14_AnswersThatAreNoneAreHarmless) {
  link::v1::Envelope answer;
  link::v1::Value& value = *answer.mutable_reply()->mutable_value();
  value.set_type("\x1b[2J");
  const absl::StatusOr<RemoteActor> other = FindsWhen(answer);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(TextOf(other), HasSubstr("\\x1b[2J"));
  value.set_type("trolley.link.v1.Found");
  value.set_payload("\xff\xff");
  EXPECT_EQ(FindsWhen(answer).status().code(), absl::StatusCode::kInternal);
  link::v1::Found found;
  found.add_accepts("\x1b[2J");
  value.set_payload(found.SerializeAsString());
  const absl::StatusOr<RemoteActor> lie = FindsWhen(answer);
  ASSERT_TRUE(lie.ok()) << lie.status();
  EXPECT_THAT(lie->accepts, ElementsAre("\\x1b[2J"));
}

}  // namespace
}  // namespace trolley::links_test
