// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/command_text.h"

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "trolley/actors/testing/probe_entry.h"

namespace trolley::internal {

std::string NameBeside(const std::type_info& type,
                       const std::type_info& model) {
  const std::string model_name = testing::ProbeTypeNameOf(model);
  const std::string name = testing::ProbeTypeNameOf(type);
  // Behind the last "::" that is not part of a template argument.
  const size_t behind = model_name.substr(0, model_name.find('<')).rfind("::");
  if (behind == std::string::npos) return name;
  return std::string(absl::StripPrefix(name, model_name.substr(0, behind + 2)));
}

std::string CommandTest(const std::type_info& model,
                        const std::vector<std::string>& commands, uint64_t seed,
                        const std::vector<uint64_t>& turns) {
  const ::testing::TestInfo* const test =
      ::testing::UnitTest::GetInstance()->current_test_info();
  std::string text =
      absl::StrCat("TEST(", test != nullptr ? test->test_suite_name() : "Model",
                   "Found, Seed", seed, ") {\n  trolley::testing::RunCommands<",
                   NameBeside(model, model), ">(\n      {\n");
  for (const std::string& command : commands) {
    absl::StrAppend(&text, "          ", command, ",\n");
  }
  absl::StrAppend(&text, "      },\n      {.seed = ", seed);
  if (!turns.empty()) {
    absl::StrAppend(&text, ", .turns = {", absl::StrJoin(turns, ", "), "}");
  }
  absl::StrAppend(&text, "});\n}\n");
  return text;
}

}  // namespace trolley::internal
