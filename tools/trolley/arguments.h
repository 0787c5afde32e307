// SPDX-License-Identifier: Apache-2.0
//
// Arguments: a command line, read by the rules of its command. Options may
// stand anywhere after the command; "--" ends the options.
//
//   auto arguments = Arguments::Read(commands, {"ps", "--limit", "3"});
//
// Values; one thread.

#ifndef TROLLEY_TOOLS_TROLLEY_ARGUMENTS_H_
#define TROLLEY_TOOLS_TROLLEY_ARGUMENTS_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trolley::tools {

enum ExitCode {
  kOk = 0,
  kRpcError = 1,       // the service returned an error
  kUsage = 2,          // the command line is wrong
  kCannotConnect = 3,  // no service answers at the address
  kTimeout = 4,        // the service did not answer in time
  kPartial = 5,        // done only in part; stderr says why
};

struct Option {
  const char* name;   // without the dashes
  const char* value;  // the value's name in the help; null: takes no value
  const char* help;
};

class Arguments;

struct Command {
  const char* name;
  const char* operands;  // as in the usage line: "NAME TYPE JSON"
  size_t least_operands;
  size_t most_operands;
  const char* summary;  // one line
  const char* details;  // the rest of its help
  std::vector<Option> options;
  int (*run)(const Arguments& arguments);
};

// The options that every command has.
const std::vector<Option>& CommonOptions();

class Arguments {
 public:
  // Reads the words after the program's name: the common options, the name of
  // one of `commands`, its options and operands.
  //
  //   InvalidArgument  the line is wrong; the text says why, and which word was
  //                    probably meant
  static absl::StatusOr<Arguments> Read(const std::vector<Command>& commands,
                                        const std::vector<std::string>& words);

  // Null if the line has no command.
  const Command* command() const { return command_; }
  const std::vector<std::string>& operands() const { return operands_; }
  bool has(const std::string& option) const {
    return options_.count(option) > 0;
  }
  // The value of `option`, or `otherwise` if it is not given.
  std::string Get(const std::string& option,
                  absl::string_view otherwise = "") const;
  // InvalidArgument: not a length of time, or not above 0 and at most 24 h.
  absl::StatusOr<absl::Duration> GetDuration(const std::string& option,
                                             absl::Duration otherwise) const;
  // --output: "table", "json", "jsonl" or "name".
  absl::StatusOr<std::string> GetOutput() const {
    return GetChoice("output", {"table", "json", "jsonl", "name"});
  }
  // InvalidArgument: the value is not one of `values`, of which the first is
  // the default.
  absl::StatusOr<std::string> GetChoice(
      const std::string& option, const std::vector<std::string>& values) const;

 private:
  absl::Status TakeOption(const std::vector<std::string>& words, size_t* at);
  const Option* Find(absl::string_view name) const;
  absl::Status CheckOperands() const;

  const Command* command_ = nullptr;
  std::vector<std::string> operands_;
  std::map<std::string, std::string> options_;
};

// The word of `known` that is most similar to `word`; empty if none is similar.
std::string Closest(absl::string_view word,
                    const std::vector<std::string>& known);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_ARGUMENTS_H_
