// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/credit.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>

#include "gtest/gtest.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"

namespace trolley::wire {
namespace {

Agreement Small() { return *Negotiate(SmallHello(), SmallHello()); }

// What is granted at once when a frame was handled.
uint32_t GrantAfter(CreditReceiver& receiver, size_t payload_bytes) {
  receiver.Processed(payload_bytes);
  return receiver.TakeGrant();
}

TEST(CreditTest, AFrameCostsItsPayloadAndItsHeader) {
  CreditSender sender(Small());
  const uint64_t before = sender.available_bytes();
  ASSERT_TRUE(sender.Spend(100));
  EXPECT_EQ(before - sender.available_bytes(), 124u);
}

TEST(CreditTest, ASenderWithoutCreditIsToldAndSpendsNothing) {
  CreditSender sender(Small());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(sender.Spend(1024));
  EXPECT_EQ(sender.available_bytes(), 0u);
  EXPECT_FALSE(sender.Spend(0));
  ASSERT_TRUE(sender.Grant(23).ok());
  EXPECT_FALSE(sender.Spend(0));
  ASSERT_TRUE(sender.Grant(1).ok());
  EXPECT_TRUE(sender.Spend(0));
  EXPECT_EQ(sender.available_bytes(), 0u);
}

TEST(CreditTest, P14_CreditAbove31BitsIsAnError) {
  CreditSender sender(Small());
  const auto room =
      static_cast<uint32_t>(kMostCreditBytes - sender.available_bytes());
  EXPECT_EQ(WireErrorOf(sender.Grant(room + 1)), WireError::kCreditOverflow);
  EXPECT_EQ(WireErrorOf(sender.Grant(0xFFFFFFFF)), WireError::kCreditOverflow);
  EXPECT_TRUE(sender.Grant(room).ok());
  EXPECT_EQ(WireErrorOf(sender.Grant(1)), WireError::kCreditOverflow);
  EXPECT_EQ(sender.available_bytes(), kMostCreditBytes);
}

TEST(CreditTest, P14_AGrantOfNothingIsAnError) {
  CreditSender sender(Small());
  EXPECT_EQ(WireErrorOf(sender.Grant(0)), WireError::kBadLength);
}

TEST(CreditTest, P14_SendingWithoutCreditIsAnError) {
  CreditReceiver receiver(Small());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receiver.Receive(1024).ok());
  EXPECT_EQ(WireErrorOf(receiver.Receive(0)), WireError::kCreditOverrun);
}

TEST(CreditTest, CreditComesBackWhenHalfOfTheWindowWasHandled) {
  CreditReceiver receiver(Small());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receiver.Receive(1024).ok());
  EXPECT_EQ(GrantAfter(receiver, 1024), 0u);
  EXPECT_EQ(GrantAfter(receiver, 1024), 2 * 1048u);
  EXPECT_EQ(GrantAfter(receiver, 1024), 0u);
  EXPECT_EQ(GrantAfter(receiver, 1024), 2 * 1048u);
}

// The peer may not send what was not granted yet.
TEST(CreditTest, P14_AGrantThatIsKeptBackCannotBeSpent) {
  CreditReceiver receiver(Small());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receiver.Receive(1024).ok());
  for (int i = 0; i < 4; ++i) receiver.Processed(1024);
  EXPECT_EQ(WireErrorOf(receiver.Receive(0)), WireError::kCreditOverrun);
  EXPECT_EQ(receiver.TakeGrant(), 4 * 1048u);
  EXPECT_EQ(receiver.TakeGrant(), 0u);
  EXPECT_TRUE(receiver.Receive(1024).ok());
}

// A sender that wants to send frames of random size, a receiver that handles
// them late and in any order. Failure: either breaks the rules in the other's
// eyes, or nothing more can happen while the sender still has a frame.
TEST(CreditTest, P6_NeverStopsForGoodAndNeverExceedsTheWindow) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    Hello receiving = SmallHello();
    receiving.initial_credit_bytes = 2 * (1024 + 24) + random() % 3000;
    const Agreement at_sender = *Negotiate(SmallHello(), receiving);
    const Agreement at_receiver = *Negotiate(receiving, SmallHello());
    CreditSender sender(at_sender);
    CreditReceiver receiver(at_receiver);
    std::deque<size_t> held;
    uint64_t held_bytes = 0;
    size_t wanted = random() % 1025;
    for (int sent = 0; sent < 300;) {
      if (random() % 2 == 0 && sender.Spend(wanted)) {
        ASSERT_TRUE(receiver.Receive(wanted).ok());
        held.push_back(wanted);
        held_bytes += CreditCost(wanted);
        ASSERT_LE(held_bytes, receiving.initial_credit_bytes);
        wanted = random() % 2 == 0 ? 1024 : random() % 1025;
        ++sent;
      } else if (!held.empty()) {
        std::swap(held.front(), held[random() % held.size()]);
        const size_t payload = held.front();
        held.pop_front();
        held_bytes -= CreditCost(payload);
        const uint32_t grant = GrantAfter(receiver, payload);
        if (grant > 0) {
          ASSERT_TRUE(sender.Grant(grant).ok());
        }
      } else {
        ASSERT_GE(sender.available_bytes(), CreditCost(wanted))
            << "everything was handled and the sender is stuck";
      }
    }
  }
}

}  // namespace
}  // namespace trolley::wire
