// SPDX-License-Identifier: Apache-2.0
//
// Probe: an actor that stands in for the partner of the actor under test. It
// records what comes, and answers asks as the test says. ProbeOf spawns one and
// is what the test holds. As in a Protocol (actors/protocol.h), a message with
// a reply is written as a function type:
//
//   SimBus sim;
//   ProbeOf<Receipt, int64_t(GetBalance)> probe(sim);
//   probe.WhenAsked<GetBalance>([](const GetBalance&) { return 100; });
//   auto teller = sim.Spawn<Teller>({}, probe.ref());
//   teller.Tell(Withdraw{30});
//   EXPECT_EQ(probe.Expect<Receipt>().cents, 30);
//   probe.ExpectNone();
//
// An actor that can be tested so holds a Ref<Protocol<...>>: probe.ref()
// converts to it.
//
// A message waits in the record until an Expect takes it. An ask is recorded
// like any message, and is answered at once. A message without a reply that is
// asked is answered with OK. An ask of an R(M) without WhenAsked<M> is answered
// with Unimplemented.
//
// Ownership: ProbeOf borrows the SimBus. The actor lives until the SimBus ends
//            or the test stops it; it may outlive its ProbeOf.
// Threads:   one, that of the test.
// Bounds:    memory: the record grows with what comes and is not taken.
// Ends:      the actor as any actor. What is left in the record is dropped.

#ifndef TROLLEY_ACTORS_TESTING_PROBE_H_
#define TROLLEY_ACTORS_TESTING_PROBE_H_

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/probe_entry.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/testing/where.h"

namespace trolley::testing {

template <typename... Entries>
class ProbeOf;

template <typename... Entries>
class Probe : public Actor {
  template <typename M>
  using EntryOf = ProbeEntryOf<M, Entries...>;

 public:
  // Takes each message of the entries, and no other.
  template <typename M>
  requires(kProbeTakes<M, Entries...>) typename EntryOf<M>::Result
      On(M message) {
    constexpr size_t kIndex = EntryOf<M>::kIndex;
    State& state = *state_;
    if constexpr (std::is_void_v<typename EntryOf<M>::Result>) {
      state.Record(kIndex, std::move(message));
    } else {
      // A copy: the function may replace itself.
      const auto answer = std::get<kIndex>(state.answers);
      typename EntryOf<M>::Result result =
          answer != nullptr
              ? answer(message)
              : absl::UnimplementedError(absl::StrCat(
                    "the probe has no WhenAsked<", ProbeTypeName<M>(), ">"));
      state.Record(kIndex, std::move(message));
      return result;
    }
  }

 private:
  friend class ProbeOf<Entries...>;
  enum class Rule { kAllow, kIgnore, kDisallow };
  using Message = std::variant<typename ProbeEntry<Entries>::Message...>;

  struct State {
    std::deque<Message> waiting;  // in the order in which they came
    std::array<Rule, sizeof...(Entries)> rules{};
    std::array<Where, sizeof...(Entries)> ruled_at{};
    std::tuple<typename ProbeEntry<Entries>::Answer...> answers;

    template <typename M>
    void Record(size_t index, M message) {
      if (rules[index] == Rule::kIgnore) return;
      if (rules[index] == Rule::kDisallow) {
        ADD_FAILURE_AT(ruled_at[index].file, ruled_at[index].line)
            << "a message came that is not allowed: "
            << DescribeToProbe(message);
      }
      waiting.emplace_back(std::in_place_type<M>, std::move(message));
    }
  };

 public:
  // ProbeOf spawns it.
  explicit Probe(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
  const std::shared_ptr<State> state_;
};

template <typename... Entries>
class ProbeOf {
  using Target = Probe<Entries...>;
  using Rule = typename Target::Rule;
  template <typename M>
  using EntryOf = ProbeEntryOf<M, Entries...>;

 public:
  explicit ProbeOf(SimBus& sim, const SpawnOptions& options = {})
      : sim_(sim), ref_(sim.Spawn<Target>(options, state_)) {}
  ProbeOf(const ProbeOf&) = delete;
  ProbeOf& operator=(const ProbeOf&) = delete;

  const Ref<Target>& ref() const { return ref_; }
  // How many messages wait in the record.
  size_t waiting() const { return state_->waiting.size(); }

  // Takes the first M in the record, whatever came before it. If there is none,
  // runs the bus until one comes. If none has come `within` that virtual time,
  // the test fails with a list of what waits, and the result is an M(). If M
  // has no default constructor, it throws a std::runtime_error instead.
  template <typename M>
  M Expect(absl::Duration within = absl::Seconds(1),
           Where where = Where::Here()) {
    auto& waiting = state_->waiting;
    const auto find = [&] {
      return std::find_if(waiting.begin(), waiting.end(), [](const auto& m) {
        return std::holds_alternative<M>(m);
      });
    };
    if (find() == waiting.end()) {
      sim_.RunUntil([&] { return find() != waiting.end(); }, within);
    }
    const auto found = find();
    if (found == waiting.end()) return Missing<M>(within, where);
    M message = std::get<M>(std::move(*found));
    waiting.erase(found);
    return message;
  }

  // The same, and the test also fails if another message came before the M.
  // Those others stay in the record.
  template <typename M>
  M ExpectNext(absl::Duration within = absl::Seconds(1),
               Where where = Where::Here()) {
    if (waiting() == 0) {
      sim_.RunUntil([&] { return waiting() > 0; }, within);
    }
    if (waiting() == 0 || !std::holds_alternative<M>(state_->waiting.front())) {
      return Missing<M>(within, where);
    }
    return Expect<M>(within, where);
  }

  // Runs the bus for `length`, and fails the test if a message waits then.
  void ExpectNone(absl::Duration length = absl::ZeroDuration(),
                  Where where = Where::Here()) {
    sim_.RunFor(length);
    if (waiting() == 0) return;
    ADD_FAILURE_AT(where.file, where.line)
        << "expected no message at " << ref_.address().ToString() << "; "
        << Describe();
  }

  // Ignore: from now on an M is not recorded; it is still answered. Disallow:
  // an M fails the test when it comes, at the line that called Disallow. Allow
  // ends both. What is in the record stays there.
  template <typename M>
  void Ignore() {
    state_->rules[EntryOf<M>::kIndex] = Rule::kIgnore;
  }
  template <typename M>
  void Disallow(Where where = Where::Here()) {
    state_->rules[EntryOf<M>::kIndex] = Rule::kDisallow;
    state_->ruled_at[EntryOf<M>::kIndex] = where;
  }
  template <typename M>
  void Allow() {
    state_->rules[EntryOf<M>::kIndex] = Rule::kAllow;
  }

  // From now on the probe answers an M by answer(m): a reply or a status. The
  // loop calls it, so it does not run the bus.
  template <typename M>
  void WhenAsked(typename EntryOf<M>::Answer answer) {
    static_assert(!std::is_void_v<typename EntryOf<M>::Result>,
                  "this message has no reply; name it as Reply(Message) in the "
                  "entries of the probe");
    std::get<EntryOf<M>::kIndex>(state_->answers) = std::move(answer);
  }

 private:
  template <typename M>
  M Missing(absl::Duration within, Where where) {
    const std::string what = absl::StrCat(
        "expected ", ProbeTypeName<M>(), " at ", ref_.address().ToString(),
        " within ", absl::FormatDuration(within), "; ", Describe());
    ADD_FAILURE_AT(where.file, where.line) << what << "; seed " << sim_.seed();
    if constexpr (std::is_default_constructible_v<M>) {
      return M();
    } else {
      throw std::runtime_error(what);
    }
  }

  std::string Describe() const {
    if (waiting() == 0) return "nothing waits";
    std::string text = "these wait:";
    for (const auto& message : state_->waiting) {
      std::visit(
          [&](const auto& m) {
            absl::StrAppend(&text, " ", DescribeToProbe(m));
          },
          message);
    }
    return text;
  }

  SimBus& sim_;
  const std::shared_ptr<typename Target::State> state_ =
      std::make_shared<typename Target::State>();
  const Ref<Target> ref_;
};

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_PROBE_H_
