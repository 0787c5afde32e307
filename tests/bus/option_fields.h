// SPDX-License-Identifier: Apache-2.0
//
// Tests every option at its extremes. With each of these values the struct must
// work, or be refused with InvalidArgument and the name of the field:
//
//   field      values
//   a number   0, 1, the default, the least and the most value of its type
//   a double   those, infinity and what is no number, of either sign
//   an enum    the least and the most value of its type; they need not be
//              enumerators
//   a bool     both
//
// Durations have a table of their own (tests/poller/extreme_durations.h).
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
    std::string trace;
    each(options, [&](const std::string& at, auto& field) {
      if constexpr (std::is_same_v<std::decay_t<decltype(field)>, Value>) {
        if (at == name) field = value;
      }
    });
    if constexpr (std::is_enum_v<Value>) {
      using Number = std::underlying_type_t<Value>;
      // Through an integer: a char would be shown as text.
      trace = absl::StrCat(name, " = ",
                           static_cast<int64_t>(static_cast<Number>(value)));
    } else {
      trace = absl::StrCat(name, " = ", value);
    }
    SCOPED_TRACE(trace);
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
    } else if constexpr (std::is_floating_point_v<Value>) {
      using Limits = std::numeric_limits<Value>;
      for (const Value value :
           {Value{0}, Value{1}, field, Limits::lowest(), Limits::max(),
            Limits::denorm_min(), Limits::infinity(), Limits::quiet_NaN()}) {
        check(name, value);
        check(name, -value);
      }
    } else if constexpr (std::is_enum_v<Value>) {
      using Number = std::underlying_type_t<Value>;
      check(name, static_cast<Value>(std::numeric_limits<Number>::min()));
      check(name, static_cast<Value>(std::numeric_limits<Number>::max()));
    }
  });
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_OPTION_FIELDS_H_
