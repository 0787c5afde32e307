// SPDX-License-Identifier: Apache-2.0
//
// The connections of each address, at points in time that the test chooses.

#include "trolley/actors/tcp/internal/address_limits.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

const Instant kStart = Instant::FromNanos(1'000'000'000'000);

TEST(AddressLimitsTest, AnAddressHasSoManyConnectionsAtOneTime) {
  AddressLimits limits(/*most_open=*/2, /*most_new=*/100);
  EXPECT_TRUE(limits.Admit("a", kStart).ok());
  EXPECT_TRUE(limits.Admit("a", kStart).ok());
  const absl::Status refused = limits.Admit("a", kStart);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.message(),
            "a has 2 connections open, which is "
            "TcpListenerOptions::max_connections_per_address");
  EXPECT_TRUE(limits.Admit("b", kStart).ok());
  limits.Leave("a");
  EXPECT_TRUE(limits.Admit("a", kStart).ok());
  EXPECT_EQ(limits.too_many(), 1u);
  EXPECT_EQ(limits.too_often(), 0u);
}

TEST(AddressLimitsTest, P14_TheBucketFillsWithinASecond) {
  AddressLimits limits(/*most_open=*/1000, /*most_new=*/4);
  const auto admitted = [&](Instant now) {
    int count = 0;
    while (limits.Admit("a", now).ok()) ++count;
    return count;
  };
  EXPECT_EQ(admitted(kStart), 4);
  EXPECT_EQ(admitted(kStart + absl::Milliseconds(249)), 0);
  EXPECT_EQ(admitted(kStart + absl::Milliseconds(250)), 1);
  EXPECT_EQ(admitted(kStart + absl::Milliseconds(1000)), 3);
  EXPECT_EQ(admitted(kStart + absl::Hours(1)), 4);
  EXPECT_EQ(limits.too_often(), 5u);
}

TEST(AddressLimitsTest, P6_AddressesWithoutAConnectionAreForgotten) {
  AddressLimits limits(/*most_open=*/1, /*most_new=*/1);
  ASSERT_TRUE(limits.Admit("stays", kStart).ok());
  // All in one moment, so that no bucket is full again.
  for (int i = 0; i < 100'000; ++i) {
    const std::string address = absl::StrCat("from ", i);
    ASSERT_TRUE(limits.Admit(address, kStart).ok());
    limits.Leave(address);
    ASSERT_LE(limits.addresses(), AddressLimits::kMostIdle + 1);
  }
  // One that has a connection is not.
  EXPECT_FALSE(limits.Admit("stays", kStart + absl::Hours(1)).ok());
  EXPECT_EQ(limits.too_many(), 1u);
}

TEST(AddressLimitsTest, AFullBucketIsForgottenBeforeAnEmptyOne) {
  AddressLimits limits(/*most_open=*/1, /*most_new=*/1);
  for (size_t i = 0; i + 1 < AddressLimits::kMostIdle; ++i) {
    const std::string address = absl::StrCat("before ", i);
    ASSERT_TRUE(limits.Admit(address, kStart).ok());
    limits.Leave(address);
  }
  const Instant later = kStart + absl::Seconds(2);
  ASSERT_TRUE(limits.Admit("now", later).ok());
  limits.Leave("now");
  ASSERT_TRUE(limits.Admit("one more", later).ok());
  EXPECT_EQ(limits.addresses(), 2u);
  EXPECT_FALSE(limits.Admit("now", later).ok());
}

}  // namespace
}  // namespace trolley::internal
