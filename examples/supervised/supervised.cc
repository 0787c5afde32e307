// SPDX-License-Identifier: Apache-2.0
//
// Adds up the numbers of its standard input, one in each line. A line that is
// no number is a bug that no test has found: it kills the actor that reads
// lines. Its supervisor starts that actor again, and the sum goes on, because
// another actor keeps it.
//
//   app                 restarts all that stands after what has failed
//     app/sum           keeps the sum
//     app/readers       restarts its readers 3 times within a minute
//       app/readers/0   reads every other line, on loop 0
//       app/readers/1   and the others, on loop 1
//   input               reads the lines
//
// It ends at the end of its input, or by SIGTERM or SIGINT.

#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/run_until_signal.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/examples/output/output.h"

namespace supervised {

using trolley::ChildSpec;
using trolley::Ref;
using trolley::Supervisor;
using trolley::SupervisorOptions;
using trolley::Task;

constexpr absl::Duration kPatience = absl::Seconds(10);

struct Add {
  int64_t number;
};
struct GetSum {};

class Sum : public trolley::Actor {
 public:
  void On(const Add& m) { sum_ += m.number; }
  int64_t On(const GetSum&) { return sum_; }

 private:
  int64_t sum_ = 0;
};

struct Line {
  std::string text;
};
struct Ping {};

class Reader : public trolley::Actor {
 public:
  explicit Reader(Ref<Sum> sum) : sum_(std::move(sum)) {}

  Task<absl::Status> On(Line m) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(m.text, &number)) {
      throw std::runtime_error(absl::StrCat("no number: ", m.text));
    }
    co_return co_await sum_.Ask(Add{number}, kPatience);
  }
  void On(const Ping&) {}

 private:
  const Ref<Sum> sum_;
};

// The readers are made when the sum is up, so they find it by its name.
ChildSpec ReaderChild(const trolley::Bus& bus, int index) {
  return trolley::Child<Reader>(
      {.name = absl::StrCat(index), .loop = index}, [&bus] {
        return std::make_unique<Reader>(bus.Find<Sum>("app/sum").value());
      });
}

// Gives the lines of the input to the readers, one after the other. Prints the
// sum at the end of the input, and ends.
class Input : public trolley::Actor {
 public:
  // `failed` is set before it ends, if something fails; it outlives the bus.
  Input(trolley::Bus& bus, Ref<Supervisor> app, absl::Status& failed)
      : bus_(bus), app_(std::move(app)), failed_(failed) {}

  Task<void> On(trolley::PipePiece line) {
    const std::string name =
        absl::StrCat("app/readers/", (line.number - 1) % 2);
    const auto reader = bus_.Find<Reader>(name);
    absl::Status read = reader.status();
    if (read.ok()) {
      read = co_await reader->Ask<Line>(kPatience, std::move(line.bytes));
    }
    if (read.ok()) co_return;
    std::cout << "line " << line.number << " is left out: " << read.message()
              << "\n";
    co_await AwaitReturn(name);
  }
  Task<void> On(trolley::PipeEnd end) {
    failed_ = end.status;
    if (failed_.ok()) failed_ = co_await PrintSum();
    Stop();
  }

 private:
  // Returns when that reader has started again. The ping waits in its mailbox
  // until then. It fails if the supervisor of the readers has escalated.
  Task<void> AwaitReturn(std::string name) {
    for (;;) {
      const auto reader = bus_.Find<Reader>(name);
      if (reader.ok()) {
        const absl::Status back = co_await reader->Ask(Ping{}, kPatience);
        if (back.ok()) co_return;
      }
      const absl::Status up = co_await app_.Ask(trolley::AwaitUp{}, kPatience);
      if (!up.ok()) co_return;
    }
  }

  Task<absl::Status> PrintSum() {
    const absl::Status up = co_await app_.Ask(trolley::AwaitUp{}, kPatience);
    if (!up.ok()) co_return up;
    const auto sum = bus_.Find<Sum>("app/sum");
    if (!sum.ok()) co_return sum.status();
    const auto total = co_await sum->Ask(GetSum{}, kPatience);
    if (!total.ok()) co_return total.status();
    std::cout << "the sum is " << *total << "\n";
    co_return co_await PrintTree("app");
  }

  Task<absl::Status> PrintTree(std::string name) {
    const auto supervisor = bus_.Find<Supervisor>(name);
    if (!supervisor.ok()) co_return supervisor.status();
    const auto children =
        co_await supervisor->Ask(trolley::GetChildren{}, kPatience);
    if (!children.ok()) co_return children.status();
    for (const trolley::ChildInfo& child : *children) {
      const std::string below = absl::StrCat(name, "/", child.name);
      std::cout << below << ": " << trolley::ChildStateName(child.state) << ", "
                << child.restarts << " restarts\n";
      if (!child.is_supervisor) continue;
      const absl::Status printed = co_await PrintTree(below);
      if (!printed.ok()) co_return printed;
    }
    co_return absl::OkStatus();
  }

  trolley::Bus& bus_;
  const Ref<Supervisor> app_;
  absl::Status& failed_;
};

// Starts everything. Returns the actor that ends at the end of the input.
absl::StatusOr<trolley::Address> Start(trolley::Bus& bus,
                                       absl::Status& failed) {
  absl::StatusOr<trolley::ScopedFd> standard_input =
      trolley::OpenForReading(bus.sys(), "-");
  if (!standard_input.ok()) return standard_input.status();
  SupervisorOptions app_options, reader_options;
  app_options.strategy = trolley::Strategy::kRestForOne;
  reader_options.max_restarts = 3;
  reader_options.within = absl::Minutes(1);
  reader_options.backoff.first = absl::Milliseconds(20);
  const std::vector<ChildSpec> readers = {ReaderChild(bus, 0),
                                          ReaderChild(bus, 1)};
  const auto app = bus.Spawn<Supervisor>(
      {.name = "app"}, app_options,
      std::vector<ChildSpec>{
          trolley::Child<Sum>({.name = "sum"}),
          trolley::Child<Supervisor>({.name = "readers"}, reader_options,
                                     readers)});
  if (!app.ok()) return app.status();
  const absl::Status up = app->AskAndWait(trolley::AwaitUp{}, kPatience);
  if (!up.ok()) return up;
  const auto input = bus.Spawn<Input>({.name = "input"}, bus, *app, failed);
  if (!input.ok()) return input.status();
  const auto pipe =
      bus.Spawn<trolley::PipeReader>({}, *std::move(standard_input), *input);
  if (!pipe.ok()) return pipe.status();
  return input->address();
}

}  // namespace supervised

int main() {
  examples::BeginOutput();
  trolley::BusOptions options;
  options.loops = {{}, {}};
  // The lines of the log would stand between those of the program.
  options.log = [](absl::string_view) {};
  absl::Status failed;
  auto bus = trolley::Bus::CreateOrDie(options);
  const absl::StatusOr<trolley::Address> input = supervised::Start(bus, failed);
  int code = 1;
  if (input.ok()) {
    code = trolley::RunUntilSignal(bus, {.until_ended = *input});
  } else {
    failed = input.status();
  }
  if (!failed.ok()) std::cerr << "supervised: " << failed << "\n";
  return examples::EndOutput("supervised", failed.ok() ? code : 1);
}
