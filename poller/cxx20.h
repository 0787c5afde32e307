// SPDX-License-Identifier: Apache-2.0
//
// What every public header needs of the compiler: C++20, and its coroutines.
// Said here once, so that an older standard gives this error and no other.

#ifndef TROLLEY_POLLER_CXX20_H_
#define TROLLEY_POLLER_CXX20_H_

#if __cplusplus < 202002L
#error \
    "Trolleybus needs C++20: put 'build --cxxopt=-std=c++20' into the \
.bazelrc of your workspace, or copts = [\"-std=c++20\"] into your target."
// A header that is not there ends the compilation; nothing below says more.
#include <trolley_needs_std_cxx20>
#endif

#include <coroutine>

#endif  // TROLLEY_POLLER_CXX20_H_
