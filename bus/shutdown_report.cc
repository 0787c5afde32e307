// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/shutdown_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace trolley {

std::string ShutdownReport::ToString() const {
  std::string text = absl::StrCat(clean ? "clean" : "not clean", ", took ",
                                  absl::FormatDuration(took), "; abandoned ",
                                  abandoned, "; ", ledger.ToString());
  if (!survivors.empty()) {
    absl::StrAppend(&text, "\nstill running: ", absl::StrJoin(survivors, ", "));
  }
  return text;
}

}  // namespace trolley
