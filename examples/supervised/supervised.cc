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

#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervisor.h"

namespace supervised {

using trolley::ChildSpec;
using trolley::Ref;
using trolley::Supervisor;
using trolley::SupervisorOptions;

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

  trolley::Task<absl::Status> On(Line m) {
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

// Returns when that reader has started again. The ping waits in its mailbox
// until then. It fails if the supervisor of the readers has escalated.
void AwaitReturn(trolley::Bus& bus, const Ref<Supervisor>& app,
                 const std::string& name) {
  for (;;) {
    const auto reader = bus.Find<Reader>(name);
    if (reader.ok() && reader->AskAndWait(Ping{}, kPatience).ok()) return;
    if (!app.AskAndWait(trolley::AwaitUp{}, kPatience).ok()) return;
  }
}

void Print(trolley::Bus& bus, const std::string& name) {
  const auto supervisor = bus.Find<Supervisor>(name);
  if (!supervisor.ok()) return;
  const auto children =
      supervisor->AskAndWait(trolley::GetChildren{}, kPatience);
  if (!children.ok()) return;
  for (const trolley::ChildInfo& child : *children) {
    std::cout << name << "/" << child.name << ": "
              << trolley::ChildStateName(child.state) << ", " << child.restarts
              << " restarts\n";
    if (child.name == "readers") Print(bus, name + "/" + child.name);
  }
}

absl::Status Run(trolley::Bus& bus) {
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
  absl::Status up = app->AskAndWait(trolley::AwaitUp{}, kPatience);
  if (!up.ok()) return up;

  int number = 0;
  for (std::string text; std::getline(std::cin, text); ++number) {
    const std::string name = absl::StrCat("app/readers/", number % 2);
    const auto reader = bus.Find<Reader>(name);
    const absl::Status read = reader.ok()
                                  ? reader->AskAndWait(Line{text}, kPatience)
                                  : reader.status();
    if (!read.ok()) {
      std::cout << "line " << number + 1 << " is left out: " << read.message()
                << "\n";
      AwaitReturn(bus, *app, name);
    }
  }
  up = app->AskAndWait(trolley::AwaitUp{}, kPatience);
  if (!up.ok()) return up;
  const auto sum = bus.Find<Sum>("app/sum");
  if (!sum.ok()) return sum.status();
  const auto total = sum->AskAndWait(GetSum{}, kPatience);
  if (!total.ok()) return total.status();
  std::cout << "the sum is " << *total << "\n";
  Print(bus, "app");
  return absl::OkStatus();
}

}  // namespace supervised

int main() {
  trolley::BusOptions options;
  options.loops = {{}, {}};
  // The lines of the log would stand between those of the program.
  options.log = [](absl::string_view) {};
  auto bus = trolley::Bus::CreateOrDie(options);
  const absl::Status ran = supervised::Run(bus);
  const bool clean = bus.Shutdown(absl::Seconds(5)).clean;
  if (!ran.ok()) std::cerr << "supervised: " << ran << "\n";
  return ran.ok() && clean && std::cout.flush() ? 0 : 1;
}
