// SPDX-License-Identifier: Apache-2.0
//
// Streams on real loops and real descriptors: pipes, socket pairs and regular
// files behave alike to the actor that reads and writes them.

#include "trolley/actors/stream.h"

#include <fcntl.h>

#include <optional>
#include <string>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"

namespace trolley {
namespace {

struct Get {};

// Echoes what it reads from one stream into another, and counts.
class Echo : public Actor {
 public:
  Echo(int in, int out, size_t piece) : in_(in), out_(out), piece_(piece) {}

  int64_t On(const Get&) { return count_; }

 protected:
  void OnStart() override {
    from_.emplace(loop(), ScopedFd(RealSys(), in_));
    to_.emplace(loop(), ScopedFd(RealSys(), out_));
    RunInBackground(Pump());
  }

 private:
  Task<absl::Status> Pump() {
    std::string buffer(piece_, '\0');
    for (;;) {
      absl::StatusOr<size_t> n = co_await from_->Read(absl::MakeSpan(buffer));
      if (!n.ok()) co_return n.status();
      if (*n == 0) break;
      count_ += *n;
      absl::Status written =
          co_await to_->Write(absl::string_view(buffer.data(), *n));
      if (!written.ok()) co_return written;
    }
    to_.reset();
    co_return absl::OkStatus();
  }

  const int in_;
  const int out_;
  const size_t piece_;
  int64_t count_ = 0;
  std::optional<Stream> from_;
  std::optional<Stream> to_;
};

TEST(StreamTest, MovesMoreThanAPipeHoldsBothWays) {
  int in[2];
  int out[2];
  ASSERT_EQ(RealSys().Pipe2(in, O_CLOEXEC), 0);
  ASSERT_EQ(RealSys().Pipe2(out, O_CLOEXEC), 0);
  ASSERT_EQ(RealSys().Fcntl(in[0], F_SETFL, O_NONBLOCK), 0);
  ASSERT_EQ(RealSys().Fcntl(out[1], F_SETFL, O_NONBLOCK), 0);
  ScopedFd to_echo(RealSys(), in[1]);
  ScopedFd from_echo(RealSys(), out[0]);

  Bus bus(BusOptions{});
  auto echo = bus.Spawn<Echo>({}, in[0], out[1], 1000);
  ASSERT_TRUE(echo.ok());

  std::string sent;
  for (int i = 0; sent.size() < 1 << 20; ++i) sent += std::to_string(i) + " ";
  std::thread writer([&] {
    absl::string_view left = sent;
    while (!left.empty()) {
      ssize_t n = RealSys().Write(
          to_echo.get(), absl::MakeConstSpan(left.data(), left.size()));
      ASSERT_GT(n, 0);
      left.remove_prefix(n);
    }
    to_echo.reset();
  });
  std::string received;
  std::string buffer(4096, '\0');
  for (;;) {
    ssize_t n = RealSys().Read(from_echo.get(), absl::MakeSpan(buffer));
    ASSERT_GE(n, 0);
    if (n == 0) break;
    received.append(buffer.data(), n);
  }
  writer.join();
  EXPECT_EQ(received, sent);
  EXPECT_EQ(echo->AskAndWait(Get{}, absl::Seconds(10)).value(),
            static_cast<int64_t>(sent.size()));
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(5)).ledger.Balances());
}

}  // namespace
}  // namespace trolley
