// SPDX-License-Identifier: Apache-2.0
//
// ChildProcess: an actor starts a program, writes lines or frames to it, and
// gets what it writes as messages. The program may be of any language: it reads
// its standard input and writes its standard output.
//
//   class Sorter : public trolley::Actor {
//    public:
//     trolley::Task<absl::Status> OnStartTask() {
//       co_return process_.Start(this, {.argv = {"sort"}});
//     }
//     void On(const Add& m) { process_.Write(m.word); }
//     void On(const Done&) { process_.CloseInput(); }
//     void On(const trolley::ChildOutput& line) { ... }
//     void On(const trolley::ChildEnd& end) { ... }
//    private:
//     trolley::ChildProcess process_;
//   };
//
// Output. Each line or frame is a message. The process is read no faster than
// its owner handles: when the owner's mailbox is full, the pipe fills, and the
// process waits. A process that closes its output goes on until it ends.
//
// Input. Write() says at once what became of it:
//
//   kAccepted   it waits for the process to read it, behind those before it
//   kFull       max_waiting_bytes wait; or a WriteWhenRoom() waits
//   kGone       the process has ended, does not read any more, or was not
//               started; or CloseInput() was called
//
// What the process starts with: the descriptors 0 to 2 and no other, no signal
// blocked or ignored, and a process group of its own, so ^C on the terminal
// does not reach it.
//
// How it ends. The end of the process kills what is left of its group. Then it
// is waited for, so it is no zombie, and the owner gets one ChildEnd.
//
//   what happens                  what the process gets
//   Stop(); the bus drains; its   SIGTERM, and SIGKILL when `grace` is over
//   output breaks a limit; this
//   object is destroyed: its
//   owner ended, threw or was
//   restarted
//   Kill(); the bus stops what    SIGKILL
//   has not ended in time
//   this process is killed        SIGKILL from the kernel; not if the program
//                                 has other rights than its file's reader
//                                 (set-user-ID, capabilities), and not its own
//                                 children. Those see the ends of their pipes
//
// All but the last go to the whole group. A process that leaves the group
// (setsid) is not found any more. A shutdown of the bus waits for the process
// as for an ask: at most half of its deadline. An owner that is restarted may
// start the next process while the one before it has its `grace`.
//
// The program must leave SIGCHLD alone, or handle it; it must not ignore it.
// And it must not wait for children that are not its own (wait(), P_ALL).
//
// Ownership: a member of the actor. It cannot be moved.
// Threads:   loop thread only: OnStart(), handlers, tasks of the actor.
// Bounds:    ChildProcessOptions. Four descriptors. One message waits for a
//            credit of the owner. A WriteWhenRoom() that waits has its piece.
//            Start() keeps the loop until the program is loaded; some ms.
// Ends:      see the table. If a process does not die of SIGKILL within 200 ms
//            while the bus ends, it is left to the end of this process.

#ifndef TROLLEY_ACTORS_CHILD_CHILD_PROCESS_H_
#define TROLLEY_ACTORS_CHILD_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/child/child_messages.h"
#include "trolley/actors/child/child_process_options.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/delivery.h"

namespace trolley {

namespace internal {
struct ChildPort;
}  // namespace internal

class ChildProcess {
 public:
  using Receiver = Ref<Protocol<ChildOutput, ChildEnd>>;

  ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  // Starts the program. `owner` is the actor that this is a member of; it has
  // handlers of ChildOutput and ChildEnd. After a ChildEnd it may be called
  // again. After an error nothing runs and no ChildEnd comes. The text says
  // which step failed and why: "cannot start "sort": execve(/bin/sort):
  // Permission denied".
  //
  //   InvalidArgument     an option is out of its range
  //   NotFound            there is no such program or working directory
  //   PermissionDenied    the program or the directory may not be used
  //   FailedPrecondition  one runs already; or this process ignores SIGCHLD
  //   Unimplemented       the bus is simulated (SimBus): there a test tells the
  //                       owner a ChildOutput and a ChildEnd itself
  //   ResourceExhausted   no process, descriptor, memory or actor is left
  //   other               of the system call (poller/errno_status.h)
  template <typename A>
  absl::Status Start(A* owner, ChildProcessOptions options) {
    return Begin(
        *owner,
        [](const Address& address) { return Receiver(Ref<A>(address)); },
        std::move(options));
  }

  // Writes a line, to which it adds the '\n', or a frame, to which it adds the
  // length. See above. A piece that is longer than max_waiting_bytes is never
  // accepted. A '\n' in a line makes two lines of it.
  Delivery Write(absl::string_view piece);

  // The same, but waits for room. Those that wait are served in the order in
  // which they came. An owner that awaits it in a handler takes no output
  // meanwhile, unless it is interleaved: if the process in turn waits until its
  // output is taken, both wait for ever. So let a background task write, or an
  // interleaved actor.
  //
  //   RunInBackground([this]() -> trolley::Task<absl::Status> {
  //     for (const std::string& word : words_) {
  //       absl::Status written = co_await process_.WriteWhenRoom(word);
  //       if (!written.ok()) co_return absl::OkStatus();
  //     }
  //     co_return absl::OkStatus();
  //   });
  //
  //   NotFound          as kGone
  //   InvalidArgument   the piece is longer than max_waiting_bytes
  Task<absl::Status> WriteWhenRoom(std::string piece);

  // Ends its standard input, when it has read what waits. A filter such as sort
  // then ends by itself.
  void CloseInput();

  // Ends the process, see above. ChildEnd follows. Without effect if none runs.
  void Stop();
  void Kill();

  // True: from Start() until ChildEnd was sent.
  bool running() const;
  // Of the last process that was started; 0 and an empty id: there was none.
  pid_t pid() const;
  ActorId id() const;  // ChildOutput::child, ChildEnd::child
  // Bytes that wait until the process reads them.
  size_t waiting_bytes() const;

 private:
  absl::Status Begin(Actor& owner, Receiver (*receiver)(const Address&),
                     ChildProcessOptions options);

  std::shared_ptr<internal::ChildPort> port_;  // null: none was started
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_CHILD_CHILD_PROCESS_H_
