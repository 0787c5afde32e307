// SPDX-License-Identifier: Apache-2.0
//
// States: the states of an actor as types. A state is an object with an On()
// for each message that it takes. It has the data that only this state needs;
// its constructor is the entry, and its destructor the exit.
//
//   class Door : public trolley::Actor {
//    public:
//     void On(const Open& m) { states_.Handle(m); }
//     void On(const Shut& m) { states_.Handle(m); }
//     void On(const trolley::Tick<Limit>& m) { states_.Handle(m); }
//    private:
//     struct Closed {
//       Door& door;
//       void On(const Open&) { door.states_.Become<Opened>(); }
//     };
//     struct Opened {
//       explicit Opened(Door& d) : door(d) {
//         limit.Start(&door, {.period = absl::Seconds(30)}).IgnoreError();
//       }
//       void On(const Shut&) { door.states_.Become<Closed>(); }
//       void On(const trolley::Tick<Limit>&) { door.Ring(); }
//       Door& door;
//       trolley::Every<Limit> limit;   // ends with the state
//     };
//     trolley::States<Door, Closed, Opened> states_{
//         this, std::in_place_type<Closed>};
//   };
//
// Handle() says whether the state took the message. If not, the actor keeps it
// (actors/behaviour/stash.h), refuses it or forgets it. So a late tick of a
// state that has gone does no harm.
//
// Plain actors need none of this. For states without data of their own, an enum
// and an `if` are shorter.
//
// Ownership: a member of the actor; it owns the state. It cannot be moved.
// Threads:   loop thread only. The constructor of the first state runs in that
//            of the actor, so it uses no context(); OnStart() may Become<>().
// Bounds:    one state, and the arguments of the next one.
// Ends:      with the actor. Its last state uses no member that is declared
//            after the States.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_STATES_H_
#define TROLLEY_ACTORS_BEHAVIOUR_STATES_H_

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

template <typename A, typename... Ss>
class States {
 public:
  // Begins with the state S(*owner, args...). `owner` is the actor that this is
  // a member of.
  template <typename S, typename... Args>
  States(A* owner, std::in_place_type_t<S> first, Args&&... args)
      : owner_(*owner), state_(first, *owner, std::forward<Args>(args)...) {
    --inside_;
    Change();
  }
  States(const States&) = delete;
  States& operator=(const States&) = delete;

  // Calls On(message) of the state. False: the state has no such On(), and
  // `message` has not been moved from.
  template <typename M>
  bool Handle(M&& message) {
    const bool taken = Within([&] {
      return std::visit(
          [&](auto& state) {
            if constexpr (requires { state.On(std::forward<M>(message)); }) {
              state.On(std::forward<M>(message));
              return true;
            } else {
              // mutant: P2_AMessageThatAStateDoesNotTakeIsGone
              return false;
            }
          },
          state_);
    });
    // mutant: P1_AStateChangesWithTheNextMessage
    if (inside_ == 0) Change();
    return taken;
  }

  // The next state is S(owner, args...). The arguments are copied, or moved, as
  // by std::thread. In an On() of a state, and in its constructor, the state
  // changes when that has returned; otherwise in this call. The old state is
  // destroyed first. Of several calls before the change the last one counts. If
  // the constructor of S throws, the actor has no state, and Handle() throws.
  // An exception of On() leaves the state as it is.
  template <typename S, typename... Args>
  void Become(Args&&... args) {
    static_assert((std::is_same_v<S, Ss> || ...),
                  "this state is not one of the States");
    next_ = [this, args = std::tuple<std::decay_t<Args>...>(
                       std::forward<Args>(args)...)]() mutable {
      std::apply(
          [this](auto&... arg) {
            state_.template emplace<S>(owner_, std::move(arg)...);
          },
          args);
    };
    if (inside_ == 0) Change();
  }

  // The state, if it is an S; otherwise null. Valid until the state changes.
  template <typename S>
  S* Get() {
    return std::get_if<S>(&state_);
  }
  template <typename S>
  bool is() const {
    return std::holds_alternative<S>(state_);
  }

 private:
  // Calls run(), which is code of a state.
  template <typename F>
  auto Within(F run) {
    ++inside_;
    const struct AtEnd {
      int& inside;
      ~AtEnd() { --inside; }
    } at_end{inside_};
    return run();
  }
  void Change() {
    while (next_ != nullptr) Within(std::exchange(next_, nullptr));
  }

  A& owner_;
  int inside_ = 1;  // calls of On() and of constructors that have not returned
  absl::AnyInvocable<void()> next_;  // changes the state; null: it stays
  std::variant<Ss...> state_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_STATES_H_
