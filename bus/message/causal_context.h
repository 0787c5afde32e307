// SPDX-License-Identifier: Apache-2.0
//
// CausalContext: why a message was sent: the W3C trace that it belongs to, and
// the chain of actors that wait for its answer. A message carries it beside its
// payload.
//
// Ownership: reference counted; the envelopes that carry it share it.
// Threads:   immutable after construction; the count is atomic.
// Bounds:    a chain of at most kMaxDepth askers; a longer ask fails.
// Ends:      with the last envelope that carries it.

#ifndef TROLLEY_BUS_MESSAGE_CAUSAL_CONTEXT_H_
#define TROLLEY_BUS_MESSAGE_CAUSAL_CONTEXT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trolley/bus/actor_id.h"
#include "trolley/bus/ref_counted.h"
#include "trolley/bus/trace_context.h"

namespace trolley::internal {

class CausalContext : public RefCounted {
 public:
  static constexpr int kMaxDepth = 64;

  // Null: there is no trace, and no actor waits.
  using Ptr = RefPtr<const CausalContext>;

  // `asker` waits for the answer to the message that carries this. `parent` is
  // the context of the message that `asker` was handling. Without an asker: a
  // trace only.
  static Ptr New(const TraceContext& trace, ActorId asker, Ptr parent) {
    return Ptr::Adopt(new CausalContext(trace, asker, std::move(parent)));
  }

  // The root of a chain whose first askers are in other processes. The bus
  // knows their names only; outermost first.
  static Ptr NewForeign(const TraceContext& trace,
                        std::vector<std::string> askers) {
    auto* context = new CausalContext(trace, ActorId(), nullptr);
    context->foreign_askers_ = std::move(askers);
    return Ptr::Adopt(context);
  }

  const TraceContext& trace() const { return trace_; }
  const std::vector<std::string>& foreign_askers() const {
    return foreign_askers_;
  }
  ActorId asker() const { return asker_; }
  const CausalContext* parent() const { return parent_.get(); }
  // The number of askers in the chain that ends here.
  int depth() const { return depth_; }

 private:
  friend Ptr;
  CausalContext(const TraceContext& trace, ActorId asker, Ptr parent)
      : trace_(trace),
        asker_(asker),
        parent_(std::move(parent)),
        depth_((parent_ ? parent_->depth_ : 0) + (asker ? 1 : 0)) {}
  ~CausalContext() = default;

  const TraceContext trace_;
  const ActorId asker_;
  const Ptr parent_;
  const int depth_;
  std::vector<std::string> foreign_askers_;  // of a root; set once
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_CAUSAL_CONTEXT_H_
