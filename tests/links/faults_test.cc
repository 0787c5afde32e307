// SPDX-License-Identifier: Apache-2.0
//
// Links whose system calls fail.

#include <errno.h>

#include <cstdio>
#include <string>

#include "gtest/gtest.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

class FaultsTest : public EachTransportTest {};

INSTANTIATE_TEST_SUITE_P(Over, FaultsTest, EachSocket(), NameOfTransport);

// One call of one side fails. The asker gets the answer, or a Status with a
// text. No descriptor is left open. When no call fails any more, asks are
// answered again, unless the listener, or a loop with its poller, is broken and
// has ended.
TEST_P(FaultsTest, P13_WhicheverCallFailsTheAskerIsTold) {
  for (const bool of_server : {true, false}) {
    // Not the second, an EAGAIN: no edge makes up for one that is not true.
    for (const size_t which : {0, 2, 3}) {
      uint64_t n = 1;
      uint64_t told = 0;
      for (;;) {
        SCOPED_TRACE(testing::Message() << "fault " << n << " of the "
                                        << (of_server ? "server" : "client")
                                        << ", errno choice " << which);
        const int before = OpenDescriptors();
        FaultSys faulty(RealSys());
        (of_server ? server_sys_ : client_sys_) = &faulty;
        ServerOptions listener;
        // What cannot be written is waited for so long.
        listener.link.handshake_deadline = absl::Milliseconds(50);
        listener.link.write_deadline = absl::Milliseconds(50);
        LinkOptions dialled = listener.link;
        dialled.backoff_first = absl::Milliseconds(1);
        dialled.backoff_last = absl::Milliseconds(1);
        // Making a bus is the conformance suite's; the conversation is ours.
        StartServer(listener);
        server_->Inspect(kLong).IgnoreError();
        if (of_server) faulty.FailNthOfAny(n, which);
        StartClient(dialled, [&] {
          if (!of_server) faulty.FailNthOfAny(n, which);
        });
        const Ref<Numbers> sink = RemoteOf("sink");
        bool all_answered = true;
        for (uint64_t i = 1; i <= 3; ++i) {
          const absl::StatusOr<Answer> answer =
              sink.AskAndWait(AskOf(i), kLong);
          if (answer.ok()) {
            EXPECT_EQ(answer->value(), i);
          } else {
            ++told;
            all_answered = false;
            EXPECT_FALSE(answer.status().message().empty());
            EXPECT_NE(answer.status().code(),
                      absl::StatusCode::kDeadlineExceeded)
                << answer.status();
          }
        }
        const uint64_t faults = faulty.faults();
        faulty.StopFailing();
        // Until it works again, or cannot.
        AskUntil([&] { return sink.AskAndWait(AskOf(4), kLong).ok(); },
                 [&](bool works) {
                   return works ||
                          listener_.Tell(GetListenerStats{}) ==
                              Delivery::kGone ||
                          link_.Tell(GetLinkStats{}) == Delivery::kGone;
                 });
        StopClient();
        StopServer();
        server_sys_ = client_sys_ = &RealSys();
        EXPECT_EQ(OpenDescriptors(), before);
        if (HasFailure()) break;
        if (faults > 0) {
          ++n;
        } else if (all_answered) {
          break;  // a whole conversation has fewer than n calls
        }
        // Else a deadline passed first, on a slow machine: the same call again.
      }
      std::printf("%s, errno choice %d: %d calls, %d asks were told\n",
                  of_server ? "server" : "client", static_cast<int>(which),
                  static_cast<int>(n - 1), static_cast<int>(told));
      // The least that one side needs: to connect, to shake hands, and to wait
      // for each ask or answer.
      EXPECT_GT(n, 7u);
    }
  }
}

// The kernel refuses to name the process at the other end.
TEST_P(FaultsTest, P13_AConnectionWithAnUnknownPeerIsClosed) {
  if (!transport().knows_the_process) {
    GTEST_SKIP() << "the peer of a dial over " << transport().name
                 << " is known without a call";
  }
  const int before = OpenDescriptors();
  FaultSys faulty(RealSys());
  client_sys_ = &faulty;
  StartServer();
  LinkOptions options = PatientLink();
  options.reconnect = false;
  StartClient(options, [&] { faulty.FailAll(SysCall::kGetsockopt, ENOBUFS); });
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kNoConnection);
  EXPECT_GT(faulty.faults(), 0u);
  StopClient();
  StopServer();
  client_sys_ = &RealSys();
  EXPECT_EQ(OpenDescriptors(), before);
}

// The link does not dial again while the test runs, so it is down for the ask.
TEST_P(FaultsTest, P13_AnAskOverALinkThatIsDownIsToldWhy) {
  FaultSys faulty(RealSys());
  client_sys_ = &faulty;
  LinkOptions options = PatientLink();
  options.backoff_first = options.backoff_last = absl::Hours(1);
  StartClient(options, [&] { faulty.FailNth(SysCall::kSocket, 1, EMFILE); });
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kNoConnection);
  const absl::Status told =
      RemoteOf("sink").AskAndWait(AskOf(1), kLong).status();
  EXPECT_EQ(told.code(), absl::StatusCode::kUnavailable) << told;
  EXPECT_NE(told.message().find("socket("), absl::string_view::npos) << told;
  StopClient();
  client_sys_ = &RealSys();
}

// A listener is made: its socket, its actor, what that watches with. Whichever
// call fails, there is a listener or a reason, and nothing is left of it.
TEST_P(FaultsTest, P13_AListenerThatCannotStartLeavesNothing) {
  for (const size_t which : {0, 2, 3}) {
    for (uint64_t n = 1; !HasFailure(); ++n) {
      SCOPED_TRACE(testing::Message()
                   << "fault " << n << ", errno choice " << which);
      const int before = OpenDescriptors();
      FaultSys faulty(RealSys());
      server_ = NewBus(faulty);
      server_->Inspect(kLong).IgnoreError();
      faulty.FailNthOfAny(n, which);
      const auto listener =
          Listen(*server_, faulty, {.name = "listener"}, endpoint_, {});
      if (listener.ok()) {
        const absl::Status alive =
            listener->AskAndWait(GetListenerStats{}, kLong).status();
        EXPECT_NE(alive.code(), absl::StatusCode::kDeadlineExceeded);
      } else {
        EXPECT_FALSE(listener.status().message().empty());
      }
      const uint64_t faults = faulty.faults();
      StopServer();
      EXPECT_EQ(OpenDescriptors(), before);
      if (faults == 0) break;
    }
  }
}

// The listener can neither accept nor refuse a connection. It does not use its
// socket for a while, which is for ever here, and its links go on.
TEST_P(FaultsTest, P12_WithoutAReserveTheListenerPauses) {
  if (PollerUnderTest() == "io_uring") {
    GTEST_SKIP() << "a ring accepts without a call that could fail here";
  }
  FaultSys faulty(RealSys());
  server_sys_ = &faulty;
  ServerOptions options = PatientListener();
  options.pause_without_descriptors = absl::Hours(1);
  StartServer(options);
  StartClient(PatientLink());
  const Ref<Numbers> sink = RemoteOf("sink");
  ASSERT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  faulty.FailNth(SysCall::kAccept4, 1, ENFILE, 1000);
  RawPeer waits(endpoint_, RawPeer::Later());
  EXPECT_EQ(waits.Knock(endpoint_), 0);
  AskUntil(
      [&] {
        sink.AskAndWait(AskOf(1), kLong).IgnoreError();
        return faulty.faults();
      },
      [](uint64_t faults) { return faults > 0; });
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(sink.AskAndWait(AskOf(1), kLong).ok());
  }
  // The stream's try, the socket's, and that with the reserve given up.
  EXPECT_LE(faulty.faults(), 3u);
  StopClient();
  StopServer();
}

TEST_P(FaultsTest, P12_WithoutAReserveServiceComesBack) {
  if (PollerUnderTest() == "io_uring") {
    GTEST_SKIP() << "a ring accepts without a call that could fail here";
  }
  FaultSys faulty(RealSys());
  server_sys_ = &faulty;
  ServerOptions options = PatientListener();
  options.pause_without_descriptors = absl::Milliseconds(1);
  StartServer(options);
  server_->Inspect(kLong).IgnoreError();
  faulty.FailNth(SysCall::kAccept4, 1, ENFILE, 30);
  StartClient(PatientLink());
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
  EXPECT_EQ(faulty.faults(), 30u);
  StopClient();
  StopServer();
}

}  // namespace
}  // namespace trolley::links_test
