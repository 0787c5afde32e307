// SPDX-License-Identifier: Apache-2.0
//
// The command tree: shows supervisors and their children.

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"
#include "tools/trolley/print.h"
#include "tools/trolley/tree_walk.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

// The most errors that are printed, one a line.
constexpr int kMostErrors = 10;

std::string LabelOf(const TreeReport::Node& node) {
  absl::string_view name = node.name();
  if (!node.parent().empty()) {
    absl::ConsumePrefix(&name, absl::StrCat(node.parent(), "/"));
  }
  return absl::StrCat(std::string(2 * node.depth(), ' '), name);
}

void Print(const TreeReport& report, const std::string& output) {
  if (output == "json") return PrintJson(ToJson(report));
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "TYPE", "STATE", "LOOP", "RESTARTS", "LAST END"}};
  for (const TreeReport::Node& node : report.nodes()) {
    if (output == "jsonl") {
      PrintJson(ToJson(node));
    } else if (output == "name") {
      PrintLine(node.name());
    } else {
      rows.push_back({LabelOf(node), node.type().empty() ? "-" : node.type(),
                      node.state(), node.loop().empty() ? "-" : node.loop(),
                      absl::StrCat(node.restart_count()), node.last_exit()});
    }
  }
  if (output == "table" && rows.size() > 1) PrintTable(rows);
}

// Says what the output lacks. Returns the exit code.
int SayWhatIsMissing(const TreeReport& report) {
  if (report.nodes().empty()) {
    std::cerr << "this program shows no supervisors: it names none in "
                 "ControlOptions::tree\n";
  }
  int errors = 0;
  for (const TreeReport::Node& node : report.nodes()) {
    if (node.error().empty()) continue;
    if (++errors > kMostErrors) continue;
    std::cerr << "children of " << Printable(node.name(), 256)
              << " are not shown: " << Printable(node.error()) << "\n";
  }
  if (errors > kMostErrors) {
    std::cerr << "and those of " << errors - kMostErrors
              << " more supervisors\n";
  }
  if (report.left_out()) {
    std::cerr << "more than " << report.nodes_size()
              << " actors; show more with --limit, or a part with NAME\n";
  }
  return errors > 0 ? kPartial : kOk;
}

int Tree(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  absl::StatusOr<TreeWalk> walk = TreeWalk::Create(*client, arguments);
  if (!walk.ok()) return ReportUsage(walk.status());
  const grpc::Status read = arguments.operands().empty()
                                ? walk->FromRoots()
                                : walk->From(arguments.operands()[0]);
  if (!read.ok()) return client->Report(read);
  Print(walk->report(), client->output());
  return SayWhatIsMissing(walk->report());
}

}  // namespace

Command TreeCommand() {
  return {
      .name = "tree",
      .operands = "[NAME]",
      .least_operands = 0,
      .most_operands = 1,
      .summary = "show the supervisors and their children as a tree",
      .details =
          "NAME is the full name of a supervisor. Without it, the trees of all "
          "supervisors\nthat the program names in ControlOptions::tree are "
          "shown. In a table, a name\nstands without that of its supervisor. "
          "RESTARTS counts the starts after the\nfirst one. LAST END says why "
          "the last object ended. A supervisor that does not\nanswer is shown "
          "with the state \"no answer\", and the exit code is 5. --timeout "
          "is\nfor the whole command.",
      .options = {{"limit", "N",
                   "show only the first N actors; default: 10000"},
                  {"patience", "TIME",
                   "how long to wait for one supervisor; default: 1s"}},
      .run = &Tree};
}

}  // namespace trolley::tools
