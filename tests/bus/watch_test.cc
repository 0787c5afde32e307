// SPDX-License-Identifier: Apache-2.0
//
// P9: the watcher of an actor gets one Down when that actor has ended.

#include "trolley/actors/watch.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

using Kind = ExitReason::Kind;

struct Word {
  int number = 0;
};
struct Fail {};

// Runs in the handler of the actor: run(*actor).
template <typename A>
struct Do {
  std::function<void(A&)> run;
};

class Listener : public Actor {
 public:
  void On(const Do<Listener>& m) { m.run(*this); }
  void On(const Word& m) { words.push_back(m.number); }
  void On(const Down& m) {
    downs.push_back(m);
    words_before_down = words.size();
    if (on_down != nullptr) on_down(m);
  }
  void Begin(const Address& watched) {
    watches.emplace_back(Self(this), watched);
  }
  Ref<Listener> self() const { return Self(this); }
  using Actor::Spawn;

  std::vector<int> words;
  std::vector<Down> downs;
  size_t words_before_down = 0;
  std::function<void(const Down&)> on_down;
  std::vector<Watch> watches;
};

class Mortal : public Actor {
 public:
  explicit Mortal(std::optional<Ref<Listener>> heir = std::nullopt)
      : heir_(std::move(heir)) {}
  void On(const Fail&) { throw std::runtime_error("disk full"); }

 protected:
  void OnStop() override {
    if (!heir_.has_value()) return;
    for (int i = 1; i <= 10; ++i) heir_->Tell(Word{i});
    (void)TellLast(*heir_, Word{11});
  }

 private:
  const std::optional<Ref<Listener>> heir_;
};

class WatchTest : public BusFixture {
 protected:
  ~WatchTest() override { Destroy(); }  // before what the actors refer to

  // Runs `run` in a handler of the listener, and returns when it has run.
  void In(const Ref<Listener>& listener,
          const std::function<void(Listener&)>& run) {
    absl::Notification done;
    listener.Tell(Do<Listener>{[&](Listener& it) {
      run(it);
      done.Notify();
    }});
    Await(done);
  }
};
TROLLEY_FOR_EACH_BUS(WatchTest);

struct End {
  const char* how;
  std::function<void(const Ref<Mortal>&)> end;
  Kind kind;
};

TEST_P(WatchTest, P9_OneDownAfterTheLastMessageWhenTheNameIsFree) {
  Start();
  const End ends[] = {
      {"stopped", [](const Ref<Mortal>& it) { it.Stop(); }, Kind::kStopped},
      {"drained", [](const Ref<Mortal>& it) { it.Stop(true); }, Kind::kDrained},
      {"failed", [](const Ref<Mortal>& it) { it.Tell(Fail{}); }, Kind::kFailed},
  };
  for (const int loop : {0, 1}) {
    for (const End& end : ends) {
      SCOPED_TRACE(absl::StrCat(end.how, " on loop ", loop));
      const Ref<Listener> listener =
          *bus().Spawn<Listener>({.loop = LoopAt(0)});
      const Ref<Mortal> mortal = *bus().Spawn<Mortal>(
          {.name = "mortal", .loop = LoopAt(loop)}, listener);
      absl::Notification down;
      In(listener, [&](Listener& it) {
        it.on_down = [&, me = &it](const Down& m) {
          EXPECT_EQ(m.name, "mortal");
          EXPECT_EQ(m.actor, mortal.address());
          EXPECT_EQ(m.reason.kind, end.kind);
          EXPECT_EQ(m.reason.error.ok(), end.kind != Kind::kFailed);
          const auto next = me->Spawn<Mortal>({.name = "mortal"});
          EXPECT_TRUE(next.ok()) << next.status();
          if (next.ok()) next->Stop();
          down.Notify();
        };
        it.Begin(mortal.address());
      });
      end.end(mortal);
      Await(down);
      Look();
      In(listener, [&](Listener& it) {
        EXPECT_EQ(it.downs.size(), 1u);
        EXPECT_EQ(it.words_before_down, 11u) << "the Down overtook a message";
      });
      listener.Stop();
      Look();
    }
  }
}

TEST_P(WatchTest, P9_AnActorThatHasEndedAndNoActorAreDownToo) {
  Start();
  const Ref<Mortal> mortal =
      *bus().Spawn<Mortal>({.name = "mortal", .loop = LoopAt(1)});
  mortal.Stop();
  absl::Notification ended;
  mortal.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  Await(ended);
  const Ref<Listener> listener = *bus().Spawn<Listener>({.loop = LoopAt(0)});
  absl::Notification both;
  In(listener, [&](Listener& it) {
    it.on_down = [&, me = &it](const Down&) {
      if (me->downs.size() == 2) both.Notify();
    };
    it.Begin(mortal.address());
    it.Begin(Address());
  });
  Await(both);
  In(listener, [&](Listener& it) {
    ASSERT_EQ(it.downs.size(), 2u);
    const bool first = it.downs[0].actor == mortal.address();
    const Down& known = it.downs[first ? 0 : 1];
    const Down& none = it.downs[first ? 1 : 0];
    EXPECT_EQ(known.name, "mortal");
    EXPECT_EQ(known.reason.kind, Kind::kStopped);
    EXPECT_EQ(none.name, "no actor");
    EXPECT_EQ(none.reason.kind, Kind::kUnknown);
  });
}

TEST_P(WatchTest, P9_ActorsThatEndTogetherDo) {
  Start();
  const End ends[] = {
      {"stopped", [](const Ref<Mortal>& it) { it.Stop(); }, Kind::kStopped},
      {"drained", [](const Ref<Mortal>& it) { it.Stop(true); }, Kind::kDrained},
      {"failed", [](const Ref<Mortal>& it) { it.Tell(Fail{}); }, Kind::kFailed},
  };
  const auto one_has_ended = [](const Address& actor) {
    auto ended = std::make_shared<absl::Notification>();
    actor.WhenEnded([ended](const ActorEnd&) { ended->Notify(); });
    return ended;
  };
  for (const bool before : {false, true}) {
    for (const bool swapped : {false, true}) {
      for (const End& end : ends) {
        SCOPED_TRACE(absl::StrCat(end.how, swapped ? ", swapped" : "",
                                  before ? ", before" : ""));
        const auto first = *bus().Spawn<Mortal>({.loop = LoopAt(0)});
        const auto second = *bus().Spawn<Mortal>({.loop = LoopAt(1)});
        const auto ended = one_has_ended(first.address());
        const auto followed = one_has_ended(second.address());
        if (before) {
          end.end(first);
          Await(*ended);
        }
        if (swapped) {
          EndTogether(second.address(), first.address());
        } else {
          EndTogether(first.address(), second.address());
        }
        if (!before) end.end(first);
        Await(*followed);
        Await(*ended);
      }
    }
  }
  const auto alone = *bus().Spawn<Mortal>({});
  const auto ended = one_has_ended(alone.address());
  EndTogether(alone.address(), Address());
  Await(*ended);
}

TEST_P(WatchTest, P9_NoDownComesAfterForget) {
  Start();
  const Ref<Listener> listener = *bus().Spawn<Listener>({.loop = LoopAt(0)});
  const Ref<Mortal> mortal = *bus().Spawn<Mortal>({.loop = LoopAt(1)});
  In(listener, [&](Listener& it) {
    // Its Down is in the mailbox before it is forgotten.
    Watch none(it.self(), Address());
    none.Forget();
    EXPECT_FALSE(none.watched());
    // One that is moved goes on; one that is replaced is forgotten.
    Watch moved(it.self(), mortal.address());
    Watch kept = std::move(moved);
    kept = Watch(it.self(), mortal.address());
    it.watches.push_back(std::move(kept));
    EXPECT_EQ(it.watches.back().watched(), mortal.address());
    const Watch dropped(it.self(), mortal.address());
  });
  absl::Notification down;
  In(listener, [&](Listener& it) {
    EXPECT_TRUE(it.downs.empty());
    it.on_down = [&](const Down&) { down.Notify(); };
  });
  mortal.Stop();
  Await(down);
  Look();
  In(listener, [&](Listener& it) { EXPECT_EQ(it.downs.size(), 1u); });
}

TEST_P(WatchTest, P9_AFullMailboxRefusesNoDown) {
  Start();
  const Ref<Listener> listener =
      *bus().Spawn<Listener>({.loop = LoopAt(0), .mailbox_capacity = 4});
  absl::Notification down;
  In(listener, [&](Listener& it) {
    it.on_down = [&](const Down&) { down.Notify(); };
    while (it.self().Tell(Word{}) == Delivery::kAccepted) {
    }
    it.Begin(Address());
  });
  Await(down);
  Look();
  In(listener, [&](Listener& it) { EXPECT_EQ(it.downs.size(), 1u); });
}

// The watcher ends first: its Watch goes with it, and nothing is sent.
TEST_P(WatchTest, P9_AWatcherThatHasEndedGetsNothing) {
  Start();
  const Ref<Mortal> mortal = *bus().Spawn<Mortal>({.loop = LoopAt(1)});
  const Ref<Listener> listener = *bus().Spawn<Listener>({.loop = LoopAt(0)});
  In(listener, [&](Listener& it) { it.Begin(mortal.address()); });
  listener.Stop();
  absl::Notification gone;
  listener.address().WhenEnded([&](const ActorEnd&) { gone.Notify(); });
  Await(gone);
  const uint64_t before = Look().ledger.attempted;
  mortal.Stop();
  absl::Notification ended;
  mortal.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  Await(ended);
  EXPECT_EQ(Look().ledger.attempted, before);
}

// The watch, the stop and the end race; each actor gives one Down all the same.
TEST_P(WatchTest, P9_WatchesThatRaceWithEndsGiveOneDownEach) {
  Start();
  const uint64_t rounds = GetRunOptions().Scale(500, 200'000);
  const Ref<Listener> listener = *bus().Spawn<Listener>({.loop = LoopAt(0)});
  for (uint64_t i = 0; i < rounds; ++i) {
    const Ref<Mortal> mortal =
        *bus().Spawn<Mortal>({.name = "mortal", .loop = LoopAt(1)});
    absl::Notification down;
    listener.Tell(Do<Listener>{[&](Listener& it) {
      it.watches.clear();
      it.downs.clear();
      it.on_down = [&, me = &it](const Down&) {
        EXPECT_EQ(me->downs.size(), 1u);
        down.Notify();
      };
      it.Begin(mortal.address());
    }});
    mortal.Stop();
    Await(down);
    ASSERT_FALSE(bus().FindAddress("mortal").ok()) << "round " << i;
  }
}

}  // namespace
}  // namespace trolley
