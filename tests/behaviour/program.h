// SPDX-License-Identifier: Apache-2.0
//
// Program: signal_program as a child process of a test. The test writes a
// command to it and reads its answers, line by line.
//
//   Program program({"actor", "epoll", "HUP"});
//   EXPECT_EQ(program.ReadLine(), "ready");
//   program.Signal(SIGHUP);
//   EXPECT_EQ(program.ReadLine(), "got HUP 1");
//   EXPECT_EQ(program.Finish(), 0);
//
// Ownership: owns the process. The destructor kills it if it still runs.
// Threads:   the test's.
// Bounds:    a line in memory. Waits have no limit: that of the test is their
//            clock.

#ifndef TROLLEY_TESTS_BEHAVIOUR_PROGRAM_H_
#define TROLLEY_TESTS_BEHAVIOUR_PROGRAM_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace trolley {

class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  void Write(const std::string& line);
  // The next line of its standard output, with its standard error. Empty: the
  // end.
  std::string ReadLine();

  // Closes its input and waits for its end: its exit code, or minus the signal
  // that ended it.
  int Finish();

 private:
  pid_t pid_ = -1;  // -1: it has ended
  int in_ = -1;
  int out_ = -1;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_BEHAVIOUR_PROGRAM_H_
