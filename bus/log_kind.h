// SPDX-License-Identifier: Apache-2.0
//
// LogKind: the kind of a line in the log: the place in the code that logs it.
// The log limits how many lines of each kind a source may write
// (LogOptions, bus/options.h).
//
//   context.Log("no money left", "bank/alice");  // the kind is this line
//
// A value type; any thread.

#ifndef TROLLEY_BUS_LOG_KIND_H_
#define TROLLEY_BUS_LOG_KIND_H_

namespace trolley {

struct LogKind {
  // The default of a parameter: gives the place of the caller.
  static constexpr LogKind Here(const char* file = __builtin_FILE(),
                                int line = __builtin_LINE()) {
    return {file, line};
  }

  const char* file;
  int line;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOG_KIND_H_
