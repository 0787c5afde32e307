// SPDX-License-Identifier: Apache-2.0
//
// EndOutput: checks at the end of a program that all of its output was written.
// stdio writes when its buffer is full. So a full disk, a reader that has gone
// and a closed standard output may show here only.
//
// If the program was started without a standard output, a library may have made
// a descriptor of that number before main began: gRPC makes an eventfd. So a
// descriptor that is no file, pipe, socket or device is an error, too.
//
// Threads: one; call it once.

#ifndef TROLLEY_EXAMPLES_OUTPUT_OUTPUT_H_
#define TROLLEY_EXAMPLES_OUTPUT_OUTPUT_H_

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace examples {

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
