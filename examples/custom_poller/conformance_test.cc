// SPDX-License-Identifier: Apache-2.0
//
// What is asked of every poller that comes with the bus, asked of ours.

#include "trolley/tests/poller/conformance.h"

#include "plain_poller.h"

namespace trolley {
INSTANTIATE_TEST_SUITE_P(Plain, PollerConformance,
                         testing::Values(OnKernel("plain",
                                                  PlainPoller::Create)),
                         SubjectName);
}  // namespace trolley
