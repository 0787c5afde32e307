// SPDX-License-Identifier: Apache-2.0
//
// CallLimit: ends a call at the client's timeout. gRPC also ends it, but it
// waits by the wall clock: if that is set back by an hour, the command would
// wait for an hour. So a thread of this class waits by the monotonic clock and
// cancels the call. The server gets the deadline too and ends the call earlier
// if it can.
//
//   grpc::ClientContext context;
//   const CallLimit limit(client.timeout(), context);
//
// Ownership: borrows the context, which outlives it and the call.
// Threads:   starts one for each object. If no thread can be started, only
//            gRPC's own deadline ends the call.
// Ends:      destroy it after the call. The destructor joins the thread.

#ifndef TROLLEY_TOOLS_TROLLEY_CALL_LIMIT_H_
#define TROLLEY_TOOLS_TROLLEY_CALL_LIMIT_H_

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

#include <system_error>
#include <thread>

#include "absl/time/time.h"
#include "trolley/bus/latch.h"

namespace trolley::tools {

class CallLimit {
 public:
  CallLimit(absl::Duration timeout, grpc::ClientContext& context) {
    context.set_deadline(gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN)));
    try {
      watch_ = std::thread([this, timeout, &context] {
        // 100 ms longer, so that gRPC ends the call if it can: its error says
        // more.
        if (!over_.Wait(timeout + absl::Milliseconds(100))) {
          context.TryCancel();
        }
      });
    } catch (const std::system_error&) {
    }
  }
  CallLimit(const CallLimit&) = delete;
  CallLimit& operator=(const CallLimit&) = delete;
  ~CallLimit() {
    over_.Open();
    if (watch_.joinable()) watch_.join();
  }

 private:
  Latch over_;
  std::thread watch_;
};

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_CALL_LIMIT_H_
