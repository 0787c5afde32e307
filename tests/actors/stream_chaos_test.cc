// SPDX-License-Identifier: Apache-2.0
//
// Streams over pollers that misbehave: an event that is not true ends no wait.

#include <fcntl.h>

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/stream.h"
#include "trolley/tests/bus/bus_form.h"

namespace trolley {
namespace {

// Echoes what it reads from one descriptor into another.
class Echo : public Actor {
 public:
  Echo(ScopedFd in, ScopedFd out) : in_(std::move(in)), out_(std::move(out)) {}

 protected:
  void OnStart() override {
    from_.emplace(context(), std::move(in_));
    to_.emplace(context(), std::move(out_));
    RunInBackground(Pump());
  }

 private:
  Task<absl::Status> Pump() {
    char buffer[64];
    for (;;) {
      const absl::StatusOr<size_t> n =
          co_await from_->Read(absl::MakeSpan(buffer));
      if (!n.ok()) co_return n.status();
      if (*n == 0) break;
      const absl::Status written =
          co_await to_->Write(absl::string_view(buffer, *n));
      if (!written.ok()) co_return written;
    }
    to_.reset();
    co_return absl::OkStatus();
  }

  ScopedFd in_;
  ScopedFd out_;
  std::optional<Stream> from_;
  std::optional<Stream> to_;
};

using StreamChaosTest = testing::TestWithParam<BusForm>;
INSTANTIATE_TEST_SUITE_P(Forms, StreamChaosTest,
                         testing::ValuesIn(ThreadedBusForms()), BusFormName);

// Each byte is waited for, so that each wait has its chance to end wrongly.
TEST_P(StreamChaosTest, AnswersByteByByte) {
  int in[2];
  int out[2];
  ASSERT_EQ(RealSys().Pipe2(in, O_CLOEXEC), 0);
  ASSERT_EQ(RealSys().Pipe2(out, O_CLOEXEC), 0);
  ASSERT_EQ(RealSys().Fcntl(in[0], F_SETFL, O_NONBLOCK), 0);
  ASSERT_EQ(RealSys().Fcntl(out[1], F_SETFL, O_NONBLOCK), 0);
  ScopedFd to_echo(RealSys(), in[1]);
  const ScopedFd from_echo(RealSys(), out[0]);
  Bus bus = Bus::CreateOrDie({.loops = LoopsOf(GetParam())});
  ASSERT_TRUE(bus.Spawn<Echo>({}, ScopedFd(RealSys(), in[0]),
                              ScopedFd(RealSys(), out[1]))
                  .ok());
  char received = 0;
  for (int i = 0; i < 500; ++i) {
    const char sent = static_cast<char>(i);
    ASSERT_EQ(RealSys().Write(to_echo.get(), {&sent, 1}), 1);
    ASSERT_EQ(RealSys().Read(from_echo.get(), absl::MakeSpan(&received, 1)), 1)
        << "byte " << i;
    ASSERT_EQ(received, sent);
  }
  to_echo.reset();
  EXPECT_EQ(RealSys().Read(from_echo.get(), absl::MakeSpan(&received, 1)), 0);
}

}  // namespace
}  // namespace trolley
