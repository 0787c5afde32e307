// SPDX-License-Identifier: Apache-2.0
//
// The trolley command, run as a user runs it.

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/running_bus.h"
#include "tools/trolley/hints.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/sys.h"

namespace trolley {
namespace {

using test::Child;
using test::Exits;
using test::ParseJson;
using test::Result;
using test::RunningBus;
using test::RunTrolley;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kServer[] = "tests/control/control_server";

class TrolleyTest : public ::testing::Test {
 protected:
  Result Trolley(std::vector<std::string> arguments,
                 const std::string& input = "") {
    return RunTrolley(arguments, input,
                      {"TROLLEY_ADDRESS=" + running_.control->address()});
  }
  RunningBus running_;
};

TEST_F(TrolleyTest, PsPrintsATable) {
  running_.Spawn("bank/alice", 8);
  running_.Spawn("bank/bob");
  const Result r = Trolley({"ps", "--filter", "bank"});
  ASSERT_THAT(r, Exits(0));
  EXPECT_EQ(r.err, "");
  const std::vector<std::string> lines = absl::StrSplit(r.out, '\n');
  ASSERT_EQ(lines.size(), 4);
  EXPECT_THAT(lines[0], MatchesRegex("NAME +TYPE +STATE +LOOP +DEPTH +CAPACITY "
                                     "+HANDLED"));
  EXPECT_THAT(lines[1], MatchesRegex("bank/alice +[a-z:]*test::Counter "
                                     "+running +loop-. +0 +8 +0"));
  EXPECT_THAT(lines[2], StartsWith("bank/bob "));
}

TEST_F(TrolleyTest, PsSortsLimitsAndPrintsJson) {
  running_.Spawn("a");
  running_.Spawn("b");
  ASSERT_THAT(Trolley({"ask", "b", "Add", "{\"amount\": 1}"}), Exits(0));
  EXPECT_EQ(Trolley({"ps", "-o", "name", "--sort=handled", "--limit", "1"}).out,
            "b\n");
  const auto parsed = ParseJson(Trolley({"ps", "-o", "json"}).out);
  const auto& actors = parsed.fields().at("actors").list_value();
  ASSERT_EQ(actors.values_size(), 3);
  const auto& a = actors.values(1).struct_value().fields();
  EXPECT_EQ(a.at("name").string_value(), "a");
  EXPECT_EQ(a.at("state").string_value(), "RUNNING");
  EXPECT_EQ(a.at("mailbox").struct_value().fields().at("depth").number_value(),
            0);
  const Result lines = Trolley({"ps", "-o", "jsonl", "--filter=a"});
  EXPECT_EQ(ParseJson(lines.out).fields().at("name").string_value(), "a");
}

TEST_F(TrolleyTest, InfoTellsAboutTheServerAndAnActor) {
  running_.Spawn("a");
  const Result server = Trolley({"info"});
  ASSERT_THAT(server, Exits(0));
  EXPECT_THAT(server.out, HasSubstr("process:"));
  EXPECT_THAT(server.out, HasSubstr("loop-1"));
  const auto parsed = ParseJson(Trolley({"info", "-o", "json"}).out);
  EXPECT_EQ(parsed.fields()
                .at("server")
                .struct_value()
                .fields()
                .at("pid")
                .number_value(),
            getpid());
  EXPECT_EQ(parsed.fields().at("loops").list_value().values_size(), 2);
  const Result actor = Trolley({"info", "a"});
  EXPECT_THAT(actor.out, HasSubstr("trolley.test.Add, trolley.test.GetTotal"));
  EXPECT_THAT(ParseJson(Trolley({"info", "a", "-o", "json"}).out)
                  .fields()
                  .at("type")
                  .string_value(),
              HasSubstr("test::Counter"));
}

TEST(TrolleyAutoTest, InfoTellsWhatAutoCouldNotTake) {
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kEpollCreate1, EMFILE);
  std::vector<std::string> log;
  BusOptions options;
  options.loops = {{.poller = "auto"}, {.poller = "auto"}, {.poller = "poll"}};
  options.for_tests.sys = &sys;
  options.log = [&log](absl::string_view line) { log.emplace_back(line); };
  {
    const RunningBus running({}, std::move(options));
    const Result r = RunTrolley(
        {"info"}, "", {"TROLLEY_ADDRESS=" + running.control->address()});
    ASSERT_THAT(r, Exits(0));
    for (const char* loop : {"loop-0", "loop-1"}) {
      EXPECT_THAT(r.out, HasSubstr(absl::StrCat(loop, " has ")));
    }
    EXPECT_THAT(
        r.out,
        HasSubstr(", as auto could not take epoll: epoll_create1: Too many"));
    EXPECT_THAT(r.out, Not(HasSubstr("loop-2 has ")));
  }
  // Once for all loops with the same reason.
  EXPECT_THAT(log, ElementsAre(HasSubstr("auto could not take epoll: ")));
}

TEST_F(TrolleyTest, SendsAndAsksFromEverySource) {
  running_.Spawn("a");
  const Result sent = Trolley({"send", "a", "trolley.test.Add",
                               "{\"amount\": \"40\", \"note\": \"x\"}"});
  ASSERT_THAT(sent, Exits(0));
  EXPECT_EQ(sent.out, "");
  EXPECT_THAT(Trolley({"send", "a", "Add", "@-"}, "{\"amount\": 1}"), Exits(0));
  const std::string file = running_.folder.path("add.json");
  std::ofstream(file) << "{\"amount\": 1, \"note\": \"from a file\"}";
  EXPECT_THAT(Trolley({"send", "a", "Add", "@" + file}), Exits(0));
  const Result asked = Trolley({"ask", "a", "GetTotal", "-o", "json"});
  ASSERT_THAT(asked, Exits(0));
  EXPECT_EQ(asked.out, "{\"total\":\"42\",\"note\":\"from a file\"}\n");
  EXPECT_EQ(asked.err, "");
  EXPECT_EQ(Trolley({"ask", "a", "GetTotal", "-o", "name"}).out,
            "trolley.test.Total\n");
  const Result nothing = Trolley({"ask", "a", "Add"});
  EXPECT_THAT(nothing, Exits(0));
  EXPECT_EQ(nothing.out, "");
  EXPECT_THAT(nothing.err, HasSubstr("no content"));
}

TEST_F(TrolleyTest, WhatComesFromThePeerCannotMoveTheCursor) {
  running_.Spawn("a");
  ASSERT_THAT(
      Trolley({"send", "a", "Add", "{\"note\": \"\\u001b[2J\\u009b\\u202e\"}"}),
      Exits(0));
  for (const char* form : {"table", "json"}) {
    const Result r = Trolley({"ask", "a", "GetTotal", "-o", form});
    ASSERT_THAT(r, Exits(0));
    EXPECT_THAT(r.out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(r.out, Not(HasSubstr("\u009b")));
    EXPECT_THAT(r.out, Not(HasSubstr("\u202e")));
  }
  const Result failed =
      Trolley({"ask", "a", "Fail", "{\"code\": 9, \"text\": \"\\u001b[2J\"}"});
  EXPECT_THAT(failed, Exits(1));
  EXPECT_THAT(failed.err, Not(HasSubstr("\x1b")));
}

TEST_F(TrolleyTest, AnErrorNamesItsReasonAndTheWayOut) {
  running_.Spawn("a");
  const Result nobody = Trolley({"ask", "nobody", "Add"});
  EXPECT_THAT(nobody, Exits(1));
  EXPECT_EQ(nobody.out, "");
  EXPECT_EQ(nobody.err,
            "NOT_FOUND ACTOR_NOT_FOUND: no actor named \"nobody\" is running\n"
            "hint: `trolley ps -o name` lists the actors that run\n");
  const Result stranger = Trolley({"send", "a", "trolley.test.Stranger"});
  EXPECT_THAT(stranger, Exits(1));
  EXPECT_THAT(stranger.err,
              StartsWith("INVALID_ARGUMENT MESSAGE_TYPE_REJECTED: "));
  EXPECT_THAT(stranger.err, HasSubstr("it takes trolley.test.Add"));
  EXPECT_THAT(stranger.err, HasSubstr("hint: `trolley info a`"));
  const Result failed =
      Trolley({"ask", "a", "Fail", "{\"code\": 5, \"text\": \"no book\"}"});
  EXPECT_THAT(failed, Exits(1));
  EXPECT_THAT(failed.err, StartsWith("NOT_FOUND HANDLER_FAILED: "));
}

TEST_F(TrolleyTest, AnAskThatTakesTooLongExitsWith4) {
  running_.Spawn("a");
  const Result late = Trolley({"ask", "a", "Hold", "--timeout", "500ms"});
  EXPECT_THAT(late, Exits(4));
  EXPECT_THAT(late.err, HasSubstr("--timeout"));
}

TEST_F(TrolleyTest, StopEndsActorsAndSaysWhichItCouldNot) {
  for (const char* name : {"a", "b", "c"}) running_.Spawn(name);
  const Result one = Trolley({"stop", "a"});
  EXPECT_THAT(one, Exits(0));
  EXPECT_THAT(one.out, HasSubstr("\na "));
  EXPECT_THAT(Trolley({"stop", "a"}), Exits(1));
  const Result some = Trolley({"stop", "--now", "b", "nobody", "-o", "name"});
  EXPECT_THAT(some, Exits(5));
  EXPECT_EQ(some.out, "b\n");
  EXPECT_THAT(some.err, HasSubstr("nobody"));
  const auto parsed = ParseJson(Trolley({"stop", "c", "-o", "json"}).out);
  EXPECT_EQ(parsed.fields()
                .at("actors")
                .list_value()
                .values(0)
                .struct_value()
                .fields()
                .at("state")
                .string_value(),
            "STOPPED");
}

TEST_F(TrolleyTest, AWrongCommandLineSaysWhatWasMeant) {
  running_.Spawn("a");
  const auto usage = [&](const std::vector<std::string>& arguments) {
    const Result r = Trolley(arguments);
    EXPECT_THAT(r, Exits(2));
    EXPECT_EQ(r.out, "");
    return r.err;
  };
  EXPECT_THAT(usage({"sned"}), HasSubstr("did you mean send?"));
  EXPECT_THAT(usage({"ps", "--sorted"}), HasSubstr("did you mean --sort?"));
  EXPECT_THAT(usage({"ps", "--sort", "dept"}), HasSubstr("mean depth?"));
  EXPECT_THAT(usage({"ps", "-o", "jsno"}), HasSubstr("mean json?"));
  EXPECT_THAT(usage({"ps", "--limit", "0"}), HasSubstr("--limit"));
  EXPECT_THAT(usage({"ps", "extra"}), HasSubstr("extra"));
  EXPECT_THAT(usage({"ps", "--timeout"}), HasSubstr("needs a value"));
  EXPECT_THAT(usage({"ps", "--timeout", "soon"}), HasSubstr("2s"));
  EXPECT_THAT(usage({"ps", "-o", "json", "-o", "name"}), HasSubstr("twice"));
  EXPECT_THAT(usage({"ask", "a"}),
              HasSubstr("TYPE is missing\nusage: trolley ask NAME TYPE"));
  EXPECT_THAT(usage({"ask"}), HasSubstr("NAME is missing"));
  EXPECT_THAT(usage({"stop"}),
              HasSubstr("NAME is missing\nusage: trolley stop"));
  EXPECT_THAT(usage({"stop", "--now", "--drain", "1s", "a"}),
              HasSubstr("exclude"));
  EXPECT_THAT(usage({"send", "a", "Add", "{\"amuont\": 1}"}),
              HasSubstr("amount (int64)"));
  EXPECT_THAT(usage({"send", "a", "Add", "@/no/such/file"}),
              HasSubstr("cannot read /no/such/file: No such file"));
  EXPECT_THAT(usage({}), HasSubstr("trolley help"));
  EXPECT_THAT(usage({"ps", "--", "--sort"}), HasSubstr("--sort"));
}

TEST_F(TrolleyTest, HelpIsThereForAllAndForEach) {
  const Result all = RunTrolley({"help"});
  EXPECT_THAT(all, Exits(0));
  for (const char* command :
       {"ps", "info", "tree", "send", "ask", "stop", "pollers"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + command));
    const Result one = RunTrolley({command, "--help"});
    EXPECT_THAT(one, Exits(0));
    EXPECT_THAT(one.out, StartsWith(std::string("trolley ") + command));
    EXPECT_EQ(RunTrolley({"help", command}).out, one.out);
  }
  EXPECT_EQ(RunTrolley({"--help"}).out, all.out);
}

TEST_F(TrolleyTest, AnAddressThatIsNoneSaysSo) {
  const Result none = RunTrolley({"ps"});
  EXPECT_THAT(none, Exits(2));
  EXPECT_THAT(none.err, HasSubstr("TROLLEY_ADDRESS"));
  EXPECT_THAT(RunTrolley({"--address", "tcp:1", "ps"}), Exits(2));
  EXPECT_THAT(RunTrolley({"--address", "unix:/" + std::string(107, 'x'), "ps"}),
              Exits(2));
  const Result missing =
      RunTrolley({"--address", "unix:" + running_.folder.path("none"), "ps"});
  EXPECT_THAT(missing, Exits(3));
  EXPECT_THAT(missing.err, StartsWith("cannot connect to unix:"));
  EXPECT_THAT(missing.err, HasSubstr("there is no Unix socket at"));
  EXPECT_THAT(missing.err, HasSubstr("hint: start the program"));
  // A path alone will do.
  EXPECT_THAT(RunTrolley({"ps", "--address", running_.folder.path()}),
              Exits(0));
}

// What is wrong with a JSON text is told, and nothing else is.
TEST_F(TrolleyTest, AWrongJsonTextSaysWhatIsWrongWithIt) {
  running_.Spawn("a");
  struct Wrong {
    std::string json;
    std::string said;
    bool lists_fields;
  };
  const std::vector<Wrong> table = {
      {"{\"amount\": 1", "the JSON text ends too early, after {\"amount\": 1",
       false},
      {"{\"amount\": ", "ends too early", false},
      {"{\"note\": \"x", "ends too early, after {\"note\": \"x", false},
      {"{", "ends too early", false},
      {"", "the JSON text is empty", false},
      {" \n", "the JSON text is empty", false},
      {"nonsense", "the text is not JSON, at nonsense -- ", false},
      {"{\"amount\": 1}}", "the text is not JSON, at } -- ", false},
      {"[1]", "the JSON of a message is an object", true},
      {"null", "the JSON of a message is an object", true},
      {"{\"amuont\": 1}", "no field \"amuont\"; did you mean amount?", true},
      {"{\"zzz\": 1}", "no field \"zzz\"\n", true},
      {"{\"amount\": \"x\"}",
       "the field amount takes a value of type int64, not \"x\"", false},
      {"{\"amount\": 99999999999999999999}", "takes a value of type int64",
       false},
      {"{\"note\": 1}", "the field note takes a value of type string, not 1",
       false},
      {"{\"data\": \"%%%\"}",
       "the field data takes bytes in Base64, such as \"aGVsbG8=\", not "
       "\"%%%\"",
       false},
      {"{\"data\": 7}", "the field data takes bytes in Base64", false},
      {"{\"colour\": \"PINK\"}",
       "the field colour takes one of COLOUR_UNSPECIFIED, RED, not \"PINK\"",
       false},
  };
  for (const Wrong& wrong : table) {
    const Result r = Trolley({"send", "a", "Add", wrong.json});
    EXPECT_THAT(r, Exits(2)) << wrong.json;
    EXPECT_THAT(r.err, StartsWith("trolley: ")) << wrong.json;
    EXPECT_THAT(r.err, HasSubstr(wrong.said)) << wrong.json;
    EXPECT_EQ(absl::StrContains(r.err, "has the fields"), wrong.lists_fields)
        << wrong.json << "\n"
        << r.err;
    EXPECT_EQ(Trolley({"send", "a", "Add", "@-"}, wrong.json).err, r.err);
  }
}

TEST_F(TrolleyTest, AFileThatCannotBeReadIsNamed) {
  running_.Spawn("a");
  const auto said = [&](const std::string& file) {
    const Result r = Trolley({"send", "a", "Add", file});
    EXPECT_THAT(r, Exits(2));
    return r.err;
  };
  EXPECT_THAT(said("@/no/such/file"), HasSubstr("/no/such/file: No such file"));
  EXPECT_THAT(said("@/tmp"), HasSubstr("cannot read /tmp: Is a directory"));
  EXPECT_THAT(said("@/dev/zero"), HasSubstr("/dev/zero: more than 64 MiB"));
  EXPECT_THAT(said("@"), HasSubstr("@ needs a file"));
}

// A listening socket of a kind, at a path of its own; `said` is all it says to
// those that connect, before it closes them. Nothing: it keeps them waiting.
class Listener {
 public:
  Listener(const std::string& path, int kind, std::optional<std::string> said)
      : fd_(socket(AF_UNIX, kind, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
              0);
    if (kind != SOCK_DGRAM) {
      EXPECT_EQ(listen(fd_, 16), 0);
    }
    if (!said.has_value()) return;
    thread_ = std::thread([this, said = *said] {
      int peer;
      while ((peer = accept(fd_, nullptr, nullptr)) >= 0) {
        (void)!write(peer, said.data(), said.size());
        // Until the peer has read it, and gone.
        if (!said.empty()) {
          char bytes[256];
          while (read(peer, bytes, sizeof(bytes)) > 0) {
          }
        }
        close(peer);
      }
    });
  }
  ~Listener() {
    shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }

 private:
  const int fd_;
  std::thread thread_;
};

TEST_F(TrolleyTest, WhatIsNoControlSocketIsNamed) {
  const test::SocketFolder& folder = running_.folder;
  const std::string file = folder.path("file");
  std::ofstream(file) << "x";
  const Listener datagrams(folder.path("dgram"), SOCK_DGRAM, std::nullopt);
  const Listener packets(folder.path("seqpacket"), SOCK_SEQPACKET,
                         std::nullopt);
  const Listener silent(folder.path("silent"), SOCK_STREAM, std::nullopt);
  const Listener closing(folder.path("closing"), SOCK_STREAM, "");
  const Listener links(folder.path("links"), SOCK_STREAM,
                       "TRLY\r\n\x1a 0123456789abcdef01234567");
  const Listener other(folder.path("other"), SOCK_STREAM,
                       "220 mail.example ESMTP\x1b[2J\r\n");
  struct Wrong {
    std::string path;
    std::string what;
    std::string hint;
  };
  const std::vector<Wrong> table = {
      {"none", "there is no Unix socket at", "start the program"},
      {"file", "is a regular file, not a socket", "ControlOptions::path"},
      {".", "is a directory, not a socket", "ControlOptions::path"},
      {"dgram", "is a Unix socket, but not one for streams",
       "ControlOptions::path"},
      {"seqpacket", "is a Unix socket, but not one for streams",
       "ControlOptions::path"},
      {"silent", "accepts the connection but sends nothing",
       "stopped or stuck"},
      {"closing", "closes the connection without an answer", "log says why"},
      {"links", "is not a control socket: it is a socket for links",
       "ControlOptions::path"},
      {"other", "is not a control socket", "ControlOptions::path"},
  };
  for (const Wrong& wrong : table) {
    const Result r = RunTrolley({"ps", "--timeout", "1s", "--address",
                                 folder.folder() + "/" + wrong.path});
    EXPECT_THAT(r, Exits(3)) << wrong.path;
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, StartsWith("cannot connect to unix:")) << wrong.path;
    EXPECT_THAT(r.err, HasSubstr(wrong.what)) << wrong.path;
    EXPECT_THAT(r.err, HasSubstr("hint: ")) << wrong.path;
    EXPECT_THAT(r.err, HasSubstr(wrong.hint)) << wrong.path;
    EXPECT_THAT(r.err, Not(HasSubstr("\x1b"))) << wrong.path;
  }
}

// A new reason without a hint is a failure.
TEST(TrolleyHintTest, EachReasonHasAWayOut) {
  const auto* reasons = control::v1::ErrorReason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    control::v1::ErrorInfo info;
    info.set_reason(reasons->value(i)->name());
    EXPECT_EQ(
        tools::HintFor(info).empty(),
        reasons->value(i)->number() == control::v1::ERROR_REASON_UNSPECIFIED)
        << info.reason();
  }
}

TEST_F(TrolleyTest, IdleConnectionsDoNotLockItOut) {
  std::vector<ScopedFd> idle;
  for (int i = 0; i < 64; ++i) {
    auto fd = ConnectUnix(RealSys(), running_.folder.path());
    ASSERT_TRUE(fd.ok()) << fd.status();
    const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    ASSERT_GT(write(fd->get(), preface.data(), preface.size()), 0);
    idle.push_back(*std::move(fd));
  }
  EXPECT_THAT(Trolley({"ps"}), Exits(0));
}

TEST(TrolleyServerTest, APathLeftByAKilledServerIsTakenAgain) {
  test::SocketFolder folder;
  const std::string address = "unix:" + folder.path();
  Child first(kServer, {folder.path()});
  ASSERT_EQ(first.ReadLine(), "ready");
  EXPECT_THAT(RunTrolley({"ps", "--address", address}), Exits(0));
  {
    Child second(kServer, {folder.path()});
    EXPECT_THAT(second.ReadLine(), StartsWith("ALREADY_EXISTS"));
    std::string out, err;
    EXPECT_EQ(second.Finish("", &out, &err), 1);
    EXPECT_THAT(RunTrolley({"ps", "--address", address}), Exits(0));
  }
  std::string out, err;
  first.Kill();
  EXPECT_EQ(first.Finish("", &out, &err), -SIGKILL);
  const Result gone = RunTrolley({"ps", "--address", address});
  EXPECT_THAT(gone, Exits(3));
  EXPECT_THAT(gone.err, HasSubstr("start it again"));

  Child third(kServer, {folder.path()});
  ASSERT_EQ(third.ReadLine(), "ready");
  EXPECT_EQ(
      RunTrolley({"ps", "--address", address, "-o", "name", "--filter=a"}).out,
      "a\n");
  EXPECT_EQ(third.Finish("", &out, &err), 0) << err;
  EXPECT_THAT(RunTrolley({"ps", "--address", address}), Exits(3));
}

}  // namespace
}  // namespace trolley
