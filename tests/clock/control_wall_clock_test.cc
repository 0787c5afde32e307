// SPDX-License-Identifier: Apache-2.0
//
// The wall clock and the control service: if the clock is set back by an hour
// while the service waits, its calls and the service itself still end in time.

#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/clock/jumping_clock.h"

namespace trolley {
namespace {

namespace v1 = control::v1;
using test::RunningBus;

std::string clock_library;  // NOLINT: of main()

ControlOptions Impatient() {
  ControlOptions options;
  options.default_deadline = absl::Milliseconds(300);
  options.loop = 0;
  return options;
}

class ControlWallClockTest : public ::testing::Test {
 protected:
  // Gives "a" a message that it never finishes.
  void Occupy() {
    running_.Spawn("a").Tell(test::Hold());
    AwaitState(client_, "a", v1::Actor::SUSPENDED);
  }

  JumpingClock& clock_ = JumpingClock::Get();
  RunningBus running_{Impatient()};
  test::Client client_{running_.control->address()};
};

TEST_F(ControlWallClockTest, P17_AnAskEndsInTime) {
  running_.Spawn("a");
  grpc::Status status;
  std::thread asker([&] {
    v1::AskActorRequest request;
    request.set_actor("a");
    request.mutable_envelope()->mutable_payload()->PackFrom(test::Hold());
    v1::AskActorResponse response;
    grpc::ClientContext context;
    status = client_.messenger->AskActor(&context, request, &response);
  });
  AwaitState(client_, "a", v1::Actor::SUSPENDED);
  clock_.JumpHours(-1);
  asker.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED)
      << status.error_message();
}

TEST_F(ControlWallClockTest, P17_WhatDrainsTooLongIsStoppedInTime) {
  Occupy();
  grpc::Status status;
  std::thread stopper([&] {
    v1::StopActorRequest request;
    request.set_name("a");
    request.mutable_drain_timeout()->set_nanos(200'000'000);
    v1::Actor actor;
    grpc::ClientContext context;
    status = client_.controller->StopActor(&context, request, &actor);
  });
  AwaitState(client_, "a", v1::Actor::DRAINING);
  clock_.JumpHours(-1);
  stopper.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// A loop that is kept keeps the listener from ending.
TEST_F(ControlWallClockTest, P17_StopDoesNotWaitForAListenerForAnHour) {
  struct Hold {};
  struct Gate {
    absl::Notification held, go;
  };
  class Holder : public Actor {
   public:
    explicit Holder(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    void On(const Hold&) {
      gate_->held.Notify();
      gate_->go.WaitForNotification();
    }
    const std::shared_ptr<Gate> gate_;
  };
  auto gate = std::make_shared<Gate>();
  auto holder = running_.bus->Spawn<Holder>({.loop = 0}, gate);
  holder->Tell(Hold{});
  gate->held.WaitForNotification();
  const uint64_t steady_waits = clock_.steady_waits.load();
  std::thread stopper([this] { running_.control->Stop(); });
  while (clock_.steady_waits.load() == steady_waits) std::this_thread::yield();
  clock_.JumpHours(-1);
  stopper.join();
  gate->go.Notify();
}

// A stream of gRPC's own services, which only its client would end.
TEST_F(ControlWallClockTest, P17_StopDoesNotWaitForAStreamForAnHour) {
  auto channel = grpc::CreateChannel(running_.control->address(),
                                     grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto done = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  auto watch =
      stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  watch->StartCall(this);
  ASSERT_TRUE(done());
  const grpc::Slice empty;
  watch->WriteLast(grpc::ByteBuffer(&empty, 1), grpc::WriteOptions(), this);
  ASSERT_TRUE(done());
  grpc::ByteBuffer serving;
  watch->Read(&serving, this);
  ASSERT_TRUE(done());

  std::thread stopper([this] { running_.control->Stop(); });
  grpc::ByteBuffer not_serving;
  watch->Read(&not_serving, this);
  const bool heard = done();  // not if the connection was closed before
  clock_.JumpHours(-1);
  if (heard) {
    grpc::ByteBuffer nothing;
    watch->Read(&nothing, this);
    EXPECT_FALSE(done()) << "the stream goes on";
  }
  grpc::Status status;
  watch->Finish(&status, this);
  done();
  stopper.join();
}

// The command, before a service that takes its connection and says nothing.
TEST_F(ControlWallClockTest, P17_TheCommandEndsInTime) {
  // A clock that both processes have.
  const std::string file = running_.folder.path("clock");
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(ftruncate(fd, sizeof(JumpingClock)), 0);
  void* const shared = mmap(nullptr, sizeof(JumpingClock),
                            PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto& clock = *static_cast<JumpingClock*>(shared);
  const std::string path = running_.folder.path("silent");
  auto silent = ListenUnix(RealSys(), path);
  ASSERT_TRUE(silent.ok()) << silent.status();

  test::Result r;
  std::thread user([&] {
    r = test::RunTrolley(
        {"ps", "--timeout=500ms"}, "",
        {"TROLLEY_ADDRESS=unix:" + path, "LD_PRELOAD=" + clock_library,
         "TROLLEY_JUMPING_CLOCK=" + file});
  });
  absl::StatusOr<ScopedFd> connection = absl::UnavailableError("");
  while (absl::IsUnavailable(connection.status())) {
    connection = silent->Accept();
    std::this_thread::yield();
  }
  clock.JumpHours(-1);
  user.join();
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_GT(clock.steady_waits.load(), 0u) << "the clock was not loaded";
  munmap(shared, sizeof(JumpingClock));
  close(fd);
}

}  // namespace
}  // namespace trolley

int main(int argc, char** argv) {
  trolley::JumpingClock::LoadInto(argv, argv[1]);
  trolley::clock_library = std::filesystem::absolute(argv[1]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
