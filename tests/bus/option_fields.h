// SPDX-License-Identifier: Apache-2.0
//
// Tests every option at its extremes. For each number of an options struct it
// tries 0, 1, the default, and the least and the most value of its type. With
// each value the struct must work, or be refused with InvalidArgument and the
// name of the field.
//
//   AtExtremes<LoopOptions>(
//       [](LoopOptions& o, auto visit) {
//         TROLLEY_FIELDS(o, visit, poller, factory, messages_per_slice, ...);
//       },
//       [](const LoopOptions& o) { return UseIt(o); });
//
// The list must name every field, because it becomes a structured binding; a
// list that lacks one does not compile.
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_BUS_OPTION_FIELDS_H_
#define TROLLEY_TESTS_BUS_OPTION_FIELDS_H_

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trolley {

// Calls visit(name, field) for each field, `names` being theirs, "a, b".
template <typename Visit, typename... Field>
void VisitFields(std::string names, Visit visit, Field&... field) {
  size_t at = 0;
  const auto next = [&] {
    const size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    at = names.find_first_not_of(", ", end);
    return name;
  };
  (visit(next(), field), ...);
}

#define TROLLEY_FIELDS(options, visit, ...) \
  auto& [__VA_ARGS__] = options;            \
  ::trolley::VisitFields(#__VA_ARGS__, visit, __VA_ARGS__)

// `each` visits the fields of a struct; `use` uses one, to the point where each
// of its numbers has had its effect, and says how that went.
template <typename Options, typename Each, typename Use>
void AtExtremes(Each each, Use use) {
  const absl::Status by_default = use(Options());
  EXPECT_TRUE(by_default.ok()) << by_default;
  const auto check = [&](const std::string& name, auto value) {
    using Value = decltype(value);
    Options options;
    each(options, [&](const std::string& at, auto& field) {
      if constexpr (std::is_same_v<std::decay_t<decltype(field)>, Value>) {
        if (at == name) field = value;
      }
    });
    SCOPED_TRACE(absl::StrCat(name, " = ", value));
    const absl::Status used = use(options);
    if (used.ok()) return;
    EXPECT_EQ(used.code(), absl::StatusCode::kInvalidArgument) << used;
    EXPECT_TRUE(absl::StrContains(used.message(), name)) << used;
  };
  Options defaults;
  each(defaults, [&](const std::string& name, auto& field) {
    using Value = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Value, bool>) {
      check(name, false);
      check(name, true);
    } else if constexpr (std::is_integral_v<Value>) {
      for (const Value value :
           std::set<Value>{0, 1, field, std::numeric_limits<Value>::min(),
                           std::numeric_limits<Value>::max()}) {
        check(name, value);
      }
    }
  });
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_OPTION_FIELDS_H_
