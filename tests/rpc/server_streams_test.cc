// SPDX-License-Identifier: Apache-2.0
//
// Streaming calls of an actor that is a gRPC service.

#include "trolley/actors/rpc/server_streams.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/wire.h"
#include "trolley/tests/control/control_client.h"
#include "trolley/tests/rpc/raw_call.h"
#include "trolley/tests/rpc/served.h"

namespace trolley::rpc_test {
namespace {

using test::Outcome;

std::string Path(const std::string& method) {
  return absl::StrCat("/", kBank, "/", method);
}

struct Listing {
  explicit Listing(Bank::Stub& stub, const ListEntriesRequest& request)
      : reader(stub.ListEntries(&context, request)) {}

  // Reads to the end. How many came, in order and whole.
  int64_t ReadAll(uint32_t bytes = 0) {
    Entry entry;
    int64_t count = 0;
    while (reader->Read(&entry)) {
      EXPECT_EQ(entry.cents(), count++);
      EXPECT_EQ(entry.note().size(), bytes);
    }
    return count;
  }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<Entry>> reader;
};

ListEntriesRequest Entries(int64_t count, uint32_t bytes = 0, int code = 0,
                           bool hold = false) {
  ListEntriesRequest request;
  request.set_count(count);
  request.set_bytes(bytes);
  request.set_code(code);
  request.set_hold(hold);
  return request;
}

TEST(ServerStreamsTest, P1_AllMessagesComeInOrderAndThenTheStatus) {
  Served served;
  for (const int64_t count : {0, 1, 2, 16, 17, 5000}) {
    Listing all(*served.stub, Entries(count, 10));
    EXPECT_EQ(all.ReadAll(10), count);
    EXPECT_EQ(Outcome(all.reader->Finish()), "OK");
    Listing failed(*served.stub, Entries(count, 10, 9));
    EXPECT_EQ(failed.ReadAll(10), count);
    const grpc::Status status = failed.reader->Finish();
    EXPECT_EQ(Outcome(status), "PRECONDITION");
    EXPECT_EQ(status.error_message(), "after them");
  }
  served.AwaitNoCalls();
  served.AwaitHandlers(0);
}

TEST(ServerStreamsTest, P3_AStreamWithTheLeastRoomGoesOn) {
  Served served({.stream_messages = 1, .stream_bytes = 1});
  Listing all(*served.stub, Entries(2000, 100));
  EXPECT_EQ(all.ReadAll(100), 2000);
  EXPECT_EQ(Outcome(all.reader->Finish()), "OK");
}

TEST(ServerStreamsTest, P6_AClientThatDoesNotReadHoldsABoundedPart) {
  Served served(
      {.stream_messages = 8, .stream_patience = absl::InfiniteDuration()});
  constexpr uint32_t kBytes = 10'000;
  constexpr int64_t kCount = 2'000;
  Listing slow(*served.stub, Entries(kCount, kBytes));
  // The stream stands still when nothing is written while others are served.
  int64_t before = -1;
  int same = 0;
  served.Await([&](const Balance& now) {
    Balance balance;
    grpc::ClientContext context;
    EXPECT_TRUE(
        served.stub->GetBalance(&context, GetBalanceRequest(), &balance).ok());
    same = now.written() == before && before > 0 ? same + 1 : 0;
    before = now.written();
    return same == 200;
  });
  EXPECT_LT(before, kCount / 2);
  EXPECT_GE(before, 8);
  Listing other(*served.stub, Entries(500, 1));
  EXPECT_EQ(other.ReadAll(1), 500);
  EXPECT_EQ(slow.ReadAll(kBytes), kCount);
  EXPECT_EQ(Outcome(slow.reader->Finish()), "OK");
}

TEST(ServerStreamsTest, P14_AClientThatNeverReadsIsCancelled) {
  Served served({.stream_patience = absl::Milliseconds(50)});
  // One whose handler waits for room, and one whose handler has returned.
  RawCall endless(served.address, Path("ListEntries"));
  endless.SendMessage(Entries(1 << 20, 10'000).SerializeAsString(), true);
  RawCall finite(served.address, Path("ListEntries"));
  finite.SendMessage(Entries(2, 100'000).SerializeAsString(), true);
  served.Await([](const Balance& b) { return b.written() > 2; });
  served.AwaitNoCalls();
  served.AwaitHandlers(0);
}

TEST(ServerStreamsTest, P6_AStreamThatIsCancelledEndsItsHandler) {
  Served served({}, /*capacity=*/16);
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<Listing>> open;
    for (int i = 0; i < 7; ++i) {
      // Half of them wait for room, half for something else.
      open.push_back(std::make_unique<Listing>(
          *served.stub,
          i % 2 == 0 ? Entries(1 << 20, 10'000) : Entries(1, 1, 0, true)));
    }
    served.AwaitHandlers(7);
    for (auto& listing : open) listing->context.TryCancel();
    for (auto& listing : open) {
      EXPECT_EQ(Outcome(listing->reader->Finish()), "CANCELLED");
    }
    served.AwaitHandlers(0);
  }
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, P6_StreamsLeaveTheOtherCallsTheirPart) {
  Served served({.max_streams = 3});
  std::vector<std::unique_ptr<Listing>> open;
  for (int i = 0; i < 50; ++i) {
    open.push_back(
        std::make_unique<Listing>(*served.stub, Entries(1, 1, 0, true)));
    if (i == 2) served.AwaitHandlers(3);
  }
  for (size_t i = 3; i < open.size(); ++i) {
    EXPECT_EQ(open[i]->ReadAll(1), 0);
    EXPECT_EQ(Outcome(open[i]->reader->Finish()), "EXHAUSTED TOO_MANY_CALLS");
  }
  EXPECT_EQ(served.service->open_calls(), 3);
  Balance balance;
  grpc::ClientContext context;
  EXPECT_TRUE(
      served.stub->GetBalance(&context, GetBalanceRequest(), &balance).ok());
  for (int i = 0; i < 3; ++i) {
    open[i]->context.TryCancel();
    open[i]->ReadAll(1);
    open[i]->reader->Finish();
  }
  served.AwaitNoCalls();
  Listing next(*served.stub, Entries(5, 1));
  EXPECT_EQ(next.ReadAll(1), 5);
  EXPECT_EQ(Outcome(next.reader->Finish()), "OK");
}

TEST(ServerStreamsTest, P14_AClientThatVanishesEndsItsHandlers) {
  Served served;
  RawCall hold(served.address, Path("Hold"));
  hold.SendMessage("", true);
  RawCall list(served.address, Path("ListEntries"));
  list.SendMessage(Entries(1, 1, 0, true).SerializeAsString(), true);
  RawCall import(served.address, Path("Import"));
  import.SendHalfAMessage();
  RawCall chat(served.address, Path("Chat"));
  chat.SendMessage("", false);
  RawCall half(served.address, Path("Hold"));
  half.SendHalfAMessage();
  served.AwaitHandlers(4);
  for (RawCall* call : {&hold, &list, &import, &chat, &half}) call->Vanish();
  served.AwaitHandlers(0);
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, P17_ADeadlineOfZeroEndsACallAtOnce) {
  Served served;
  for (const char* method : {"Hold", "ListEntries", "Import", "Chat"}) {
    RawCall call(served.address, Path(method), "0n");
    call.SendMessage("", true);
    EXPECT_TRUE(call.ReadUntil("grpc-status")) << method;
  }
  served.AwaitHandlers(0);
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, P6_ADeadlineEndsAStreamAndItsHandler) {
  Served served({.longest_stream = absl::Milliseconds(30)});
  Listing listing(*served.stub, Entries(1, 1, 0, true));
  EXPECT_LE(listing.ReadAll(1), 1);  // none, if the loop is late
  EXPECT_EQ(Outcome(listing.reader->Finish()), "DEADLINE ASK_TIMEOUT");
  served.AwaitHandlers(0);
  grpc::ClientContext context;
  test::SetTimeout(context, absl::Milliseconds(20));
  Balance balance;
  auto import = served.stub->Import(&context, &balance);
  EXPECT_EQ(import->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  served.AwaitHandlers(0);
}

TEST(ServerStreamsTest, AClientStreamHasOneReply) {
  Served served({.stream_messages = 4});
  for (const int count : {0, 1, 4, 5, 3000}) {
    grpc::ClientContext context;
    Balance balance;
    auto import = served.stub->Import(&context, &balance);
    Entry entry;
    entry.set_cents(2);
    for (int i = 0; i < count; ++i) ASSERT_TRUE(import->Write(entry));
    import->WritesDone();
    EXPECT_EQ(Outcome(import->Finish()), "OK");
    EXPECT_EQ(balance.cents(), 2 * count);
  }
}

TEST(ServerStreamsTest, AHandlerMayReplyBeforeTheClientHasSentAll) {
  Served served;
  grpc::ClientContext context;
  Balance balance;
  auto import = served.stub->Import(&context, &balance);
  Entry entry;
  entry.set_cents(3);
  ASSERT_TRUE(import->Write(entry));
  entry.set_note("enough");
  ASSERT_TRUE(import->Write(entry));
  EXPECT_EQ(Outcome(import->Finish()), "OK");
  EXPECT_EQ(balance.cents(), 3);
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, P6_AHandlerThatDoesNotReadStopsItsClient) {
  Served served({.stream_messages = 4});
  grpc::ClientContext context;
  Balance balance;
  auto import = served.stub->Import(&context, &balance);
  Entry entry;
  entry.set_note("wait");
  ASSERT_TRUE(import->Write(entry));
  served.AwaitHandlers(1);
  // More than the windows of HTTP/2 and the queue take: a write stops until the
  // call ends.
  entry.set_note(std::string(100'000, 'n'));
  int64_t written = 0;
  std::thread writer([&] {
    while (import->Write(entry)) ++written;
  });
  Balance other;
  for (int i = 0; i < 1000; ++i) {
    grpc::ClientContext next;
    ASSERT_TRUE(
        served.stub->GetBalance(&next, GetBalanceRequest(), &other).ok());
  }
  context.TryCancel();
  writer.join();
  EXPECT_EQ(Outcome(import->Finish()), "CANCELLED");
  EXPECT_LT(written, 1000);
  served.AwaitHandlers(0);
}

TEST(ServerStreamsTest, P14_BytesThatAreNoMessageReachTheHandlerAsAnError) {
  Served served({.max_message_bytes = 1000});
  RawCall bad(served.address, Path("Import"));
  bad.SendMessage("\xff\xff", false);
  EXPECT_TRUE(bad.ReadUntil("grpc-status"));
  RawCall large(served.address, Path("Import"));
  large.SendMessage(std::string(2000, 'x'), false);
  EXPECT_TRUE(large.ReadUntil("grpc-status"));
  grpc::ClientContext context;
  Balance balance;
  auto import = served.stub->Import(&context, &balance);
  Entry entry;
  entry.set_note(std::string(1000, 'n'));
  import->Write(entry);
  EXPECT_EQ(Outcome(import->Finish()), "EXHAUSTED PAYLOAD_TOO_LARGE");
  Listing listing(*served.stub, Entries(1, 1000));
  EXPECT_EQ(listing.ReadAll(), 0);
  EXPECT_EQ(Outcome(listing.reader->Finish()), "EXHAUSTED");
  served.AwaitHandlers(0);
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, BothDirectionsGoOnTogether) {
  Served served;
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&served, c] {
      grpc::ClientContext context;
      auto chat = served.stub->Chat(&context);
      Line line;
      Line back;
      for (int i = 0; i < 300; ++i) {
        line.set_text(absl::StrCat(c, " ", i));
        EXPECT_TRUE(chat->Write(line));
        EXPECT_TRUE(chat->Read(&back));
        EXPECT_EQ(back.text(), line.text());
      }
      chat->WritesDone();
      EXPECT_FALSE(chat->Read(&back));
      EXPECT_EQ(Outcome(chat->Finish()), "OK");
    });
  }
  for (std::thread& client : clients) client.join();
  served.AwaitHandlers(0);
  served.AwaitNoCalls();
}

TEST(ServerStreamsTest, P10_OpenStreamsLearnThatTheActorOrTheBusHasEnded) {
  for (const bool bus_ends : {false, true}) {
    Served served;
    Listing listing(*served.stub, Entries(1, 1, 0, true));
    grpc::ClientContext context;
    auto chat = served.stub->Chat(&context);
    served.AwaitHandlers(2);
    served.Await([](const Balance& b) { return b.written() == 1; });
    if (bus_ends) {
      served.bus->Shutdown(absl::ZeroDuration());
    } else {
      served.account.Stop();
    }
    const std::string expected = absl::StrCat(
        "UNAVAILABLE ", bus_ends ? "DRAINING" : "ACTOR_STOPPED_DURING_ASK");
    EXPECT_EQ(listing.ReadAll(1), 1);
    EXPECT_EQ(Outcome(listing.reader->Finish()), expected);
    Line line;
    EXPECT_FALSE(chat->Read(&line));
    EXPECT_EQ(Outcome(chat->Finish()), expected);
  }
}

TEST(ServerStreamsTest, P10_TheEndOfTheServerEndsItsStreams) {
  Served served;
  Listing listing(*served.stub, Entries(1, 1, 0, true));
  served.AwaitHandlers(1);
  served.server->Shutdown(std::chrono::system_clock::now());
  EXPECT_EQ(listing.ReadAll(1), 1);
  EXPECT_NE(Outcome(listing.reader->Finish()), "OK");
  served.AwaitHandlers(0);
  EXPECT_EQ(served.service->open_calls(), 0);
}

TEST(ServerStreamsTest, P14_BytesAloneAreNoStream) {
  Served served;
  const WireTarget target = *WireTarget::Find(*served.bus, "account");
  for (const std::string& type : target.accepts()) {
    if (type[0] != '(') continue;
    EXPECT_EQ(target.Tell({type, ""}).code(),
              absl::StatusCode::kInvalidArgument)
        << type;
  }
  served.AwaitHandlers(0);
}

}  // namespace
}  // namespace trolley::rpc_test
