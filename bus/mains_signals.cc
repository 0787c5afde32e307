// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/mains_signals.h"

#include <signal.h>

#include <exception>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"

namespace trolley {

absl::Status WithMainsSignals(BusState& bus, absl::FunctionRef<void()> start) {
  // On the loop's own thread a signal that is blocked and pending would come
  // the moment it is not blocked any more. A new thread has none pending.
  std::exception_ptr thrown;
  std::thread thread;
  try {
    thread = std::thread([&] {
      bus.sys().Sigmask(SIG_SETMASK, &bus.mains_signals(), nullptr);
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
  return absl::OkStatus();
}

}  // namespace trolley
