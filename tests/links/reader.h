// SPDX-License-Identifier: Apache-2.0
//
// Reader: subscribes to the topics of another process, and counts.

#ifndef TROLLEY_TESTS_LINKS_READER_H_
#define TROLLEY_TESTS_LINKS_READER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/tests/links/actors.h"

namespace trolley::links_test {

struct Read {
  uint64_t published = 0;
  uint64_t missed = 0;  // the sum of the gaps, without those of unknown size
  uint64_t gaps = 0;
  uint64_t unknown = 0;  // gaps of unknown size
  // Publications whose value is not that of the one before, plus the gap.
  uint64_t out_of_place = 0;
  std::string last_name;
};
struct GetRead {};
struct ForgetRead {};
struct CloseReader {};

class Reader : public Actor {
 public:
  void On(const Published<Put>& m) {
    ++read_.published;
    read_.last_name = m.name;
    if (knows_last_ && m.value.value() != last_ + 1) ++read_.out_of_place;
    knows_last_ = true;
    last_ = m.value.value();
  }
  void On(const Gap& gap) {
    if (gap.missed == Gap::kUnknown) {
      ++read_.unknown;
      knows_last_ = false;
      return;
    }
    ++read_.gaps;
    read_.missed += gap.missed;
    last_ += gap.missed;
  }
  Read On(const GetRead&) { return read_; }
  void On(const ForgetRead&) {
    read_ = Read();
    knows_last_ = true;
    last_ = 0;
  }
  // Handles nothing until it is told to Open, by its door.
  Task<> On(const CloseReader&) { co_await open_.Wait(); }

 protected:
  void OnStart() override {
    Spawn<Door>({.name = absl::StrCat(address().ToString(), ".door")}, open_)
        .IgnoreError();
  }

 private:
  Latch open_;
  Read read_;
  uint64_t last_ = 0;
  bool knows_last_ = true;
};

// Publishes the numbers 1, 2, 3... as "n.x" for as long as it runs.
class Publisher : public Actor {
 public:
  explicit Publisher(Topics topics) : topics_(std::move(topics)) {}

 protected:
  void OnStart() override { RunInBackground(Publish()); }

 private:
  Task<absl::Status> Publish() {
    for (uint64_t i = 1;; ++i) {
      topics_.Publish<Put>("n.x", PutOf(i)).IgnoreError();
      if (i % 10 == 0) co_await Sleep(absl::Milliseconds(1));
    }
  }

  const Topics topics_;
};

// Of another type.
class Other : public Actor {
 public:
  void On(const Published<Answer>&) {}
  void On(const Gap&) {}
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_READER_H_
