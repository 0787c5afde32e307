// SPDX-License-Identifier: Apache-2.0
//
// Idempotency: the work for a key is done once, whatever becomes of the calls.

#include "trolley/actors/patterns/idempotency.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using Results = Idempotency<std::string, absl::StatusOr<int>>;

struct Apply {
  std::string key;
  int ms;
  absl::StatusOr<int> result;
};
struct Figures {};

class Bank : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Bank(IdempotencyOptions options, int* worked,
       Results::BytesOf bytes_of = nullptr)
      : worked_(worked),
        results_(
            [this](Task<absl::Status> t) { RunInBackground(std::move(t)); },
            std::move(options), std::move(bytes_of)) {}

  Task<absl::StatusOr<int>> On(Apply m) {
    const auto work = [this, m] { return Work(m); };
    co_return co_await results_.Run(m.key, work);
  }
  Results* On(const Figures&) { return &results_; }

 private:
  Task<absl::StatusOr<int>> Work(Apply m) {
    ++*worked_;
    if (m.ms > 0) co_await Sleep(absl::Milliseconds(m.ms));
    co_return m.result;
  }

  int* const worked_;
  Results results_;
};

class IdempotencyTest : public ::testing::Test {
 protected:
  void Spawn(IdempotencyOptions options, Results::BytesOf bytes_of = nullptr) {
    bank_ = sim_.Spawn<Bank>({.name = "bank"}, options, &worked_, bytes_of);
  }
  absl::StatusOr<int> Call(const std::string& key, int ms,
                           absl::StatusOr<int> result,
                           absl::Duration timeout = absl::Hours(1)) {
    return sim_.Ask(bank_, Apply{key, ms, result}, timeout);
  }
  Results& results() { return **sim_.Ask(bank_, Figures{}, absl::Seconds(1)); }

  int worked_ = 0;
  SimBus sim_;
  Ref<Bank> bank_;
};

TEST_F(IdempotencyTest, TheSecondTimeItIsTheFirstResult) {
  Spawn({});
  EXPECT_EQ(*Call("a", 5, 1), 1);
  EXPECT_EQ(*Call("a", 5, 2), 1);
  EXPECT_EQ(*Call("b", 0, 3), 3);
  EXPECT_EQ(worked_, 2);
  EXPECT_EQ(results().stats().worked, 2u);
  EXPECT_EQ(results().stats().repeated, 1u);
}

TEST_F(IdempotencyTest, WhileItIsWorkedForOthersWait) {
  Spawn({});
  std::vector<int> got;
  for (int i = 1; i <= 3; ++i) {
    bank_.AskThen(Apply{"a", 10, i}, absl::Seconds(1),
                  [&](absl::StatusOr<int> r) { got.push_back(*r); });
  }
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(got, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(worked_, 1);
}

TEST_F(IdempotencyTest, P23_ACancelledCallLeavesTheWorkToTheNext) {
  Spawn({});
  EXPECT_EQ(Call("a", 100, 1, absl::Milliseconds(10)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  sim_.RunFor(absl::Milliseconds(30));
  EXPECT_EQ(results().stats().cancelled, 1u);
  EXPECT_EQ(*Call("a", 100, 2), 1);
  EXPECT_EQ(worked_, 1);
}

TEST_F(IdempotencyTest, AResultIsKeptForItsAge) {
  Spawn({.age = absl::Seconds(10)});
  EXPECT_EQ(*Call("a", 1000, 1), 1);
  sim_.RunFor(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_EQ(*Call("a", 0, 2), 1);
  sim_.RunFor(absl::Nanoseconds(1));
  EXPECT_EQ(*Call("a", 0, 3), 3);
  EXPECT_EQ(worked_, 2);
}

TEST_F(IdempotencyTest, AnErrorIsNotKeptUnlessItIsToldSo) {
  Spawn({.keep_error = [](const absl::Status& status) {
    return absl::IsInvalidArgument(status);
  }});
  EXPECT_EQ(Call("a", 1, absl::UnavailableError("x")).status(),
            absl::UnavailableError("x"));
  EXPECT_EQ(Call("a", 1, 2).value_or(0), 2);
  EXPECT_EQ(Call("b", 1, absl::InvalidArgumentError("y")).status(),
            absl::InvalidArgumentError("y"));
  EXPECT_EQ(Call("b", 1, 2).status(), absl::InvalidArgumentError("y"));
  EXPECT_EQ(worked_, 3);
  EXPECT_EQ(results().keys(), 2u);
}

TEST_F(IdempotencyTest, ANewKeyIsRefusedAndNoOlderIsForgotten) {
  Spawn({.keys = 2, .age = absl::Seconds(10)});
  EXPECT_EQ(*Call("a", 0, 1), 1);
  sim_.RunFor(absl::Seconds(5));
  EXPECT_EQ(*Call("b", 0, 2), 2);
  EXPECT_EQ(Call("c", 0, 3).status(),
            absl::ResourceExhaustedError(
                "IdempotencyOptions::keys = 2 keys are worked for or kept"));
  EXPECT_EQ(*Call("a", 0, 9), 1);
  sim_.RunFor(absl::Seconds(5));
  EXPECT_EQ(*Call("c", 0, 3), 3);
  EXPECT_EQ(*Call("b", 0, 9), 2);
  EXPECT_EQ(results().keys(), 2u);
}

TEST_F(IdempotencyTest, KeysThatAreWorkedForCount) {
  Spawn({.keys = 1, .waiting = 1});
  bank_.Tell(Apply{"a", 10, 1});
  EXPECT_EQ(Call("b", 0, 1).status().code(),
            absl::StatusCode::kResourceExhausted);
  bank_.Tell(Apply{"a", 10, 1});
  sim_.RunUntilIdle();
  // Two wait: the one that began the work, too.
  EXPECT_EQ(Call("a", 0, 1).status(),
            absl::ResourceExhaustedError(
                "IdempotencyOptions::waiting = 1 calls wait for this key"));
}

TEST_F(IdempotencyTest, BytesAreLimited) {
  Spawn({.bytes = 100, .age = absl::Seconds(10)},
        [](const absl::StatusOr<int>& result) -> size_t { return *result; });
  EXPECT_EQ(*Call("a", 0, 60), 60);
  EXPECT_EQ(*Call("b", 0, 60), 60);
  EXPECT_EQ(Call("c", 0, 1).status(),
            absl::ResourceExhaustedError("the kept results have 120 bytes; "
                                         "IdempotencyOptions::bytes is 100"));
  sim_.RunFor(absl::Seconds(10));
  EXPECT_EQ(*Call("c", 0, 1), 1);
  EXPECT_EQ(results().bytes(), 1u);
}

TEST_F(IdempotencyTest, OptionsOutOfRangeAreNamed) {
  Spawn({.keys = 0});
  EXPECT_EQ(Call("a", 0, 1).status(),
            absl::InvalidArgumentError(
                "IdempotencyOptions::keys is 0; it is 1 to 1099511627776"));
  EXPECT_EQ(ValidateIdempotencyOptions({.bytes = 0}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worked_, 0);
}

TEST_F(IdempotencyTest, P23_AnActorThatEndsTakesTheWorkWithIt) {
  Spawn({});
  std::vector<absl::Status> got;
  bank_.AskThen(Apply{"a", 1000, 1}, absl::Hours(1),
                [&](absl::StatusOr<int> r) { got.push_back(r.status()); });
  sim_.RunUntilIdle();
  bank_.Stop();
  sim_.RunUntilIdle();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].code(), absl::StatusCode::kNotFound);
}

// --- Seeds -----------------------------------------------------------------

class Keeper : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kRepeated = 0, kCancelled = 1;

 private:
  Task<absl::Status> Call(Go) override {
    const int key = static_cast<int>(world().Below(12));
    const auto work = [this, key] { return DoWork(key); };
    const absl::StatusOr<int> result = co_await results_.Run(key, work);
    if (result.ok()) {
      EXPECT_EQ(*result, key * 1000 + done_[key])
          << "another result than that of the one time it was done";
    }
    co_return result.status();
  }
  Task<absl::StatusOr<int>> DoWork(int key) {
    EXPECT_EQ(done_[key], 0) << "done twice";
    co_await Sleep(absl::Milliseconds(world().Below(20)));
    const absl::StatusOr<int> answer = co_await world().AnyPartner().Ask(
        world().NextWork(1), absl::Milliseconds(15));
    if (!answer.ok() && key % 2 == 0) co_return answer.status();
    co_return key * 1000 + ++done_[key];
  }
  void CheckAtRest() override {
    const IdempotencyStats& s = results_.stats();
    EXPECT_EQ(s.calls, s.refused + s.worked + s.repeated + s.cancelled);
    EXPECT_LE(results_.keys(), 10u);
    for (const auto& [key, times] : done_) EXPECT_LE(times, 1) << key;
    world().counts[kRepeated] += static_cast<int64_t>(s.repeated);
    world().counts[kCancelled] += static_cast<int64_t>(s.cancelled);
  }

  std::map<int, int> done_;
  Idempotency<int, absl::StatusOr<int>> results_{
      [this](Task<absl::Status> t) { RunInBackground(std::move(t)); },
      {.keys = 10, .waiting = 6, .age = absl::InfiniteDuration()}};
};

TEST(IdempotencySeeds, P23_WorkIsDoneOnce) {
  int64_t repeated = 0, cancelled = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Keeper>(seed, [&](StormWorld& world, bool) {
      repeated += world.counts[Keeper::kRepeated];
      cancelled += world.counts[Keeper::kCancelled];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(repeated, 1000);
  EXPECT_GT(cancelled, 300);
}

}  // namespace
}  // namespace trolley::testing
