// SPDX-License-Identifier: Apache-2.0
//
// Actors that watch actors of other processes.

#ifndef TROLLEY_TESTS_LINKS_MOURNER_H_
#define TROLLEY_TESTS_LINKS_MOURNER_H_

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/link/remote_watch.h"
#include "trolley/tests/links/actors.h"

namespace trolley::links_test {

struct Mourn {
  Ref<Link> link;
  std::string name;
};
struct ForgetOne {};  // the oldest watch
struct ForgetAll {};
struct MoveAll {};
struct NextEnd {};
struct CountEnds {};

// Watches what it is told to, and keeps each Down until the test asks for it.
class Mourner : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  void On(const Mourn& m) { watches_.emplace_back(Self(this), m.link, m.name); }
  void On(const ForgetOne&) { watches_.pop_front(); }
  void On(const ForgetAll&) { watches_.clear(); }
  void On(const MoveAll&) {
    std::deque<RemoteWatch> moved;
    for (RemoteWatch& watch : watches_) {
      moved.emplace_back();
      moved.back() = std::move(watch);
    }
    watches_ = std::move(moved);
  }
  void On(const Down& down) {
    downs_.push_back(down);
    changed_.Notify();
  }
  Task<Down> On(const NextEnd&) {
    while (downs_.empty()) co_await changed_.Wait();
    Down down = std::move(downs_.front());
    downs_.pop_front();
    co_return down;
  }
  size_t On(const CountEnds&) { return downs_.size(); }

 private:
  std::deque<RemoteWatch> watches_;
  std::deque<Down> downs_;
  AsyncCondition changed_;
};

// After its first message it handles none until it is told to Open.
class BusyMourner : public Actor {
 public:
  Task<> On(const Mourn& m) {
    if (!watch_.watched().empty()) co_return;
    watch_ = RemoteWatch(Self(this), m.link, m.name);
    co_await open_.Wait();
  }
  void On(const Down& down) { down_ = down; }
  absl::StatusOr<Down> On(const NextEnd&) {
    if (down_.name.empty()) return absl::NotFoundError("no Down has come");
    return down_;
  }

 protected:
  void OnStart() override {
    Spawn<Door>({.name = absl::StrCat(address().ToString(), ".door")}, open_)
        .IgnoreError();
  }

 private:
  Latch open_;
  RemoteWatch watch_;
  Down down_;
};

// Counts the Downs of one watch into `told`.
class Counter : public Actor {
 public:
  Counter(const Ref<Link>& link, const std::string& name, int& told)
      : watch_(Self(this), link, name), told_(told) {}
  void On(const Down&) { ++told_; }
  void On(const ForgetOne&) { watch_.Forget(); }

 private:
  RemoteWatch watch_;
  int& told_;
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_MOURNER_H_
