// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/exit_codes.h"

namespace trolley {

int ExitCodeOf(const ShutdownReport& report) {
  if (!report.survivors.empty()) return ExitCodes::kStuck;
  if (!report.clean) return ExitCodes::kNotQuiet;
  return report.abandoned > 0 ? ExitCodes::kAbandoned : ExitCodes::kClean;
}

}  // namespace trolley
