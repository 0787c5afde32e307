// SPDX-License-Identifier: Apache-2.0
//
// States: entries, exits, and which state takes which message.

#include "trolley/actors/behaviour/states.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/every.h"
#include "trolley/actors/behaviour/stash.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::SimBus;

using Lines = std::vector<std::string>;

struct Connect {};
struct Connected {
  std::unique_ptr<int> session;
};
struct Send {
  int number;
};
struct Lost {};
struct Limit {};

// A connection in three states. What comes too soon is kept.
class Connection : public Actor {
 public:
  explicit Connection(Lines* lines) : lines_(*lines) {}

  void On(const Connect& m) { Count(states_.Handle(m)); }
  void On(Connected m) {
    const bool taken = states_.Handle(std::move(m));
    Count(taken);
    if (!taken && m.session != nullptr) Say("session not moved");
  }
  void On(const Send& m) {
    if (states_.Handle(m)) return;
    EXPECT_TRUE(stash_.Keep(m).ok());
  }
  void On(const Lost& m) { Count(states_.Handle(m)); }
  void On(const Tick<Limit>& m) { Count(states_.Handle(m)); }

 private:
  struct Idle {
    explicit Idle(Connection& c) : owner(c) { owner.Say("+idle"); }
    ~Idle() { owner.Say("-idle"); }
    void On(const Connect&) {
      owner.states_.Become<Connecting>(3);
      // It is still this state until On() has returned.
      owner.Say(owner.states_.is<Idle>() ? "still idle" : "too soon");
    }
    Connection& owner;
  };
  struct Connecting {
    Connecting(Connection& c, int tries) : owner(c), left(tries) {
      owner.Say(absl::StrCat("+connecting ", left));
      EXPECT_TRUE(limit.Start(&owner, {.period = absl::Seconds(5)}).ok());
    }
    ~Connecting() { owner.Say("-connecting"); }
    void On(Connected m) { owner.states_.Become<Up>(std::move(m.session)); }
    void On(const Tick<Limit>&) {
      if (--left == 0) {
        owner.states_.Become<Idle>();
      } else {
        owner.Say("again");
      }
    }
    Connection& owner;
    int left;
    Every<Limit> limit;  // ends with the state
  };
  struct Up {
    Up(Connection& c, std::unique_ptr<int> s)
        : owner(c), session(std::move(s)) {
      owner.Say(absl::StrCat("+up ", *session));
      owner.up_ = true;
      if (*session == 13) owner.states_.Become<Idle>();
      if (*session == 66) throw std::runtime_error("bad session");
    }
    ~Up() { owner.Say("-up"); }
    void On(const Send& m) {
      owner.Say(absl::StrCat("send ", m.number, " on ", *session));
    }
    void On(const Lost&) {
      owner.states_.Become<Connecting>(9);
      owner.states_.Become<Connecting>(1);  // the last one counts
    }
    Connection& owner;
    const std::unique_ptr<int> session;
  };

  void Say(std::string line) { lines_.push_back(std::move(line)); }
  void Count(bool taken) {
    if (!taken) Say("not taken");
    if (std::exchange(up_, false)) stash_.Unstash();
  }

  Lines& lines_;
  bool up_ = false;
  Stash<Send> stash_{this};
  States<Connection, Idle, Connecting, Up> states_{this,
                                                   std::in_place_type<Idle>};
};

class StatesTest : public ::testing::Test {
 protected:
  template <typename... Ms>
  Lines Tell(Ms... messages) {
    lines_.clear();
    (connection_.Tell(std::move(messages)), ...);
    sim_.RunUntilIdle();
    return lines_;
  }
  static Connected Session(int number) {
    return {std::make_unique<int>(number)};
  }

  Lines lines_;
  SimBus sim_;
  Ref<Connection> connection_ = sim_.Spawn<Connection>({}, &lines_);
};

TEST_F(StatesTest, TheExitComesBeforeTheEntryAndAfterTheHandler) {
  EXPECT_EQ(lines_, Lines{"+idle"});
  EXPECT_EQ(Tell(Connect{}), (Lines{"still idle", "-idle", "+connecting 3"}));
}

TEST_F(StatesTest, AStateTakesItsMessagesAndNoOther) {
  EXPECT_EQ(Tell(Lost{}), Lines{"not taken"});
  EXPECT_EQ(Tell(Session(1)), (Lines{"not taken", "session not moved"}));
  Tell(Connect{});
  EXPECT_EQ(Tell(Connect{}), Lines{"not taken"});
  EXPECT_EQ(Tell(Session(7)), (Lines{"-connecting", "+up 7"}));
}

TEST_F(StatesTest, WhatAStateDoesNotTakeMayWaitInAStash) {
  EXPECT_EQ(Tell(Send{1}, Connect{}, Send{2}, Session(7), Send{3}),
            (Lines{"still idle", "-idle", "+connecting 3", "-connecting",
                   "+up 7", "send 1 on 7", "send 2 on 7", "send 3 on 7"}));
}

TEST_F(StatesTest, OfSeveralNextStatesTheLastOneCounts) {
  Tell(Connect{}, Session(7));
  EXPECT_EQ(Tell(Lost{}), (Lines{"-up", "+connecting 1"}));
}

TEST_F(StatesTest, ATimerOfAStateEndsWithIt) {
  Tell(Connect{});
  lines_.clear();
  sim_.RunFor(absl::Seconds(100));
  EXPECT_EQ(lines_, (Lines{"again", "again", "-connecting", "+idle"}));
  EXPECT_TRUE(sim_.bus().NextTimer().is_infinite());
}

TEST_F(StatesTest, AStateMayGoOnToTheNextInItsConstructor) {
  Tell(Connect{});
  EXPECT_EQ(Tell(Session(13)),
            (Lines{"-connecting", "+up 13", "-up", "+idle"}));
}

TEST_F(StatesTest, AThrowOfAnEntryEndsTheActor) {
  Tell(Connect{});
  EXPECT_EQ(Tell(Session(66)), (Lines{"-connecting", "+up 66"}));
  EXPECT_EQ(sim_.bus().CountActors(), 0u);
}

TEST_F(StatesTest, TheEndOfTheActorIsAnExit) {
  Tell(Connect{});
  lines_.clear();
  connection_.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(lines_, Lines{"-connecting"});
}

// Outside of a Handle() the state changes at once.
class Switch : public Actor {
 public:
  explicit Switch(Lines* lines) : lines_(*lines) {}
  void OnStart() override {
    states_.Become<On_>();
    lines_.push_back(states_.is<On_>() ? "on" : "off");
    lines_.push_back(states_.Get<Off>() == nullptr ? "not off" : "off");
  }

 private:
  struct Off {
    Switch& owner;
  };
  struct On_ {
    Switch& owner;
  };
  Lines& lines_;
  States<Switch, Off, On_> states_{this, std::in_place_type<Off>};
};

TEST(StatesOutsideTest, OutsideOfAHandlerTheStateChangesAtOnce) {
  Lines lines;
  SimBus sim;
  sim.Spawn<Switch>({}, &lines);
  sim.RunUntilIdle();
  EXPECT_EQ(lines, (Lines{"on", "not off"}));
}

}  // namespace
}  // namespace trolley
