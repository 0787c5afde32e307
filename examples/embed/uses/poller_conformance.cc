// SPDX-License-Identifier: Apache-2.0
//
// The suite, without a poller to hold to it; your_poller_test has one.

#include <gtest/gtest.h>

#include "trolley/tests/poller/conformance.h"

namespace trolley {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PollerConformance);
}  // namespace trolley

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
