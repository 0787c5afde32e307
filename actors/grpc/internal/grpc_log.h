// SPDX-License-Identifier: Apache-2.0
//
// GrpcLog: where gRPC's own lines go, such as "Error parsing metadata". gRPC
// writes them to standard error, on its own threads, with the texts of peers in
// them: a peer could fill a terminal and send escape sequences to it.
//
// gRPC has one log function for the process, and does not say which server a
// line is about. So while a GrpcLog lives, each line goes to the log of one
// bus:
//
//   GrpcLogs that live   the lines go to
//   none                 gRPC's default function, which gpr_set_log_function
//                        sets when the last one ends
//   one                  its bus
//   several              the bus of the one that has lived longest; when it
//                        ends, that of the next one
//
// A line is printable, and has at most kMaxTextBytes of gRPC's text. The bus
// limits the lines of each place in gRPC's code (LogOptions). GRPC_VERBOSITY
// and GRPC_TRACE say which lines gRPC makes, as before.
//
// After "assertion failed" gRPC aborts the process, and the bus would not write
// the line any more. So this writes it to standard error as well, unless that
// takes nothing now.
//
// A program that calls gpr_set_log_function itself, while a GrpcLog lives, has
// all lines itself until the last one ends. A function that it set before is
// not called again: gRPC has no way to ask for it.
//
// Ownership: a member of the service; the bus outlives it.
// Threads:   thread-safe. Lines come from any thread; none of them waits for
//            the sink of the log (BusOptions::log).
// Bounds:    those of the log.
// Ends:      the destructor returns when no thread logs to the bus any more.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_LOG_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_LOG_H_

#include <grpc/support/log.h>

#include "trolley/actors/bus.h"

namespace trolley::internal {

class GrpcLog {
 public:
  explicit GrpcLog(const Bus& bus);
  GrpcLog(const GrpcLog&) = delete;
  GrpcLog& operator=(const GrpcLog&) = delete;
  ~GrpcLog();

 private:
  struct All;
  static All& all();
  // Not null: it lives until Release().
  static GrpcLog* AcquireOldest();
  void Release();
  // gRPC's log function.
  static void Handle(gpr_log_func_args* line);

  const Bus& bus_;
  int writers_ = 0;  // threads between AcquireOldest() and Release()
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_LOG_H_
