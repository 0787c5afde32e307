// SPDX-License-Identifier: Apache-2.0
//
// The control service and the trolley command with extreme lengths of time.

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/internal/alarms.h"
#include "trolley/bus/latch.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

namespace v1 = control::v1;
using test::RunningBus;

TEST(ControlExtremesTest, Alarms) {
  ForEachExtreme("actors/grpc/internal/alarms.h Set(after)",
                 [](const Extreme& e) {
                   internal::Alarms alarms;
                   ASSERT_TRUE(alarms.Start().ok());
                   Latch rung;
                   const internal::Alarms::Id id =
                       alarms.Set(e.value, [&] { rung.Open(); });
                   if (e.soon()) {
                     rung.Wait();
                     EXPECT_FALSE(alarms.Cancel(id));
                   } else {
                     // Waits for another alarm, not for this one.
                     Latch other;
                     alarms.Set(absl::ZeroDuration(), [&] { other.Open(); });
                     other.Wait();
                     EXPECT_FALSE(rung.is_open());
                     EXPECT_EQ(alarms.Cancel(id), !e.never());
                   }
                   alarms.Stop();
                 });
}

TEST(ControlExtremesTest, AlarmsRingInTheirOrder) {
  internal::Alarms alarms;
  std::string order;  // of the thread of the alarms
  Latch last;
  alarms.Set(absl::Milliseconds(3), [&] {
    order += "3";
    last.Open();
  });
  alarms.Set(absl::Milliseconds(2), [&] { order += "2"; });
  alarms.Set(absl::Hours(1), [&] { order += "never"; });
  ASSERT_TRUE(alarms.Start().ok());
  alarms.Set(-absl::Seconds(1), [&] { order += "1"; });
  last.Wait();
  alarms.Stop();
  EXPECT_EQ(order, "123");
  EXPECT_FALSE(alarms.Cancel(alarms.Set(absl::ZeroDuration(), [] {})));
}

void ExpectWithinADay(const char* what, absl::Duration ControlOptions::*field) {
  test::SocketFolder folder;
  auto bus = *Bus::Create({});
  ForEachExtreme(what, [&](const Extreme& e) {
    ControlOptions options;
    options.path = folder.path();
    options.*field = e.value;
    const auto started = ControlService::Start(*bus, options);
    const std::string name =
        std::string(what).substr(std::string(what).find(' ') + 1);
    EXPECT_TRUE(absl::IsInvalidArgument(started.status())) << started.status();
    EXPECT_TRUE(absl::StrContains(started.status().message(), name))
        << started.status();
  });
  for (const absl::Duration good : {absl::Milliseconds(1), absl::Hours(24)}) {
    ControlOptions options;
    options.path = folder.path();
    options.*field = good;
    const auto started = ControlService::Start(*bus, options);
    EXPECT_TRUE(started.ok()) << started.status();
  }
}

TEST(ControlExtremesTest, Options) {
  ExpectWithinADay(
      "actors/grpc/control_options.h ControlOptions::handshake_timeout",
      &ControlOptions::handshake_timeout);
  ExpectWithinADay("actors/grpc/control_options.h ControlOptions::idle_timeout",
                   &ControlOptions::idle_timeout);
  ExpectWithinADay(
      "actors/grpc/control_options.h ControlOptions::default_deadline",
      &ControlOptions::default_deadline);
  ExpectWithinADay(
      "actors/grpc/control_options.h ControlOptions::longest_deadline",
      &ControlOptions::longest_deadline);
}

class ControlCallsTest : public ::testing::Test {
 protected:
  grpc::Status Stop(const std::string& name,
                    const google::protobuf::Duration& d,
                    absl::Duration timeout) {
    v1::StopActorRequest request;
    request.set_name(name);
    *request.mutable_drain_timeout() = d;
    v1::Actor actor;
    test::Context context(timeout);
    return client_.controller->StopActor(&context, request, &actor);
  }

  // Spawns it, and gives it a message with which it never finishes.
  void SpawnBusy(const std::string& name) {
    const Ref<test::Counter> counter = running_.Spawn(name);
    counter.Tell(test::Hold());
    AwaitState(client_, name, v1::Actor::SUSPENDED);
  }

  RunningBus running_;  // first, for its address
  test::Client client_{running_.control->address()};
};

TEST_F(ControlCallsTest, TheTimeToDrain) {
  int actors = 0;
  ForEachExtreme(
      "proto/control.proto StopActorRequest.drain_timeout",
      [&](const Extreme& e) {
        const std::string name = absl::StrCat("a", ++actors);
        SpawnBusy(name);
        google::protobuf::Duration drain;
        absl::Duration rest;
        drain.set_seconds(absl::IDivDuration(e.value, absl::Seconds(1), &rest));
        if (rest < absl::Seconds(1) && rest > -absl::Seconds(1)) {
          drain.set_nanos(absl::ToInt64Nanoseconds(rest));
        }
        const bool is_duration = drain.seconds() >= 0 && drain.nanos() >= 0 &&
                                 drain.seconds() <= 315'576'000'000;
        if (!is_duration) {
          const grpc::Status status = Stop(name, drain, absl::Seconds(60));
          EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
              << status.error_message();
          EXPECT_TRUE(
              absl::StrContains(status.error_message(), "drain_timeout"))
              << status.error_message();
          return;
        }
        if (e.soon()) {
          const grpc::Status status = Stop(name, drain, absl::Seconds(60));
          EXPECT_TRUE(status.ok()) << status.error_message();
          return;
        }
        const grpc::Status late = Stop(name, drain, absl::Milliseconds(50));
        EXPECT_EQ(late.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
        // One with less patience is not ignored.
        google::protobuf::Duration little;
        little.set_nanos(1);
        const grpc::Status status = Stop(name, little, absl::Seconds(60));
        EXPECT_TRUE(status.ok()) << status.error_message();
      });
}

// 9999 years fit into what gRPC sends, but not into std::chrono.
TEST_F(ControlCallsTest, TheDeadlineOfTheClient) {
  running_.Spawn("a");
  ForEachExtreme("proto/control.proto grpc-timeout", [&](const Extreme& e) {
    v1::AskActorRequest request;
    request.set_actor("a");
    request.mutable_envelope()->mutable_payload()->PackFrom(test::GetTotal());
    v1::AskActorResponse response;
    test::Context context(e.value);
    const grpc::Status status =
        client_.messenger->AskActor(&context, request, &response);
    if (e.value < -absl::Milliseconds(1)) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED)
          << status.error_message();
    } else if (!e.soon()) {  // gRPC rounds up to a millisecond: enough, or not
      EXPECT_TRUE(status.ok()) << status.error_message();
    }
  });
}

TEST_F(ControlCallsTest, TheCommandLine) {
  running_.Spawn("a");
  const auto expect = [this](const Extreme& e, const std::string& option,
                             std::vector<std::string> command, int code) {
    command.push_back(
        absl::StrCat("--", option, "=", absl::FormatDuration(e.value)));
    const test::Result r = test::RunTrolley(
        command, "", {"TROLLEY_ADDRESS=" + running_.control->address()});
    const bool good = e.positive() && e.value <= absl::Hours(24);
    EXPECT_EQ(r.code, good ? code : 2) << r.err;
    if (!good) {
      EXPECT_TRUE(absl::StrContains(r.err, "--" + option)) << r.err;
    }
  };
  ForEachExtreme("tools/trolley --timeout",
                 [&](const Extreme& e) { expect(e, "timeout", {"ps"}, 4); });
  ForEachExtreme("tools/trolley --drain", [&](const Extreme& e) {
    expect(e, "drain", {"stop", "nobody"}, 1);
  });
  // There is no supervisor for which it could wait.
  ForEachExtreme("tools/trolley --patience",
                 [&](const Extreme& e) { expect(e, "patience", {"tree"}, 0); });
  ForEachExtreme("tools/trolley --measure", [&](const Extreme& e) {
    expect(e, "measure", {"pollers"}, 0);
  });
}

}  // namespace
}  // namespace trolley
