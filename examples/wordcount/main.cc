// SPDX-License-Identifier: Apache-2.0
//
// The word counter as a service: reads text from a pipe or a file, counts its
// words on several loops, answers questions over a Unix socket while it reads
// and after, and is looked at and controlled with `trolley`.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/examples/output/output.h"
#include "trolley/examples/wordcount/service.h"

ABSL_FLAG(std::string, input, "-",
          "what to read: a file, a named pipe, or - for standard input");
ABSL_FLAG(std::string, socket, "",
          "answer questions about words at this Unix socket; empty: do not");
ABSL_FLAG(std::string, control, "",
          "serve the trolley command at this Unix socket; empty: do not");
ABSL_FLAG(int, loops, 3, "threads; the first one reads and splits");
ABSL_FLAG(int, counters, 4, "counter actors, spread over the other loops");
ABSL_FLAG(std::string, poller, "epoll", "the poller of every loop, or auto");
ABSL_FLAG(bool, exit_at_end, false, "end when the input has been counted");
ABSL_FLAG(absl::Duration, grace, absl::Seconds(10),
          "how long the ending may take");

namespace {

using wordcount::Progress;
using wordcount::Service;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "wordcount: %s\n",
               std::string(status.message()).c_str());
  return EXIT_FAILURE;
}

// Blocks the signals that end the service, in this thread and so in all that it
// starts; NextSignal() takes them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The next signal, or 0 if none comes within `wait`.
int NextSignal(const sigset_t& signals, absl::Duration wait) {
  const timespec limit = absl::ToTimespec(wait);
  return std::max(sigtimedwait(&signals, nullptr, &limit), 0);
}

// What has been counted so far, on standard error: a line that is redrawn on a
// terminal, nothing otherwise.
class ProgressLine {
 public:
  void Show(const Progress& progress) {
    if (!tty_) return;
    std::fprintf(stderr, "\r%lu words, %lu distinct   ",
                 static_cast<unsigned long>(progress.words()),
                 static_cast<unsigned long>(progress.distinct_words()));
  }
  void Clear() {
    if (tty_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  const bool tty_ = isatty(STDERR_FILENO) == 1;
};

void PrintSummary(const Progress& progress, absl::Duration took,
                  const trolley::Ledger& ledger) {
  const double seconds = std::max(absl::ToDoubleSeconds(took), 1e-9);
  std::printf(
      "counted %lu words (%lu distinct) in %lu lines in %.3f s: %.2f M "
      "words/s, "
      "%.2f M messages/s\n",
      static_cast<unsigned long>(progress.words()),
      static_cast<unsigned long>(progress.distinct_words()),
      static_cast<unsigned long>(progress.lines()), seconds,
      progress.words() / seconds / 1e6, ledger.handled / seconds / 1e6);
  std::fflush(stdout);
}

// Waits for the end: a signal, or the end of the input if that is asked for.
// An error of the input is the result.
absl::Status Serve(trolley::Bus& bus, const Service& service,
                   const sigset_t& signals) {
  const trolley::Instant began = trolley::MonotonicClock().Now();
  ProgressLine line;
  bool ended = false;
  for (;;) {
    const int signal =
        NextSignal(signals, ended ? absl::Hours(1) : absl::Milliseconds(20));
    if (signal != 0) {
      line.Clear();
      std::fprintf(stderr, "wordcount: ending: %s\n", strsignal(signal));
      return absl::OkStatus();
    }
    if (ended) continue;
    // Not for long: a signal waits as long as this does.
    absl::StatusOr<Progress> progress =
        service.top.AskAndWait(wordcount::ProgressQuery(), absl::Seconds(1));
    if (!progress.ok()) continue;  // busy, or stopped with `trolley stop`
    line.Show(*progress);
    if (!progress->ended()) continue;
    ended = true;
    line.Clear();
    if (!progress->error().empty()) {
      return absl::DataLossError(absl::StrCat(
          "reading ", absl::GetFlag(FLAGS_input), ": ", progress->error()));
    }
    PrintSummary(*progress, trolley::MonotonicClock().Now() - began,
                 bus.ReadLedger());
    if (absl::GetFlag(FLAGS_exit_at_end)) return absl::OkStatus();
  }
}

absl::StatusOr<std::unique_ptr<trolley::Bus>> NewBus() {
  if (absl::GetFlag(FLAGS_loops) < 1 || absl::GetFlag(FLAGS_counters) < 1) {
    return absl::InvalidArgumentError("--loops and --counters are 1 at least");
  }
  const trolley::LoopOptions loop{.poller = absl::GetFlag(FLAGS_poller)};
  return trolley::Bus::Create({.loops = std::vector<trolley::LoopOptions>(
                                   absl::GetFlag(FLAGS_loops), loop)});
}

int Main() {
  examples::BeginOutput();
  const sigset_t signals = BlockSignals();
  absl::StatusOr<trolley::ScopedFd> input =
      trolley::OpenForReading(trolley::RealSys(), absl::GetFlag(FLAGS_input));
  if (!input.ok()) return Fail(input.status());
  absl::StatusOr<std::unique_ptr<trolley::Bus>> bus = NewBus();
  if (!bus.ok()) return Fail(bus.status());

  // The sockets come first: if a path cannot be had, no input has been read. A
  // peer that connects before the actors are there waits.
  std::optional<trolley::UnixListenSocket> socket;
  if (const std::string path = absl::GetFlag(FLAGS_socket); !path.empty()) {
    auto listening = trolley::ListenUnix(trolley::RealSys(), path);
    if (!listening.ok()) return Fail(listening.status());
    socket = *std::move(listening);
  }
  std::unique_ptr<trolley::ControlService> control;
  if (const std::string path = absl::GetFlag(FLAGS_control); !path.empty()) {
    auto started = trolley::ControlService::Start(
        **bus, {.path = path, .version = "wordcount", .loop = 0});
    if (!started.ok()) return Fail(started.status());
    control = *std::move(started);
  }
  absl::StatusOr<Service> service =
      Service::Start(**bus, absl::GetFlag(FLAGS_counters), *std::move(input));
  if (!service.ok()) return Fail(service.status());
  if (socket.has_value()) {
    auto listener = (*bus)->Spawn<trolley::UnixListener>(
        {.name = "wordcount/listener", .loop = 0}, *std::move(socket));
    if (!listener.ok()) return Fail(listener.status());
  }

  const absl::Status served = Serve(**bus, *service, signals);
  if (control != nullptr) control->Stop();
  const trolley::ShutdownReport report =
      (*bus)->Shutdown(absl::GetFlag(FLAGS_grace));
  std::printf("%s\n", report.ToString().c_str());
  if (!served.ok()) return Fail(served);
  return report.clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "counts the words (runs of A-Z and a-z) of a text\n"
      "  cat *.txt | wordcount --socket=/tmp/w.sock --control=/tmp/c.sock");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    std::fprintf(stderr,
                 "wordcount: what is %s? Name the input with --input=%s\n",
                 rest[1], rest[1]);
    return 2;
  }
  return examples::EndOutput("wordcount", Main());
}
