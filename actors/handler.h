// SPDX-License-Identifier: Apache-2.0
//
// How an On() overload becomes a MessageType: what it replies, how it is
// called, and what its result means for the ledger. Everything here is resolved
// at the send site; at run time it is one indirect call.
//
// Inside actors/ only; users meet it in the compiler's errors.

#ifndef TROLLEY_ACTORS_HANDLER_H_
#define TROLLEY_ACTORS_HANDLER_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/maybe_task.h"
#include "trolley/actors/message_of.h"
#include "trolley/actors/payload_owner.h"
#include "trolley/actors/task.h"
#include "trolley/actors/type_name.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

namespace internal {

template <typename T>
struct TaskResult {
  using Type = T;
  static constexpr bool kIsTask = false;
};
template <typename T>
struct TaskResult<Task<T>> {
  using Type = T;
  static constexpr bool kIsTask = true;
};
template <typename T>
struct TaskResult<MaybeTask<T>> : TaskResult<Task<T>> {};

// What an ask resolves to, for a handler that returns R.
template <typename R>
struct ReplyFor {
  using Type = absl::StatusOr<R>;
  static bool Ok(const R&) { return true; }
};
template <>
struct ReplyFor<void> {
  using Type = absl::Status;
};
template <>
struct ReplyFor<absl::Status> {
  using Type = absl::Status;
  static bool Ok(const absl::Status& status) { return status.ok(); }
};
template <typename T>
struct ReplyFor<absl::StatusOr<T>> {
  using Type = absl::StatusOr<T>;
  static bool Ok(const absl::StatusOr<T>& result) { return result.ok(); }
};

// A class, looked at when M is known and not before: an actor without any On()
// may have a Ref.
template <typename A, typename M>
struct RawResultOf {
  static_assert(sizeof(ActorHandles<A, M>) > 0);
  using Type = decltype(std::declval<A&>().On(std::declval<M>()));
};
template <typename A, typename M>
using RawResult = typename RawResultOf<A, M>::Type;

}  // namespace internal

// What the handler of M in A comes to: R of On() or of its Task<R>.
template <typename A, typename M>
using HandlerResult =
    typename internal::TaskResult<internal::RawResult<A, M>>::Type;

// What an ask with M resolves to: absl::Status or absl::StatusOr<R>.
template <typename A, typename M>
using Reply = typename internal::ReplyFor<HandlerResult<A, M>>::Type;

namespace internal {

// Whether what A is told leaves the process (bus/actor_class.h).
template <typename A>
inline constexpr bool kLeadsOverALink = requires {
  A::kLeadsOverALink;
};

// The reply as the asker in the same process gets it.
struct TypedReply {
  template <typename A, typename M>
  using Stored = Reply<A, M>;
  template <typename A, typename M, typename R>
  static Stored<A, M> Convert(R&& result) {
    return std::forward<R>(result);
  }
};

// The reply as a protocol promises it: the handler's own, or just whether it
// went well.
template <typename R>
struct FixedReply {
  template <typename A, typename M>
  using Stored = R;
  template <typename A, typename M, typename T>
  static R Convert(T&& result) {
    if constexpr (std::is_constructible_v<R, T&&>) {
      return R(std::forward<T>(result));
    } else if constexpr (requires { result.status(); }) {
      return result.status();
    } else {
      return absl::OkStatus();
    }
  }
};

template <typename Stored>
inline constexpr MessageType kReplyMessage = {
    .deliver = nullptr,
    .drop = &DropAs<Stored>,
    .answer = nullptr,
    .name = &TypeName<Stored>,
};

// One MessageType for each actor class, message type and form of reply.
template <typename A, typename M, typename ReplyForm = TypedReply>
class Handler {
 public:
  using Result = HandlerResult<A, M>;
  using Stored = typename ReplyForm::template Stored<A, M>;
  static constexpr bool kIsTask = TaskResult<RawResult<A, M>>::kIsTask;

  static Outcome Deliver(ActorBase& base, Envelope* e, Loop& loop) {
    A& actor = static_cast<A&>(base);
    PayloadOwner<M> payload(e);
    if constexpr (kIsTask) {
      auto result = actor.On(std::move(e->payload<M>()));
      if constexpr (requires { result.now(); }) {
        if (result.now() != nullptr) {
          payload.Drop();
          return Conclude(e, std::move(*result.now()));
        }
      }
      auto frame = result.Release();
      payload.Release();  // Finish drops it
      SuspendedHandler& handler = frame.promise().BeginHandler(frame);
      handler.envelope = e;
      handler.finish = &Finish;
      loop.set_handler(&handler);
      handler.Run(frame);
      loop.set_handler(nullptr);
      if (frame.done()) return Finish(&handler, e);
      loop.Suspend(*loop.turn().cell, handler);
      return Outcome::kSuspended;
    } else if constexpr (std::is_void_v<Result>) {
      actor.On(std::move(e->payload<M>()));
      payload.Drop();
      return Conclude(e);
    } else {
      Result result = actor.On(std::move(e->payload<M>()));
      payload.Drop();
      return Conclude(e, std::move(result));
    }
  }

  // SuspendedHandler::finish for coroutine handlers.
  static Outcome Finish(SuspendedHandler* handler, Envelope* e) {
    if constexpr (std::is_void_v<Result>) {
      TakeResult(handler->frame, e);
      return Conclude(e);
    } else {
      return Conclude(e, TakeResult(handler->frame, e));
    }
  }

  static void Answer(Envelope* e, absl::Status error) {
    Put(e, [&] { return Stored(std::move(error)); });
  }

  static constexpr MessageType kType = {
      .deliver = &Deliver,
      .drop = &DropAs<M>,
      .answer = &Answer,
      .name = &TypeName<M>,
      .leads_over_a_link = kLeadsOverALink<A>,
  };

 private:
  // The frame goes, and then the message, which it may refer to.
  static Result TakeResult(std::coroutine_handle<> frame, Envelope* e) {
    PayloadOwner<M> payload(e);
    FrameOwner owner(frame);
    return std::coroutine_handle<TaskPromise<Result>>::from_address(
               frame.address())
        .promise()
        .Result();
  }

  // make() is the reply; it is made where it travels.
  template <typename Make>
  static void Put(Envelope* e, Make make) {
    e->EmplaceResult<Stored>(make);
    e->type = &kReplyMessage<Stored>;
    e->marks |= Envelope::kIsReply;
  }

  static Outcome Conclude(Envelope* e) {
    if (e->is_ask()) {
      Put(e,
          [] { return ReplyForm::template Convert<A, M>(absl::OkStatus()); });
    }
    return Outcome::kHandled;
  }

  template <typename R>
  static Outcome Conclude(Envelope* e, R&& result) {
    const bool ok = ReplyFor<Result>::Ok(result);
    if (e->is_ask()) {
      Put(e,
          [&] { return ReplyForm::template Convert<A, M>(std::move(result)); });
    }
    return ok ? Outcome::kHandled : Outcome::kFailed;
  }
};

}  // namespace internal
}  // namespace trolley

#endif  // TROLLEY_ACTORS_HANDLER_H_
