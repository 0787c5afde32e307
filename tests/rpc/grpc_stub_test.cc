// SPDX-License-Identifier: Apache-2.0
//
// A gRPC service as a Ref: a Remote over a GrpcStub.

#include "trolley/actors/rpc/grpc_stub.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/link/remote_watch.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/rpc/served.h"

namespace trolley::rpc_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using BankProtocol =
    Protocol<Balance(GetBalanceRequest), DepositRequest, Balance(FailRequest),
             Balance(HoldRequest), Blob(GetBlobRequest), Entry(Entry),
             Line(ListEntriesRequest), Balance(Stranger)>;

constexpr absl::Duration kLong = absl::Minutes(5);

// The side of the client: a bus of its own.
struct Caller {
  explicit Caller(const std::string& address, GrpcStubOptions options = {},
                  const std::string& service = kBank)
      : bus(*Bus::Create({})),
        stub(*bus->Spawn<GrpcStub>({}, *bus, Dial(address), options)),
        bank(*bus->Spawn<Remote<BankProtocol>>({}, Ref<Link>(stub), service)) {}
  ~Caller() {
    const ShutdownReport report = bus->Shutdown(absl::ZeroDuration());
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  }

  LinkStats Stats() {
    return *stub.AskAndWait(GetLinkStats{}, absl::InfiniteDuration());
  }
  template <typename M>
  auto Ask(const M& message) {
    return bank.AskAndWait(message, kLong);
  }

  std::unique_ptr<Bus> bus;
  Ref<GrpcStub> stub;
  Ref<BankProtocol> bank;
};

TEST(GrpcStubTest, AnAskIsAUnaryCall) {
  Served served;
  Caller caller(served.address);
  DepositRequest deposit;
  deposit.set_cents(7);
  ASSERT_TRUE(caller.Ask(deposit).ok());
  const absl::StatusOr<Balance> balance = caller.Ask(GetBalanceRequest());
  ASSERT_TRUE(balance.ok()) << balance.status();
  EXPECT_EQ(balance->cents(), 7);
  EXPECT_GT(balance->seconds_left(), 60);  // the deadline of the ask
  const LinkStats stats = caller.Stats();
  EXPECT_TRUE(stats.connected);
  EXPECT_EQ(stats.written, 2);
  EXPECT_EQ(stats.received, 2);
  EXPECT_EQ(stats.pending_asks, 0);
}

TEST(GrpcStubTest, ATellIsACallWhoseErrorIsCounted) {
  Served served;
  Caller caller(served.address);
  DepositRequest deposit;
  deposit.set_cents(5);
  EXPECT_EQ(caller.bank.Tell(deposit), Delivery::kAccepted);
  FailRequest fail;
  fail.set_code(3);
  EXPECT_EQ(caller.bank.Tell(fail), Delivery::kAccepted);
  const LinkStats stats =
      AskUntil([&] { return caller.Stats(); },
               [](const LinkStats& s) {
                 return s.received == 1 && s.refused_by_peer == 1;
               });
  EXPECT_EQ(stats.pending_asks, 0);
  served.Await([](const Balance& b) { return b.cents() == 5; });
}

TEST(GrpcStubTest, EveryCodeOfTheServerReachesTheAsker) {
  Served served;
  Caller caller(served.address);
  for (int code = 1; code <= 16; ++code) {
    FailRequest fail;
    fail.set_code(code);
    fail.set_text("no");
    const absl::StatusOr<Balance> got = caller.Ask(fail);
    EXPECT_EQ(static_cast<int>(got.status().code()), code);
    EXPECT_EQ(got.status().message(), "no");
  }
}

// A server that is no actor, and sends what it likes.
class Hostile final : public Bank::CallbackService {
  grpc::ServerUnaryReactor* GetBalance(grpc::CallbackServerContext* context,
                                       const GetBalanceRequest*,
                                       Balance*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(
        grpc::Status(static_cast<grpc::StatusCode>(77),
                     std::string("\x1b[2J\n") + std::string(3000, 'x')));
    return reactor;
  }
  grpc::ServerUnaryReactor* GetBlob(grpc::CallbackServerContext* context,
                                    const GetBlobRequest* request,
                                    Blob* blob) override {
    blob->set_data(std::string(request->size(), 'x'));
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

TEST(GrpcStubTest, P14_WhatAServerSendsIsMadePrintableAndLimited) {
  Hostile hostile;
  std::string address;
  const auto server = Serve(hostile, &address);
  {
    Caller caller(address, {.max_message_bytes = 1000});
    const absl::Status status = caller.Ask(GetBalanceRequest()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
    EXPECT_THAT(std::string(status.message()), HasSubstr("\\x1b[2J"));
    EXPECT_LT(status.message().size(), 600);
    GetBlobRequest blob;
    blob.set_size(997);
    EXPECT_TRUE(caller.Ask(blob).ok());
    blob.set_size(998);
    EXPECT_EQ(caller.Ask(blob).status().code(),
              absl::StatusCode::kResourceExhausted);
    DepositRequest deposit;
    deposit.set_note(std::string(1000, 'n'));
    EXPECT_THAT(caller.Ask(deposit).ToString(),
                HasSubstr("GrpcStubOptions::max_message_bytes"));
    EXPECT_EQ(caller.Stats().not_sent, 1);
  }
  server->Shutdown(std::chrono::system_clock::now());
}

TEST(GrpcStubTest, AMessageThatIsNoCallIsRefused) {
  Served served;
  Caller caller(served.address);
  EXPECT_EQ(caller.Ask(Stranger()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(caller.Ask(ListEntriesRequest()).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(caller.Ask(Entry()).status().code(),
            absl::StatusCode::kUnimplemented);
  Caller twice(served.address, {}, "trolley.rpc_test.Twice");
  EXPECT_THAT(twice.Ask(GetBalanceRequest()).status().ToString(),
              HasSubstr("trolley.rpc_test.Twice.GetOther"));
  Caller lost(served.address, {}, "no.such\x1bService");
  const absl::Status status = lost.Ask(GetBalanceRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), Not(HasSubstr("\x1b")));
}

TEST(GrpcStubTest, WithoutAServerAnAskIsUnavailable) {
  std::string address;
  {
    Hostile none;
    Serve(none, &address)->Shutdown();
  }
  Caller caller(address);
  EXPECT_EQ(caller.Ask(GetBalanceRequest()).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_FALSE(caller.Stats().connected);
}

// An actor that asks, and can stop asking.
struct Begin {
  int asks;
};
struct Forget {};
class Asker : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Asker(Ref<BankProtocol> bank) : bank_(std::move(bank)) {}
  void On(const Begin& m) {
    for (int i = 0; i < m.asks; ++i) asks_.push_back(Hold());
  }
  void On(const Forget&) { asks_.clear(); }

 private:
  AskAwaiter<absl::StatusOr<Balance>> Hold() {
    return bank_.Ask(HoldRequest(), kLong);
  }
  const Ref<BankProtocol> bank_;
  std::vector<AskAwaiter<absl::StatusOr<Balance>>> asks_;
};

TEST(GrpcStubTest, P6_AnAskerThatNoLongerWaitsCancelsItsCall) {
  Served served;
  Caller caller(served.address);
  const auto asker = *caller.bus->Spawn<Asker>({}, caller.bank);
  for (int round = 0; round < 3; ++round) {
    asker.Tell(Begin{20});
    served.AwaitHandlers(20);
    asker.Tell(Forget{});
    served.AwaitHandlers(0);
  }
  AskUntil([&] { return caller.Stats(); },
           [](const LinkStats& s) { return s.pending_asks == 0; });
}

TEST(GrpcStubTest, P6_TheDeadlineOfAnAskIsThatOfTheCall) {
  Served served;
  Caller caller(served.address);
  EXPECT_EQ(caller.bank.AskAndWait(HoldRequest(), absl::Milliseconds(30))
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
  served.AwaitHandlers(0);
}

TEST(GrpcStubTest, P6_CallsWithoutAnAnswerAreLimited) {
  Served served;
  Caller caller(served.address, {.max_calls = 3});
  const auto asker = *caller.bus->Spawn<Asker>({}, caller.bank);
  asker.Tell(Begin{3});
  served.AwaitHandlers(3);
  const absl::Status status = caller.Ask(GetBalanceRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.ToString(), HasSubstr("GrpcStubOptions::max_calls"));
  asker.Tell(Forget{});
  EXPECT_TRUE(AskUntil([&] { return caller.Ask(GetBalanceRequest()); },
                       [](const absl::StatusOr<Balance>& b) { return b.ok(); })
                  .ok());
}

TEST(GrpcStubTest, P15_AServerThatEndsEndsItsCalls) {
  Served served;
  Caller caller(served.address);
  absl::Notification ended;
  absl::Status status;
  caller.bank.AskThen(HoldRequest(), kLong,
                      [&](absl::StatusOr<Balance> balance) {
                        status = balance.status();
                        ended.Notify();
                      });
  served.AwaitHandlers(1);
  served.server->Shutdown(std::chrono::system_clock::now());
  ended.WaitForNotification();
  EXPECT_FALSE(status.ok());
}

TEST(GrpcStubTest, P10_TheEndOfAStubCancelsItsCalls) {
  Served served;
  Caller caller(served.address);
  absl::BlockingCounter ended(3);
  for (int i = 0; i < 3; ++i) {
    caller.bank.AskThen(HoldRequest(), kLong,
                        [&](absl::StatusOr<Balance> balance) {
                          EXPECT_FALSE(balance.ok());
                          ended.DecrementCount();
                        });
  }
  served.AwaitHandlers(3);
  caller.stub.Stop();
  ended.Wait();
  served.AwaitHandlers(0);
  EXPECT_FALSE(caller.Ask(GetBalanceRequest()).ok());
}

TEST(GrpcStubTest, P10_TheBusOfAStubMayEndWithCallsUnderWay) {
  Served served;
  {
    Caller caller(served.address);
    for (int i = 0; i < 3; ++i) {
      caller.bank.AskThen(HoldRequest(), kLong, [](absl::StatusOr<Balance>) {});
    }
    served.AwaitHandlers(3);
  }
  served.AwaitHandlers(0);
}

TEST(GrpcStubTest, OptionsThatAreNotValidAreTheErrorOfEachMessage) {
  Served served;
  Caller caller(served.address, {.max_calls = 0});
  const absl::Status status = caller.Ask(GetBalanceRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), HasSubstr("GrpcStubOptions::max_calls"));
}

// Waits for the end of an actor that a service cannot have.
class Watching : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  explicit Watching(const Ref<Link>& link)
      : watch_(Self(this), link, "account") {}
  void On(const Down& down) {
    down_ = down;
    changed_.Notify();
  }
  Task<absl::StatusCode> On(int) {
    while (!down_.has_value()) co_await changed_.Wait();
    co_return down_->lost.code();
  }

 private:
  RemoteWatch watch_;
  std::optional<Down> down_;
  AsyncCondition changed_;
};

TEST(GrpcStubTest, AWatchIsToldThatAServiceHasNoActors) {
  Served served;
  Caller caller(served.address);
  const auto watching =
      *caller.bus->Spawn<Watching>({}, Ref<Link>(caller.stub));
  EXPECT_EQ(watching.AskAndWait(1, kLong).value(),
            absl::StatusCode::kUnimplemented);
}

TEST(GrpcStubTest, ItsLedgerBalances) {
  Served served;
  Caller caller(served.address);
  const LinkLedger before =
      *caller.stub.AskAndWait(GetLinkLedger{}, absl::InfiniteDuration());
  EXPECT_EQ(before.accepted, 0u);
  EXPECT_TRUE(caller.Ask(GetBalanceRequest()).ok());
  const LinkLedger after =
      *caller.stub.AskAndWait(GetLinkLedger{}, absl::InfiniteDuration());
  EXPECT_EQ(after.accepted, 1u);
  EXPECT_EQ(after.acknowledged, 1u);
  EXPECT_EQ(after.failed, 0u);
  EXPECT_EQ(after.open, 0u);
}

}  // namespace
}  // namespace trolley::rpc_test
