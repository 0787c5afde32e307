// SPDX-License-Identifier: Apache-2.0
//
// Child: the other process of a benchmark, which is the same program again, on
// CPU 1. It ends with the repetition, or with its parent. For benchmarks only;
// owned and used by the thread of the case that starts it.
//
//   int main(int argc, char** argv) {
//     if (IsChild(argc, argv)) return Serve(ChildArguments(argc, argv));
//     ...
//   Child child({"echo", path});   // in a run; its `ready` line has come

#ifndef TROLLEY_TESTS_BENCH_LIB_CHILD_H_
#define TROLLEY_TESTS_BENCH_LIB_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace trolley::bench {

class Child {
 public:
  // Descriptors are its 3, 4... in the order given.
  explicit Child(std::vector<std::string> arguments, std::vector<int> fds = {});
  // Waits for its end; dies if it failed.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  pid_t pid_;
};

inline constexpr int kFirstChildFd = 3;

bool IsChild(int argc, char** argv);
// Makes it one: pins it, and ties it to its parent.
std::vector<std::string> ChildArguments(int argc, char** argv);
// The child's: what it serves can be used.
void SayReady();

// A path for a socket that no other program has. The destructor removes it.
class SocketPath {
 public:
  SocketPath();
  ~SocketPath();
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_CHILD_H_
