// SPDX-License-Identifier: Apache-2.0
//
// SimPoller: the Poller of a SimWorld. It has every trigger. Where Poller's
// contract leaves a choice, the seed decides: which ready descriptors come
// first and how many a Wait returns. Descriptors that did not fit come first in
// the next Wait.
//
// Ownership: made by SimWorld::NewPoller(). The world outlives it.
// Threads:   as Poller, all on the world's thread. Wake() is thread-safe, but a
//            Wait never blocks until another thread calls it.
// Bounds:    none of its own.

#ifndef TROLLEY_POLLER_SIM_SIM_POLLER_H_
#define TROLLEY_POLLER_SIM_SIM_POLLER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/sim.h"

namespace trolley::internal {

class SimPoller final : public Poller {
 public:
  // `id` identifies this poller in the world's trace.
  SimPoller(SimWorld& world, uint64_t id);

  absl::Status Add(int fd, Token token, Interest interest) override;
  absl::Status Modify(int fd, Token token, Interest interest) override;
  absl::Status Remove(int fd, Token token) override;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override;
  void Wake() override { woken_ = true; }
  const Capabilities& capabilities() const override { return capabilities_; }

 private:
  struct Entry {
    Token token;
    Interest interest;
    uint64_t file_id = 0;
    bool armed = true;          // kOneshot: not reported yet
    bool fresh = true;          // kEdge: nothing reported yet
    uint64_t seen_changes = 0;  // kEdge: changes that were reported
    uint64_t passed_over = 0;   // times it was ready and did not fit
  };
  struct Candidate {
    Entry* entry;
    int fd;
    Ready ready;
  };

  Entry* Find(int fd, Token token);
  Ready ReadyNow(int fd, const Entry& entry) const;
  std::vector<Candidate> Collect();

  SimWorld& world_;
  const uint64_t id_;
  const Capabilities capabilities_;
  std::atomic<bool> woken_{false};
  std::map<int, Entry> entries_;  // ordered, so that hashes change no trace
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_SIM_SIM_POLLER_H_
