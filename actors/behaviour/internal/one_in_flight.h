// SPDX-License-Identifier: Apache-2.0
//
// OneInFlight: lets a helper have at most one message in the mailbox of its
// actor. The message carries the token; the token goes when the message has
// been handled, or was dropped.
//
//   if (one_.is_free()) ActorVerbs::TellSoon(owner, Tick{..., one_.Take()});
//
// Ownership: a member of the helper. The token shares its state and may outlive
//            it.
// Threads:   loop thread only; the token, too.
// Bounds:    one token at a time.
// Ends:      with the helper. A token that goes later has no effect.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ONE_IN_FLIGHT_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ONE_IN_FLIGHT_H_

#include <cassert>
#include <memory>
#include <optional>
#include <utility>

#include "trolley/actors/context.h"
#include "trolley/bus/timer.h"

namespace trolley::internal {

class OneInFlight {
  struct State {
    bool taken = false;
    Timer* told = nullptr;  // fires when the token has gone; null: none
    std::optional<ActorContext> context;  // that of `told`
  };

 public:
  class Token {
   public:
    Token() = default;
    Token(Token&&) noexcept = default;
    Token& operator=(Token&& other) noexcept {
      Release();
      state_ = std::move(other.state_);
      return *this;
    }
    ~Token() { Release(); }

   private:
    friend class OneInFlight;
    explicit Token(std::shared_ptr<State> state) : state_(std::move(state)) {}

    void Release() {
      if (state_ == nullptr) return;
      const std::shared_ptr<State> state = std::move(state_);
      state->taken = false;
      if (state->told != nullptr) {
        state->context->SetTimer(*state->told, state->context->Now());
      }
    }

    std::shared_ptr<State> state_;
  };

  OneInFlight() = default;
  OneInFlight(const OneInFlight&) = delete;
  OneInFlight& operator=(const OneInFlight&) = delete;
  ~OneInFlight() { state_->told = nullptr; }

  // `told` fires soon after each token has gone. It outlives this.
  void TellWhenFree(ActorContext context, Timer& told) {
    state_->context = context;
    state_->told = &told;
  }

  bool is_free() const { return !state_->taken; }
  // Only if it is free.
  Token Take() {
    assert(is_free() && "there is a token already");
    // mutant: P6_TicksPileUpInTheMailbox
    state_->taken = true;
    return Token(state_);
  }

 private:
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ONE_IN_FLIGHT_H_
