// SPDX-License-Identifier: Apache-2.0
//
// Catch: calls code that fails on purpose, and returns what it would have
// reported and printed.
//
//   Caught caught = Catch([] { EXPECT_EQ(1, 2); });
//   EXPECT_EQ(caught.failures.size(), 1u);
//
// Ownership: a value.
// Threads:   one, that of the test.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_TESTS_TESTING_CAUGHT_H_
#define TROLLEY_TESTS_TESTING_CAUGHT_H_

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace trolley::testing {

struct Caught {
  std::vector<std::string> failures;  // their texts
  std::string printed;                // to standard error
};

inline Caught Catch(const std::function<void()>& code) {
  ::testing::TestPartResultArray results;
  Caught caught;
  ::testing::internal::CaptureStderr();
  {
    ::testing::ScopedFakeTestPartResultReporter catcher(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &results);
    code();
  }
  caught.printed = ::testing::internal::GetCapturedStderr();
  for (int i = 0; i < results.size(); ++i) {
    caught.failures.push_back(results.GetTestPartResult(i).message());
  }
  return caught;
}

}  // namespace trolley::testing

#endif  // TROLLEY_TESTS_TESTING_CAUGHT_H_
