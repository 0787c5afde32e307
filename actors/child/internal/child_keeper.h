// SPDX-License-Identifier: Apache-2.0
//
// ChildKeeper: the actor that runs the pipes of a child process, stops it, and
// waits for its end. It lives on the loop of the owner, and may outlive it: a
// process is given its grace.
//
//   ReadOutput     standard output -> ChildOutput to the owner
//   ReadErrors     standard error -> the log
//   WriteInput     ChildInput -> standard input
//   StopWhenTold   SIGTERM, the grace, SIGKILL
//   AwaitEnd       the end of the process -> ChildEnd to the owner
//
// Ownership: the bus owns it. It owns the process and the pipes.
// Threads:   as any actor.
// Bounds:    ChildProcessOptions. After the end of the process it reads what is
//            in the pipes at that time, and no more: a process that has left
//            the group may still write.
// Ends:      when it has sent ChildEnd. OnStop() and the destructor kill the
//            process if it still runs, and wait for RunningProcess::kMostWait.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_KEEPER_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_KEEPER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/child/child_messages.h"
#include "trolley/actors/child/child_process_options.h"
#include "trolley/actors/child/internal/child_parts.h"
#include "trolley/actors/child/internal/child_port.h"
#include "trolley/actors/child/internal/error_lines.h"
#include "trolley/actors/child/internal/running_process.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/stream.h"
#include "trolley/actors/task.h"
#include "trolley/bus/watcher.h"
#include "trolley/poller/event.h"
#include "trolley/proto/piece_decoder.h"

namespace trolley::internal {

// To the keeper itself. The reply comes when the process has ended, and a
// shutdown of the bus waits for replies.
struct AwaitChildEnd {};

class ChildKeeper final : public Actor, private Watcher {
 public:
  using Owner = Ref<Protocol<ChildOutput, ChildEnd>>;

  ChildKeeper(std::shared_ptr<ChildPort> port, ChildParts parts, Owner owner,
              const ChildProcessOptions& options);
  ~ChildKeeper() override;

  Task<void> On(AwaitChildEnd);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  // A pipe that the process writes.
  struct Source {
    std::unique_ptr<Stream> stream;  // null: not, or not any more
    std::optional<size_t> left;      // to read, when the process has ended
  };

  Task<absl::Status> ReadOutput();
  Task<absl::Status> ReadErrors();
  Task<absl::Status> WriteInput();
  Task<absl::Status> StopWhenTold();
  Task<absl::Status> AwaitEnd();
  Task<absl::Status> HoldShutdown();

  // Reads until the end of the output, or an error.
  Task<absl::Status> Pump();
  // Sends what pieces_ has.
  Task<absl::Status> SendPieces();
  // 0: there is nothing more to read.
  Task<absl::StatusOr<size_t>> Read(Source& source, absl::Span<char> into);
  size_t ReadTheRest(Source& source, absl::Span<char> into);
  void LogErrors();
  Task<void> AwaitExit();
  void OnReady(Ready ready) override;
  void StopWatching();
  void Signal(int signal);
  void TellEnd();

  const std::shared_ptr<ChildPort> port_;
  const Owner owner_;
  const ChildProcessOptions options_;
  const std::string name_;
  RunningProcess process_;
  ScopedFd in_fd_, out_fd_, err_fd_;  // until OnStart()

  wire::PieceDecoder pieces_;
  ErrorLines error_lines_;
  ChildEnd end_;
  bool exited_ = false;  // the process, and it was waited for
  bool told_ = false;    // ChildEnd was sent
  bool holds_ = false;   // HoldShutdown() runs
  std::optional<Token> token_;
  AsyncCondition exits_;

  Source out_, err_;  // these go first: they lend the buffers
  std::unique_ptr<Stream> in_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_KEEPER_H_
