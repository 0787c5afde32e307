// SPDX-License-Identifier: Apache-2.0
//
// Child: a program that a test runs as a user does, with its three streams, and
// the questions that tests of the trolley command ask.
//
// Ownership: the test owns it. Finish() waits for its end.
// Threads:   the test's. Finish() uses two more until it returns.

#ifndef TROLLEY_TESTS_CONTROL_CHILD_H_
#define TROLLEY_TESTS_CONTROL_CHILD_H_

#include <google/protobuf/struct.pb.h>
#include <sys/types.h>

#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace trolley::test {

class Child {
 public:
  Child(const std::string& program, const std::vector<std::string>& arguments,
        const std::vector<std::string>& environment = {});

  std::string ReadLine();
  void Kill();

  // Ends its input and waits. Its exit code, or minus the signal that ended it.
  int Finish(const std::string& input, std::string* out, std::string* err);

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
};

struct Result {
  int code;
  std::string out;
  std::string err;
};
void PrintTo(const Result& result, std::ostream* to);

MATCHER_P(Exits, code, "") { return arg.code == code; }

// To its end.
Result RunProgram(const std::string& program,
                  const std::vector<std::string>& arguments,
                  const std::string& input = "",
                  const std::vector<std::string>& environment = {});

inline constexpr char kTrolley[] = "tools/trolley/trolley";
Result RunTrolley(const std::vector<std::string>& arguments,
                  const std::string& input = "",
                  const std::vector<std::string>& environment = {});

google::protobuf::Struct ParseJson(const std::string& json);

}  // namespace trolley::test

#endif  // TROLLEY_TESTS_CONTROL_CHILD_H_
