// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/run_until_signal.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trolley/actors/behaviour/exit_codes.h"
#include "trolley/actors/behaviour/internal/signal_catcher.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {
namespace {

using Catchers = std::vector<std::unique_ptr<internal::SignalCatcher>>;

absl::StatusOr<Catchers> Catch(const std::vector<int>& signals) {
  Catchers catchers;
  for (const int signal : signals) {
    auto catcher = internal::SignalCatcher::Create(signal);
    if (!catcher.ok()) return catcher.status();
    catchers.push_back(*std::move(catcher));
  }
  return catchers;
}

// Readable when an actor has ended. Never: the address names none.
class EndOfActor {
 public:
  explicit EndOfActor(const Address& actor) : actor_(actor) {
    if (!actor) return;
    fd_ = std::make_shared<ScopedFd>(
        RealSys(), RealSys().Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!*fd_) return;
    watch_ = actor.WhenEnded([fd = fd_](const ActorEnd&) {
      uint64_t one = 1;
      RealSys().Write(fd->get(),
                      absl::MakeConstSpan(reinterpret_cast<const char*>(&one),
                                          sizeof(one)));
    });
  }
  EndOfActor(const EndOfActor&) = delete;
  EndOfActor& operator=(const EndOfActor&) = delete;
  ~EndOfActor() {
    if (watch_.id != 0) actor_.ForgetWhenEnded(watch_);
  }

  absl::Status status() const {
    if (fd_ == nullptr || *fd_) return absl::OkStatus();
    return ErrnoStatus(fd_->get(), SysCall::kEventfd, "the end of an actor");
  }
  // Ppoll passes over a descriptor of -1.
  int fd() const { return fd_ == nullptr ? -1 : fd_->get(); }

 private:
  const Address actor_;
  std::shared_ptr<ScopedFd> fd_;  // the callback may come later
  EndWatch watch_;
};

// Waits; returns why the program ends, for people.
absl::StatusOr<std::string> WaitForEnd(const Catchers& catchers,
                                       const Address& until_ended) {
  const EndOfActor end(until_ended);
  if (!end.status().ok()) return end.status();
  std::vector<pollfd> items = {{end.fd(), POLLIN, 0}};
  for (const auto& catcher : catchers) {
    items.push_back({catcher->fd(), POLLIN, 0});
  }
  for (;;) {
    const int ready = RealSys().Ppoll(absl::MakeSpan(items), nullptr);
    if (ready < 0 && ready != -EINTR) {
      return ErrnoStatus(ready, SysCall::kPpoll, "signals");
    }
    for (size_t i = 0; i < catchers.size(); ++i) {
      if (catchers[i]->TakeCount() > 0) {
        return std::string(::strsignal(catchers[i]->signal()));
      }
    }
    if (ready > 0 && items[0].revents != 0) {
      return absl::StrCat(until_ended.ToString(), " has ended");
    }
  }
}

void PrintToStandardError(absl::string_view line) {
  std::fputs(absl::StrCat(line, "\n").c_str(), stderr);
}

// How a program has ended.
struct HowItEnded {
  int code;
  std::string text;
};

// `end` ends the bus by its deadline.
int RunUntil(const RunUntilSignalOptions& options,
             const std::function<HowItEnded(absl::Duration)>& end) {
  const auto print =
      options.print != nullptr ? options.print : PrintToStandardError;
  absl::StatusOr<Catchers> catchers = Catch(options.signals);
  absl::StatusOr<std::string> why =
      catchers.ok() ? WaitForEnd(*catchers, options.until_ended)
                    : catchers.status();
  if (why.ok()) {
    print(absl::StrCat("ending: ", *why));
  } else {
    print(absl::StrCat("ending, cannot wait for signals: ",
                       why.status().ToString()));
  }
  if (catchers.ok()) {
    const Instant second = MonotonicClock().Now() + options.second_after;
    for (const auto& catcher : *catchers) catcher->EndProcessFrom(second);
  }
  if (options.before_shutdown != nullptr) options.before_shutdown();
  const HowItEnded how = end(options.deadline);
  print(absl::StrCat("ended: ", how.text));
  return why.ok() ? how.code : EXIT_FAILURE;
}

}  // namespace

int RunUntilSignal(Bus& bus, const RunUntilSignalOptions& options) {
  return RunUntil(options, [&bus](absl::Duration deadline) -> HowItEnded {
    const ShutdownReport report = bus.Shutdown(deadline);
    return {.code = ExitCodeOf(report), .text = report.ToString()};
  });
}

int RunUntilSignal(ShutdownPhases& phases,
                   const RunUntilSignalOptions& options) {
  return RunUntil(options, [&phases](absl::Duration deadline) -> HowItEnded {
    const PhasesReport& report = phases.Run(deadline);
    return {.code = report.ExitCode(), .text = report.ToString()};
  });
}

}  // namespace trolley
