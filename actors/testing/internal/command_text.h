// SPDX-License-Identifier: Apache-2.0
//
// CommandText: a command of a model (actors/testing/model_test.h) as C++ that
// stands beside the model: "QueueModel::Push{3}".
//
// Ownership: keeps nothing.
// Threads:   any.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_COMMAND_TEXT_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_COMMAND_TEXT_H_

#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

// The name of `type`, without the namespace of `model`.
std::string NameBeside(const std::type_info& type, const std::type_info& model);

template <typename Model, typename C>
std::string CommandText(const C& command) {
  std::string name = NameBeside(typeid(C), typeid(Model));
  if constexpr (std::is_empty_v<C>) {
    return absl::StrCat(name, "{}");
  } else {
    static_assert(
        requires(std::ostream & to) { to << command; },
        "a command with members has an operator<<, which writes them "
        "as they stand between braces: 3, true");
    std::ostringstream members;
    members << command;
    return absl::StrCat(name, "{", members.str(), "}");
  }
}

// The test that runs `commands` again, for the name of the current test.
std::string CommandTest(const std::type_info& model,
                        const std::vector<std::string>& commands, uint64_t seed,
                        const std::vector<uint64_t>& turns);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_COMMAND_TEXT_H_
