// SPDX-License-Identifier: Apache-2.0
//
// Unary calls of an actor that is a gRPC service.

#include "trolley/actors/rpc/actor_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/wire.h"
#include "trolley/poller/printable.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/control/control_client.h"
#include "trolley/tests/poller/extreme_durations.h"
#include "trolley/tests/rpc/served.h"

namespace trolley::rpc_test {
namespace {

using test::Outcome;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

grpc::Status GetBalance(Bank::Stub& stub, Balance* balance) {
  grpc::ClientContext context;
  return stub.GetBalance(&context, GetBalanceRequest(), balance);
}
std::string OutcomeOf(Bank::Stub& stub) {
  Balance balance;
  return Outcome(GetBalance(stub, &balance));
}
grpc::Status Throw(Bank::Stub& stub, const std::string& text) {
  grpc::ClientContext context;
  ThrowRequest request;
  request.set_text(text);
  Balance balance;
  return stub.Throw(&context, request, &balance);
}

TEST(ActorServiceTest, AMethodIsTheHandlerOfItsRequest) {
  Served served;
  DepositRequest deposit;
  deposit.set_cents(25);
  google::protobuf::Empty nothing;
  grpc::ClientContext context;
  ASSERT_TRUE(served.stub->Deposit(&context, deposit, &nothing).ok());
  Balance balance;
  ASSERT_TRUE(GetBalance(*served.stub, &balance).ok());
  EXPECT_EQ(balance.cents(), 25);
  served.AwaitNoCalls();
}

TEST(ActorServiceTest, AServiceMayBeAPartOfTheActor) {
  Served served;
  auto teller =
      ActorService::Create(*served.bus, "trolley.rpc_test.Teller", "account");
  ASSERT_TRUE(teller.ok()) << teller.status();
  std::string address;
  auto server = Serve(**teller, &address);
  Balance balance;
  grpc::ClientContext context;
  EXPECT_TRUE(Teller::NewStub(Dial(address))
                  ->GetBalance(&context, GetBalanceRequest(), &balance)
                  .ok());
  server->Shutdown();
}

TEST(ActorServiceTest, CreateNamesEachMethodThatItCannotServe) {
  Served served;
  const auto why = [&](const std::string& service,
                       const std::string& actor = "account") {
    const auto made = ActorService::Create(*served.bus, service, actor);
    return made.ok() ? "" : made.status().ToString();
  };
  EXPECT_THAT(why("trolley.rpc_test.Twice"),
              AllOf(HasSubstr("INVALID_ARGUMENT"),
                    HasSubstr("/trolley.rpc_test.Twice/GetOne"),
                    HasSubstr("/trolley.rpc_test.Twice/GetOther"),
                    HasSubstr("trolley.rpc_test.GetBalanceRequest"),
                    HasSubstr("a request message of its own")));
  EXPECT_THAT(
      why("trolley.rpc_test.Unhandled"),
      AllOf(HasSubstr("/trolley.rpc_test.Unhandled/Meet"),
            HasSubstr("Balance(Stranger) in its Receives"),
            HasSubstr("/trolley.rpc_test.Unhandled/WatchBalance"),
            HasSubstr("(trolley.rpc_test.GetBalanceRequest) returns (stream "
                      "trolley.rpc_test.Balance)"),
            HasSubstr("trolley::ServerStreaming<GetBalanceRequest, Balance> "
                      "in its Receives")));
  EXPECT_THAT(why("trolley.rpc_test.OtherReply"),
              AllOf(HasSubstr("returns trolley.rpc_test.Balance"),
                    HasSubstr("the method returns trolley.rpc_test.Blob"),
                    HasSubstr("/trolley.rpc_test.OtherReply/Clear")));
  EXPECT_THAT(why("trolley.rpc_test.NoSuch"), HasSubstr("NOT_FOUND"));
  EXPECT_THAT(why("\x1b[2J"), Not(HasSubstr("\x1b")));
  EXPECT_THAT(why(kBank, "nobody"), HasSubstr("NOT_FOUND"));
}

TEST(ActorServiceTest, TheErrorOfAHandlerIsTheStatusOfTheCall) {
  Served served;
  for (int code = 1; code <= 16; ++code) {
    FailRequest request;
    request.set_code(code);
    request.set_text(absl::StrCat("no ", code));
    Balance balance;
    grpc::ClientContext context;
    const grpc::Status status = served.stub->Fail(&context, request, &balance);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), absl::StrCat("no ", code));
    EXPECT_EQ(status.error_details(), "");
  }
}

TEST(ActorServiceTest, P14_TheTextOfAHandlerIsMadePrintableAndCut) {
  Served served;
  for (const std::string& text :
       {std::string("\x1b[2J\n\xff\0", 7), std::string(1 << 20, '\x1b'),
        std::string(1 << 20, 'x')}) {
    FailRequest request;
    request.set_code(5);
    request.set_text(text);
    Balance balance;
    grpc::ClientContext context;
    const grpc::Status status = served.stub->Fail(&context, request, &balance);
    EXPECT_EQ(Outcome(status), "NOT_FOUND");
    EXPECT_EQ(status.error_message(), Printable(text));
    EXPECT_LE(status.error_message().size(), kMaxTextBytes + 3);
  }
}

TEST(ActorServiceTest, P8_AHandlerThatThrowsEndsItsActorOnly) {
  Served served;
  const grpc::Status thrown = Throw(*served.stub, "\x1b[2J");
  EXPECT_EQ(Outcome(thrown), "INTERNAL");
  EXPECT_THAT(thrown.error_message(), HasSubstr("\\x1b[2J"));
  EXPECT_EQ(OutcomeOf(*served.stub), "UNAVAILABLE ACTOR_NOT_FOUND");
  // The next actor of that name serves.
  ASSERT_TRUE(served.bus->Spawn<Account>({.name = "account"}).ok());
  EXPECT_EQ(OutcomeOf(*served.stub), "OK");
}

class Other : public Actor {};

TEST(ActorServiceTest, AnActorOfAnotherClassIsNotAsked) {
  Served served;
  served.account.Stop();
  AskUntil([&] { return OutcomeOf(*served.stub); },
           [](const std::string& outcome) { return outcome != "OK"; });
  AskUntil(
      [&] { return served.bus->Spawn<Other>({.name = "account"}).status(); },
      [](const absl::Status& spawned) { return spawned.ok(); })
      .IgnoreError();
  EXPECT_EQ(OutcomeOf(*served.stub), "UNIMPLEMENTED MESSAGE_TYPE_REJECTED");
  grpc::ClientContext context;
  Entry entry;
  auto list = served.stub->ListEntries(&context, ListEntriesRequest());
  EXPECT_FALSE(list->Read(&entry));
  EXPECT_EQ(Outcome(list->Finish()), "UNIMPLEMENTED MESSAGE_TYPE_REJECTED");
}

TEST(ActorServiceTest, AnActorThatIsRestartedServesOn) {
  auto bus = *Bus::Create({});
  const auto root = *bus->Spawn<Supervisor>(
      {.name = "root"}, SupervisorOptions{},
      std::vector<ChildSpec>{Child<Account>({.name = "account"})});
  ASSERT_TRUE(root.AskAndWait(AwaitUp{}, absl::InfiniteDuration()).ok());
  auto service = *ActorService::Create(*bus, kBank, "root/account");
  std::string address;
  auto server = Serve(*service, &address);
  auto stub = Bank::NewStub(Dial(address));
  EXPECT_EQ(Outcome(Throw(*stub, "once")), "INTERNAL");
  // The message waits in the seat until the next object is there.
  EXPECT_EQ(OutcomeOf(*stub), "OK");
  server->Shutdown(std::chrono::system_clock::now());
  bus->Shutdown(absl::Seconds(5));
}

TEST(ActorServiceTest, P6_ACancelledCallGivesItsCreditBack) {
  Served served({}, /*capacity=*/16);
  // Less than half of the credits may be in handlers that wait.
  for (int round = 0; round < 5; ++round) {
    Holds holds(*served.stub, 7);
    served.AwaitHandlers(7);
    EXPECT_EQ(served.service->open_calls(), 7);
    holds.Cancel();
    EXPECT_THAT(holds.AwaitOutcomes(), Each("CANCELLED"));
    served.AwaitHandlers(0);
  }
  served.AwaitNoCalls();
}

TEST(ActorServiceTest, P6_CallsBeyondTheLimitAreRefused) {
  Served served({.max_calls = 3});
  Holds holds(*served.stub, 3);
  served.AwaitHandlers(3);
  EXPECT_EQ(OutcomeOf(*served.stub), "EXHAUSTED TOO_MANY_CALLS");
  grpc::ClientContext context;
  Entry entry;
  auto list = served.stub->ListEntries(&context, ListEntriesRequest());
  EXPECT_FALSE(list->Read(&entry));
  EXPECT_EQ(Outcome(list->Finish()), "EXHAUSTED TOO_MANY_CALLS");
  holds.Cancel();
  holds.AwaitOutcomes();
  served.AwaitNoCalls();
  EXPECT_EQ(OutcomeOf(*served.stub), "OK");
}

TEST(ActorServiceTest, P6_AFullMailboxRefuses) {
  Served served({}, /*capacity=*/4);
  absl::Notification stuck;
  absl::Notification go;
  served.bus->RunOnLoop(0, [&] {
    stuck.Notify();
    go.WaitForNotification();
  });
  stuck.WaitForNotification();
  // They are all in the mailbox, or refused, before the loop goes on.
  constexpr int kCalls = 2000;
  std::vector<grpc::ClientContext> contexts(kCalls);
  std::vector<Balance> balances(kCalls);
  absl::BlockingCounter ended(kCalls);
  std::atomic<int> ok{0};
  std::atomic<int> full{0};
  const GetBalanceRequest request;
  for (int i = 0; i < kCalls; ++i) {
    served.stub->async()->GetBalance(
        &contexts[i], &request, &balances[i], [&](const grpc::Status& status) {
          const std::string outcome = Outcome(status);
          if (outcome == "OK") ++ok;
          if (outcome == "EXHAUSTED MAILBOX_FULL" && ++full == kCalls - 4) {
            go.Notify();
          }
          ended.DecrementCount();
        });
  }
  ended.Wait();
  EXPECT_EQ(ok.load(), 4);
  EXPECT_EQ(full.load(), kCalls - 4);
  served.AwaitNoCalls();
}

TEST(ActorServiceTest, P6_ADeadlineEndsTheCallAndItsHandler) {
  Served served;
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    test::SetTimeout(context, absl::Milliseconds(30));
    Balance balance;
    EXPECT_EQ(served.stub->Hold(&context, HoldRequest(), &balance).error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
    served.AwaitHandlers(0);
  }
  served.AwaitNoCalls();
}

TEST(ActorServiceTest, P6_ACallWithoutADeadlineGetsTheDefault) {
  Served served({.default_deadline = absl::Milliseconds(20)});
  Holds holds(*served.stub, 3);
  EXPECT_THAT(holds.AwaitOutcomes(), Each("DEADLINE ASK_TIMEOUT"));
  served.AwaitHandlers(0);
}

TEST(ActorServiceTest, P6_NoDeadlineIsLongerThanTheLongest) {
  Served served({.longest_deadline = absl::Milliseconds(20)});
  Balance balance;
  grpc::ClientContext context;
  test::SetTimeout(context, absl::Hours(24 * 365 * 300));
  EXPECT_EQ(Outcome(served.stub->Hold(&context, HoldRequest(), &balance)),
            "DEADLINE ASK_TIMEOUT");
  served.AwaitHandlers(0);
}

TEST(ActorServiceTest, P6_ALoopThatIsStuckHoldsNoCallBeyondItsDeadline) {
  BusOptions options;
  options.loops = std::vector<LoopOptions>(2);
  auto bus = *Bus::Create(options);
  const auto other = *bus->Spawn<Account>({.loop = 1});
  ASSERT_TRUE(bus->Spawn<Account>({.name = "account", .loop = 0}).ok());
  auto service = *ActorService::Create(*bus, kBank, "account");
  std::string address;
  auto server = Serve(*service, &address);
  auto stub = Bank::NewStub(Dial(address));
  ASSERT_EQ(OutcomeOf(*stub), "OK");
  absl::Notification go;
  bus->RunOnLoop(0, [&] { go.WaitForNotification(); });
  grpc::ClientContext context;
  test::SetTimeout(context, absl::Milliseconds(50));
  Balance balance;
  EXPECT_EQ(
      stub->GetBalance(&context, GetBalanceRequest(), &balance).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
  AskUntil(
      [&] {
        EXPECT_TRUE(
            other.AskAndWait(GetBalanceRequest(), absl::InfiniteDuration())
                .ok());
        return service->open_calls();
      },
      [](uint32_t open) { return open == 0; });
  go.Notify();
  EXPECT_EQ(OutcomeOf(*stub), "OK");
  server->Shutdown(std::chrono::system_clock::now());
  bus->Shutdown(absl::Seconds(5));
}

// What a client may give as its deadline, at its extremes.
TEST(ActorServiceTest, P17_EveryDeadlineOfAClientIsADeadline) {
  Served served({.longest_deadline = absl::InfiniteDuration()});
  for (const Extreme& e : Extremes()) {
    SCOPED_TRACE(e.name);
    grpc::ClientContext context;
    test::SetTimeout(context, e.value);
    Balance balance;
    const grpc::Status status =
        served.stub->GetBalance(&context, GetBalanceRequest(), &balance);
    // gRPC rounds a deadline up to a millisecond, in which the call may end.
    if (e.soon() && !status.ok()) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
      continue;
    }
    ASSERT_TRUE(status.ok()) << status.error_message();
    // A deadline that gRPC cannot hold is none: then it is the default.
    if (!e.soon() && balance.seconds_left() > 60) {
      EXPECT_GT(balance.seconds_left(), 60 * 60 * 24 * 365);
    } else {
      EXPECT_TRUE(e.soon() || e.never());
    }
    if (e.value == absl::InfiniteDuration()) {
      EXPECT_LE(balance.seconds_left(), 60);
    }
    EXPECT_GT(balance.seconds_left(), e.soon() ? 0 : 1);
  }
}

TEST(ActorServiceTest, P14_MessagesAboveTheLimitAreRefused) {
  Served served({.max_message_bytes = 1000});
  const auto deposit = [&](size_t bytes) {
    DepositRequest request;
    request.set_note(std::string(bytes, 'n'));
    google::protobuf::Empty nothing;
    grpc::ClientContext context;
    return Outcome(served.stub->Deposit(&context, request, &nothing));
  };
  EXPECT_EQ(deposit(997), "OK");  // and three bytes around it
  EXPECT_EQ(deposit(998), "EXHAUSTED PAYLOAD_TOO_LARGE");
  EXPECT_EQ(deposit(1 << 20), "EXHAUSTED PAYLOAD_TOO_LARGE");
  // Short on the wire, and long when it is unpacked.
  DepositRequest packed;
  packed.set_note(std::string(1 << 20, 'n'));
  google::protobuf::Empty nothing;
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EXPECT_EQ(Outcome(served.stub->Deposit(&context, packed, &nothing)),
            "EXHAUSTED PAYLOAD_TOO_LARGE");
  const auto get_blob = [&](uint32_t bytes) {
    GetBlobRequest request;
    request.set_size(bytes);
    Blob blob;
    grpc::ClientContext context;
    return Outcome(served.stub->GetBlob(&context, request, &blob));
  };
  EXPECT_EQ(get_blob(997), "OK");
  EXPECT_EQ(get_blob(998), "EXHAUSTED PAYLOAD_TOO_LARGE");
  served.AwaitNoCalls();
}

TEST(ActorServiceTest, P14_BytesThatAreNoMessageAreRefused) {
  Served served;
  test::Client client(served.address);
  const auto call = [&](const std::string& method, const std::string& bytes) {
    return Outcome(test::CallMethod(
        client, absl::StrCat("/", kBank, "/", method), &bytes, nullptr));
  };
  EXPECT_EQ(call("Deposit", "\xff\xff"), "INVALID_ARGUMENT BAD_PAYLOAD");
  EXPECT_EQ(call("Deposit", std::string("\x12\x01\xff", 3)),
            "INVALID_ARGUMENT BAD_PAYLOAD");  // a note that is not UTF-8
  EXPECT_EQ(call("ListEntries", "\xff\xff"), "INVALID_ARGUMENT BAD_PAYLOAD");
  EXPECT_EQ(call("Deposit", ""), "OK");
  EXPECT_EQ(call("NoSuch", ""), "UNIMPLEMENTED");
  for (const char* method : {"Deposit", "ListEntries"}) {
    EXPECT_NE(
        Outcome(test::CallMethod(client, absl::StrCat("/", kBank, "/", method),
                                 nullptr, nullptr)),
        "OK");
  }
  served.AwaitNoCalls();
  served.AwaitHandlers(0);
}

TEST(ActorServiceTest, P10_CallsThatWaitLearnThatTheActorHasEnded) {
  Served served;
  Holds holds(*served.stub, 3);
  served.AwaitHandlers(3);
  served.account.Stop();
  EXPECT_THAT(holds.AwaitOutcomes(),
              Each("UNAVAILABLE ACTOR_STOPPED_DURING_ASK"));
  EXPECT_EQ(OutcomeOf(*served.stub), "UNAVAILABLE ACTOR_NOT_FOUND");
}

TEST(ActorServiceTest, P10_TheBusMayEndBeforeTheServer) {
  Served served;
  Holds holds(*served.stub, 3);
  served.AwaitHandlers(3);
  served.bus->Shutdown(absl::ZeroDuration());
  EXPECT_THAT(holds.AwaitOutcomes(), Each("UNAVAILABLE DRAINING"));
  EXPECT_EQ(OutcomeOf(*served.stub), "UNAVAILABLE DRAINING");
}

TEST(ActorServiceTest, P10_TheServerMayEndBeforeTheBus) {
  Served served;
  Holds holds(*served.stub, 3);
  served.AwaitHandlers(3);
  served.server->Shutdown(std::chrono::system_clock::now());
  EXPECT_THAT(holds.AwaitOutcomes(), Each(Not("OK")));
  served.AwaitHandlers(0);
  EXPECT_EQ(served.service->open_calls(), 0);
  served.server = nullptr;
  served.service = nullptr;
}

TEST(ActorServiceTest, ATraceOfTheClientReachesTheHandler) {
  Served served;
  const auto trace_of = [&](const std::string& header) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", header);
    Balance balance;
    EXPECT_TRUE(
        served.stub->GetBalance(&context, GetBalanceRequest(), &balance).ok());
    return balance.traceparent();
  };
  const std::string trace =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(trace_of(trace), trace);
  EXPECT_EQ(trace_of("00-no"), "");
  EXPECT_EQ(trace_of(std::string(4000, 'f')), "");
}

}  // namespace
}  // namespace trolley::rpc_test
