// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/mains_signals.h"

#include <signal.h>

#include <exception>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley {

absl::Status WithMainsSignals(ActorContext context,
                              absl::FunctionRef<void()> start) {
  // On the loop's thread, a blocked signal that is pending would be delivered
  // when it is unblocked. A new thread has no pending signals of its own.
  std::exception_ptr thrown;
  int masked = 0;
  std::thread thread;
  try {
    thread = std::thread([&] {
      masked =
          context.sys().Sigmask(SIG_SETMASK, &context.mains_signals(), nullptr);
      if (masked < 0) return;
      try {
        start();
      } catch (...) {
        thrown = std::current_exception();
      }
    });
  } catch (const std::system_error& refused) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread to start a process from: ", refused.what()));
  }
  thread.join();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (masked < 0) {
    return ErrnoStatus(masked, SysCall::kSigmask,
                       "the thread to start a process from");
  }
  return absl::OkStatus();
}

}  // namespace trolley
