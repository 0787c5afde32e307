// SPDX-License-Identifier: Apache-2.0
//
// ShutdownReport: how a bus ended.
//
//   trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
//   if (!report.clean) std::cerr << report.ToString();
//
// A value; any thread.

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
  // Messages that were accepted and never handled; a count.
  uint64_t abandoned = 0;
  // Actors whose handler had not returned at the deadline: the name, the loop,
  // the message and, if it is known, for how long. The thread of such a loop
  // goes on until the handler returns. `abandoned` counts the messages of these
  // actors, too.
  std::vector<std::string> survivors;
  absl::Duration took;
  Ledger ledger;

  // One or more lines for people.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_SHUTDOWN_REPORT_H_
