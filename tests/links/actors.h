// SPDX-License-Identifier: Apache-2.0
//
// Actors that tests of links talk to, in this process or in another.

#ifndef TROLLEY_TESTS_LINKS_ACTORS_H_
#define TROLLEY_TESTS_LINKS_ACTORS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/remote.h"
#include "trolley/actors/signal.h"
#include "trolley/tests/links/links_test.pb.h"

namespace trolley::links_test {

using Numbers = Protocol<Put, Answer(Ask)>;

struct Seen {
  uint64_t count = 0;
  uint64_t out_of_order = 0;
  uint64_t last = 0;
};
struct GetSeen {};
struct Open {};

// Checks that what it is told counts 1, 2, 3...
class Sink : public Actor {
 public:
  using Receives = Messages<Put, Ask>;

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

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_ACTORS_H_
