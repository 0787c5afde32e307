// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/signals.h"

#include "absl/status/statusor.h"
#include "trolley/actors/behaviour/internal/watched_signal.h"

namespace trolley {

Signals::Signals() = default;
Signals::~Signals() = default;

absl::Status Signals::Begin(ActorContext context,
                            const std::vector<int>& signals) {
  Stop();
  for (const int signal : signals) {
    auto watched = internal::WatchedSignal::Create(
        context, signal,
        [this](int number, uint64_t times,
               internal::OneInFlight::Token in_flight) {
          tell_(Signalled{.signal = number,
                          .times = times,
                          .in_flight = std::move(in_flight)});
        });
    if (!watched.ok()) {
      Stop();
      return watched.status();
    }
    watched_.push_back(*std::move(watched));
  }
  return absl::OkStatus();
}

void Signals::Stop() { watched_.clear(); }

}  // namespace trolley
