// SPDX-License-Identifier: Apache-2.0
//
// AskUntil: waits for a state of another thread that has no event, such as a
// count in the LinkStats of a link.
//
//   AskUntil([&] { return StatsOf(link); },
//            [](const LinkStats& s) { return s.received == 3; });
//
// `ask` must wait for that thread itself: a message to an actor of its loop, or
// a call to its service. So this thread sleeps between two looks, and the other
// one works. Where an event exists, wait for the event instead: a Notification,
// or Address::WhenEnded.
//
// Any thread. Bounds: none; the time limit of the test is its clock.

#ifndef TROLLEY_TESTS_BUS_ASK_UNTIL_H_
#define TROLLEY_TESTS_BUS_ASK_UNTIL_H_

namespace trolley {

// The first answer that `done` accepts.
template <typename Ask, typename Done>
auto AskUntil(Ask ask, Done done) {
  auto answer = ask();
  while (!done(answer)) answer = ask();
  return answer;
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_ASK_UNTIL_H_
