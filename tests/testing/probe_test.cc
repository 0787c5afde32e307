// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/probe.h"

#include <cstdint>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace trolley::testing {
namespace {

struct Receipt {
  int cents = 0;
  friend std::ostream& operator<<(std::ostream& to, const Receipt& m) {
    return to << m.cents;
  }
};
struct Alarm {};
struct Parcel {
  explicit Parcel(int n) : content(std::make_unique<int>(n)) {}
  std::unique_ptr<int> content;
};
struct GetBalance {};
struct Close {};

using Bank = Protocol<Receipt, Alarm, int64_t(GetBalance), void(Close)>;
using BankProbe = ProbeOf<Receipt, Alarm, int64_t(GetBalance), void(Close)>;

// The actor under test.
struct Withdraw {
  int cents;
};
class Teller : public Actor {
 public:
  explicit Teller(Ref<Bank> bank) : bank_(std::move(bank)) {}
  Task<absl::Status> On(Withdraw m) {
    absl::StatusOr<int64_t> have =
        co_await bank_.Ask(GetBalance{}, absl::Seconds(1));
    if (!have.ok()) co_return have.status();
    if (*have < m.cents) {
      bank_.Tell(Alarm{});
      co_return absl::FailedPreconditionError("too little");
    }
    co_await Sleep(absl::Milliseconds(250));
    bank_.Tell(Receipt{m.cents});
    co_return absl::OkStatus();
  }
  Task<absl::Status> On(Close) {
    co_return co_await bank_.Ask(Close{}, absl::Seconds(1));
  }

 private:
  const Ref<Bank> bank_;
};

TEST(ProbeTest, StandsInForAPartner) {
  SimBus sim({.loops = 2});
  BankProbe bank(sim, {.name = "bank", .loop = 1});
  auto teller = sim.Spawn<Teller>({.loop = 0}, bank.ref());
  bank.WhenAsked<GetBalance>([](const GetBalance&) { return 100; });

  teller.Tell(Withdraw{30});
  const Instant before = sim.Now();
  bank.ExpectNext<GetBalance>();
  EXPECT_EQ(bank.ExpectNext<Receipt>().cents, 30);
  EXPECT_EQ(sim.Now() - before, absl::Milliseconds(250));
  bank.ExpectNone(absl::Seconds(1));

  teller.Tell(Withdraw{101});
  bank.Expect<Alarm>();
  bank.Expect<GetBalance>();
  bank.ExpectNone();
}

TEST(ProbeTest, TheFakeMayAnswerWithAnError) {
  SimBus sim;
  BankProbe bank(sim);
  auto teller = sim.Spawn<Teller>({}, bank.ref());
  bank.WhenAsked<GetBalance>(
      [](const GetBalance&) { return absl::DataLossError("gone"); });
  EXPECT_EQ(sim.Ask(teller, Withdraw{1}, absl::Seconds(5)),
            absl::DataLossError("gone"));
  bank.WhenAsked<Close>([](const Close&) { return absl::OkStatus(); });
  EXPECT_EQ(sim.Ask(teller, Close{}, absl::Seconds(5)), absl::OkStatus());
}

TEST(ProbeTest, TheFakeMayReplaceItself) {
  SimBus sim;
  BankProbe bank(sim);
  bank.WhenAsked<GetBalance>([&](const GetBalance&) {
    bank.WhenAsked<GetBalance>([](const GetBalance&) { return 2; });
    return 1;
  });
  EXPECT_EQ(*sim.Ask(bank.ref(), GetBalance{}, absl::Seconds(1)), 1);
  EXPECT_EQ(*sim.Ask(bank.ref(), GetBalance{}, absl::Seconds(1)), 2);
}

TEST(ProbeTest, AnAskWithoutAFakeIsUnimplemented) {
  SimBus sim;
  BankProbe bank(sim);
  const absl::Status status =
      sim.Ask(bank.ref(), GetBalance{}, absl::Seconds(1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(status.message().find("GetBalance"), std::string::npos) << status;
  EXPECT_EQ(bank.waiting(), 1u);
  // A message without a reply is answered all the same.
  EXPECT_EQ(sim.Ask(bank.ref(), Alarm{}, absl::Seconds(1)), absl::OkStatus());
}

TEST(ProbeTest, ExpectTakesTheFirstOfItsKind) {
  SimBus sim;
  BankProbe bank(sim);
  bank.ref().Tell(Alarm{});
  bank.ref().Tell(Receipt{1});
  bank.ref().Tell(Receipt{2});
  EXPECT_EQ(bank.Expect<Receipt>().cents, 1);
  EXPECT_EQ(bank.Expect<Receipt>().cents, 2);
  bank.Expect<Alarm>();
  EXPECT_EQ(bank.waiting(), 0u);
}

TEST(ProbeTest, MessagesThatOnlyMoveAreGivenToTheTest) {
  SimBus sim;
  ProbeOf<Parcel> probe(sim);
  probe.ref().Tell(Parcel(8));
  EXPECT_EQ(*probe.Expect<Parcel>().content, 8);
}

TEST(ProbeTest, ExpectFailsAfterItsVirtualTimeWithWhatCame) {
  SimBus sim({.seed = 31});
  BankProbe bank(sim, {.name = "bank"});
  bank.ref().Tell(Receipt{7});
  bank.ref().Tell(Alarm{});
  const Instant before = sim.Now();
  EXPECT_NONFATAL_FAILURE(bank.Expect<GetBalance>(), "these wait: ");
  EXPECT_EQ(sim.Now() - before, absl::Seconds(1));
  EXPECT_NONFATAL_FAILURE(bank.Expect<GetBalance>(), "Receipt{7} ");
  EXPECT_NONFATAL_FAILURE(bank.Expect<GetBalance>(), "Alarm; seed 31");
  EXPECT_NONFATAL_FAILURE(bank.Expect<GetBalance>(absl::Milliseconds(5)),
                          "GetBalance at bank within 5ms");
  EXPECT_EQ(sim.Now() - before, absl::Seconds(3) + absl::Milliseconds(5));
  EXPECT_EQ(bank.waiting(), 2u);
}

TEST(ProbeTest, ExpectThatFindsNothingSaysSo) {
  SimBus sim;
  BankProbe bank(sim);
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(bank.Expect<Receipt>().cents, 0),
                          "nothing waits");
}

TEST(ProbeTest, AFailureNamesTheLineOfTheTest) {
  SimBus sim;
  BankProbe bank(sim);
  ::testing::TestPartResultArray failures;
  int line = 0;
  {
    ::testing::ScopedFakeTestPartResultReporter catcher(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &failures);
    line = __LINE__ + 1;
    bank.Expect<Receipt>();
  }
  ASSERT_EQ(failures.size(), 1);
  EXPECT_EQ(failures.GetTestPartResult(0).line_number(), line);
  EXPECT_NE(std::string(failures.GetTestPartResult(0).file_name())
                .find("probe_test.cc"),
            std::string::npos);
}

TEST(ProbeTest, AMissingMessageWithoutADefaultThrows) {
  SimBus sim;
  ProbeOf<Parcel> probe(sim);
  EXPECT_NONFATAL_FAILURE(
      EXPECT_THROW(probe.Expect<Parcel>(), std::runtime_error),
      "nothing waits");
}

TEST(ProbeTest, ExpectNextFailsIfAnotherMessageIsFirst) {
  SimBus sim;
  BankProbe bank(sim);
  bank.ref().Tell(Alarm{});
  bank.ref().Tell(Receipt{1});
  EXPECT_NONFATAL_FAILURE(bank.ExpectNext<Receipt>(), "Receipt{1}");
  EXPECT_EQ(bank.waiting(), 2u);
  bank.ExpectNext<Alarm>();
  bank.ExpectNext<Receipt>();
  EXPECT_NONFATAL_FAILURE(bank.ExpectNext<Alarm>(), "nothing waits");
}

TEST(ProbeTest, ExpectNoneFailsWithWhatCame) {
  SimBus sim;
  BankProbe bank(sim);
  bank.ExpectNone();
  bank.ref().Tell(Receipt{5});
  EXPECT_NONFATAL_FAILURE(bank.ExpectNone(), "Receipt{5}");
  EXPECT_EQ(bank.Expect<Receipt>().cents, 5);
}

TEST(ProbeTest, WhatIsIgnoredIsNotRecordedButAnswered) {
  SimBus sim;
  BankProbe bank(sim);
  bank.WhenAsked<GetBalance>([](const GetBalance&) { return 3; });
  bank.Ignore<GetBalance>();
  bank.Ignore<Alarm>();
  EXPECT_EQ(*sim.Ask(bank.ref(), GetBalance{}, absl::Seconds(1)), 3);
  bank.ref().Tell(Alarm{});
  bank.ExpectNone();
  bank.Allow<Alarm>();
  bank.ref().Tell(Alarm{});
  bank.Expect<Alarm>();
}

TEST(ProbeTest, WhatIsDisallowedFailsTheTest) {
  SimBus sim;
  BankProbe bank(sim);
  bank.Disallow<Receipt>();
  bank.ref().Tell(Alarm{});
  sim.RunUntilIdle();
  bank.ref().Tell(Receipt{9});
  EXPECT_NONFATAL_FAILURE(sim.RunUntilIdle(), "not allowed");
  bank.Allow<Receipt>();
  bank.ref().Tell(Receipt{10});
  sim.RunUntilIdle();
  EXPECT_EQ(bank.waiting(), 3u);
}

TEST(ProbeTest, TheActorMayOutliveItsHandle) {
  SimBus sim;
  Ref<Bank> bank;
  {
    BankProbe probe(sim);
    bank = probe.ref();
  }
  bank.Tell(Alarm{});
  sim.RunUntilIdle();
  EXPECT_EQ(sim.ledger().handled, 1u);
}

TEST(ProbeTest, AProbeThatIsStoppedRefuses) {
  SimBus sim;
  BankProbe bank(sim);
  bank.ref().Stop();
  sim.RunUntilIdle();
  EXPECT_EQ(bank.ref().Tell(Alarm{}), Delivery::kGone);
}

}  // namespace
}  // namespace trolley::testing
