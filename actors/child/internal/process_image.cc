// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/process_image.h"

#include <unistd.h>

#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace trolley::internal {
namespace {

constexpr absl::string_view kPathWithoutPath = "/usr/local/bin:/usr/bin:/bin";

// Each variable by its name. The value of "NAME" alone is absent.
using Variables = std::map<std::string, std::optional<std::string>>;

void Set(Variables& variables, absl::string_view text) {
  const size_t equals = text.find('=');
  std::optional<std::string>& value =
      variables[std::string(text.substr(0, equals))];
  value.reset();
  if (equals != absl::string_view::npos) {
    value = std::string(text.substr(equals + 1));
  }
}

Variables VariablesOf(const ChildProcessOptions& options) {
  Variables variables;
  if (options.inherit_environment && environ != nullptr) {
    for (char** text = environ; *text != nullptr; ++text) Set(variables, *text);
  }
  for (const std::string& text : options.environment) Set(variables, text);
  return variables;
}

std::vector<std::string> PathsOf(const std::string& program,
                                 const Variables& variables) {
  if (program.find('/') != std::string::npos) return {program};
  const auto path = variables.find("PATH");
  const bool given = path != variables.end() && path->second.has_value();
  std::vector<std::string> paths;
  for (absl::string_view folder : absl::StrSplit(
           given ? absl::string_view(*path->second) : kPathWithoutPath, ':',
           absl::SkipEmpty())) {
    // A relative one would depend on where the child starts.
    if (folder[0] == '/') paths.push_back(absl::StrCat(folder, "/", program));
  }
  return paths;
}

}  // namespace

ProcessImage ImageOf(const ChildProcessOptions& options) {
  const Variables variables = VariablesOf(options);
  ProcessImage image{.paths = PathsOf(options.argv[0], variables),
                     .argv = options.argv,
                     .environment = {},
                     .working_directory = options.working_directory};
  for (const auto& [name, value] : variables) {
    if (value.has_value()) {
      image.environment.push_back(absl::StrCat(name, "=", *value));
    }
  }
  return image;
}

}  // namespace trolley::internal
