// SPDX-License-Identifier: Apache-2.0
//
// trolley: shows a running Trolleybus program, sends messages to its actors and
// stops them. It uses only the control service (proto/control.proto).
//
// It prints results to stdout and all other texts to stderr. Exit codes:
// arguments.h.

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"

namespace trolley::tools {
namespace {

int Help(const Arguments& arguments);

const std::vector<Command>& Commands() {
  static const auto& commands = *new std::vector<Command>{
      PsCommand(),
      InfoCommand(),
      TreeCommand(),
      SendCommand(),
      AskCommand(),
      StopCommand(),
      PollersCommand(),
      {.name = "help",
       .operands = "[COMMAND]",
       .least_operands = 0,
       .most_operands = 1,
       .summary = "show this help, or the help of one command",
       .details = "",
       .options = {},
       .run = &Help},
  };
  return commands;
}

void PrintOptions(const std::vector<Option>& options) {
  for (const Option& option : options) {
    std::string left = absl::StrCat("  --", option.name);
    if (option.value != nullptr) absl::StrAppend(&left, " ", option.value);
    left.resize(std::max<size_t>(left.size() + 1, 22), ' ');
    std::cout << left << option.help << "\n";
  }
}

void PrintHelp(const Command& command) {
  std::cout << "trolley " << command.name << " " << command.operands << "\n\n"
            << command.summary << "\n";
  if (command.details[0] != '\0') std::cout << "\n" << command.details << "\n";
  std::cout << "\nOptions:\n";
  PrintOptions(command.options);
  PrintOptions(CommonOptions());
}

void PrintOverview() {
  std::cout << "trolley COMMAND: shows a running Trolleybus program and "
               "controls it\n\nCommands:\n";
  for (const Command& command : Commands()) {
    std::string left = absl::StrCat("  ", command.name);
    left.resize(10, ' ');
    std::cout << left << command.summary << "\n";
  }
  std::cout << "\nOptions:\n";
  PrintOptions(CommonOptions());
  std::cout << "\nExit codes:\n"
               "  0  done\n"
               "  1  the service returned an error\n"
               "  2  the command line is wrong\n"
               "  3  cannot connect to the service\n"
               "  4  the service did not answer in time\n"
               "  5  done only in part; stderr says why\n\n"
               "Results go to stdout, all other texts to stderr.\n\n"
               "Examples:\n"
               "  export TROLLEY_ADDRESS=unix:/run/bank/control.sock\n"
               "  trolley ps --sort depth --limit 10\n"
               "  trolley ask accounts/alice bank.GetBalance -o json\n";
}

int Help(const Arguments& arguments) {
  if (arguments.operands().empty()) {
    PrintOverview();
    return kOk;
  }
  const absl::StatusOr<Arguments> about =
      Arguments::Read(Commands(), {arguments.operands()[0], "--help"});
  if (!about.ok()) return ReportUsage(about.status());
  PrintHelp(*about->command());
  return kOk;
}

int Run(const std::vector<std::string>& words) {
  const absl::StatusOr<Arguments> arguments =
      Arguments::Read(Commands(), words);
  if (!arguments.ok()) return ReportUsage(arguments.status());
  const Command* command = arguments->command();
  if (command == nullptr) {
    if (!arguments->has("help")) {
      return ReportUsage(absl::InvalidArgumentError(
          "no command given; `trolley help` lists the commands"));
    }
    PrintOverview();
    return kOk;
  }
  if (arguments->has("help")) {
    PrintHelp(*command);
    return kOk;
  }
  return command->run(*arguments);
}

}  // namespace
}  // namespace trolley::tools

int main(int argc, char** argv) {
  const int code = trolley::tools::Run({argv + 1, argv + argc});
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "trolley: cannot write to standard output\n";
    return trolley::tools::kRpcError;
  }
  return code;
}
