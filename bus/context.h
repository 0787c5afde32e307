// SPDX-License-Identifier: Apache-2.0
//
// Context: what a message carries on behalf of whoever caused it: the W3C trace
// it belongs to and the chain of actors that are waiting for its answer.
//
// Ownership: reference counted, shared by the envelopes that carry it.
// Threads:   immutable after construction; the count is atomic.
// Bounds:    a chain is at most Context::kMaxDepth long; an ask that would make
//            it longer fails.

#ifndef TROLLEY_BUS_CONTEXT_H_
#define TROLLEY_BUS_CONTEXT_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/ref_counted.h"

namespace trolley {

// A span of a distributed trace, as the traceparent header of W3C Trace Context
// (https://www.w3.org/TR/trace-context/).
struct TraceContext {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  uint8_t flags = 0;

  // All-zero ids mean "not traced".
  bool valid() const {
    uint64_t trace[2], span;
    std::memcpy(trace, trace_id.data(), sizeof(trace));
    std::memcpy(&span, span_id.data(), sizeof(span));
    return (trace[0] | trace[1]) != 0 && span != 0;
  }
  // "00-<trace id>-<span id>-<flags>"; empty if not valid.
  std::string ToTraceparent() const;
  // InvalidArgument: not a traceparent of version 00.
  static absl::StatusOr<TraceContext> FromTraceparent(absl::string_view text);

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

class Context : public RefCounted {
 public:
  static constexpr int kMaxDepth = 64;

  // Null means "no trace, nobody waits".
  using Ptr = RefPtr<const Context>;

  // `asker` waits for what this context accompanies; `parent` is what `asker`
  // itself was handling. A context without an asker carries a trace only.
  static Ptr New(const TraceContext& trace, ActorId asker, Ptr parent) {
    return Ptr::Adopt(new Context(trace, asker, std::move(parent)));
  }

  // A root that stands for the actors of other processes that wait, outermost
  // first; bus/ carries their names and no more.
  static Ptr NewForeign(const TraceContext& trace,
                        std::vector<std::string> askers) {
    auto* context = new Context(trace, ActorId(), nullptr);
    context->foreign_askers_ = std::move(askers);
    return Ptr::Adopt(context);
  }

  const TraceContext& trace() const { return trace_; }
  const std::vector<std::string>& foreign_askers() const {
    return foreign_askers_;
  }
  ActorId asker() const { return asker_; }
  const Context* parent() const { return parent_.get(); }
  // How many askers there are from here up.
  int depth() const { return depth_; }

 private:
  friend Ptr;
  Context(const TraceContext& trace, ActorId asker, Ptr parent)
      : trace_(trace),
        asker_(asker),
        parent_(std::move(parent)),
        depth_((parent_ ? parent_->depth_ : 0) + (asker ? 1 : 0)) {}
  ~Context() = default;

  const TraceContext trace_;
  const ActorId asker_;
  const Ptr parent_;
  const int depth_;
  std::vector<std::string> foreign_askers_;  // of a root; set once
};

}  // namespace trolley

#endif  // TROLLEY_BUS_CONTEXT_H_
