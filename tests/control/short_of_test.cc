// SPDX-License-Identifier: Apache-2.0
//
// A control service on a machine with few threads and descriptors left. With
// each number of them it must start and serve, or return the reason. gRPC alone
// would end the process.

#include <iostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/running_bus.h"

namespace trolley {
namespace {

using test::Exits;
using test::Result;
using ::testing::HasSubstr;

constexpr char kShortOf[] = "tests/control/short_of";

Result Start(int threads, int descriptors) {
  const test::SocketFolder folder;
  return test::RunProgram(kShortOf, {absl::StrCat(threads),
                                     absl::StrCat(descriptors), folder.path()});
}

// Tries 0, 1, 2... until it serves twice in a row; true: it was refused before.
template <typename Try>
void AwaitTwoThatServe(const char* word, Try start) {
  int serving = 0;
  for (int n = 0; serving < 2; ++n) {
    SCOPED_TRACE(absl::StrCat(n, " ", word));
    ASSERT_LT(n, 200);
    const Result r = start(n);
    ASSERT_THAT(r, Exits(0));
    if (absl::StrContains(r.out, "serves")) {
      if (serving++ == 0)
        std::cout << "serves with " << n << " " << word << "\n";
      continue;
    }
    ASSERT_EQ(serving, 0);
    EXPECT_THAT(r.out, HasSubstr("nothing is left"));
    EXPECT_THAT(r.out, HasSubstr(word));
  }
}

TEST(ShortOfTest, EachNumberOfThreadsIsEnoughOrRefused) {
  AwaitTwoThatServe("threads", [](int n) { return Start(n, -1); });
}

TEST(ShortOfTest, EachNumberOfDescriptorsIsEnoughOrRefused) {
  AwaitTwoThatServe("descriptors", [](int n) { return Start(-1, n); });
}

}  // namespace
}  // namespace trolley
