// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/explore.h"

#include <cstdio>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/testing/internal/shrink.h"
#include "trolley/actors/testing/run_trace.h"
#include "trolley/actors/testing/seeds.h"

namespace trolley::testing {
namespace {

using ::testing::ScopedFakeTestPartResultReporter;
using ::testing::TestPartResult;
using ::testing::TestPartResultArray;

using Body = std::function<void(Choices&)>;

struct Outcome {
  internal::RecordedChoices drawn;
  std::vector<TestPartResult> failures;

  // They fail in the same way, or both pass.
  bool IsAs(const Outcome& other) const {
    if (failures.empty() || other.failures.empty()) {
      return failures.empty() == other.failures.empty();
    }
    const TestPartResult& here = failures.front();
    const TestPartResult& there = other.failures.front();
    return here.line_number() == there.line_number() &&
           absl::NullSafeStringView(here.file_name()) ==
               absl::NullSafeStringView(there.file_name());
  }
};

bool HasFailure(const TestPartResultArray& results) {
  for (int i = 0; i < results.size(); ++i) {
    if (results.GetTestPartResult(i).failed()) return true;
  }
  return false;
}

// One run. GoogleTest does not hear of its failures.
Outcome Run(const Body& body, Choices& choices, RunTrace* trace) {
  TestPartResultArray results;
  choices.Observe([&results] { return HasFailure(results); }, trace);
  {
    ScopedFakeTestPartResultReporter catcher(
        ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
        &results);
    try {
      body(choices);
    } catch (const std::exception& thrown) {
      ADD_FAILURE() << "the body threw: " << thrown.what();
    } catch (...) {
      ADD_FAILURE() << "the body threw something that is no std::exception";
    }
  }
  Outcome outcome;
  outcome.drawn = choices.recorded();
  for (int i = 0; i < results.size(); ++i) {
    const TestPartResult& result = results.GetTestPartResult(i);
    if (result.failed()) outcome.failures.push_back(result);
  }
  return outcome;
}

Outcome RunAgain(const Body& body, uint64_t seed,
                 const internal::RecordedChoices& given, RunTrace* trace) {
  Choices choices(seed, given);
  return Run(body, choices, trace);
}

void Report(const Outcome& outcome) {
  for (const TestPartResult& failure : outcome.failures) {
    ADD_FAILURE_AT(failure.file_name() != nullptr ? failure.file_name() : "",
                   failure.line_number())
        << failure.summary();
  }
}

std::string ListOf(const std::vector<uint64_t>& numbers) {
  return absl::StrCat("{", absl::StrJoin(numbers, ", "), "}");
}

// `first` has failed with `seed`: looks for a shorter run, and reports it.
void Explain(const ExploreOptions& options, const Body& body, uint64_t seed,
             const Outcome& first, Explored& to) {
  internal::RecordedChoices least = first.drawn;
  bool repeats = RunAgain(body, seed, first.drawn, nullptr).IsAs(first);
  if (repeats) {
    least = internal::Shrink(first.drawn, options.most_shrinks,
                             [&](const internal::RecordedChoices& candidate)
                                 -> std::optional<internal::RecordedChoices> {
                               ++to.shrinks;
                               Outcome outcome =
                                   RunAgain(body, seed, candidate, nullptr);
                               if (!outcome.IsAs(first)) return std::nullopt;
                               return std::move(outcome.drawn);
                             });
  }
  RunTrace trace(options.trace_lines);
  const Outcome last = RunAgain(body, seed, least, &trace);
  repeats = repeats && last.IsAs(first);
  Report(repeats ? last : first);
  if (!repeats) {
    ADD_FAILURE() << "seed " << seed
                  << ": with the same choices the body did not fail in the "
                     "same way again. It depends on something else, such as "
                     "the real time, an address or a global variable.";
  }
  least.DropLastZeros();
  to.choices = std::move(least.values);
  to.turns = std::move(least.turns);
  to.text = absl::StrCat("seed ", seed, " failed; its shortest run, found in ",
                         to.shrinks, to.shrinks == 1 ? " run" : " runs",
                         ", draws ", ListOf(to.choices), " and the turns ",
                         ListOf(to.turns), ":\n", trace.ToString());
}

}  // namespace

Explored Explore(const ExploreOptions& options, const Body& body) {
  const SeedRange seeds = SeedsToRun(options.runs);
  Explored explored;
  while (explored.seeds < seeds.count && !explored.failed.has_value()) {
    const uint64_t seed = seeds.first + explored.seeds++;
    Choices choices(seed);
    const Outcome outcome = Run(body, choices, nullptr);
    if (outcome.failures.empty()) continue;
    explored.failed = seed;
    Explain(options, body, seed, outcome, explored);
    std::fputs(
        absl::StrCat(explored.text, "run it again by: ", ReplayLine(seed), "\n")
            .c_str(),
        stderr);
  }
  return explored;
}

}  // namespace trolley::testing
