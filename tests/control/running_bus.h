// SPDX-License-Identifier: Apache-2.0
//
// A bus with a control service at a path of its own, and an actor that behaves
// in every way that a client can meet.

#ifndef TROLLEY_TESTS_CONTROL_RUNNING_BUS_H_
#define TROLLEY_TESTS_CONTROL_RUNNING_BUS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/tests/control/control_test.pb.h"
#include "trolley/tests/lib/process.h"

namespace trolley::test {

class Counter : public Actor {
 public:
  using Receives =
      Protocol<Add, Total(GetTotal), Fail, Total(Hold), Blob(GetBlob)>;

  void On(const Add& m) {
    total_ += m.amount();
    note_ = m.note();
  }
  Total On(const GetTotal&) {
    Total reply;
    reply.set_total(total_);
    reply.set_note(note_);
    return reply;
  }
  absl::Status On(const Fail& m) {
    return absl::Status(static_cast<absl::StatusCode>(m.code()), m.text());
  }
  Task<Total> On(Hold) {
    co_await Sleep(absl::Hours(24));
    co_return Total();
  }
  Blob On(const GetBlob& m) {
    Blob reply;
    reply.set_data(std::string(m.bytes(), 'x'));
    return reply;
  }

 private:
  int64_t total_ = 0;
  std::string note_;
};

// Takes nothing from outside.
class Quiet : public Actor {};

// A folder for sockets, and for other files of a test.
class SocketFolder {
 public:
  std::string path(const std::string& name = "control.sock") const {
    return folder_ / name;
  }
  const std::string& folder() const { return folder_.path(); }

 private:
  const TempFolder folder_;
};

struct RunningBus {
  // `options.path` is filled in.
  explicit RunningBus(ControlOptions options = {},
                      BusOptions bus_options = TwoLoops());
  ~RunningBus();

  // Returns when it is running.
  Ref<Counter> Spawn(const std::string& name, uint32_t capacity = 1024);

  SocketFolder folder;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<ControlService> control;

 private:
  static BusOptions TwoLoops();
};

}  // namespace trolley::test

#endif  // TROLLEY_TESTS_CONTROL_RUNNING_BUS_H_
