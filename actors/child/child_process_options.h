// SPDX-License-Identifier: Apache-2.0
//
// ChildProcessOptions: which program a ChildProcess (child_process.h) starts,
// with what, and its limits.
//
//   process_.Start(this, {.argv = {"sort", "-n"},
//                         .environment = {"LC_ALL=C", "TMPDIR"},
//                         .grace = absl::Seconds(1)});
//
// Ownership: a value.
// Threads:   any.
// Bounds:    each field says its range.
// Ends:      does not end.
// Errors:    ValidateChildProcessOptions().

#ifndef TROLLEY_ACTORS_CHILD_CHILD_PROCESS_OPTIONS_H_
#define TROLLEY_ACTORS_CHILD_CHILD_PROCESS_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/pipe_reader.h"

namespace trolley {

// What becomes of the standard error of a child process.
enum class ChildErrors : uint8_t {
  // Each line is a line of the bus's log: printable, and cut at kMaxTextBytes
  // (poller/printable.h). Of many lines the log writes a few, and how many it
  // has left out (LogOptions).
  kLog,
  kInherit,  // it goes where that of this process goes
  kDrop,     // it goes to /dev/null
};

struct ChildProcessOptions {
  static constexpr size_t kMostPieceBytes = size_t{1} << 30;
  static constexpr size_t kMostReadBytes = size_t{1} << 26;
  static constexpr size_t kMostWaitingBytes = size_t{1} << 30;

  // The program and its arguments; one text at least, none with a NUL. A
  // program with a '/' in its name is a path, seen from `working_directory`.
  // Any other is looked for in the absolute folders of the child's PATH;
  // without a PATH in /usr/local/bin, /usr/bin and /bin.
  std::vector<std::string> argv = {};
  // Where the child starts. Empty: where this process is.
  std::string working_directory = "";

  // True: the child gets the environment that this process has at the time of
  // Start(). No thread may change that meanwhile, as for getenv(). False: it
  // begins with none.
  bool inherit_environment = true;
  // Changes to that: "NAME=value" sets a variable, "NAME" removes it. The later
  // one of the same name counts.
  std::vector<std::string> environment = {};

  // What goes over its standard input and its standard output: lines, or
  // frames that have their length in front, as Protobuf delimits them.
  PipeFormat format = PipeFormat::kLines;
  // The longest line or frame that it may write, in bytes, 1 to
  // kMostPieceBytes. A longer one ends the child. 1 MiB: far above usual
  // messages, and the most memory that its output takes here.
  size_t max_piece_bytes = 1 << 20;
  // The bytes of one read, 1 to kMostReadBytes. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 << 10;
  // The bytes that wait until the child reads them, 1 to kMostWaitingBytes,
  // with the line breaks and lengths. A Write() that does not fit is kFull. 1
  // MiB: 16 times what a pipe holds.
  size_t max_waiting_bytes = 1 << 20;

  ChildErrors errors = ChildErrors::kLog;

  // The time from SIGTERM to SIGKILL (ChildProcess::Stop()), with the rule of
  // poller/instant.h. Zero or less: SIGKILL at once. Infinite: no SIGKILL,
  // except at the end of the bus. 5 s: as supervisors give their children.
  absl::Duration grace = absl::Seconds(5);
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateChildProcessOptions(const ChildProcessOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_CHILD_CHILD_PROCESS_OPTIONS_H_
