// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of a child process at its extremes: it works, or
// is refused by its name. The grace has a test in virtual time. And texts that
// no program can have.

#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/child/child_process.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/child/child_owner.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

// Sends a line of one byte through a process, as far as the limits allow it.
absl::Status Use(const ChildProcessOptions& options) {
  Diary diary;
  auto bus = Bus::CreateOrDie({});
  const auto owner = *bus.Spawn<ChildOwner>({}, diary);
  const auto started = Do(owner, StartIt{options});
  if (!started.ok()) return started.status();
  const bool fits = options.max_waiting_bytes >= 2;
  EXPECT_EQ(*Do(owner, Say{"x"}), fits ? Delivery::kAccepted : Delivery::kFull);
  owner.Tell(EndInput{});
  const ChildEnd end = diary.AwaitEnd();
  EXPECT_TRUE(end.ok()) << end.ToString();
  EXPECT_EQ(diary.output().size(), fits ? 1u : 0u);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfAChildProcess) {
  AtExtremes<ChildProcessOptions>(
      [](ChildProcessOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, argv, working_directory, inherit_environment,
                       environment, format, max_piece_bytes, read_bytes,
                       max_waiting_bytes, errors, grace);
      },
      [](ChildProcessOptions options) {
        options.argv = {"cat"};
        return Use(options);
      });
  using Options = ChildProcessOptions;
  const std::vector<std::string> cat = {"cat"};
  EXPECT_TRUE(Use({.argv = cat,
                   .max_piece_bytes = Options::kMostPieceBytes,
                   .read_bytes = Options::kMostReadBytes,
                   .max_waiting_bytes = Options::kMostWaitingBytes})
                  .ok());
  EXPECT_FALSE(
      Use({.argv = cat, .max_piece_bytes = Options::kMostPieceBytes + 1}).ok());
  EXPECT_FALSE(
      Use({.argv = cat, .read_bytes = Options::kMostReadBytes + 1}).ok());
  EXPECT_FALSE(
      Use({.argv = cat, .max_waiting_bytes = Options::kMostWaitingBytes + 1})
          .ok());
}

void ExpectRefused(const ChildProcessOptions& options,
                   const std::string& field) {
  const absl::Status valid = ValidateChildProcessOptions(options);
  EXPECT_EQ(valid.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(valid.message()),
              HasSubstr("ChildProcessOptions::" + field + " "));
}

TEST(OptionsTest, TextsThatNoProgramCanHave) {
  const std::string nul("a\0b", 3);
  const std::vector<std::string> ok = {"true"};
  ExpectRefused({}, "argv");
  ExpectRefused({.argv = {"", "x"}}, "argv");
  ExpectRefused({.argv = {"true", nul}}, "argv");
  ExpectRefused({.argv = ok, .working_directory = nul}, "working_directory");
  for (const std::string& text : {std::string(), std::string("=x"), nul}) {
    ExpectRefused({.argv = ok, .environment = {"A=b", text}}, "environment");
  }
  ExpectRefused({.argv = ok, .format = static_cast<PipeFormat>(7)}, "format");
  ExpectRefused({.argv = ok, .errors = static_cast<ChildErrors>(7)}, "errors");
}

}  // namespace
}  // namespace trolley
