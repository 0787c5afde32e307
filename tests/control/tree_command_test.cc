// SPDX-License-Identifier: Apache-2.0
//
// `trolley tree`, run as a user runs it.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/running_bus.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervision_tree.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bus/ask_until.h"

namespace bank {

struct Crash {
  std::string text;
};
struct Block {
  absl::Notification* begun;
  absl::Notification* go_on;
};

class Worker : public trolley::Actor {
 public:
  using Receives = trolley::Protocol<trolley::test::Add>;
  void On(const Crash& m) { throw std::runtime_error(m.text); }
  void On(const Block& m) {
    m.begun->Notify();
    m.go_on->WaitForNotification();
  }
  void On(const trolley::test::Add&) {}
};

}  // namespace bank

namespace trolley {
namespace {

using bank::Block;
using bank::Crash;
using bank::Worker;
using test::Exits;
using test::ParseJson;
using test::Result;
using test::RunningBus;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Specs = std::vector<ChildSpec>;

// No restart within the test.
constexpr SupervisorOptions kPatient = {
    .max_restarts = 100,
    .backoff = {.first = absl::Hours(9), .most = absl::Hours(9)}};

ChildSpec AWorker(const std::string& name, int loop = 0) {
  return Child<Worker>({.name = name, .loop = loop});
}

Specs Workers(int count) {
  Specs specs;
  for (int i = 0; i < count; ++i) {
    specs.push_back(AWorker(absl::StrCat("w", i)));
  }
  return specs;
}

class TreeCommandTest : public ::testing::Test {
 protected:
  explicit TreeCommandTest(std::vector<std::string> roots = {"app"})
      : running_({.tree = SupervisionTree(std::move(roots)), .loop = 0}) {}

  // With time enough for a machine that is busy, unless the test says else.
  Result Trolley(std::vector<std::string> arguments) {
    for (const std::string option : {"--patience", "--timeout"}) {
      if (arguments[0] == "tree" &&
          std::none_of(arguments.begin(), arguments.end(),
                       [&](const std::string& argument) {
                         return absl::StartsWith(argument, option);
                       })) {
        arguments.push_back(option + "=10m");
      }
    }
    return test::RunTrolley(arguments, "",
                            {"TROLLEY_ADDRESS=" + running_.control->address()});
  }
  // Returns when it is up.
  Ref<Supervisor> Spawn(const std::string& name, SupervisorOptions options,
                        Specs children, int loop = 0) {
    options.max_children = SupervisorOptions::kMostChildren;
    auto spawned = running_.bus->Spawn<Supervisor>(
        {.name = name, .loop = loop}, options, std::move(children));
    EXPECT_TRUE(spawned.ok()) << spawned.status();
    EXPECT_TRUE(spawned->AskAndWait(AwaitUp{}, absl::InfiniteDuration()).ok());
    return *spawned;
  }
  // Lets child number `index` fail. Returns when the supervisor knows.
  void Fail(const Ref<Supervisor>& supervisor, size_t index,
            const std::string& text) {
    const auto children = [&] {
      return *supervisor.AskAndWait(GetChildren{}, absl::InfiniteDuration());
    };
    Ref<Worker>(children()[index].address).Tell(Crash{text});
    AskUntil(children, [&](const std::vector<ChildInfo>& infos) {
      return infos[index].last_exit.kind == ExitReason::Kind::kFailed;
    });
  }
  // Blocks the loop of the worker until `go_on_`.
  void BlockLoopOf(const std::string& worker) {
    running_.bus->Find<Worker>(worker)->Tell(Block{&begun_, &go_on_});
    begun_.WaitForNotification();
  }

  absl::Notification begun_;
  absl::Notification go_on_;
  RunningBus running_;
};

TEST_F(TreeCommandTest, PrintsATreeAsATable) {
  const auto app =
      Spawn("app", kPatient,
            {AWorker("store"),
             Child<Supervisor>({.name = "db"}, SupervisorOptions(),
                               Specs{AWorker("pool", 1), AWorker("log/file")}),
             Child<Worker>({.name = "once", .restart = Restart::kNever})});
  Fail(app, 0, "disk full");
  Fail(app, 2, "done");
  AskUntil([&] { return *app.AskAndWait(GetChildren{}, absl::Seconds(60)); },
           [](const auto& all) { return all[2].state == ChildState::kEnded; });
  const Result r = Trolley({"tree"});
  EXPECT_THAT(r, Exits(0));
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(
      r.out,
      "NAME          TYPE                 STATE     LOOP    RESTARTS  LAST "
      "END\n"
      "app           trolley::Supervisor  starting  loop-0         0  \n"
      "  store       bank::Worker         waiting   loop-0         0  its "
      "handler of bank::Crash threw: disk full\n"
      "  db          trolley::Supervisor  up        loop-0         0  \n"
      "    pool      bank::Worker         up        loop-1         0  \n"
      "    log/file  bank::Worker         up        loop-0         0  \n"
      "  once        -                    ended     -              0  its "
      "handler of bank::Crash threw: done\n");
  EXPECT_EQ(Trolley({"tree", "-o", "name"}).out,
            "app\napp/store\napp/db\napp/db/pool\napp/db/log/file\napp/once\n");
  EXPECT_EQ(Trolley({"tree", "app/db", "-o", "name"}).out,
            "app/db\napp/db/pool\napp/db/log/file\n");
}

TEST_F(TreeCommandTest, CountsRestarts) {
  const auto app =
      Spawn("app", {.backoff = {.first = absl::ZeroDuration()}}, Workers(1));
  Fail(app, 0, "boom");
  AskUntil([&] { return *app.AskAndWait(GetChildren{}, absl::Seconds(60)); },
           [](const auto& all) { return all[0].state == ChildState::kUp; });
  const auto nodes = ParseJson(Trolley({"tree", "-o", "json"}).out)
                         .fields()
                         .at("nodes")
                         .list_value();
  ASSERT_EQ(nodes.values_size(), 2);
  const auto& worker = nodes.values(1).struct_value().fields();
  EXPECT_EQ(worker.at("name").string_value(), "app/w0");
  EXPECT_EQ(worker.at("type").string_value(), "bank::Worker");
  EXPECT_EQ(worker.at("state").string_value(), "up");
  EXPECT_EQ(worker.at("restart_count").string_value(), "1");
  EXPECT_EQ(worker.at("parent").string_value(), "app");
  EXPECT_EQ(worker.at("depth").number_value(), 1);
  EXPECT_FALSE(worker.at("supervisor").bool_value());
  EXPECT_THAT(worker.at("last_exit").string_value(), HasSubstr("boom"));
  EXPECT_EQ(worker.at("error").string_value(), "");
  const Result lines = Trolley({"tree", "-o", "jsonl"});
  const std::vector<std::string> each =
      absl::StrSplit(lines.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(each.size(), 2u);
  EXPECT_TRUE(ParseJson(each[0]).fields().at("supervisor").bool_value());
}

TEST_F(TreeCommandTest, ARootThatDoesNotRunIsShown) {
  const Result r = Trolley({"tree"});
  EXPECT_THAT(r, Exits(0));
  EXPECT_THAT(r.out, HasSubstr("  -  ended  "));
  EXPECT_THAT(r.out, HasSubstr("no actor named \"app\" is running"));
}

TEST(TreeCommandPlainTest, AProgramWithoutSupervisorsSaysSo) {
  const RunningBus plain;
  const std::vector<std::string> environment = {"TROLLEY_ADDRESS=" +
                                                plain.control->address()};
  for (const char* form : {"table", "name", "jsonl"}) {
    const Result r = test::RunTrolley({"tree", "-o", form}, "", environment);
    EXPECT_THAT(r, Exits(0));
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(r.err,
              "this program shows no supervisors: it names none in "
              "ControlOptions::tree\n");
  }
  const Result json = test::RunTrolley({"tree", "-o", "json"}, "", environment);
  EXPECT_EQ(json.out, "{\"nodes\":[],\"left_out\":false}\n");
}

TEST_F(TreeCommandTest, AnErrorNamesItsReasonAndTheWayOut) {
  Spawn("app", {}, Workers(1));
  const Result nobody = Trolley({"tree", "nobody"});
  EXPECT_THAT(nobody, Exits(1));
  EXPECT_EQ(nobody.out, "");
  EXPECT_THAT(nobody.err, StartsWith("NOT_FOUND ACTOR_NOT_FOUND: "));
  const Result worker = Trolley({"tree", "app/w0"});
  EXPECT_THAT(worker, Exits(1));
  EXPECT_THAT(worker.err, StartsWith("FAILED_PRECONDITION NOT_A_SUPERVISOR: "
                                     "\"app/w0\" is no supervisor"));
  EXPECT_THAT(worker.err, HasSubstr("hint: `trolley tree` shows"));
  const Result name = Trolley({"tree", "A B"});
  EXPECT_THAT(name, Exits(1));
  EXPECT_THAT(name.err, StartsWith("INVALID_ARGUMENT BAD_REQUEST: "));
  const auto usage = [&](const std::vector<std::string>& arguments) {
    const Result r = Trolley(arguments);
    EXPECT_THAT(r, Exits(2));
    EXPECT_EQ(r.out, "");
    return r.err;
  };
  EXPECT_THAT(usage({"tree", "a", "b"}), HasSubstr("one argument too many: b"));
  for (const char* limit : {"0", "-1", "x", "", "1000001", "99999999999"}) {
    EXPECT_THAT(usage({"tree", "--limit", limit}),
                HasSubstr("must be a number from 1 to 1000000"));
  }
  EXPECT_THAT(usage({"tree", "--patience", "soon"}), HasSubstr("--patience"));
  EXPECT_THAT(usage({"tree", "--patience=0s"}), HasSubstr("above 0"));
  EXPECT_THAT(usage({"tree", "--limits", "3"}), HasSubstr("mean --limit?"));
  EXPECT_THAT(usage({"tree", "-o", "tree"}), HasSubstr("is not one of"));
  EXPECT_THAT(usage({"tre"}), HasSubstr("did you mean tree?"));
}

TEST_F(TreeCommandTest, FailureTextsCannotMoveTheCursor) {
  const auto app = Spawn("app", kPatient, Workers(2));
  Fail(app, 0, "\x1b[2J\u009b\u202e\nforged: line\r \xff");
  Fail(app, 1, std::string(1 << 20, 'x'));
  for (const char* form : {"table", "json", "jsonl", "name"}) {
    const Result r = Trolley({"tree", "-o", form});
    EXPECT_THAT(r, Exits(0));
    EXPECT_LT(r.out.size(), 8000u);
    for (absl::string_view line : absl::StrSplit(r.out, '\n')) {
      EXPECT_EQ(Printable(line, kWholeText), line);
      EXPECT_FALSE(absl::StartsWith(line, "forged"));
    }
  }
}

// Two supervisors live on a loop that is stuck, and others do not.
class StuckTreeTest : public TreeCommandTest {
 protected:
  StuckTreeTest() : TreeCommandTest({"app", "far/root", "near"}) {
    Spawn("app", {},
          {Child<Supervisor>({.name = "far", .loop = 1}, SupervisorOptions(),
                             Specs{AWorker("blocker", 1)}),
           Child<Supervisor>({.name = "db"}, SupervisorOptions(), Workers(1))});
    Spawn("far/root", {}, Workers(1), /*loop=*/1);
    Spawn("near", {}, Workers(1));
    BlockLoopOf("app/far/blocker");
  }
  ~StuckTreeTest() override { go_on_.Notify(); }
};

TEST_F(StuckTreeTest, ASupervisorThatDoesNotAnswerDoesNotStopTheRest) {
  const Result r = Trolley({"tree", "--patience", "2s"});
  EXPECT_THAT(r, Exits(5));
  EXPECT_EQ(
      r.out,
      "NAME      TYPE                 STATE      LOOP    RESTARTS  LAST END\n"
      "app       trolley::Supervisor  up         loop-0         0  \n"
      "  far     trolley::Supervisor  no answer  loop-1         0  \n"
      "  db      trolley::Supervisor  up         loop-0         0  \n"
      "    w0    bank::Worker         up         loop-0         0  \n"
      "far/root  trolley::Supervisor  no answer  loop-1         0  \n"
      "near      trolley::Supervisor  up         loop-0         0  \n"
      "  w0      bank::Worker         up         loop-0         0  \n");
  EXPECT_THAT(r.err, StartsWith("children of app/far are not shown: "));
  // It does not wait for the same loop again.
  EXPECT_THAT(r.err, HasSubstr("\nchildren of far/root are not shown: its "
                               "loop, loop-1, did not answer before\n"));
}

TEST_F(StuckTreeTest, OneSupervisorHasTheWholeTimeout) {
  const Result one = Trolley({"tree", "far/root", "--timeout", "300ms"});
  EXPECT_THAT(one, Exits(4));
  EXPECT_EQ(one.out, "");
  EXPECT_THAT(one.err, StartsWith("DEADLINE_EXCEEDED"));
}

// A seat without an object is shown as one, by each command.
TEST_F(TreeCommandTest, AnEmptySeatIsShownAsOne) {
  Fail(Spawn("app", kPatient, Workers(1)), 0, "boom");
  EXPECT_THAT(Trolley({"ps", "--filter", "app/w0"}).out,
              HasSubstr("app/w0  bank::Worker  empty  loop-0"));
  EXPECT_THAT(Trolley({"info", "app/w0"}).out, HasSubstr("state:    empty\n"));
  const Result asked = Trolley({"ask", "app/w0", "Add", "--timeout", "300ms"});
  EXPECT_THAT(asked, Exits(4));
  EXPECT_THAT(asked.err, HasSubstr("hint: the seat of app/w0 is empty: "));
  EXPECT_THAT(Trolley({"tree"}).out, HasSubstr("waiting"));
}

// It has no object that could answer, so nothing waits for it.
TEST_F(TreeCommandTest, ASupervisorThatIsNotThereIsNotAsked) {
  const auto app = Spawn(
      "app", kPatient,
      {Child<Supervisor>({.name = "db"}, SupervisorOptions{.max_restarts = 0},
                         Workers(1))});
  running_.bus->Find<Worker>("app/db/w0")->Tell(Crash{"boom"});
  AskUntil(
      [&] { return *app.AskAndWait(GetChildren{}, absl::Seconds(60)); },
      [](const auto& all) { return all[0].state == ChildState::kWaiting; });
  const Result r = Trolley({"tree", "--patience=5s"});
  EXPECT_THAT(r, Exits(0));
  EXPECT_EQ(r.err, "");
  EXPECT_THAT(r.out, HasSubstr("\n  db  trolley::Supervisor  waiting  "));
  EXPECT_THAT(r.out, HasSubstr("RESOURCE_EXHAUSTED: more than 0 restarts"));
}

TEST_F(TreeCommandTest, ManyChildrenAndTheLimit) {
  Spawn("app", {}, Workers(SupervisorOptions::kMostChildren));
  const Result all = Trolley({"tree", "-o", "name"});
  EXPECT_THAT(all, Exits(0));
  EXPECT_EQ(all.err, "");
  const std::vector<std::string> names =
      absl::StrSplit(all.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(names.size(), 4097u);
  EXPECT_EQ(names[4096], "app/w4095");
  const Result cut = Trolley({"tree", "--limit", "3", "-o", "name"});
  EXPECT_THAT(cut, Exits(0));
  EXPECT_EQ(cut.out, "app\napp/w0\napp/w1\n");
  EXPECT_THAT(cut.err, StartsWith("more than 3 actors; show more with"));
  EXPECT_EQ(Trolley({"tree", "--limit", "1", "-o", "name"}).out, "app\n");
  EXPECT_TRUE(ParseJson(Trolley({"tree", "app", "--limit=1", "-o=json"}).out)
                  .fields()
                  .at("left_out")
                  .bool_value());
  const Result exact = Trolley({"tree", "--limit", "4097", "-o", "name"});
  EXPECT_EQ(exact.err, "");
  EXPECT_EQ(exact.out, all.out);
}

TEST_F(TreeCommandTest, AThousandSupervisors) {
  Specs specs;
  for (int i = 0; i < 1000; ++i) {
    specs.push_back(Child<Supervisor>({.name = absl::StrCat("s", i)},
                                      SupervisorOptions(), Workers(1)));
  }
  Spawn("app", {}, std::move(specs));
  const Result r = Trolley({"tree", "-o", "name"});
  EXPECT_THAT(r, Exits(0));
  EXPECT_THAT(r.err, IsEmpty());
  const std::vector<std::string> names =
      absl::StrSplit(r.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(names.size(), 2001u);
  EXPECT_EQ(names[2000], "app/s999/w0");
}

// A service that a test writes. It may break every rule.
class FakeService final : public control::v1::Inspector::CallbackService {
 public:
  using Request = control::v1::ListChildrenRequest;
  using Response = control::v1::ListChildrenResponse;

  // False: no answer comes.
  std::function<bool(const Request&, Response*)> answer;

  grpc::ServerUnaryReactor* ListChildren(grpc::CallbackServerContext*,
                                         const Request* request,
                                         Response* response) override {
    struct Call final : grpc::ServerUnaryReactor {
      void OnCancel() override { Finish(grpc::Status::CANCELLED); }
      void OnDone() override { delete this; }
    };
    auto* call = new Call;
    if (answer(*request, response)) call->Finish(grpc::Status::OK);
    return call;
  }
};

class FakeServiceTest : public ::testing::Test {
 protected:
  FakeServiceTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~FakeServiceTest() override { server_->Shutdown(); }

  Result Trolley(const std::vector<std::string>& arguments) {
    return test::RunTrolley(arguments, "", {"TROLLEY_ADDRESS=" + address_});
  }
  static void Add(const std::string& name, const std::string& loop,
                  FakeService::Response* to) {
    control::v1::Child& child = *to->add_children();
    child.set_name(name);
    child.set_loop(loop);
    child.set_supervisor(true);
  }

  const test::SocketFolder folder_;
  const std::string address_ = "unix:" + folder_.path();
  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(FakeServiceTest, TheTimeoutIsForTheWholeCommand) {
  service_.answer = [](const auto& request, auto* response) {
    for (int i = 0; i < 9; ++i) {
      Add(absl::StrCat("root-", i), absl::StrCat("loop-", i), response);
    }
    return request.supervisor().empty();
  };
  const Result r = Trolley({"tree", "--timeout=2s", "--patience=24h"});
  EXPECT_THAT(r, Exits(5));
  EXPECT_THAT(r.err, StartsWith("children of root-0 are not shown: no answer "
                                "within 24h\n"));
  EXPECT_THAT(r.err, HasSubstr("children of root-8 are not shown: --timeout is "
                               "over\n"));
  EXPECT_THAT(r.out, HasSubstr("root-8"));
}

TEST_F(FakeServiceTest, AServiceThatNeverAnswersIsNoTree) {
  service_.answer = [](const auto&, auto*) { return false; };
  EXPECT_THAT(Trolley({"tree", "--timeout=300ms"}), Exits(4));
  EXPECT_THAT(Trolley({"tree", "app", "--timeout=300ms"}), Exits(4));
}

TEST_F(FakeServiceTest, ATreeWithoutAnEndIsCut) {
  // Each supervisor has one child, which is a supervisor.
  service_.answer = [](const auto& request, auto* response) {
    Add(request.supervisor() + "/x", "loop-0", response);
    return true;
  };
  const Result deep = Trolley({"tree"});
  EXPECT_THAT(deep, Exits(5));
  EXPECT_THAT(deep.err, HasSubstr("it is more than 64 levels deep"));
  EXPECT_EQ(std::count(deep.out.begin(), deep.out.end(), '\n'), 66);
  // Each page is followed by another one.
  service_.answer = [](const auto&, auto* response) {
    Add("x", "loop-0", response);
    response->mutable_children(0)->set_supervisor(false);
    response->set_next_page_token("more");
    return true;
  };
  const Result wide = Trolley({"tree", "--limit=20", "-o", "name"});
  EXPECT_THAT(wide, Exits(0));
  EXPECT_EQ(std::count(wide.out.begin(), wide.out.end(), '\n'), 20);
  EXPECT_THAT(wide.err, StartsWith("more than 20 actors"));
  // And each page is empty.
  service_.answer = [](const auto&, auto* response) {
    response->set_next_page_token("more");
    return true;
  };
  EXPECT_THAT(Trolley({"tree"}), Exits(0));
  EXPECT_THAT(Trolley({"tree", "app"}), Exits(0));
}

}  // namespace
}  // namespace trolley
