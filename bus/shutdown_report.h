// SPDX-License-Identifier: Apache-2.0
//
// ShutdownReport: how a bus ended. A value.

#ifndef TROLLEY_BUS_SHUTDOWN_REPORT_H_
#define TROLLEY_BUS_SHUTDOWN_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "trolley/bus/ledger.h"

namespace trolley {

struct ShutdownReport {
  // True: every accepted message was handled before the actors were stopped,
  // and every loop ended.
  bool clean = false;
  // Messages that were accepted and never handled.
  uint64_t abandoned = 0;
  // Actors that kept their loop to the end of the deadline. Their threads go on
  // until the handler returns; their messages are among the abandoned.
  std::vector<std::string> survivors;
  absl::Duration took;
  Ledger ledger;

  // A line or a few, for people.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_SHUTDOWN_REPORT_H_
