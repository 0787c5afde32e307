// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/internal/branches.h"

#include "trolley/actors/context.h"

namespace trolley::internal {
namespace {

// How many tasks one timer begins before other work of the loop has its turn.
constexpr int kAtOnce = 64;

}  // namespace

Branches::~Branches() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  Clear();
}

void Branches::Clear() {
  all_.clear();
  begun_ = 0;
  ended_.clear();
}

Task<> Branches::Run(absl::FunctionRef<bool(size_t)> goes_on) {
  for (size_t left = all_.size(); left > 0;) {
    while (!ended_.empty()) {
      const size_t index = ended_.front();
      ended_.pop_front();
      --left;
      if (const std::exception_ptr thrown = all_[index].end->thrown) {
        Clear();
        std::rethrow_exception(thrown);
      }
      if (!goes_on(index)) {
        // mutant: P23_WhatIsNotWantedRunsOn
        Clear();
        co_return;
      }
    }
    if (left > 0) co_await Park(*this);
  }
  Clear();
}

void Branches::Arm() {
  const ActorContext context = *ActorContext::OfThisThread();
  context.SetTimer(*this, context.Now());
}

void Branches::OnTimer() {
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int i = 0; i < kAtOnce && !go_on_.empty(); ++i) {
    go_on_.ResumeOne();
    if (destroyed) return;
  }
  destroyed_ = nullptr;
  if (!go_on_.empty()) Arm();
}

}  // namespace trolley::internal
