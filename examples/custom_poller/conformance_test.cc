// SPDX-License-Identifier: Apache-2.0
//
// Runs the test suite of the built-in pollers with PlainPoller.

#include "trolley/tests/poller/conformance.h"

#include "plain_poller.h"

namespace trolley {
INSTANTIATE_TEST_SUITE_P(Plain, PollerConformance,
                         testing::Values(OnKernel("plain",
                                                  PlainPoller::Create)),
                         SubjectName);
}  // namespace trolley
