// SPDX-License-Identifier: Apache-2.0
//
// The control service, used by a client over its own socket.

#include "trolley/actors/grpc/control_service.h"

#include <errno.h>
#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/sys.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::internal {
namespace {

namespace v1 = control::v1;
using test::Add;
using test::Client;
using test::Context;
using test::InfoOf;
using test::OpenAsk;
using test::Outcome;
using test::Pack;
using test::RunningBus;
using test::Works;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class ControlServiceTest : public ::testing::Test {
 protected:
  explicit ControlServiceTest(ControlOptions options = {})
      : running_(std::move(options)) {}

  grpc::Status Send(const std::string& actor,
                    const google::protobuf::Message& message,
                    const std::string& uid = "") {
    v1::SendMessageRequest request;
    request.set_actor(actor);
    request.set_uid(uid);
    Pack(message, request.mutable_envelope());
    v1::SendMessageResponse response;
    Context context;
    return client_.messenger->SendMessage(&context, request, &response);
  }

  grpc::Status Ask(const std::string& actor,
                   const google::protobuf::Message& message,
                   v1::AskActorResponse* response,
                   absl::Duration timeout = absl::Seconds(20)) {
    v1::AskActorRequest request;
    request.set_actor(actor);
    Pack(message, request.mutable_envelope());
    Context context(timeout);
    return client_.messenger->AskActor(&context, request, response);
  }
  grpc::Status Ask(const std::string& actor,
                   const google::protobuf::Message& message,
                   absl::Duration timeout = absl::Seconds(20)) {
    v1::AskActorResponse response;
    return Ask(actor, message, &response, timeout);
  }

  grpc::Status Stop(const std::string& actor, v1::StopActorRequest::Mode mode,
                    v1::Actor* stopped,
                    absl::Duration timeout = absl::Seconds(20),
                    absl::Duration drain = absl::Seconds(10)) {
    v1::StopActorRequest request;
    request.set_name(actor);
    request.set_mode(mode);
    request.mutable_drain_timeout()->set_nanos(
        absl::ToInt64Nanoseconds(drain % absl::Seconds(1)));
    request.mutable_drain_timeout()->set_seconds(absl::ToInt64Seconds(drain));
    Context context(timeout);
    return client_.controller->StopActor(&context, request, stopped);
  }

  v1::Actor Get(const std::string& name) {
    v1::GetActorRequest request;
    request.set_name(name);
    v1::Actor actor;
    Context context;
    const grpc::Status status =
        client_.inspector->GetActor(&context, request, &actor);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return actor;
  }

  // The actor begins with a message that it never finishes.
  std::unique_ptr<OpenAsk> Occupy(const std::string& actor) {
    auto ask = std::make_unique<OpenAsk>(client_, actor);
    AwaitState(client_, actor, v1::Actor_State_SUSPENDED);
    return ask;
  }

  RunningBus running_;  // first, for its address
  Client client_{running_.control->address()};
};

TEST_F(ControlServiceTest, ListsEachActorOnceInPages) {
  for (const char* name : {"c", "a", "b"}) running_.Spawn(name);
  std::vector<std::string> names;
  v1::ListActorsRequest request;
  request.set_page_size(2);
  do {
    v1::ListActorsResponse page;
    Context context;
    ASSERT_TRUE(client_.inspector->ListActors(&context, request, &page).ok());
    EXPECT_LE(page.actors_size(), 2);
    EXPECT_EQ(page.total_size(), 4);
    for (const v1::Actor& actor : page.actors()) names.push_back(actor.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  // One is the service's own.
  EXPECT_THAT(names, UnorderedElementsAre(StartsWith("#"), "a", "b", "c"));
}

TEST_F(ControlServiceTest, RefusesPagesThatMakeNoSense) {
  v1::ListActorsResponse response;
  v1::ListActorsRequest negative;
  negative.set_page_size(-1);
  Context a;
  grpc::Status status = client_.inspector->ListActors(&a, negative, &response);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT BAD_REQUEST");
  EXPECT_EQ(InfoOf(status).metadata().at("field"), "page_size");

  running_.Spawn("a");
  v1::ListActorsRequest one;
  one.set_page_size(1);
  Context b;
  ASSERT_TRUE(client_.inspector->ListActors(&b, one, &response).ok());
  const std::string token = response.next_page_token();
  ASSERT_FALSE(token.empty());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'x' ? 'y' : 'x';
    one.set_page_token(forged);
    Context c;
    EXPECT_EQ(Outcome(client_.inspector->ListActors(&c, one, &response)),
              "INVALID_ARGUMENT BAD_REQUEST")
        << i;
  }
}

TEST_F(ControlServiceTest, TellsWhatAnActorIs) {
  running_.Spawn("bank/alice", 7);
  ASSERT_TRUE(Ask("bank/alice", test::GetTotal()).ok());
  const v1::Actor actor = Get("bank/alice");
  EXPECT_EQ(actor.name(), "bank/alice");
  EXPECT_THAT(actor.type(), HasSubstr("test::Counter"));
  EXPECT_EQ(actor.state(), v1::Actor_State_RUNNING);
  EXPECT_THAT(actor.loop(), HasSubstr("loop-"));
  EXPECT_EQ(actor.mailbox().depth(), 0);
  EXPECT_EQ(actor.mailbox().capacity(), 7);
  EXPECT_EQ(actor.mailbox().processed_total(), 1);
  EXPECT_THAT(actor.accepted_message_types(),
              ElementsAre("trolley.test.Add", "trolley.test.GetTotal",
                          "trolley.test.Fail", "trolley.test.Hold",
                          "trolley.test.GetBlob"));
  EXPECT_FALSE(actor.uid().empty());
}

TEST_F(ControlServiceTest, NamesWhatIsWrongWithAName) {
  const auto get = [&](const std::string& name) {
    v1::GetActorRequest request;
    request.set_name(name);
    v1::Actor actor;
    Context context;
    return client_.inspector->GetActor(&context, request, &actor);
  };
  EXPECT_EQ(Outcome(get("nobody")), "NOT_FOUND ACTOR_NOT_FOUND");
  EXPECT_EQ(Outcome(get("")), "INVALID_ARGUMENT BAD_REQUEST");
  EXPECT_EQ(Outcome(get("A B")), "INVALID_ARGUMENT BAD_REQUEST");
  EXPECT_THAT(get("#0.0.1").error_message(), HasSubstr("without a name"));
  const grpc::Status hostile = get("x\x1b[2J\n" + std::string(1 << 20, 'y'));
  EXPECT_EQ(Outcome(hostile), "INVALID_ARGUMENT BAD_REQUEST");
  EXPECT_THAT(hostile.error_message(), HasSubstr("\\x1b"));
  EXPECT_LT(hostile.error_message().size(), 1000);
}

TEST_F(ControlServiceTest, TellsAboutTheServerAndItsLoops) {
  running_.Spawn("a");
  v1::ServerInfo server;
  Context a;
  ASSERT_TRUE(
      client_.inspector->GetServerInfo(&a, v1::GetServerInfoRequest(), &server)
          .ok());
  EXPECT_EQ(server.protocol_version(), 1);
  EXPECT_EQ(server.pid(), getpid());
  EXPECT_EQ(server.poller(), "epoll");
  EXPECT_EQ(server.actor_count(), 2);
  EXPECT_EQ(server.role(), "admin");
  EXPECT_FALSE(server.draining());
  v1::ListLoopsResponse loops;
  Context b;
  ASSERT_TRUE(
      client_.inspector->ListLoops(&b, v1::ListLoopsRequest(), &loops).ok());
  ASSERT_EQ(loops.loops_size(), 2);
  EXPECT_EQ(loops.loops(0).name(), "loop-0");
  EXPECT_EQ(loops.loops(1).name(), "loop-1");
  EXPECT_EQ(loops.loops(0).actor_count() + loops.loops(1).actor_count(), 2);
}

TEST_F(ControlServiceTest, SendsAndAsks) {
  running_.Spawn("a");
  Add add;
  add.set_amount(5);
  ASSERT_TRUE(Send("a", add).ok());
  ASSERT_TRUE(Send("a", add, Get("a").uid()).ok());
  v1::AskActorResponse response;
  ASSERT_TRUE(Ask("a", test::GetTotal(), &response).ok());
  test::Total total;
  ASSERT_TRUE(response.envelope().payload().UnpackTo(&total));
  EXPECT_EQ(total.total(), 10);
  v1::AskActorResponse empty;
  ASSERT_TRUE(Ask("a", add, &empty).ok());
  EXPECT_FALSE(empty.envelope().has_payload());
}

TEST_F(ControlServiceTest, SaysWhyAMessageWasNotSent) {
  running_.Spawn("a");
  ASSERT_TRUE(running_.bus->Spawn<test::Quiet>({.name = "quiet"}).ok());
  EXPECT_EQ(Outcome(Send("nobody", Add())), "NOT_FOUND ACTOR_NOT_FOUND");
  EXPECT_EQ(Outcome(Send("", Add())), "INVALID_ARGUMENT BAD_REQUEST");
  const grpc::Status stranger = Send("a", test::Stranger());
  EXPECT_EQ(Outcome(stranger), "INVALID_ARGUMENT MESSAGE_TYPE_REJECTED");
  EXPECT_THAT(InfoOf(stranger).metadata().at("accepted"),
              HasSubstr("trolley.test.Add, trolley.test.GetTotal"));
  EXPECT_THAT(Send("quiet", Add()).error_message(),
              HasSubstr("takes nothing from outside"));
  const grpc::Status stale = Send("a", Add(), "an-old-uid");
  EXPECT_EQ(Outcome(stale), "ABORTED STALE_INCARNATION");
  EXPECT_EQ(InfoOf(stale).metadata().at("uid"), Get("a").uid());

  v1::SendMessageRequest broken;
  broken.set_actor("a");
  broken.mutable_envelope()->mutable_payload()->set_type_url(
      "type.googleapis.com/trolley.test.Add");
  broken.mutable_envelope()->mutable_payload()->set_value("\xff\xff");
  v1::SendMessageResponse response;
  Context a;
  EXPECT_EQ(Outcome(client_.messenger->SendMessage(&a, broken, &response)),
            "INVALID_ARGUMENT BAD_PAYLOAD");
  broken.mutable_envelope()->set_traceparent("not a trace");
  Context b;
  EXPECT_EQ(Outcome(client_.messenger->SendMessage(&b, broken, &response)),
            "INVALID_ARGUMENT BAD_REQUEST");
}

TEST_F(ControlServiceTest, AFullMailboxRefuses) {
  running_.Spawn("a", 1);
  auto hold = Occupy("a");
  EXPECT_EQ(Outcome(Send("a", Add())), "EXHAUSTED MAILBOX_FULL");
  EXPECT_EQ(Outcome(Ask("a", Add())), "EXHAUSTED MAILBOX_FULL");
  hold->context.context.TryCancel();
  hold->done.WaitForNotification();
  EXPECT_EQ(Outcome(hold->status), "CANCELLED");
}

TEST_F(ControlServiceTest, SaysWhyAnAskFailed) {
  running_.Spawn("a");
  EXPECT_EQ(Outcome(Ask("nobody", Add())), "NOT_FOUND ACTOR_NOT_FOUND");
  EXPECT_EQ(Outcome(Ask("a", test::Stranger())),
            "INVALID_ARGUMENT MESSAGE_TYPE_REJECTED");
  test::Fail fail;
  fail.set_code(static_cast<int>(absl::StatusCode::kNotFound));
  fail.set_text("no such book\x1b[31m");
  const grpc::Status failed = Ask("a", fail);
  EXPECT_EQ(Outcome(failed), "NOT_FOUND HANDLER_FAILED");
  EXPECT_THAT(failed.error_message(), HasSubstr("no such book\\x1b[31m"));
}

// The server's own limit, so that the client has no deadline that could come
// first.
class ControlServiceLimitTest : public ControlServiceTest {
 protected:
  ControlServiceLimitTest() : ControlServiceTest(ShortDeadline()) {}

 private:
  static ControlOptions ShortDeadline() {
    ControlOptions options;
    options.default_deadline = absl::Milliseconds(100);
    return options;
  }
};

TEST_F(ControlServiceLimitTest, AnAskThatTakesTooLongSaysSo) {
  running_.Spawn("a");
  const grpc::Status late = Ask("a", test::Hold(), absl::InfiniteDuration());
  EXPECT_EQ(Outcome(late), "DEADLINE ASK_TIMEOUT");
  EXPECT_THAT(late.error_message(),
              StartsWith("\"a\" did not reply within 100ms"));
  // Its handler was cancelled, so the next one is handled.
  EXPECT_EQ(Outcome(Ask("a", Add())), "OK");
}

// One alarm serves all calls. It is set to the call whose deadline is next,
// also if that call came later, and is set again after it has rung.
TEST_F(ControlServiceLimitTest, EachOpenAskEndsAtItsOwnDeadline) {
  running_.Spawn("a");
  auto longest = Occupy("a");
  OpenAsk first(client_, "a", absl::InfiniteDuration());
  OpenAsk second(client_, "a", absl::InfiniteDuration());
  for (OpenAsk* ask : {&first, &second}) {
    ask->done.WaitForNotification();
    EXPECT_EQ(Outcome(ask->status), "DEADLINE ASK_TIMEOUT");
  }
  EXPECT_FALSE(longest->done.HasBeenNotified());
  longest->context.context.TryCancel();
  longest->done.WaitForNotification();
}

// Throws.
class Bomb : public Actor {
 public:
  using Receives = Protocol<Add>;
  void On(const Add&) { throw std::runtime_error("disk full"); }
};

TEST_F(ControlServiceTest, AnActorThatHasEndedIsNamedWithItsReason) {
  absl::StatusOr<Ref<Bomb>> bomb =
      running_.bus->Spawn<Bomb>({.name = "bank/slow"});
  ASSERT_TRUE(bomb.ok());
  absl::Notification ended;
  bomb->address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  const grpc::Status in_hand = Ask("bank/slow", Add());
  EXPECT_EQ(Outcome(in_hand), "INTERNAL HANDLER_FAILED");
  EXPECT_THAT(in_hand.error_message(),
              HasSubstr("bank/slow has ended: its handler of "));
  EXPECT_THAT(in_hand.error_message(), HasSubstr("threw: disk full"));
  ended.WaitForNotification();
  v1::GetActorRequest request;
  request.set_name("bank/slow");
  v1::Actor actor;
  Context context;
  v1::Actor stopped;
  for (const grpc::Status& after :
       {Ask("bank/slow", Add()), Send("bank/slow", Add()),
        Stop("bank/slow", v1::StopActorRequest::DRAIN, &stopped),
        client_.inspector->GetActor(&context, request, &actor)}) {
    EXPECT_EQ(Outcome(after), "NOT_FOUND ACTOR_NOT_FOUND");
    EXPECT_THAT(after.error_message(),
                StartsWith("no actor named \"bank/slow\" is running; the last "
                           "one has ended: its handler of "));
    EXPECT_THAT(after.error_message(), EndsWith("threw: disk full"));
  }
}

TEST_F(ControlServiceTest, AnAskOfAnActorThatEndsIsAborted) {
  running_.Spawn("a");
  auto hold = Occupy("a");
  v1::Actor stopped;
  ASSERT_TRUE(Stop("a", v1::StopActorRequest::IMMEDIATE, &stopped).ok());
  hold->done.WaitForNotification();
  EXPECT_EQ(Outcome(hold->status), "ABORTED ACTOR_STOPPED_DURING_ASK");
  EXPECT_THAT(hold->status.error_message(),
              StartsWith("a has ended: it was stopped"));
}

TEST_F(ControlServiceTest, ARequestThatIsTooLargeLeavesTheServerAlive) {
  running_.Spawn("a");
  Add large;
  large.set_note(std::string(5 << 20, 'x'));
  EXPECT_EQ(Send("a", large).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Send("a", Add()).ok());
  test::GetBlob blob;
  blob.set_bytes(5 << 20);
  EXPECT_EQ(Outcome(Ask("a", blob)), "EXHAUSTED PAYLOAD_TOO_LARGE");
  blob.set_bytes(1 << 20);
  EXPECT_TRUE(Ask("a", blob).ok());
}

TEST_F(ControlServiceTest, StopsWithTheLastState) {
  running_.Spawn("a");
  ASSERT_TRUE(Ask("a", Add()).ok());
  v1::Actor stopped;
  const grpc::Status status = Stop("a", v1::StopActorRequest::DRAIN, &stopped);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(stopped.name(), "a");
  EXPECT_THAT(stopped.type(), HasSubstr("test::Counter"));
  EXPECT_EQ(stopped.state(), v1::Actor_State_STOPPED);
  EXPECT_EQ(stopped.mailbox().processed_total(), 1);
  EXPECT_EQ(Outcome(Stop("a", v1::StopActorRequest::DRAIN, &stopped)),
            "NOT_FOUND ACTOR_NOT_FOUND");
  running_.Spawn("a");  // the name is free again
}

TEST_F(ControlServiceLimitTest, AStopThatTakesTooLongGoesOn) {
  running_.Spawn("a");
  auto hold = Occupy("a");
  v1::Actor stopped;
  EXPECT_EQ(Outcome(Stop("a", v1::StopActorRequest::DRAIN, &stopped,
                         absl::InfiniteDuration(), absl::Hours(1))),
            "DEADLINE STOP_TIMEOUT");
  EXPECT_EQ(Get("a").state(), v1::Actor_State_DRAINING);
  // A second one with less patience ends both.
  const grpc::Status status = Stop("a", v1::StopActorRequest::DRAIN, &stopped,
                                   absl::Seconds(20), absl::Milliseconds(50));
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(stopped.state(), v1::Actor_State_STOPPED);
  hold->done.WaitForNotification();
  EXPECT_EQ(Outcome(hold->status), "ABORTED ACTOR_STOPPED_DURING_ASK");
}

TEST_F(ControlServiceTest, RefusesStopsThatMakeNoSense) {
  running_.Spawn("a");
  const auto stop = [&](const v1::StopActorRequest& request) {
    v1::Actor stopped;
    Context context;
    return Outcome(client_.controller->StopActor(&context, request, &stopped));
  };
  v1::StopActorRequest request;
  EXPECT_EQ(stop(request), "INVALID_ARGUMENT BAD_REQUEST");
  request.set_name("a");
  request.mutable_drain_timeout()->set_seconds(-1);
  EXPECT_EQ(stop(request), "INVALID_ARGUMENT BAD_REQUEST");
  request.clear_drain_timeout();
  request.set_mode(static_cast<v1::StopActorRequest::Mode>(77));
  EXPECT_EQ(stop(request), "INVALID_ARGUMENT BAD_REQUEST");
  request.clear_mode();
  request.set_uid("an-old-uid");
  EXPECT_EQ(stop(request), "ABORTED STALE_INCARNATION");
  EXPECT_EQ(Get("a").state(), v1::Actor_State_RUNNING);
}

TEST_F(ControlServiceTest, AThousandAsksAtOnceAreAllAnswered) {
  constexpr int kAsks = 1000;
  running_.Spawn("a");
  struct One {
    Context context{absl::Seconds(50)};
    v1::AskActorResponse response;
    grpc::Status status;
  };
  v1::AskActorRequest request;
  request.set_actor("a");
  Add add;
  add.set_amount(1);
  Pack(add, request.mutable_envelope());
  std::vector<std::unique_ptr<One>> asks;
  absl::BlockingCounter left(kAsks);
  for (int i = 0; i < kAsks; ++i) {
    One* ask = asks.emplace_back(std::make_unique<One>()).get();
    client_.messenger->async()->AskActor(&ask->context, &request,
                                         &ask->response,
                                         [ask, &left](grpc::Status status) {
                                           ask->status = status;
                                           left.DecrementCount();
                                         });
  }
  left.Wait();
  for (const auto& ask : asks) {
    EXPECT_TRUE(ask->status.ok()) << ask->status.error_message();
  }
  v1::AskActorResponse response;
  ASSERT_TRUE(Ask("a", test::GetTotal(), &response).ok());
  test::Total total;
  ASSERT_TRUE(response.envelope().payload().UnpackTo(&total));
  EXPECT_EQ(total.total(), kAsks);
}

TEST_F(ControlServiceTest, StoppingEndsTheAsksThatAreOpen) {
  running_.Spawn("a");
  auto hold = Occupy("a");
  running_.control->Stop();
  hold->done.WaitForNotification();
  EXPECT_EQ(Outcome(hold->status), "UNAVAILABLE DRAINING");
  EXPECT_FALSE(std::filesystem::exists(running_.folder.path()));
  // The bus knows nothing of it, and the path can be taken again.
  ControlOptions options;
  options.path = running_.folder.path();
  auto again = ControlService::Start(*running_.bus, options);
  ASSERT_TRUE(again.ok()) << again.status();
  Client client((*again)->address());
  v1::ServerInfo server;
  Context context;
  EXPECT_TRUE(client.inspector
                  ->GetServerInfo(&context, v1::GetServerInfoRequest(), &server)
                  .ok());
}

TEST_F(ControlServiceTest, SaysDrainingOnceTheBusHasShutDown) {
  running_.Spawn("a");
  ASSERT_TRUE(Send("a", Add()).ok());  // the connection stays
  running_.bus->Shutdown(absl::Seconds(1));
  v1::ServerInfo server;
  Context context;
  ASSERT_TRUE(client_.inspector
                  ->GetServerInfo(&context, v1::GetServerInfoRequest(), &server)
                  .ok());
  EXPECT_TRUE(server.draining());
  EXPECT_EQ(Outcome(Send("a", Add())), "NOT_FOUND ACTOR_NOT_FOUND");
}

TEST_F(ControlServiceTest, HealthIsServing) {
  grpc::GenericStub stub(client_.channel);
  Context context;
  grpc::CompletionQueue queue;
  const std::string method = "/grpc.health.v1.Health/Check";
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);
  auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, this);
  void* tag;
  bool ok;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  grpc::Slice bytes;
  ASSERT_TRUE(reply.DumpToSingleSlice(&bytes).ok());
  // HealthCheckResponse{status: SERVING}
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "\x08\x01");
}

TEST_F(ControlServiceTest, TheSocketIsOfThisUserAlone) {
  struct stat file;
  ASSERT_EQ(stat(running_.folder.path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600);
}

TEST_F(ControlServiceTest, ASecondServerLeavesTheFirstAlone) {
  ControlOptions options;
  options.path = running_.folder.path();
  auto second = ControlService::Start(*running_.bus, options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(options.path));
  v1::ServerInfo server;
  Context context;
  EXPECT_TRUE(client_.inspector
                  ->GetServerInfo(&context, v1::GetServerInfoRequest(), &server)
                  .ok());
}

TEST_F(ControlServiceTest, OptionsOutOfRangeAreNamed) {
  const auto start = [&](ControlOptions options) {
    options.path = running_.folder.path("other.sock");
    return ControlService::Start(*running_.bus, options).status();
  };
  EXPECT_THAT(std::string(start({.max_connections = 0}).message()),
              HasSubstr("ControlOptions::max_connections"));
  EXPECT_THAT(std::string(start({.max_connections_per_user = 0}).message()),
              HasSubstr("ControlOptions::max_connections_per_user"));
  EXPECT_THAT(std::string(start({.max_message_bytes = 1}).message()),
              HasSubstr("ControlOptions::max_message_bytes"));
  EXPECT_EQ(start({.default_deadline = absl::ZeroDuration()}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start({.loop = 9}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(running_.folder.path("other.sock")));
  auto long_path = ControlService::Start(
      *running_.bus, {.path = running_.folder.path(std::string(108, 'x'))});
  EXPECT_EQ(long_path.status().code(), absl::StatusCode::kInvalidArgument);
}

// A connection that speaks HTTP/2 and then nothing more.
ScopedFd ConnectAndIdle(const std::string& path) {
  auto fd = ConnectUnix(RealSys(), path);
  EXPECT_TRUE(fd.ok()) << fd.status();
  const std::string preface(
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  EXPECT_EQ(write(fd->get(), preface.data(), preface.size()), preface.size());
  EXPECT_EQ(fcntl(fd->get(), F_SETFL, 0), 0);  // blocking
  return *std::move(fd);
}

// Reads until the server closes it. The last result: 0, or -1 with an errno.
ssize_t AwaitEnd(const ScopedFd& fd) {
  char bytes[4096];
  ssize_t n;
  while ((n = read(fd.get(), bytes, sizeof(bytes))) > 0) {
  }
  return n;
}

TEST(ControlConnectionsTest, IdleConnectionsOfOneUserLockNobodyOut) {
  RunningBus running;
  std::vector<ScopedFd> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(ConnectAndIdle(running.folder.path()));
  }
  Client client(running.control->address());
  EXPECT_TRUE(Works(client));
  EXPECT_EQ(running.control->displaced(), 101 - 32);
  EXPECT_EQ(running.control->turned_away(), 0);
}

TEST(ControlConnectionsTest, TheLongestOpenOfAUserMakesRoom) {
  RunningBus running({.max_connections_per_user = 2});
  const ScopedFd first = ConnectAndIdle(running.folder.path());
  const ScopedFd second = ConnectAndIdle(running.folder.path());
  Client third(running.control->address());
  EXPECT_TRUE(Works(third));
  AwaitEnd(first);
  Client fourth(running.control->address());
  EXPECT_TRUE(Works(fourth));
  AwaitEnd(second);
  EXPECT_TRUE(Works(third));
  EXPECT_EQ(running.control->displaced(), 2);
}

TEST(ControlConnectionsTest, AConnectionThatHasEndedTakesNoPlace) {
  RunningBus running({.max_connections = 1});
  for (int i = 0; i < 20; ++i) {
    auto fd = ConnectUnix(RealSys(), running.folder.path());
    ASSERT_TRUE(fd.ok()) << fd.status();
    ASSERT_EQ(shutdown(fd->get(), SHUT_RDWR), 0);
  }
  Client client(running.control->address());
  EXPECT_TRUE(Works(client));
  EXPECT_EQ(running.control->displaced(), 0);
}

TEST(ControlConnectionsTest, ASilentPeerIsClosed) {
  RunningBus running({.handshake_timeout = absl::Milliseconds(50)});
  auto fd = ConnectUnix(RealSys(), running.folder.path());
  ASSERT_TRUE(fd.ok()) << fd.status();
  ASSERT_EQ(fcntl(fd->get(), F_SETFL, 0), 0);  // blocking
  EXPECT_EQ(AwaitEnd(*fd), 0) << "reset, not closed: errno " << errno;
}

TEST(ControlConnectionsTest, GarbageIsClosedAndTheNextClientServed) {
  RunningBus running;
  auto fd = ConnectUnix(RealSys(), running.folder.path());
  ASSERT_TRUE(fd.ok()) << fd.status();
  ASSERT_EQ(fcntl(fd->get(), F_SETFL, 0), 0);
  const std::string garbage = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_GT(write(fd->get(), garbage.data(), garbage.size()), 0);
  AwaitEnd(*fd);
  Client client(running.control->address());
  EXPECT_TRUE(Works(client));
}

}  // namespace
}  // namespace trolley::internal
