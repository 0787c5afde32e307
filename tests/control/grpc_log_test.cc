// SPDX-License-Identifier: Apache-2.0
//
// gRPC's own lines go to the log of the bus while a control service runs:
// printable, cut, limited, and without a wait for the sink. Before and after,
// gRPC's own function prints them.

#include "trolley/actors/grpc/internal/grpc_log.h"

#include <grpc/support/log.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/running_bus.h"
#include "trolley/poller/printable.h"
#include "trolley/tests/bus/inside.h"

namespace trolley::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The lines that a bus has logged.
class Lines {
 public:
  BusOptions Options() {
    BusOptions options;
    options.log = [this](absl::string_view line) {
      absl::MutexLock lock(&mutex_);
      lines_.emplace_back(line);
    };
    return options;
  }

  void Await(absl::string_view part) {
    absl::MutexLock lock(&mutex_);
    const auto has = [&] {
      mutex_.AssertReaderHeld();
      for (const std::string& line : lines_) {
        if (absl::StrContains(line, part)) return true;
      }
      return false;
    };
    mutex_.Await(absl::Condition(&has));
  }

  // Those of gRPC that the bus has logged so far.
  std::vector<std::string> OfGrpc(const Bus& bus) {
    StateOf(bus)->log().Flush(absl::InfiniteDuration());
    absl::MutexLock lock(&mutex_);
    std::vector<std::string> found;
    for (const std::string& line : lines_) {
      if (absl::StrContains(line, "gRPC, ")) found.push_back(line);
    }
    return found;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

void Say(const std::string& text) { gpr_log(GPR_ERROR, "%s", text.c_str()); }

// What `run` and the threads of gRPC print to standard error meanwhile.
template <typename Run>
std::string Printed(const Run& run) {
  testing::internal::CaptureStderr();
  run();
  return testing::internal::GetCapturedStderr();
}

// --- A peer's bytes
// ------------------------------------------------------------

std::string Frame(char type, char flags, char stream, const std::string& body) {
  const size_t n = body.size();
  std::string frame = {static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                       static_cast<char>(n)};
  frame += type;
  frame += flags;
  frame.append(3, '\0');
  frame += stream;
  return frame + body;
}

// A text as HPACK has it: its length in a prefix of 7 bits, then its bytes.
std::string HpackText(const std::string& text) {
  std::string coded;
  size_t rest = text.size();
  if (rest < 127) {
    coded += static_cast<char>(rest);
  } else {
    coded += '\x7f';
    for (rest -= 127; rest >= 128; rest >>= 7) {
      coded += static_cast<char>(0x80 | (rest & 0x7f));
    }
    coded += static_cast<char>(rest);
  }
  return coded + text;
}

// A call over HTTP/2 whose deadline is this text.
std::string CallWithTimeout(const std::string& timeout) {
  const std::pair<const char*, std::string> headers[] = {
      {":method", "POST"},
      {":scheme", "http"},
      {":path", "/trolley.control.v1.Inspector/ListActors"},
      {":authority", "localhost"},
      {"te", "trailers"},
      {"content-type", "application/grpc"},
      {"grpc-timeout", timeout},
  };
  std::string block;
  for (const auto& [name, value] : headers) {
    block += '\0' + HpackText(name) + HpackText(value);
  }
  constexpr char kSettings = 4;
  constexpr char kHeaders = 1;
  constexpr char kEndOfStreamAndHeaders = 5;
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
         Frame(kHeaders, kEndOfStreamAndHeaders, 1, block);
}

// Sends the bytes to the socket at `path`, and stays connected.
class RawPeer {
 public:
  RawPeer(const std::string& path, const std::string& bytes)
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                      sizeof(address)),
              0);
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { close(fd_); }

 private:
  const int fd_;
};

TEST(GrpcLogTest, P14_WhatAPeerMakesGrpcSayIsPrintableAndCut) {
  Lines lines;
  std::vector<std::string> found;
  const std::string printed = Printed([&] {
    RunningBus running({}, lines.Options());
    const RawPeer peer(running.folder.path(),
                       CallWithTimeout("\x1b]0;title\x07\x1b[2J\xff\xfe" +
                                       std::string(2000, 'x')));
    lines.Await("grpc-timeout");
    found = lines.OfGrpc(*running.bus);
  });
  EXPECT_EQ(printed, "");
  ASSERT_THAT(found, Not(IsEmpty()));
  for (const std::string& line : found) {
    EXPECT_EQ(Printable(line, kWholeText), line);
    EXPECT_LE(line.size(), kMaxTextBytes + 100);
  }
  EXPECT_THAT(found, Contains(AllOf(HasSubstr("\\x1b]0;title\\x07\\x1b[2J"),
                                    EndsWith("..."))));
}

// --- The texts
// -----------------------------------------------------------------

TEST(GrpcLogTest, P14_HostileTextsOfGrpcArePrintableAndCut) {
  Lines lines;
  RunningBus running({}, lines.Options());
  std::string huge;
  while (huge.size() < (3u << 20)) huge += "\x1b[31mhuge\r\n\u202e";
  EXPECT_EQ(Printed([&] {
              Say("a\nforged: line\r\n\u2028\u0085\u202e");
              Say("\xff\xfe\xc0\x80\xed\xa0\x80");
              Say(huge);
              gpr_log(GPR_ERROR, "%s", "");
            }),
            "");
  const std::vector<std::string> found = lines.OfGrpc(*running.bus);
  ASSERT_THAT(found, SizeIs(4));
  for (const std::string& line : found) {
    EXPECT_EQ(Printable(line, kWholeText), line);
    EXPECT_LE(line.size(), kMaxTextBytes + 100);
    EXPECT_THAT(line, StartsWith("gRPC, grpc_log_test.cc:"));
  }
  EXPECT_THAT(found[0], EndsWith("a\\x0aforged: line\\x0d\\x0a\\xe2\\x80\\xa8"
                                 "\\xc2\\x85\\xe2\\x80\\xae"));
  EXPECT_THAT(found[2], EndsWith("..."));
}

// --- The limits
// ----------------------------------------------------------------

TEST(GrpcLogTest, P6_AFloodFromOnePlaceInGrpcHidesNoOtherPlace) {
  Lines lines;
  BusOptions options = lines.Options();
  options.log_limits.interval = absl::Hours(1);
  RunningBus running({}, std::move(options));
  EXPECT_EQ(Printed([] {
              for (int i = 0; i < 1000; ++i) Say("flood");
              gpr_log(GPR_ERROR, "another place");
            }),
            "");
  const std::vector<std::string> found = lines.OfGrpc(*running.bus);
  EXPECT_THAT(found, SizeIs(LogOptions().lines_at_once + 1));
  EXPECT_THAT(found.back(), EndsWith("another place"));
  EXPECT_EQ(StateOf(*running.bus)->log().counts().left_out,
            1000 - LogOptions().lines_at_once);
}

TEST(GrpcLogTest, P7_ASinkThatTakesNothingStopsNoThreadOfGrpc) {
  absl::Notification go_on;
  BusOptions options;
  options.log_limits.interval = absl::ZeroDuration();
  options.log = [&](absl::string_view) { go_on.WaitForNotification(); };
  RunningBus running({}, std::move(options));
  std::thread([] {
    for (int i = 0; i < 10000; ++i) Say("nobody reads this");
  }).join();
  EXPECT_GT(StateOf(*running.bus)->log().counts().dropped, 0u);
  go_on.Notify();
}

// --- Which log
// -----------------------------------------------------------------

TEST(GrpcLogTest, WithoutAServiceGrpcPrintsItself) {
  EXPECT_THAT(Printed([] { Say("before"); }), HasSubstr("before"));
  Lines lines;
  {
    RunningBus running({}, lines.Options());
    EXPECT_EQ(Printed([] { Say("meanwhile"); }), "");
    EXPECT_THAT(lines.OfGrpc(*running.bus),
                testing::ElementsAre(HasSubstr("meanwhile")));
    running.control->Stop();
    EXPECT_THAT(Printed([] { Say("after"); }), HasSubstr("after"));
    EXPECT_THAT(lines.OfGrpc(*running.bus), SizeIs(1));
  }
  EXPECT_THAT(Printed([] { Say("later"); }), HasSubstr("later"));
}

TEST(GrpcLogTest, AServiceThatDidNotStartLeavesTheLinesToGrpc) {
  Lines lines;
  std::unique_ptr<Bus> bus = *Bus::Create(lines.Options());
  EXPECT_FALSE(
      ControlService::Start(*bus, {.path = "/no such folder/control"}).ok());
  EXPECT_THAT(Printed([] { Say("afterwards"); }), HasSubstr("afterwards"));
  EXPECT_THAT(lines.OfGrpc(*bus), IsEmpty());
  bus->Shutdown(absl::Seconds(5));
}

TEST(GrpcLogTest, OfSeveralServicesTheOneThatRunsLongestHasTheLines) {
  Lines a_lines, b_lines, c_lines;
  RunningBus a({}, a_lines.Options());
  RunningBus b({}, b_lines.Options());
  RunningBus c({}, c_lines.Options());
  EXPECT_EQ(Printed([&] {
              Say("one");
              b.control->Stop();
              Say("two");
              a.control->Stop();
              Say("three");
            }),
            "");
  EXPECT_THAT(a_lines.OfGrpc(*a.bus),
              testing::ElementsAre(HasSubstr("one"), HasSubstr("two")));
  EXPECT_THAT(b_lines.OfGrpc(*b.bus), IsEmpty());
  EXPECT_THAT(c_lines.OfGrpc(*c.bus), testing::ElementsAre(HasSubstr("three")));
  c.control->Stop();
  EXPECT_THAT(Printed([] { Say("four"); }), HasSubstr("four"));
}

TEST(GrpcLogTest, ThreadsLogWhileServicesStartAndEndAndEachLineIsCounted) {
  constexpr int kThreads = 3;
  constexpr int kLinesEach = 2000;
  BusOptions options;
  options.log = [](absl::string_view) {};
  options.log_limits.interval = absl::ZeroDuration();
  std::unique_ptr<Bus> bus = *Bus::Create(std::move(options));
  std::atomic<int> ended{0};
  uint64_t own = 0;
  const std::string printed = Printed([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&ended] {
        for (int i = 0; i < kLinesEach; ++i) Say("one of many");
        ++ended;
      });
    }
    do {
      internal::GrpcLog first(*bus);
      internal::GrpcLog second(*bus);
      Say("one of many");  // the threads may never meet a log
      ++own;
    } while (ended < kThreads);
    for (std::thread& thread : threads) thread.join();
  });
  uint64_t lines = 0;
  for (size_t at = 0; (at = printed.find("one of many", at)) != printed.npos;
       ++at) {
    ++lines;
  }
  StateOf(*bus)->log().Flush(absl::InfiniteDuration());
  const LogCounts counts = StateOf(*bus)->log().counts();
  EXPECT_GT(counts.written, 0u);
  EXPECT_EQ(lines + counts.written + counts.dropped,
            kThreads * kLinesEach + own);
  bus->Shutdown(absl::Seconds(5));
}

// --- The end of the process
// ----------------------------------------------------

// The sink of the log takes nothing, and the process ends at once.
TEST(GrpcLogDeathTest, AnAssertionOfGrpcIsSaidOnStandardError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        BusOptions options;
        options.log = [](absl::string_view) {};
        const RunningBus running({}, std::move(options));
        GPR_ASSERT(false && "this is known");
      },
      "trolley: gRPC, grpc_log_test.cc:[0-9]*: assertion failed: .*this is "
      "known");
}

}  // namespace
}  // namespace trolley::test
