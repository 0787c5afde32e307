// SPDX-License-Identifier: Apache-2.0
//
// What a service manager hears of a service: when it is ready, what it does,
// that it is alive, and that it stops.

#include "trolley/actors/systemd/service_notifier.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

// In place of the manager: a datagram socket.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : name_(name),
        fd_(RealSys(), ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    name.copy(at.sun_path, sizeof(at.sun_path));
    const bool abstract = name[0] == '@';
    if (abstract) at.sun_path[0] = '\0';
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                            name.size() + (abstract ? 0 : 1))),
              0);
  }
  const std::string& name() const { return name_; }

  // Waits for the next one.
  std::string Hear() {
    char text[4096];
    const ssize_t n = ::recv(fd_.get(), text, sizeof(text), 0);
    return std::string(text, n > 0 ? n : 0);
  }
  // Those that are there.
  int CountWaiting(absl::string_view what) {
    int count = 0;
    char text[4096];
    ssize_t n = 0;
    while ((n = ::recv(fd_.get(), text, sizeof(text), MSG_DONTWAIT)) > 0) {
      if (absl::string_view(text, n) == what) ++count;
    }
    return count;
  }

 private:
  const std::string name_;
  const ScopedFd fd_;
};

class ServiceNotifierTest : public testing::Test {
 protected:
  std::unique_ptr<Bus> NewBus(int loops) {
    BusOptions options;
    options.loops.resize(loops);
    options.log = [this](absl::string_view line) {
      if (absl::StrContains(line, "a loop is stuck") &&
          !stuck_.HasBeenNotified()) {
        stuck_.Notify();
      }
      const absl::MutexLock lock(&mutex_);
      absl::StrAppend(&log_, line, "\n");
    };
    return *Bus::Create(std::move(options));
  }
  static absl::StatusOr<Ref<ServiceNotifier>> Notify(
      Bus& bus, const ServiceNotifierOptions& options) {
    return bus.Spawn<ServiceNotifier>({.loop = 0}, options);
  }
  std::string log() {
    const absl::MutexLock lock(&mutex_);
    return log_;
  }

  const TempFolder folder_;
  absl::Notification stuck_;
  absl::Mutex mutex_;
  std::string log_;
};

TEST_F(ServiceNotifierTest, TheManagerHearsReadyThenStatusThenStopping) {
  for (const std::string& name :
       {folder_ / "notify", absl::StrCat("@trolley-test-", ::getpid())}) {
    SCOPED_TRACE(name);
    Manager manager(name);
    auto bus = NewBus(2);
    const auto notifier = *Notify(*bus, {.notify_socket = name});
    EXPECT_EQ(manager.Hear(), "READY=1");
    notifier.Tell(ServiceStatus{.text = "serving 3 peers\nMAINPID=1\x1b[2J"});
    // One line: a text cannot add an assignment of its own.
    const std::string status = manager.Hear();
    EXPECT_THAT(status, HasSubstr("STATUS=serving 3 peers"));
    EXPECT_EQ(status.find('\n'), std::string::npos);
    EXPECT_EQ(status.find('\x1b'), std::string::npos);
    notifier.Tell(ServiceStatus{.text = std::string(1 << 20, 'x')});
    EXPECT_LE(manager.Hear().size(), kMostStatusBytes + 64);
    bus->Shutdown(absl::Seconds(60));
    EXPECT_EQ(manager.Hear(), "STOPPING=1");
    EXPECT_EQ(manager.CountWaiting(""), 0);
  }
}

TEST_F(ServiceNotifierTest, WithoutAManagerItSaysNothing) {
  auto bus = NewBus(1);
  const auto notifier = *Notify(*bus, {});
  EXPECT_EQ(notifier.Tell(ServiceStatus{.text = "well"}), Delivery::kAccepted);
  bus->Shutdown(absl::Seconds(60));
  EXPECT_EQ(log(), "");
}

TEST_F(ServiceNotifierTest, AManagerThatIsGoneIsALineInTheLog) {
  auto bus = NewBus(1);
  ASSERT_TRUE(Notify(*bus, {.notify_socket = folder_ / "nobody"}).ok());
  bus->Shutdown(absl::Seconds(60));
  EXPECT_THAT(log(), HasSubstr("the service manager was not told READY=1"));
}

// Blocks its loop until it is let go.
class Blocker : public Actor {
 public:
  explicit Blocker(absl::Notification& go) : go_(go) {}
  void On(int) { go_.WaitForNotification(); }

 private:
  absl::Notification& go_;
};

TEST_F(ServiceNotifierTest, P10_AStuckLoopEndsTheKeepAliveUntilItGoesOn) {
  Manager manager(folder_ / "notify");
  auto bus = NewBus(3);
  absl::Notification go;
  const auto blocker = *bus->Spawn<Blocker>({.loop = 2}, std::ref(go));
  const auto notifier = *Notify(*bus, {.notify_socket = manager.name(),
                                       .watchdog = absl::Milliseconds(30)});
  EXPECT_EQ(manager.Hear(), "READY=1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
  blocker.Tell(1);
  stuck_.WaitForNotification();
  manager.CountWaiting("");
  // Handled after the turn in which the loop was found to be stuck.
  notifier.Tell(ServiceStatus{.text = "stuck"});
  EXPECT_EQ(manager.Hear(), "STATUS=stuck");
  go.Notify();
  EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
  bus->Shutdown(absl::Seconds(60));
}

TEST_F(ServiceNotifierTest, TheWatchdogAtItsExtremes) {
  int managers = 0;
  ForEachExtreme(
      "actors/systemd/service_notifier.h ServiceNotifierOptions::watchdog",
      [&](const Extreme& e) {
        Manager manager(folder_ / absl::StrCat("notify-", ++managers));
        const ServiceNotifierOptions options{.notify_socket = manager.name(),
                                             .watchdog = e.value};
        const absl::Status valid = ValidateServiceNotifierOptions(options);
        EXPECT_EQ(valid.ok(), e.value >= absl::Milliseconds(1));
        auto bus = NewBus(1);
        const auto notifier = *bus->Spawn<ServiceNotifier>({}, options);
        if (valid.ok()) {
          EXPECT_EQ(manager.Hear(), "READY=1");
          if (!e.never()) {
            EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
          }
          bus->Shutdown(absl::Seconds(60));
          // Not again within a life of the machine.
          EXPECT_EQ(manager.CountWaiting("WATCHDOG=1"),
                    e.value == absl::InfiniteDuration() || !e.never() ? 0 : 1);
        } else {
          EXPECT_THAT(std::string(valid.message()), HasSubstr("watchdog"));
          absl::Notification ended;
          notifier.address().WhenEnded(
              [&](const ActorEnd&) { ended.Notify(); });
          ended.WaitForNotification();
          bus->Shutdown(absl::Seconds(60));
          EXPECT_EQ(manager.CountWaiting("READY=1"), 0);
        }
      });
}

// --- The environment -------------------------------------------------------

absl::StatusOr<ServiceNotifierOptions> From(const char* socket,
                                            const char* usec,
                                            const std::string& pid) {
  const auto set = [](const char* name, const char* value) {
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  };
  set("NOTIFY_SOCKET", socket);
  set("WATCHDOG_USEC", usec);
  set("WATCHDOG_PID", pid.empty() ? nullptr : pid.c_str());
  auto options = ServiceNotifierOptions::FromEnvironment(RealSys());
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  EXPECT_EQ(std::getenv("WATCHDOG_PID"), nullptr);
  return options;
}

TEST(ServiceEnvironmentTest, IsReadAndRemoved) {
  const auto none = From(nullptr, nullptr, "");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->notify_socket, "");
  EXPECT_EQ(none->watchdog, absl::InfiniteDuration());
  const auto all = From("/run/notify", "3000000", absl::StrCat(::getpid()));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->notify_socket, "/run/notify");
  EXPECT_EQ(all->watchdog, absl::Seconds(3));
  const auto anothers = From("/run/notify", "3000000", "1");
  ASSERT_TRUE(anothers.ok());
  EXPECT_EQ(anothers->watchdog, absl::InfiniteDuration());
}

TEST(ServiceEnvironmentTest, EachBadVariableIsNamed) {
  struct Case {
    const char* socket;
    const char* usec;
    const char* pid;
    const char* text;
  };
  const std::string longest(107, 'x');
  const std::string too_long = "/" + longest;
  const Case cases[] = {
      {"run/notify", nullptr, "", "notify_socket is run/notify"},
      {"vsock:2:1234", nullptr, "", "notify_socket is vsock:2:1234"},
      {too_long.c_str(), nullptr, "", "notify_socket has 108 bytes"},
      {"/run/notify", "999", "", "WATCHDOG_USEC is 999"},
      {"/run/notify", "-1", "", "WATCHDOG_USEC is -1"},
      {"/run/notify", "1e9", "", "WATCHDOG_USEC is 1e9"},
      {"/run/notify", "3000000", "zero", "WATCHDOG_PID is zero"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text);
    const absl::Status status = From(each.socket, each.usec, each.pid).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.text));
  }
}

}  // namespace
}  // namespace trolley
