// SPDX-License-Identifier: Apache-2.0
//
// The parts that the blocking models share: Visitors waits for the next
// connection or signal, and ServeBlocking() serves one connection to its end.
//
// Threads: Visitors belongs to one thread; ServeBlocking may run on any.

#ifndef TROLLEY_EXAMPLES_ECHO_MODELS_BLOCKING_H_
#define TROLLEY_EXAMPLES_ECHO_MODELS_BLOCKING_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/scoped_fd.h"

namespace echo {

// Answers on `fd`, a blocking socket, until its peer is done or gone.
void ServeBlocking(int fd);

class Visitors {
 public:
  // Errors: no descriptor is left for the signals.
  static absl::StatusOr<Visitors> Open(trolley::UnixListenSocket& listener);

  struct Next {
    trolley::ScopedFd connection;  // blocking; -1 if it was a signal
    int signal = 0;
  };
  // Waits for ever. Errors: the listener is broken.
  absl::StatusOr<Next> Wait();

 private:
  Visitors(trolley::UnixListenSocket& listener, trolley::ScopedFd signals)
      : listener_(listener), signals_(std::move(signals)) {}

  trolley::UnixListenSocket& listener_;
  trolley::ScopedFd signals_;
};

}  // namespace echo

#endif  // TROLLEY_EXAMPLES_ECHO_MODELS_BLOCKING_H_
