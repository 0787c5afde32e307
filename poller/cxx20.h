// SPDX-License-Identifier: Apache-2.0
//
// Checks that the compiler is set to C++20 with coroutines. Every public header
// includes this file, so that an older standard gives this error and no other.

#ifndef TROLLEY_POLLER_CXX20_H_
#define TROLLEY_POLLER_CXX20_H_

#if __cplusplus < 202002L
#error \
    "Trolleybus needs C++20: put 'build --cxxopt=-std=c++20' into the \
.bazelrc of your workspace, or copts = [\"-std=c++20\"] into your target."
// A missing header ends the compilation, so that no other error follows.
#include <trolley_needs_std_cxx20>
#endif

#include <coroutine>

#endif  // TROLLEY_POLLER_CXX20_H_
