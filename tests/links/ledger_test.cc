// SPDX-License-Identifier: Apache-2.0
//
// P15: the ledger of a link says what became of each tell and ask.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "trolley/actors/link/internal/sent_books.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

void ExpectBalance(const LinkLedger& ledger) {
  EXPECT_EQ(ledger.accepted, ledger.acknowledged + ledger.failed +
                                 ledger.fate_unknown + ledger.open);
}

class LedgerTest : public EachTransportTest {
 protected:
  static LinkLedger LedgerOf(const Ref<Link>& link) {
    const absl::StatusOr<LinkLedger> ledger =
        link.AskAndWait(GetLinkLedger{}, kLong);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    if (!ledger.ok()) return {};
    ExpectBalance(*ledger);
    return *ledger;
  }
  void TellSink(int count) {
    auto there = RemoteOf("sink");
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(there.Tell(PutOf(++told_)), Delivery::kAccepted);
    }
    // Behind them.
    ASSERT_TRUE(there.AskAndWait(AskOf(1), kLong).ok());
  }

  uint64_t told_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, LedgerTest, EachTransport(), NameOfTransport);

TEST_P(LedgerTest, P15_WhatAMailboxTookIsAcknowledged) {
  StartServer();
  StartClient();
  TellSink(100);
  const LinkLedger ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.accepted, 101u);
  EXPECT_EQ(ledger.written, 101u);
  EXPECT_EQ(ledger.acknowledged, 101u);
  EXPECT_EQ(ledger.open, 0u);
}

TEST_P(LedgerTest, P15_WhatIsRefusedHereOrThereHasFailed) {
  StartServer();
  LinkOptions options = PatientLink();
  options.max_pending_asks = 1;
  StartClient(options);
  RemoteOf("nobody").Tell(PutOf(1));
  EXPECT_FALSE(RemoteOf("nobody").AskAndWait(AskOf(1), kLong).ok());
  LinkAsk no_name{.route = LinkRoute::New("\x1b", "trolley.links_test.Ask"),
                  .bytes = ""};
  EXPECT_FALSE(link_.AskAndWait(std::move(no_name), kLong).ok());
  LinkLedger ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.accepted, 3u);
  EXPECT_EQ(ledger.failed, 3u);
  EXPECT_EQ(ledger.written, 2u);

  // One waits over there, and is not acknowledged; a second one is too many.
  const auto waits = SpawnOn<Relay>(*client_, {}, RemoteOf("gated"));
  waits.Tell(AskOf(1));
  StatsWhen(link_, [](const LinkStats& s) { return s.pending_asks == 1; });
  EXPECT_FALSE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.accepted, 5u);
  EXPECT_EQ(ledger.failed, 4u);
  EXPECT_EQ(ledger.open, 1u);
  // Its asker gives up.
  waits.Stop();
  StatsWhen(link_, [](const LinkStats& s) { return s.pending_asks == 0; });
  ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.fate_unknown, 1u);
  EXPECT_EQ(ledger.open, 0u);
}

TEST_P(LedgerTest, P15_ATellThatWaitsOverThereIsOpenUntilItIsTaken) {
  constexpr uint64_t kTells = 50;  // the mailbox of the gated one has 16 places
  StartServer();
  StartClient();
  const Ref<Link> theirs = NextUpOf(server_watcher_).link;
  const Ref<Numbers> gated = RemoteOf("gated");
  for (uint64_t i = 1; i <= kTells; ++i) gated.Tell(PutOf(i));
  const LinkStats before = StatsWhen(
      theirs, [](const LinkStats& s) { return s.received == kTells; });
  LinkLedger ledger = LedgerOf(link_);
  EXPECT_GE(ledger.acknowledged, before.delivered);
  EXPECT_LE(ledger.acknowledged, StatsOf(theirs).delivered);
  EXPECT_GT(ledger.open, 0u);
  OpenGate();
  StatsWhen(theirs, [](const LinkStats& s) { return s.delivered == kTells; });
  ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.acknowledged, kTells);
  EXPECT_EQ(ledger.open, 0u);
}

TEST_P(LedgerTest, P15_TheBooksGoOnOverTheNextConnection) {
  StartServer();
  StartClient();
  for (int round = 0; round < 5; ++round) {
    const LinkUp up = NextUpOf(server_watcher_);
    NextUpOf(client_watcher_);
    TellSink(100);
    const LinkLedger before = LedgerOf(link_);
    EXPECT_EQ(before.acknowledged, 101u * (round + 1));
    up.link.Stop();
    NextDownOf(client_watcher_);
    const LinkLedger after = LedgerOf(link_);
    EXPECT_EQ(after.acknowledged, before.acknowledged);
    EXPECT_EQ(after.fate_unknown, 0u);
  }
}

TEST_P(LedgerTest, P15_ALinkAsksForAnAccountByItself) {
  constexpr uint64_t kTells = 5000;
  StartServer();
  StartClient();
  const Ref<Streamer> streamer = SpawnOn<Streamer>(
      *client_, {}, RemoteOf("sink"), uint64_t{kTells}, size_t{10});
  EXPECT_EQ(streamer.AskAndWait(WaitUntilDone{}, kLong).value().sent, kTells);
  const Ref<Link> theirs = NextUpOf(server_watcher_).link;
  StatsWhen(theirs, [](const LinkStats& s) { return s.delivered >= kTells; });
  theirs.Stop();
  NextDownOf(client_watcher_);
  const LinkLedger ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.accepted, kTells);
  EXPECT_EQ(ledger.acknowledged + ledger.fate_unknown, kTells);
  // Without that nothing would be acknowledged.
  EXPECT_GT(ledger.acknowledged, 0u);
}

// --- Peers of other versions, and lies -------------------------------------

class RawLedgerTest : public LedgerTest {
 protected:
  void SetUp() override {
    server_socket_ = std::make_unique<RawServer>(endpoint_);
    server_socket_->Listen();
    LinkOptions options = PatientLink();
    options.heartbeat = absl::Milliseconds(20);
    StartClient(options);
    peer_ = std::make_unique<RawPeer>(server_socket_->Accept());
    peer_->Say(GoodHello());
    peer_->Read(wire::kHelloBytes);
  }

  std::unique_ptr<RawServer> server_socket_;
  std::unique_ptr<RawPeer> peer_;
};

INSTANTIATE_TEST_SUITE_P(Over, RawLedgerTest, EachSocket(), NameOfTransport);

TEST_P(RawLedgerTest, P14_APeerThatAcknowledgesMoreThanItGotBreaksARule) {
  RemoteOf("sink").Tell(PutOf(1));
  EXPECT_TRUE(NextEnvelope(*peer_).has_message());
  link::v1::Envelope lie;
  lie.mutable_accounted()->set_tells_taken(2);
  peer_->Say(Data(1, lie.SerializeAsString()));
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(wire::WireErrorOf(down.reason), wire::WireError::kBadEnvelope)
      << down.reason;
  const LinkLedger ledger = LedgerOf(link_);
  EXPECT_EQ(ledger.fate_unknown, 1u);
}

// --- The books alone -------------------------------------------------------

using internal::SentBooks;

TEST(SentBooksTest, P15_WhatLeftHasAnUnknownFateAndTheRestHasFailed) {
  SentBooks books;
  for (uint64_t i = 1; i <= 10; ++i) {
    books.Accept();
    books.TellSent(i, /*written=*/i / 2);
  }
  EXPECT_TRUE(books.TellsTaken(3));
  books.TellRefused();
  EXPECT_EQ(books.Read().open, 6u);
  books.EndConnection(/*written=*/7);
  const LinkLedger ledger = books.Read();
  ExpectBalance(ledger);
  EXPECT_EQ(ledger.acknowledged, 3u);
  EXPECT_EQ(ledger.failed, 1u + 3u);
  EXPECT_EQ(ledger.fate_unknown, 3u);
  EXPECT_EQ(ledger.open, 0u);
}

TEST(SentBooksTest, P14_APeerThatLiesDoesNotUnbalanceThem) {
  SentBooks books;
  for (uint64_t i = 1; i <= 3; ++i) {
    books.Accept();
    books.TellSent(i, i);
  }
  EXPECT_TRUE(books.TellsTaken(2));
  EXPECT_FALSE(books.TellsTaken(1));  // less than before
  EXPECT_FALSE(books.TellsTaken(4));  // more than there were
  for (int i = 0; i < 5; ++i) books.TellRefused();
  EXPECT_FALSE(books.TellsTaken(3));  // it was refused
  const LinkLedger ledger = books.Read();
  ExpectBalance(ledger);
  EXPECT_EQ(ledger.acknowledged, 2u);
  EXPECT_EQ(ledger.failed, 1u);
  // Nothing of it stays for the next connection.
  books.EndConnection(3);
  EXPECT_FALSE(books.TellsTaken(1));
}

}  // namespace
}  // namespace trolley::links_test
