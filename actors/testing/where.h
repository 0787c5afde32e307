// SPDX-License-Identifier: Apache-2.0
//
// Where: a line of a test. A failure that the kit reports names the line of the
// test that called it, and not a line of the kit.
//
//   void Check(Where where = Where::Here()) {
//     ADD_FAILURE_AT(where.file, where.line) << "...";
//   }
//
// Ownership: a value; the file name is static.
// Threads:   any.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_WHERE_H_
#define TROLLEY_ACTORS_TESTING_WHERE_H_

namespace trolley::testing {

struct Where {
  const char* file;
  int line;

  // The line that calls Here(); as a default argument, the line of that call.
  static constexpr Where Here(const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_WHERE_H_
