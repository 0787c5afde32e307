// SPDX-License-Identifier: Apache-2.0
//
// Two programs as parts of a service: a Python program that counts, and a shell
// script that shouts. Each belongs to an actor, which passes its asks on. When
// a program ends, its actor fails; so a supervisor starts both again, by the
// rules of any child.
//
//   app              restarts 3 times within a minute
//     app/counter    owns count.py: Protobuf with lengths in front
//     app/shouter    owns shout.sh: lines
//
// usage: child COUNT_PY SHOUT_SH, with texts as standard input

#include <cstdint>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/child/child_process.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/examples/child/text.pb.h"

namespace child {

using trolley::ChildEnd;
using trolley::ChildOutput;
using trolley::Ref;
using trolley::Supervisor;
using trolley::Task;

constexpr absl::Duration kPatience = absl::Seconds(20);

struct Call {
  std::string request;
};
struct Ping {};

// Answers each Call by what the program writes for it. The program answers in
// the order in which it was asked.
class Program : public trolley::Actor {
 public:
  // The program may be asked again before it has answered.
  static constexpr bool kInterleaved = true;

  explicit Program(trolley::ChildProcessOptions options)
      : options_(std::move(options)) {}

  // A program that cannot be started is a failure, too.
  Task<absl::Status> OnStartTask() { co_return process_.Start(this, options_); }

  Task<absl::StatusOr<std::string>> On(Call m) {
    const trolley::Delivery written = process_.Write(m.request);
    if (written != trolley::Delivery::kAccepted) {
      co_return trolley::DeliveryStatus(written, options_.argv[0]);
    }
    const uint64_t number = ++asked_;
    while (answers_.count(number) == 0) co_await answered_.Wait();
    co_return std::move(answers_.extract(number).mapped());
  }
  void On(const Ping&) {}

  void On(const ChildOutput& m) {
    if (m.child != process_.id()) return;  // of the program before this one
    answers_[m.number] = m.bytes;
    answered_.Notify();
  }
  void On(const ChildEnd& m) {
    if (m.child != process_.id()) return;
    throw std::runtime_error(m.ToString());
  }

 private:
  const trolley::ChildProcessOptions options_;
  uint64_t asked_ = 0;
  std::map<uint64_t, std::string> answers_;
  trolley::AsyncCondition answered_;
  trolley::ChildProcess process_;
};

// The answer for a person, or why there is none.
absl::StatusOr<std::string> Handle(const Ref<Program>& counter,
                                   const Ref<Program>& shouter,
                                   const std::string& text) {
  Text request;
  request.set_text(text);
  const absl::StatusOr<std::string> counted =
      counter.AskAndWait(Call{request.SerializeAsString()}, kPatience);
  if (!counted.ok()) return counted.status();
  Counts counts;
  if (!counts.ParseFromString(*counted)) {
    return absl::InternalError("count.py: no child.Counts");
  }
  const absl::StatusOr<std::string> shouted =
      shouter.AskAndWait(Call{text}, kPatience);
  if (!shouted.ok()) return shouted.status();
  return absl::StrCat(counts.words(), " words, ", counts.letters(),
                      " letters: ", *shouted);
}

absl::Status Run(trolley::Bus& bus, const std::string& count_py,
                 const std::string& shout_sh) {
  trolley::SupervisorOptions options;
  options.max_restarts = 3;
  options.within = absl::Minutes(1);
  options.backoff.first = absl::Milliseconds(20);
  const auto app = bus.Spawn<Supervisor>(
      {.name = "app"}, options,
      std::vector<trolley::ChildSpec>{
          trolley::Child<Program>(
              {.name = "counter"},
              trolley::ChildProcessOptions{
                  .argv = {"/usr/bin/python3", count_py},
                  .format = trolley::PipeFormat::kDelimited}),
          trolley::Child<Program>(
              {.name = "shouter"},
              trolley::ChildProcessOptions{.argv = {"/bin/sh", shout_sh}})});
  if (!app.ok()) return app.status();
  const absl::Status up = app->AskAndWait(trolley::AwaitUp{}, kPatience);
  if (!up.ok()) return up;
  const auto counter = bus.Find<Program>("app/counter");
  const auto shouter = bus.Find<Program>("app/shouter");
  if (!counter.ok()) return counter.status();
  if (!shouter.ok()) return shouter.status();

  for (std::string text; std::getline(std::cin, text);) {
    const absl::StatusOr<std::string> answer = Handle(*counter, *shouter, text);
    if (answer.ok()) {
      std::cout << *answer << "\n";
      continue;
    }
    std::cout << "no answer: " << answer.status().message() << "\n";
    // It waits in the mailbox until the program has been started again.
    const absl::Status back = counter->AskAndWait(Ping{}, kPatience);
    if (!back.ok()) return back;
  }
  return absl::OkStatus();
}

}  // namespace child

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: child COUNT_PY SHOUT_SH\n";
    return 2;
  }
  auto bus = trolley::Bus::CreateOrDie({});
  const absl::Status ran = child::Run(bus, argv[1], argv[2]);
  const bool clean = bus.Shutdown(absl::Seconds(20)).clean;
  if (!ran.ok()) std::cerr << "child: " << ran << "\n";
  return ran.ok() && clean && std::cout.flush() ? 0 : 1;
}
