// SPDX-License-Identifier: Apache-2.0
//
// The command pollers: shows the pollers of this machine. Needs no service.

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"
#include "tools/trolley/look_at_pollers.h"
#include "tools/trolley/print.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

void PrintReport(const PollerReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "AVAILABLE", "WAKE_US", "LEAST_US", "CAPABILITIES", "WHY NOT"}};
  for (const PollerReport::Poller& poller : report.pollers()) {
    const bool measured = poller.wakes_measured() > 0;
    rows.push_back(
        {poller.name(), poller.available() ? "yes" : "no",
         measured ? absl::StrFormat("%.1f", poller.wake_us()) : "-",
         measured ? absl::StrFormat("%.1f", poller.least_wake_us()) : "-",
         poller.available() ? absl::StrJoin(poller.capabilities(), ",") : "-",
         poller.why_not()});
  }
  PrintTable(rows);
  PrintLine("");
  std::vector<std::pair<std::string, std::string>> fields = {
      {"auto takes", report.auto_().takes().empty() ? "none of them"
                                                    : report.auto_().takes()}};
  for (const auto& refusal : report.auto_().refused()) {
    fields.push_back({absl::StrCat("not ", refusal.name()), refusal.why()});
  }
  fields.push_back({"wake", report.wake_method()});
  PrintFields(fields);
}

int Pollers(const Arguments& arguments) {
  const absl::StatusOr<std::string> output = arguments.GetOutput();
  if (!output.ok()) return ReportUsage(output.status());
  const absl::StatusOr<absl::Duration> measure =
      arguments.GetDuration("measure", absl::Milliseconds(50));
  if (!measure.ok()) return ReportUsage(measure.status());
  const absl::StatusOr<Requirements> needs =
      ParseRequirements(arguments.Get("needs"));
  if (!needs.ok()) return ReportUsage(needs.status());

  const PollerReport report =
      LookAtPollers(*needs, RealSys(), MonotonicClock(), *measure);
  if (*output == "json") {
    PrintJson(ToJson(report));
  } else if (*output == "table") {
    PrintReport(report);
  }
  int code = kOk;
  for (const PollerReport::Poller& poller : report.pollers()) {
    if (*output == "jsonl") PrintJson(ToJson(poller));
    if (*output == "name" && poller.available()) PrintLine(poller.name());
    if (!poller.measuring_failed().empty()) {
      std::cerr << "cannot measure " << poller.name() << ": "
                << Printable(poller.measuring_failed()) << "\n";
      code = kPartial;
    }
  }
  if (report.auto_().takes().empty()) {
    std::cerr << "no poller has all of " << Printable(arguments.Get("needs"))
              << "\nhint: require less, or write a poller of your own, as in "
                 "examples/custom_poller\n";
    return kRpcError;
  }
  return code;
}

}  // namespace

Command PollersCommand() {
  return {
      .name = "pollers",
      .operands = "",
      .least_operands = 0,
      .most_operands = 0,
      .summary = "list the pollers of this machine and the one `auto` takes",
      .details =
          "Needs no service: --address and --timeout have no effect.\n"
          "Two threads wake each other, and the round trips are measured:\n"
          "WAKE_US is half of the median round trip, LEAST_US is half of "
          "the\nshortest one, both in microseconds. They differ if an idle "
          "processor\nneeds time to wake up. -o name lists only pollers "
          "that are available.\nWith --needs the exit code is 1 if no "
          "poller has all of LIST.",
      .options = {{"needs", "LIST",
                   "capabilities that `auto` requires, such as edge,any_fd"},
                  {"measure", "TIME",
                   "time to measure each poller, at most; default: 50ms"}},
      .run = &Pollers};
}

}  // namespace trolley::tools
