// SPDX-License-Identifier: Apache-2.0
//
// Actors that tests of links send to, in this process or in another.

#ifndef TROLLEY_TESTS_LINKS_ACTORS_H_
#define TROLLEY_TESTS_LINKS_ACTORS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/link/remote.h"
#include "trolley/tests/links/links_test.pb.h"

namespace trolley::links_test {

using Numbers = Protocol<Put, Answer(Ask)>;

inline Put PutOf(uint64_t value, size_t filler_bytes = 0) {
  Put put;
  put.set_value(value);
  put.set_filler(std::string(filler_bytes, 'f'));
  return put;
}

inline Ask AskOf(uint64_t value) {
  Ask ask;
  ask.set_value(value);
  return ask;
}

struct Seen {
  uint64_t count = 0;
  uint64_t out_of_order = 0;
  uint64_t last = 0;
};
struct GetSeen {};

// Checks that what it is told counts 1, 2, 3...; answers an Ask with its value
// plus the count so far.
class Sink : public Actor {
 public:
  using Receives = Numbers;

  void On(const Put& put) {
    ++seen_.count;
    if (put.value() != seen_.last + 1) ++seen_.out_of_order;
    seen_.last = put.value();
  }
  absl::StatusOr<Answer> On(const Ask& ask) {
    if (ask.fail_with() != 0) {
      return absl::Status(static_cast<absl::StatusCode>(ask.fail_with()),
                          absl::StrCat("as asked: ", ask.value()));
    }
    Answer answer;
    answer.set_value(ask.value() + seen_.count);
    answer.set_filler(std::string(ask.answer_bytes(), 'a'));
    answer.set_traceparent(trace().ToTraceparent());
    return answer;
  }
  Seen On(const GetSeen&) { return seen_; }

 private:
  Seen seen_;
};

// Something that happens once.
class Latch {
 public:
  void Open() {
    open_ = true;
    opened_.Notify();
  }
  Task<> Wait() {
    while (!open_) co_await opened_.Wait();
  }

 private:
  bool open_ = false;
  AsyncCondition opened_;
};

struct Open {};

// As Sink, but handles nothing until it is told to Open, which it hears by its
// second door: its mailbox may be full.
class Door : public Actor {
 public:
  explicit Door(Latch& open) : open_(open) {}
  void On(const Open&) { open_.Open(); }

 private:
  Latch& open_;
};

class GatedSink : public Actor {
 public:
  using Receives = Numbers;

  Task<> On(const Put& put) {
    co_await open_.Wait();
    ++seen_.count;
    if (put.value() != seen_.last + 1) ++seen_.out_of_order;
    seen_.last = put.value();
  }
  Task<Answer> On(const Ask& ask) {
    co_await open_.Wait();
    Answer answer;
    answer.set_value(ask.value() + seen_.count);
    co_return answer;
  }
  Task<Seen> On(const GetSeen&) {
    co_await open_.Wait();
    co_return seen_;
  }

 protected:
  void OnStart() override {
    Spawn<Door>({.name = absl::StrCat(address().ToString(), ".door")}, open_)
        .IgnoreError();
  }

 private:
  Latch open_;
  Seen seen_;
};

// Sends the numbers 1 to `count`, each as soon as there is room.
struct Progress {
  uint64_t sent = 0;
  absl::Status status;
  bool done = false;
};
struct GetProgress {};
struct WaitUntilDone {};

class Streamer : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  Streamer(Ref<Numbers> to, uint64_t count, size_t filler_bytes)
      : to_(to), count_(count), filler_bytes_(filler_bytes) {}

  Progress On(const GetProgress&) { return progress_; }
  Task<Progress> On(const WaitUntilDone&) {
    co_await done_.Wait();
    co_return progress_;
  }

 protected:
  void OnStart() override { RunInBackground(Stream()); }
  void OnDrain() override { draining_ = true; }

 private:
  Task<absl::Status> Stream() {
    for (uint64_t i = 1; i <= count_ && !draining_; ++i) {
      absl::Status sent = co_await to_.Send(PutOf(i, filler_bytes_));
      if (!sent.ok()) {
        progress_.status = sent;
        break;
      }
      ++progress_.sent;
    }
    progress_.done = true;
    done_.Open();
    co_return absl::OkStatus();
  }

  const Ref<Numbers> to_;
  const uint64_t count_;
  const size_t filler_bytes_;
  Progress progress_;
  bool draining_ = false;
  Latch done_;
};

// Keeps the messages of links to their watcher until the test asks for them.
struct NextUp {};
struct NextDown {};

class Watcher : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  void On(const LinkUp& up) {
    ups_.push_back(up);
    changed_.Notify();
  }
  void On(const LinkDown& down) {
    downs_.push_back(down);
    changed_.Notify();
  }
  Task<LinkUp> On(const NextUp&) {
    while (ups_.empty()) co_await changed_.Wait();
    LinkUp up = std::move(ups_.front());
    ups_.pop_front();
    co_return up;
  }
  Task<LinkDown> On(const NextDown&) {
    while (downs_.empty()) co_await changed_.Wait();
    LinkDown down = std::move(downs_.front());
    downs_.pop_front();
    co_return down;
  }

 private:
  std::deque<LinkUp> ups_;
  std::deque<LinkDown> downs_;
  AsyncCondition changed_;
};

// Passes each ask on to `to`, and the reply back to the asker.
class Relay : public Actor {
 public:
  using Receives = Protocol<Answer(Ask)>;

  explicit Relay(Ref<Numbers> to = {}) : to_(to) {}
  void On(const Ref<Numbers>& to) { to_ = to; }
  Task<absl::StatusOr<Answer>> On(Ask ask) {
    co_return co_await to_.Ask(std::move(ask), absl::Seconds(60));
  }

 private:
  Ref<Numbers> to_;
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_ACTORS_H_
