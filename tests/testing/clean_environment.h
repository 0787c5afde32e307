// SPDX-License-Identifier: Apache-2.0
//
// CleanEnvironment: a fixture for tests of the kit that count runs. Whatever
// seeds the caller of the test asks for, each test begins without them.
//
// Ownership: of GoogleTest.
// Threads:   one.
// Bounds:    none.
// Ends:      with the test; then the variables are unset.

#ifndef TROLLEY_TESTS_TESTING_CLEAN_ENVIRONMENT_H_
#define TROLLEY_TESTS_TESTING_CLEAN_ENVIRONMENT_H_

#include <cstdlib>

#include "gtest/gtest.h"

namespace trolley::testing {

class CleanEnvironment : public ::testing::Test {
 protected:
  CleanEnvironment() { Unset(); }
  ~CleanEnvironment() override { Unset(); }

 private:
  static void Unset() {
    unsetenv("TROLLEY_SEED");
    unsetenv("TROLLEY_SEEDS");
  }
};

}  // namespace trolley::testing

#endif  // TROLLEY_TESTS_TESTING_CLEAN_ENVIRONMENT_H_
