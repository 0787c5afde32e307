// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/arguments.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

// The number of letters that must change to turn one word into the other.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string DidYouMean(const std::string& closest) {
  return closest.empty() ? "" : absl::StrCat("; did you mean ", closest, "?");
}

}  // namespace

std::string Closest(absl::string_view word,
                    const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = absl::StartsWith(candidate, word) && word.size() > 1
                                ? 1
                                : Distance(word.substr(0, 64), candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

const std::vector<Option>& CommonOptions() {
  static const auto& options = *new std::vector<Option>{
      {"address", "unix:PATH",
       "where the service is; default: TROLLEY_ADDRESS"},
      {"output", "FORM",
       "table, json, jsonl or name; default: table (short: -o)"},
      {"timeout", "TIME",
       "how long to wait, such as 500ms or 2s; default: 10s"},
      {"help", nullptr, "what the command does (short: -h)"},
  };
  return options;
}

const Option* Arguments::Find(absl::string_view name) const {
  for (const Option& option : CommonOptions()) {
    if (option.name == name) return &option;
  }
  if (command_ == nullptr) return nullptr;
  for (const Option& option : command_->options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

absl::Status Arguments::TakeOption(const std::vector<std::string>& words,
                                   size_t* at) {
  const std::string& word = words[*at];
  const size_t equals = word.find('=');
  std::string name = word.substr(0, equals);
  if (name == "-o") name = "--output";
  if (name == "-h") name = "--help";
  const Option* option =
      absl::StartsWith(name, "--") ? Find(name.substr(2)) : nullptr;
  if (option == nullptr) {
    std::vector<std::string> known;
    for (const Option& o : CommonOptions()) known.push_back(o.name);
    if (command_ != nullptr) {
      for (const Option& o : command_->options) known.push_back(o.name);
    }
    const size_t letters = name.find_first_not_of('-');
    std::string closest = Closest(
        letters == std::string::npos ? "" : name.substr(letters), known);
    if (!closest.empty()) closest = absl::StrCat("--", closest);
    // An option before the command may be an option of that command, in the
    // wrong place.
    return absl::InvalidArgumentError(
        command_ != nullptr
            ? absl::StrCat("there is no option ", Printable(name, 64),
                           " for `trolley ", command_->name, "`",
                           DidYouMean(closest), "\n`trolley ", command_->name,
                           " --help` lists its options")
            : absl::StrCat(
                  "there is no option ", Printable(name, 64),
                  " before the command", DidYouMean(closest),
                  "\n`trolley help` lists the options that may stand there; "
                  "the options of a command stand after it"));
  }
  std::string value;
  if (option->value == nullptr) {
    if (equals != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", option->name, " takes no value"));
    }
  } else if (equals != std::string::npos) {
    value = word.substr(equals + 1);
  } else if (*at + 1 < words.size()) {
    value = words[++*at];
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--", option->name, " needs a value: --", option->name,
                     " ", option->value));
  }
  if (!options_.emplace(option->name, value).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", option->name, " is given twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Arguments> Arguments::Read(
    const std::vector<Command>& commands,
    const std::vector<std::string>& words) {
  Arguments read;
  bool options_ended = false;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (!options_ended && word == "--") {
      options_ended = true;
    } else if (!options_ended && word.size() > 1 && word[0] == '-') {
      if (absl::Status taken = read.TakeOption(words, &at); !taken.ok()) {
        return taken;
      }
    } else if (read.command_ != nullptr) {
      read.operands_.push_back(word);
    } else {
      std::vector<std::string> known;
      for (const Command& command : commands) {
        known.push_back(command.name);
        if (word == command.name) read.command_ = &command;
      }
      if (read.command_ == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat("there is no command \"", Printable(word, 64), "\"",
                         DidYouMean(Closest(word, known)),
                         "\n`trolley help` lists the commands"));
      }
    }
  }
  if (absl::Status fits = read.CheckOperands(); !fits.ok()) return fits;
  return read;
}

absl::Status Arguments::CheckOperands() const {
  if (command_ == nullptr || has("help")) return absl::OkStatus();
  if (operands_.size() > command_->most_operands) {
    return absl::InvalidArgumentError(absl::StrCat(
        "one argument too many: ",
        Printable(operands_[command_->most_operands], 64), "\nusage: trolley ",
        command_->name, command_->operands[0] == '\0' ? "" : " ",
        command_->operands, " [OPTION...]"));
  }
  if (operands_.size() < command_->least_operands) {
    const std::vector<std::string> names =
        absl::StrSplit(command_->operands, ' ');
    return absl::InvalidArgumentError(absl::StrCat(
        absl::StripSuffix(names[operands_.size()], "..."),
        " is missing\nusage: trolley ", command_->name, " ", command_->operands,
        " [OPTION...]\n`trolley ", command_->name, " --help` explains each"));
  }
  return absl::OkStatus();
}

std::string Arguments::Get(const std::string& option,
                           absl::string_view otherwise) const {
  const auto at = options_.find(option);
  return at != options_.end() ? at->second : std::string(otherwise);
}

absl::StatusOr<absl::Duration> Arguments::GetDuration(
    const std::string& option, absl::Duration otherwise) const {
  const auto at = options_.find(option);
  if (at == options_.end()) return otherwise;
  absl::Duration value;
  if (!absl::ParseDuration(at->second, &value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", option, " ", Printable(at->second, 64),
                     " is not a time; write it as 500ms, 2s or 5m"));
  }
  if (value <= absl::ZeroDuration() || value > absl::Hours(24)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", option, " ", Printable(at->second, 64),
                     " must be above 0 and at most 24h"));
  }
  return value;
}

absl::StatusOr<std::string> Arguments::GetChoice(
    const std::string& option, const std::vector<std::string>& values) const {
  const std::string value = Get(option, values[0]);
  if (std::find(values.begin(), values.end(), value) != values.end()) {
    return value;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--", option, " ", Printable(value, 64), " is not one of ",
      absl::StrJoin(values, ", "), DidYouMean(Closest(value, values))));
}

}  // namespace trolley::tools
