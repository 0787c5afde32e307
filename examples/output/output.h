// SPDX-License-Identifier: Apache-2.0
//
// BeginOutput and EndOutput: the first and the last call of a main() that
// prints with stdio or std::cout.
//
//   int main() {
//     examples::BeginOutput();
//     ...
//     return examples::EndOutput("pubsub", report.clean ? 0 : 1);
//   }
//
// EndOutput checks that all output was written. stdio writes when its buffer is
// full. So a full disk, a reader that has gone and a closed standard output may
// show here only.
//
// If the program was started without a standard output, a library may have made
// a descriptor of that number before main began: gRPC makes an eventfd. So a
// descriptor that is no file, pipe, socket or device is an error, too.
//
// Threads: that of main(), before it starts others and at its end.

#ifndef TROLLEY_EXAMPLES_OUTPUT_OUTPUT_H_
#define TROLLEY_EXAMPLES_OUTPUT_OUTPUT_H_

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace examples {

// The reader of the output may have gone. SIGPIPE would end the process then,
// and the files of its sockets would stay.
inline void BeginOutput() { std::signal(SIGPIPE, SIG_IGN); }

// The exit code of `program`: `code` if all that it printed was written, else
// EXIT_FAILURE, with a line on standard error.
inline int EndOutput(const char* program, int code) {
  struct stat about = {};
  const bool is_output =
      fstat(STDOUT_FILENO, &about) == 0 && (about.st_mode & S_IFMT) != 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (is_output && flushed && std::ferror(stdout) == 0) return code;
  std::fprintf(stderr, "%s: cannot write to standard output\n", program);
  return EXIT_FAILURE;
}

}  // namespace examples

#endif  // TROLLEY_EXAMPLES_OUTPUT_OUTPUT_H_
