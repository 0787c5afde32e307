// SPDX-License-Identifier: Apache-2.0
//
// CallLimit: ends a call at the client's timeout. gRPC does so itself, but
// waits for its deadlines by the wall clock: set back by an hour, it would make
// the command wait for an hour. So a thread waits by the monotonic clock, too,
// and cancels a call that should be over; the server is told of the deadline
// and ends it before, if it can.
//
//   grpc::ClientContext context;
//   const CallLimit limit(client.timeout(), context);
//
// Ownership: borrows the context, which outlives it and the call.
// Threads:   one for each; without one to be had, gRPC's deadline is all.
// Ends:      destroyed after the call, which its thread does not outlive.

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
        // So that gRPC, which knows more, is first if it can be.
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
