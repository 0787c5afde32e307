// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "trolley/poller/pollers.h"
#include "trolley/tests/poller/conformance.h"

namespace trolley {

INSTANTIATE_TEST_SUITE_P(
    Poll, PollerConformance,
    testing::Values(OnKernel("poll",
                             [](Sys& sys, const Clock& clock) {
                               return CreatePoller("poll", sys, clock);
                             })),
    SubjectName);

}  // namespace trolley

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
