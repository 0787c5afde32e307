// SPDX-License-Identifier: Apache-2.0
//
// Clients: many connections to an echo service. Each sends one message, checks
// the answer, and sends the next. One thread with epoll serves all of them, so
// that the figures depend on the server and little on the clients.
//
// Ownership: owns its connections.
// Threads:   one.
// Bounds:    one message for each connection; kMostSamples latencies.
// Ends:      the destructor closes the connections.

#ifndef TROLLEY_EXAMPLES_ECHO_MODELS_CLIENTS_H_
#define TROLLEY_EXAMPLES_ECHO_MODELS_CLIENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/poller/instant.h"
#include "trolley/poller/scoped_fd.h"

namespace echo {

// Of 4 bytes each. Later ones are counted as messages and no more.
inline constexpr size_t kMostSamples = 16u << 20;

// A socket takes this much at once, so nothing is ever sent in parts.
inline constexpr size_t kMostMessageBytes = 64u << 10;

class Clients {
 public:
  struct Options {
    std::string path;
    int count = 1;
    size_t message_bytes = 64;
    absl::Duration patience = absl::Seconds(10);  // for one answer
  };
  // Errors: as trolley::ConnectUnix, naming which connection.
  static absl::StatusOr<std::unique_ptr<Clients>> Connect(
      const Options& options);

  struct Results {
    absl::Duration took;
    uint64_t messages = 0;
    std::vector<uint32_t> latencies;  // in nanoseconds, those of 4 s and more
                                      // as the greatest
  };
  // Each client sends until `rounds` messages are answered, or until `duration`
  // is over.
  // Unavailable: the server closed a connection. DataLoss: an answer differs.
  // DeadlineExceeded: none came within the patience.
  absl::StatusOr<Results> Run(uint64_t rounds, absl::Duration duration);

 private:
  struct Client {
    trolley::ScopedFd fd;
    uint64_t sent = 0;       // messages
    size_t received = 0;     // bytes of the answer
    trolley::Instant start;  // of the one under way
    std::string message;
  };

  Clients(const Options& options, trolley::ScopedFd poller)
      : options_(options), poller_(std::move(poller)) {}

  absl::Status ConnectOne();
  absl::Status Send(size_t which);
  // True: the answer is complete.
  absl::StatusOr<bool> Receive(size_t which);

  const Options options_;
  trolley::ScopedFd poller_;
  std::vector<Client> clients_;
  std::string buffer_;
};

}  // namespace echo

#endif  // TROLLEY_EXAMPLES_ECHO_MODELS_CLIENTS_H_
