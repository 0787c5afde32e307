// SPDX-License-Identifier: Apache-2.0
//
// The stack does not grow, however often a coroutine awaits and however many
// coroutines await each other: at every level of optimization (BUILD.bazel has
// two), and with sanitizers. If it grows, this test crashes.

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_mutex.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

constexpr int kLoop = 1'000'000;
constexpr int kDeep = 100'000;

struct LoopOfSteps {};
struct LoopOfPairs {};
struct LoopOfRefusals {};
struct LoopOfTurns {};
struct LoopOfSignals {};
struct ChainThatReturns {};
struct ChainThatThrows {};
struct ChainThatWaitsAndReturns {};
struct ChainThatWaits {};

// Counts itself while it lives.
struct Counted {
  explicit Counted(int* count) : count(*count) { ++this->count; }
  Counted(const Counted&) = delete;
  ~Counted() { --count; }
  int& count;
};

// A coroutine type of another library, which a Task may await.
class Foreign {
 public:
  struct promise_type {
    Foreign get_return_object() {
      return Foreign(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Awaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<promise_type> ended) noexcept {
          return ended.promise().continuation;
        }
        void await_resume() noexcept {}
      };
      return Awaiter{};
    }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
    std::coroutine_handle<> continuation;
  };
  explicit Foreign(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Foreign(const Foreign&) = delete;
  ~Foreign() { frame_.destroy(); }

  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    frame_.promise().continuation = caller;
    return frame_;
  }
  void await_resume() {}

 private:
  std::coroutine_handle<promise_type> frame_;
};
struct ThroughForeign {};

class Deep : public Actor {
 public:
  Task<int64_t> On(LoopOfSteps) {
    int64_t sum = 0;
    for (int i = 0; i < kLoop; ++i) sum += co_await Step(1);
    co_return sum;
  }
  Task<int64_t> On(LoopOfPairs) {
    int64_t sum = 0;
    for (int i = 0; i < kLoop / 2; ++i) sum += co_await Outer();
    co_return sum;
  }
  Task<int64_t> On(LoopOfRefusals) {
    const Ref<Deep> nobody;
    int64_t refused = 0;
    for (int i = 0; i < kDeep; ++i) {
      auto answer = co_await nobody.Ask(LoopOfSteps{}, absl::Seconds(1));
      refused += !answer.ok();
      absl::Status sent = co_await Self(this).Send(i);
      refused += !sent.ok();
    }
    co_return refused;
  }
  void On(int) {}
  Task<int64_t> On(LoopOfTurns) {
    for (int i = 0; i < kDeep; ++i) {
      AsyncMutex::Lock lock = co_await mutex_.Acquire();
    }
    co_return kDeep;
  }
  Task<int64_t> On(LoopOfSignals) {
    int64_t heard = 0;
    for (int i = 0; i < kDeep / 10; ++i) {
      heard += !co_await signal_.Wait(context().Now());
      co_await Sleep(absl::ZeroDuration());
    }
    co_return heard;
  }
  Task<int64_t> On(ChainThatReturns) { co_return co_await Return(kDeep); }
  Task<int64_t> On(ChainThatThrows) { co_return co_await Throw(kDeep); }
  Task<int64_t> On(ChainThatWaitsAndReturns) {
    co_return co_await Wait(kDeep, absl::Seconds(1));
  }
  Task<int64_t> On(ChainThatWaits) {
    co_return co_await Wait(kDeep, absl::InfiniteDuration());
  }
  Task<int64_t> On(ThroughForeign) {
    int64_t sum = 0;
    for (int i = 0; i < 100; ++i) {
      co_await Lend();
      sum += co_await Return(10);
    }
    co_return sum;
  }

  static inline int frames = 0;
  static inline int most_frames = 0;

 private:
  Task<int64_t> Step(int n) { co_return n; }
  Task<int64_t> Outer() {
    const int64_t one = co_await Step(1);
    co_return one + co_await Step(1);
  }
  Task<int64_t> Return(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await Return(depth - 1);
  }
  Task<int64_t> Throw(int depth) {
    if (depth == 0) throw std::runtime_error("from the bottom");
    co_return 1 + co_await Throw(depth - 1);
  }
  Task<int64_t> Wait(int depth, absl::Duration how_long) {
    const Counted counted(&frames);
    most_frames = std::max(most_frames, frames);
    if (depth == 0) {
      co_await Sleep(how_long);
      co_return 0;
    }
    co_return 1 + co_await Wait(depth - 1, how_long);
  }
  Foreign Lend() { co_await Sleep(absl::Nanoseconds(1)); }

  AsyncMutex mutex_;
  AsyncCondition signal_;
};

class StackTest : public BusFixture {
 protected:
  // What On(M) comes to.
  template <typename M>
  absl::StatusOr<int64_t> Run() {
    struct Start {};
    class Asker : public Actor {
     public:
      Asker(Ref<Deep> deep, absl::StatusOr<int64_t>* result)
          : deep_(deep), result_(*result) {}
      Task<> On(Start) {
        result_ = co_await deep_.Ask<M>(absl::InfiniteDuration());
      }

     private:
      Ref<Deep> deep_;
      absl::StatusOr<int64_t>& result_;
    };
    absl::StatusOr<int64_t> result = absl::UnknownError("nothing yet");
    Bus& bus = Start_();
    deep_ = *bus.Spawn<Deep>({.mailbox_capacity = 1 << 20});
    (*bus.Spawn<Asker>({}, deep_, &result)).Tell(Start{});
    Settle();
    return result;
  }
  Bus& Start_() {
    Deep::frames = Deep::most_frames = 0;
    return Start();
  }

  Ref<Deep> deep_;
};
INSTANTIATE_TEST_SUITE_P(Forms, StackTest, testing::Values(BusForm{"sim", 1}),
                         BusFormName);

TEST_P(StackTest, ALoopOfTasksThatDoNotWait) {
  EXPECT_EQ(Run<LoopOfSteps>().value(), kLoop);
  EXPECT_EQ(Run<LoopOfPairs>().value(), kLoop);
}

TEST_P(StackTest, ALoopOfOperationsThatAreOverAtOnce) {
  EXPECT_EQ(Run<LoopOfRefusals>().value(), kDeep);
  EXPECT_EQ(Run<LoopOfTurns>().value(), kDeep);
  EXPECT_EQ(Run<LoopOfSignals>().value(), kDeep / 10);
}

TEST_P(StackTest, AChainOfTasksThatReturnOneByOne) {
  EXPECT_EQ(Run<ChainThatReturns>().value(), kDeep);
  EXPECT_EQ(Run<ChainThatWaitsAndReturns>().value(), kDeep);
  EXPECT_EQ(Deep::most_frames, kDeep + 1);
  EXPECT_EQ(Deep::frames, 0);
}

TEST_P(StackTest, P8_AnExceptionThroughAChain) {
  const absl::StatusOr<int64_t> result = Run<ChainThatThrows>();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("from the bottom"));
}

TEST_P(StackTest, AChainThatIsCancelledWhileItWaits) {
  Bus& bus = Start_();
  auto deep = *bus.Spawn<Deep>({});
  deep.Tell(ChainThatWaits{});
  bus.RunUntilIdle();
  EXPECT_EQ(Deep::frames, kDeep + 1);
  deep.Stop();
  Settle();
  EXPECT_EQ(Deep::frames, 0);
}

TEST_P(StackTest, ATaskMayAwaitCoroutinesOfOtherTypes) {
  EXPECT_EQ(Run<ThroughForeign>().value(), 1000);
}

}  // namespace
}  // namespace trolley
