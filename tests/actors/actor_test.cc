// SPDX-License-Identifier: Apache-2.0
//
// The actor API, used as by a program, on real loops.

#include "trolley/actors/actor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_form.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

struct Deposit {
  int64_t cents;
};
struct GetBalance {};
struct Withdraw {
  int64_t cents;
};

class Account : public Actor {
 public:
  explicit Account(int64_t cents) : cents_(cents) {}
  void On(const Deposit& m) { cents_ += m.cents; }
  int64_t On(const GetBalance&) { return cents_; }
  absl::Status On(const Withdraw& m) {
    if (m.cents > cents_) {
      return absl::FailedPreconditionError("not that much there");
    }
    cents_ -= m.cents;
    return absl::OkStatus();
  }

 private:
  int64_t cents_;
};

struct Transfer {
  int64_t cents;
};

class Teller : public Actor {
 public:
  Teller(Ref<Account> from, Ref<Account> to) : from_(from), to_(to) {}

  Task<absl::Status> On(Transfer m) {
    absl::StatusOr<int64_t> have =
        co_await from_.Ask(GetBalance{}, absl::Seconds(10));
    if (!have.ok()) co_return have.status();
    absl::Status taken =
        co_await from_.Ask(Withdraw{m.cents}, absl::Seconds(10));
    if (!taken.ok()) co_return taken;
    to_.Tell(Deposit{m.cents});
    co_return absl::OkStatus();
  }

 private:
  Ref<Account> from_;
  Ref<Account> to_;
};

struct Pass {
  int number;
};
struct Look {};

// The first to pass waits for a turn of the loop; the others find it open.
class Gate : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  MaybeTask<absl::Status> On(const Pass& m) {
    if (!std::exchange(open_, true)) return Later(m);
    return Passed(m);
  }
  std::vector<int> On(const Look&) { return passed_; }

 private:
  absl::Status Passed(const Pass& m) {
    passed_.push_back(m.number);
    if (m.number < 0) return absl::InvalidArgumentError("no such number");
    return absl::OkStatus();
  }
  Task<absl::Status> Later(const Pass& m) {
    HoldMailbox();
    co_await Sleep(absl::ZeroDuration());
    co_return Passed(m);
  }

  bool open_ = false;
  std::vector<int> passed_;
};

class ActorTest : public ::testing::TestWithParam<BusForm> {
 protected:
  std::unique_ptr<Bus> NewBus() {
    BusOptions options;
    options.loops = LoopsOf(GetParam());
    auto bus = Bus::Create(options);
    EXPECT_TRUE(bus.ok()) << bus.status();
    return *std::move(bus);
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, ActorTest,
                         ::testing::ValuesIn(ThreadedBusForms()), BusFormName);

TEST_P(ActorTest, TellThenAskFromAThread) {
  auto bus = NewBus();
  auto account = bus->Spawn<Account>({.name = "accounts/alice"}, 100);
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->Tell(Deposit{25}), Delivery::kAccepted);
  EXPECT_EQ(account->AskAndWait(GetBalance{}, absl::Seconds(10)).value(), 125);
  const absl::Status refused =
      account->AskAndWait(Withdraw{1000}, absl::Seconds(10));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  ShutdownReport report = bus->Shutdown(absl::Seconds(5));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  EXPECT_EQ(account->Tell(Deposit{1}), Delivery::kDraining);
}

TEST_P(ActorTest, CoroutineHandlersAskOtherActors) {
  auto bus = NewBus();
  auto alice = bus->Spawn<Account>({}, 100);
  auto bob = bus->Spawn<Account>({}, 0);
  auto teller = bus->Spawn<Teller>({}, *alice, *bob);
  EXPECT_TRUE(teller->AskAndWait(Transfer{60}, absl::Seconds(10)).ok());
  EXPECT_EQ(teller->AskAndWait(Transfer{60}, absl::Seconds(10)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alice->AskAndWait(GetBalance{}, absl::Seconds(10)).value(), 40);
  EXPECT_EQ(bob->AskAndWait(GetBalance{}, absl::Seconds(10)).value(), 60);
  ShutdownReport report = bus->Shutdown(absl::Seconds(5));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
}

// The first one waits, as a coroutine, and keeps the others in the mailbox of
// an interleaved actor; those go without one.
TEST_P(ActorTest, P1_AnActorThatHoldsItsMailboxIsNotOvertaken) {
  auto bus = NewBus();
  const Ref<Gate> gate = *bus->Spawn<Gate>({});
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(gate.Tell(Pass{i}), Delivery::kAccepted);
  }
  EXPECT_EQ(gate.AskAndWait(Pass{-1}, absl::Seconds(60)).code(),
            absl::StatusCode::kInvalidArgument);
  const std::vector<int> passed =
      gate.AskAndWait(Look{}, absl::Seconds(60)).value();
  ASSERT_EQ(passed.size(), 101u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(passed[i], i + 1);
}

TEST_P(ActorTest, AProtocolStandsForAnyActorThatHandlesIt) {
  using Savings = Protocol<Deposit, int64_t(GetBalance), Withdraw>;
  auto bus = NewBus();
  auto account = bus->Spawn<Account>({}, 100);
  Ref<Savings> savings = *account;
  EXPECT_EQ(savings.Tell(Deposit{25}), Delivery::kAccepted);
  absl::StatusOr<int64_t> balance =
      savings.AskAndWait(GetBalance{}, absl::Seconds(10));
  EXPECT_EQ(balance.value(), 125);
  EXPECT_TRUE(savings.AskAndWait(Withdraw{5}, absl::Seconds(10)).ok());
  EXPECT_EQ(savings.AskAndWait(Withdraw{500}, absl::Seconds(10)).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace trolley
