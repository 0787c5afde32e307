// SPDX-License-Identifier: Apache-2.0
//
// PipeLink: a link to another process over two pipes, one for each direction: a
// StreamLink (actors/link/stream_link.h, which has the whole contract). The
// pipes have names in the file system, or the process was started with them.
//
//   // By name; actors/pipe/pipes.h shows the other process.
//   auto link = bus.Spawn<trolley::PipeLink>(
//       {}, trolley::PipePaths{.in = "/run/top.in", .out = "/run/top.out"});
//   // On standard input and output:
//   absl::StatusOr<trolley::PipePair> pipes =
//       trolley::InheritedPipes(trolley::RealSys());
//   ...
//   auto link = bus.Spawn<trolley::PipeLink>({}, *std::move(pipes));
//
// A pipe does not tell the process at its other end: LinkUp has neither its
// user nor its number. The modes of the files decide about the peer.
//
// How two links meet over named pipes: each opens `in`, which never waits; then
// it opens `out`, which fails while no process reads it. So the link that comes
// first waits until bytes of the other one arrive in `in`. It waits for
// LinkOptions::handshake_deadline, and pauses as after any failure.
//
// A process that was started again may open a pipe before this side has seen
// the end of the one before. Its Hello is then the end of the connection, and
// both links dial again.
//
// Ownership, threads and bounds: as StreamLink.
// Ends:      as StreamLink; over a PipePair it ends with its connection.
//
// Errors of the dialer, LinkEnd::kNoConnection:
//
//   Unavailable          no process reads `out`; or another one writes to it
//   NotFound             no file is at one of the paths
//   FailedPrecondition   a file is no pipe
//   PermissionDenied     this user may not open one
//   other codes          a call failed (poller/errno_status.h)

#ifndef TROLLEY_ACTORS_PIPE_PIPE_LINK_H_
#define TROLLEY_ACTORS_PIPE_PIPE_LINK_H_

#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/pipe/pipes.h"

namespace trolley {

// The longest pause of a link over named pipes before it opens them again. A
// link that begins in such a pause waits for the other side no longer than
// until its handshake_deadline. 100 ms: a small part of that.
inline constexpr absl::Duration kLongestPipeBackoff = absl::Milliseconds(100);

class PipeLink : public StreamLink {
 public:
  // Opens the pipes, and opens them again. LinkOptions::backoff_first and
  // backoff_last are kLongestPipeBackoff at most.
  explicit PipeLink(PipePaths paths, LinkOptions options = {});

  // Takes open pipes.
  explicit PipeLink(PipePair pipes, LinkOptions options = {});
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PIPE_PIPE_LINK_H_
