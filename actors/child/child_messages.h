// SPDX-License-Identifier: Apache-2.0
//
// What the owner of a ChildProcess (child_process.h) is told: a ChildOutput for
// each line or frame that the process writes, and at the end one ChildEnd.
//
//   void On(const trolley::ChildOutput& m) { Use(m.bytes); }
//   void On(const trolley::ChildEnd& m) {
//     if (!m.ok()) throw std::runtime_error(m.ToString());
//   }
//
// An actor that sits in a seat (actors/seat.h) and keeps its mailbox may find
// messages there that the process of the object before it has sent. They have
// another `child` than ChildProcess::id().
//
// Ownership: values.
// Threads:   any.
// Bounds:    ChildProcessOptions::max_piece_bytes for `bytes`.
// Ends:      do not end.

#ifndef TROLLEY_ACTORS_CHILD_CHILD_MESSAGES_H_
#define TROLLEY_ACTORS_CHILD_CHILD_MESSAGES_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "trolley/bus/actor_id.h"

namespace trolley {

// One line without its '\n', or one frame without its length.
struct ChildOutput {
  std::string bytes;
  uint64_t number = 0;  // 1 for the first of this process
  ActorId child;        // ChildProcess::id()

  // For SpawnOptions::mailbox_bytes of the owner.
  size_t OwnedBytes() const { return bytes.capacity(); }
};

// The process has ended, and all its output that could be had was sent before.
// It comes into a full mailbox, too.
struct ChildEnd {
  enum class How : uint8_t {
    kExited,     // `code` is its exit code
    kSignalled,  // `code` is the signal that ended it, such as SIGKILL
    // Another part of this program has waited for it, or ignores SIGCHLD.
    kUnknown,
  };

  ActorId child;  // ChildProcess::id()
  pid_t pid = 0;
  How how = How::kUnknown;
  int code = 0;

  //   OK                  all that it wrote was sent
  //   ResourceExhausted   it wrote a line or a frame longer than
  //                       max_piece_bytes; or the mailbox of the owner was
  //                       full, and its loop had LoopOptions::max_pending_asks
  //                       waiting: that piece is lost
  //   InvalidArgument     it wrote a bad length
  //   DataLoss            its output ended within a frame
  //   Cancelled           the bus ended it before the owner had taken all
  //   other               of the system call
  //
  // After any of these but DataLoss the process was stopped as by Stop().
  absl::Status output;
  uint64_t pieces = 0;  // lines or frames that were sent; a count

  // It exited with 0, and all its output was sent.
  bool ok() const;
  // For people: "exited with code 3", "was ended by signal 9 (Killed)", and
  // `output` if that is an error.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_CHILD_CHILD_MESSAGES_H_
