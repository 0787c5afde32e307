// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe_reader.h"

#include "absl/synchronization/notification.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

namespace {

class Receiver : public trolley::Actor {
 public:
  explicit Receiver(absl::Notification* ended) : ended_(ended) {}
  void On(const trolley::PipePiece&) {}
  void On(const trolley::PipeEnd&) { ended_->Notify(); }

 private:
  absl::Notification* const ended_;
};

}  // namespace

int main() {
  absl::Notification ended;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const auto receiver = bus.Spawn<Receiver>({}, &ended);
  auto fd = trolley::OpenForReading(trolley::RealSys(), "/dev/null");
  if (!receiver.ok() || !fd.ok()) return 1;
  if (!bus.Spawn<trolley::PipeReader>({}, *std::move(fd), *receiver).ok()) {
    return 1;
  }
  ended.WaitForNotification();
}
