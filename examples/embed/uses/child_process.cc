// SPDX-License-Identifier: Apache-2.0
//
// A line goes through a program and comes back.

#include "trolley/actors/child/child_process.h"

#include "absl/synchronization/notification.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

namespace {

class Owner : public trolley::Actor {
 public:
  explicit Owner(absl::Notification* ended) : ended_(ended) {}
  trolley::Task<absl::Status> OnStartTask() {
    const absl::Status started = process_.Start(this, {.argv = {"cat"}});
    process_.Write("a line");
    process_.CloseInput();
    co_return started;
  }
  void On(const trolley::ChildOutput& m) { good_ = m.bytes == "a line"; }
  void On(const trolley::ChildEnd& m) {
    if (good_ && m.ok()) ended_->Notify();
  }

 private:
  absl::Notification* const ended_;
  bool good_ = false;
  trolley::ChildProcess process_;
};

}  // namespace

int main() {
  absl::Notification ended;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  if (!bus.Spawn<Owner>({}, &ended).ok()) return 1;
  ended.WaitForNotification();
}
