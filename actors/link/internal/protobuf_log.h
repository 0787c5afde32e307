// SPDX-License-Identifier: Apache-2.0
//
// Where libprotobuf's own lines go, such as "String field 'a.B.c' contains
// invalid UTF-8 data". It writes them to standard error, on the thread that
// parses: what a peer sends would fill a terminal, and a standard error that is
// not read would stop a loop.
//
// After RouteProtobufLog() a line from a thread that works for a bus goes to
// the log of that bus: from its loops, and from a thread with a
// ProtobufLogScope. Every other line goes where it went before, to the handler
// that the program had set or to standard error. A program that calls
// google::protobuf::SetLogHandler afterwards has all lines itself.
//
// Links and the control service call it when they start.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_PROTOBUF_LOG_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_PROTOBUF_LOG_H_

#include "trolley/actors/bus.h"

namespace trolley::internal {

// Thread-safe among its callers, but not beside a call of SetLogHandler by the
// program, as libprotobuf says of that function. The first call counts.
void RouteProtobufLog();

// While it lives, its thread works for `bus`. Not needed on a loop.
class ProtobufLogScope {
 public:
  explicit ProtobufLogScope(const Bus& bus);
  ProtobufLogScope(const ProtobufLogScope&) = delete;
  ProtobufLogScope& operator=(const ProtobufLogScope&) = delete;
  ~ProtobufLogScope();

 private:
  const Bus* const outer_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_PROTOBUF_LOG_H_
