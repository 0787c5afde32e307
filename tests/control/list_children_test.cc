// SPDX-License-Identifier: Apache-2.0
//
// Inspector.ListChildren: the supervisors of a running program, over gRPC.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/actors/supervision/supervision_tree.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/control/control_client.h"
#include "trolley/tests/control/running_bus.h"

namespace trolley::test {
namespace {

namespace v1 = control::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kHostile[] = "\x1b[2J\u202e\nforged: line \xff";

// The client sets no deadline, so it is that of the service, and the client
// hears of it in any case.
constexpr absl::Duration kServers = absl::InfiniteDuration();

struct Crash {
  std::string text;
};
struct Block {
  absl::Notification* begun;
  absl::Notification* go_on;
};

class Worker : public Actor {
 public:
  void On(const Crash& m) { throw std::runtime_error(m.text); }
  void On(const Block& m) {
    m.begun->Notify();
    m.go_on->WaitForNotification();
  }
};

// Its start fails.
class Hopeless : public Actor {
 public:
  Task<absl::Status> OnStartTask() {
    co_return absl::UnavailableError(kHostile);
  }
};

std::vector<ChildSpec> Workers(int count, ChildOptions options = {}) {
  std::vector<ChildSpec> specs;
  for (int i = 0; i < count; ++i) {
    options.name = absl::StrCat("w", i);
    specs.push_back(Child<Worker>(options));
  }
  return specs;
}

class ListChildrenTest : public ::testing::Test {
 protected:
  explicit ListChildrenTest(uint32_t max_message_bytes = 4u << 20)
      : running_({.tree = SupervisionTree({"app", "later"}),
                  .loop = 0,
                  .max_message_bytes = max_message_bytes,
                  .default_deadline = absl::Milliseconds(100)}) {}

  // Returns when it is up.
  Ref<Supervisor> Spawn(const std::string& name, SupervisorOptions options,
                        std::vector<ChildSpec> children, int loop = 0) {
    auto spawned = running_.bus->Spawn<Supervisor>(
        {.name = name, .loop = loop}, options, std::move(children));
    EXPECT_TRUE(spawned.ok()) << spawned.status();
    EXPECT_TRUE(spawned->AskAndWait(AwaitUp{}, absl::InfiniteDuration()).ok());
    return *spawned;
  }
  grpc::Status List(const std::string& supervisor,
                    v1::ListChildrenResponse* page, int32_t size = 0,
                    const std::string& token = "",
                    absl::Duration timeout = absl::Seconds(60)) {
    v1::ListChildrenRequest request;
    request.set_supervisor(supervisor);
    request.set_page_size(size);
    request.set_page_token(token);
    Context context(timeout);
    return client_.inspector->ListChildren(&context, request, page);
  }
  v1::ListChildrenResponse List(const std::string& supervisor) {
    v1::ListChildrenResponse page;
    const grpc::Status status = List(supervisor, &page);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return page;
  }
  // Waits until the child has this state.
  v1::Child AwaitChild(const std::string& supervisor, int index,
                       v1::Child::State state) {
    return AskUntil([&] { return List(supervisor); },
                    [&](const v1::ListChildrenResponse& page) {
                      return page.children(index).state() == state;
                    })
        .children(index);
  }

  RunningBus running_;
  Client client_{running_.control->address()};
};

TEST_F(ListChildrenTest, TellsOfEachChild) {
  Spawn("app", {.backoff = {.first = absl::Hours(1)}},
        {Child<Worker>({.name = "a", .loop = 1}),
         Child<Supervisor>({.name = "db"}, SupervisorOptions(), Workers(2)),
         Child<Worker>({.name = "once", .restart = Restart::kNever})});
  v1::ListChildrenResponse page = List("app");
  EXPECT_EQ(page.supervisor().name(), "app");
  EXPECT_EQ(page.supervisor().state(), v1::Child::UP);
  EXPECT_EQ(page.supervisor().type(), "trolley::Supervisor");
  EXPECT_EQ(page.supervisor().loop(), "loop-0");
  ASSERT_EQ(page.children_size(), 3);
  EXPECT_EQ(page.next_page_token(), "");
  const v1::Child& a = page.children(0);
  EXPECT_EQ(a.name(), "app/a");
  EXPECT_THAT(a.type(), HasSubstr("Worker"));
  EXPECT_EQ(a.loop(), "loop-1");
  EXPECT_EQ(a.state(), v1::Child::UP);
  EXPECT_EQ(a.restart_count(), 0u);
  EXPECT_EQ(a.last_exit(), "");
  EXPECT_FALSE(a.supervisor());
  EXPECT_TRUE(page.children(1).supervisor());

  running_.bus->Find<Worker>("app/a")->Tell(Crash{kHostile});
  const v1::Child failed = AwaitChild("app", 0, v1::Child::WAITING);
  EXPECT_THAT(failed.last_exit(), HasSubstr("forged: line"));
  EXPECT_EQ(failed.last_exit(), Printable(failed.last_exit()));
  EXPECT_EQ(List("app").supervisor().state(), v1::Child::STARTING);
  // The seat is empty, and says so.
  v1::GetActorRequest request;
  request.set_name("app/a");
  v1::Actor actor;
  Context context;
  ASSERT_TRUE(client_.inspector->GetActor(&context, request, &actor).ok());
  EXPECT_EQ(actor.state(), v1::Actor::EMPTY);

  // Its seat has closed, and its name is that of another actor.
  running_.bus->Find<Worker>("app/once")->Tell(Crash{"boom"});
  AwaitChild("app", 2, v1::Child::ENDED);
  running_.Spawn("app/once");
  const v1::Child ended = List("app").children(2);
  EXPECT_EQ(ended.type(), "");
  EXPECT_EQ(ended.loop(), "");
  EXPECT_THAT(ended.last_exit(), HasSubstr("boom"));
}

// The text of a Status is that of the program, or of one of its peers.
TEST_F(ListChildrenTest, AnyTextOfAFailureIsMadePrintable) {
  auto app = running_.bus->Spawn<Supervisor>(
      {.name = "app"}, SupervisorOptions{.backoff = {.first = absl::Hours(1)}},
      std::vector<ChildSpec>{Child<Hopeless>({.name = "a"})});
  ASSERT_TRUE(app.ok());
  const v1::Child failed = AskUntil([&] { return List("app"); },
                                    [](const v1::ListChildrenResponse& page) {
                                      return page.children_size() > 0 &&
                                             page.children(0).last_exit() != "";
                                    })
                               .children(0);
  EXPECT_THAT(failed.last_exit(), HasSubstr("forged: line \\xff"));
  EXPECT_EQ(failed.last_exit(), Printable(failed.last_exit()));
}

TEST_F(ListChildrenTest, TellsOfTheRoots) {
  Spawn("app", {}, Workers(1));
  Spawn("other", {}, Workers(1));  // not named, but it can be read
  const v1::ListChildrenResponse roots = List("");
  ASSERT_EQ(roots.children_size(), 2);
  EXPECT_FALSE(roots.has_supervisor());
  EXPECT_EQ(roots.children(0).name(), "app");
  EXPECT_EQ(roots.children(0).state(), v1::Child::STATE_UNSPECIFIED);
  EXPECT_EQ(roots.children(0).type(), "trolley::Supervisor");
  EXPECT_TRUE(roots.children(0).supervisor());
  EXPECT_EQ(roots.children(1).name(), "later");
  EXPECT_EQ(roots.children(1).state(), v1::Child::ENDED);
  EXPECT_THAT(roots.children(1).last_exit(), HasSubstr("no actor named"));
  EXPECT_EQ(List("other").children_size(), 1);
  v1::ListChildrenResponse first;
  v1::ListChildrenResponse second;
  ASSERT_TRUE(List("", &first, 1).ok());
  ASSERT_TRUE(List("", &second, 1, first.next_page_token()).ok());
  EXPECT_EQ(first.children(0).name(), "app");
  EXPECT_EQ(second.children(0).name(), "later");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ListChildrenTest, AProgramWithoutATreeSaysSo) {
  RunningBus plain;
  Client client(plain.control->address());
  v1::ListChildrenRequest request;
  v1::ListChildrenResponse page;
  Context first;
  ASSERT_TRUE(client.inspector->ListChildren(&first, request, &page).ok());
  EXPECT_EQ(page.children_size(), 0);
  plain.Spawn("a");
  request.set_supervisor("a");
  Context second;
  const grpc::Status none =
      client.inspector->ListChildren(&second, request, &page);
  EXPECT_EQ(Outcome(none), "PRECONDITION NOT_A_SUPERVISOR");
  EXPECT_THAT(none.error_message(), HasSubstr("ControlOptions::tree"));
}

// A loop that is stuck, and a supervisor without an object, which is none.
TEST_F(ListChildrenTest, ASupervisorThatDoesNotAnswerSaysWhy) {
  Spawn("app", {.backoff = {.first = absl::Hours(1)}},
        {Child<Supervisor>({.name = "db", .mailbox_capacity = 2},
                           SupervisorOptions{.max_restarts = 0}, Workers(1)),
         Child<Worker>({.name = "blocker", .loop = 1})});
  Spawn("far", {}, Workers(1), /*loop=*/1);
  running_.bus->Find<Worker>("app/db/w0")->Tell(Crash{"boom"});
  AwaitChild("app", 0, v1::Child::WAITING);
  v1::ListChildrenResponse page;
  grpc::Status status = List("app/db", &page, 0, "", kServers);
  EXPECT_EQ(Outcome(status), "DEADLINE ASK_TIMEOUT");
  EXPECT_THAT(status.error_message(), HasSubstr("its loop runs"));

  absl::Notification begun;
  absl::Notification go_on;
  running_.bus->Find<Worker>("app/blocker")->Tell(Block{&begun, &go_on});
  begun.WaitForNotification();
  status = List("far", &page, 0, "", kServers);
  EXPECT_EQ(Outcome(status), "DEADLINE LOOPS_BUSY");
  EXPECT_TRUE(List("app", &page).ok());  // the others answer
  go_on.Notify();
  EXPECT_TRUE(List("far", &page).ok());
}

// The asks of calls that have ended wait in the mailbox, which has a limit.
TEST_F(ListChildrenTest, TheMailboxOfAStuckSupervisorBoundsIt) {
  Spawn("app", {}, {Child<Worker>({.name = "blocker", .loop = 1})});
  auto far = running_.bus->Spawn<Supervisor>(
      {.name = "far", .loop = 1, .mailbox_capacity = 4}, SupervisorOptions(),
      Workers(1));
  ASSERT_TRUE(far->AskAndWait(AwaitUp{}, absl::InfiniteDuration()).ok());
  absl::Notification begun;
  absl::Notification go_on;
  running_.bus->Find<Worker>("app/blocker")->Tell(Block{&begun, &go_on});
  begun.WaitForNotification();
  v1::ListChildrenResponse page;
  std::vector<std::string> outcomes;
  for (int i = 0; i < 6; ++i) {
    outcomes.push_back(Outcome(List("far", &page, 0, "", kServers)));
  }
  EXPECT_THAT(outcomes,
              ElementsAre("DEADLINE LOOPS_BUSY", "DEADLINE LOOPS_BUSY",
                          "DEADLINE LOOPS_BUSY", "DEADLINE LOOPS_BUSY",
                          "EXHAUSTED MAILBOX_FULL", "EXHAUSTED MAILBOX_FULL"));
  go_on.Notify();
  AskUntil([&] { return List("far", &page); },
           [](const grpc::Status& status) { return status.ok(); });
}

TEST_F(ListChildrenTest, PagesAndTokens) {
  Spawn("app", {.max_children = 4096}, Workers(4096));
  std::vector<int> sizes;
  int next = 0;
  std::string token;
  do {
    v1::ListChildrenResponse page;
    const grpc::Status status = List("app", &page, 1 << 30, token);
    ASSERT_TRUE(status.ok()) << status.error_message();
    sizes.push_back(page.children_size());
    for (const v1::Child& child : page.children()) {
      EXPECT_EQ(child.name(), absl::StrCat("app/w", next++));
    }
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_THAT(sizes, ElementsAre(1000, 1000, 1000, 1000, 96));
  v1::ListChildrenResponse page;
  ASSERT_TRUE(List("app", &page).ok());
  EXPECT_EQ(page.children_size(), 50);
  token = page.next_page_token();
  for (size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Outcome(List("app", &page, 0, altered)),
              "INVALID_ARGUMENT BAD_REQUEST")
        << i;
  }
}

class SmallListChildrenTest : public ListChildrenTest {
 protected:
  SmallListChildrenTest() : ListChildrenTest(4096) {}
};

// Long texts make a page shorter, and no child is lost.
TEST_F(SmallListChildrenTest, AResponseKeepsItsLimit) {
  constexpr int kChildren = 20;
  Spawn("app", {.max_restarts = 100, .backoff = {.first = absl::Hours(1)}},
        Workers(kChildren));
  for (int i = 0; i < kChildren; ++i) {
    running_.bus->Find<Worker>(absl::StrCat("app/w", i))
        ->Tell(Crash{std::string(100000, 'x')});
  }
  int next = 0;
  int pages = 0;
  std::string token;
  do {
    v1::ListChildrenResponse page;
    grpc::Status status;
    AskUntil(
        [&] {
          status = List("app", &page, 1000, token);
          return page;
        },
        [&](const v1::ListChildrenResponse& got) {
          bool all = true;
          for (const v1::Child& child : got.children()) {
            all = all && child.state() == v1::Child::WAITING;
          }
          return all || !status.ok();
        });
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_LE(page.ByteSizeLong(), 4096u);
    EXPECT_GT(page.children_size(), 0);
    for (const v1::Child& child : page.children()) {
      EXPECT_EQ(child.name(), absl::StrCat("app/w", next++));
      EXPECT_GT(child.last_exit().size(), 100u);
      EXPECT_LE(child.last_exit().size(), kMaxTextBytes + 3);
    }
    ASSERT_LE(++pages, kChildren);
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(next, kChildren);
  EXPECT_GT(pages, 3);
}

TEST(TreeOptionsTest, WhatIsWrongIsNamed) {
  const SocketFolder folder;
  auto bus = *Bus::Create({});
  const auto refused = [&](TreeSource tree) {
    ControlOptions options{.path = folder.path()};
    options.tree = std::move(tree);
    const auto started = ControlService::Start(*bus, options);
    EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(started.status().message());
  };
  EXPECT_THAT(refused(SupervisionTree({"app", "A B"})),
              HasSubstr("ControlOptions::tree.roots has a wrong name"));
  EXPECT_THAT(refused(SupervisionTree({""})), HasSubstr("tree.roots"));
  EXPECT_THAT(refused({.roots = {"app"}}), HasSubstr("tree.read is null"));
  EXPECT_THAT(refused(SupervisionTree(std::vector<std::string>(1001, "app"))),
              HasSubstr("tree.roots has 1001 names; it has at most 1000"));
}

}  // namespace
}  // namespace trolley::test
