// SPDX-License-Identifier: Apache-2.0
//
// Runs itself once for each mutant, with the one case that must catch it, and
// requires that the case fails: by its checks, not by a crash. The mutant that
// makes no mistake runs the whole suite and must pass it.

#include "trolley/tests/poller/mutants/mutants.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ostream>

#include "trolley/tests/poller/conformance.h"

namespace trolley {

void PrintTo(const NamedMutant& mutant, std::ostream* out) {
  *out << mutant.name;
}

namespace {

std::vector<ConformanceSubject> Subjects() {
  std::vector<ConformanceSubject> subjects;
  for (const NamedMutant& mutant : AllMutants()) {
    subjects.push_back(OnKernel(mutant.name, mutant.create));
  }
  return subjects;
}

// Run by the child only; see main().
INSTANTIATE_TEST_SUITE_P(Suite, PollerConformance,
                         testing::ValuesIn(Subjects()), SubjectName);

struct ChildRun {
  int wait_status = -1;
  std::string output;
};

// With an empty environment: the child must not take this test's shard of the
// cases, nor write over its report.
ChildRun RunCases(const std::string& filter) {
  ChildRun run;
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return run;
  const std::string argument = "--gtest_filter=" + filter;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(fds[1], STDOUT_FILENO);
    ::dup2(fds[1], STDERR_FILENO);
    char* const arguments[] = {const_cast<char*>("mutants"),
                               const_cast<char*>(argument.c_str()), nullptr};
    char* const environment[] = {nullptr};
    ::execve("/proc/self/exe", arguments, environment);
    ::_exit(127);
  }
  ::close(fds[1]);
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fds[0], buffer, sizeof(buffer))) > 0) {
    run.output.append(buffer, static_cast<size_t>(count));
  }
  ::close(fds[0]);
  ::waitpid(child, &run.wait_status, 0);
  return run;
}

class MutantsTest : public testing::TestWithParam<NamedMutant> {};

TEST_P(MutantsTest, IsCaught) {
  const NamedMutant& mutant = GetParam();
  const ChildRun run = RunCases(
      "Suite/PollerConformance." +
      (mutant.caught_by.empty() ? "*" : mutant.caught_by) + "/" + mutant.name);
  ASSERT_TRUE(WIFEXITED(run.wait_status)) << run.output;
  if (mutant.caught_by.empty()) {
    EXPECT_EQ(WEXITSTATUS(run.wait_status), 0) << run.output;
    EXPECT_NE(run.output.find("[  PASSED  ]"), std::string::npos) << run.output;
    return;
  }
  EXPECT_EQ(WEXITSTATUS(run.wait_status), 1) << run.output;
  EXPECT_NE(run.output.find("1 FAILED TEST"), std::string::npos)
      << mutant.caught_by << " did not catch it:\n"
      << run.output;
}

INSTANTIATE_TEST_SUITE_P(P16, MutantsTest, testing::ValuesIn(AllMutants()),
                         [](const testing::TestParamInfo<NamedMutant>& info) {
                           return info.param.name;
                         });

}  // namespace
}  // namespace trolley

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (testing::GTEST_FLAG(filter) == "*") {
    testing::GTEST_FLAG(filter) = "-Suite/*";
  }
  return RUN_ALL_TESTS();
}
