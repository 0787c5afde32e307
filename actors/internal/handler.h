// SPDX-License-Identifier: Apache-2.0
//
// Handler<A, M>: makes the MessageOps of a message of type M to an actor of
// class A: how On() is called, what it replies, and whether its result counts
// as handled or failed. The compiler resolves it where the message is sent; at
// run time a delivery is one indirect call.
//
// Ownership: static; the payload belongs to its envelope.
// Threads:   the functions run on the actor's loop.

#ifndef TROLLEY_ACTORS_INTERNAL_HANDLER_H_
#define TROLLEY_ACTORS_INTERNAL_HANDLER_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/internal/message_of.h"
#include "trolley/actors/internal/payload_guard.h"
#include "trolley/actors/internal/type_name.h"
#include "trolley/actors/maybe_task.h"
#include "trolley/actors/task.h"
#include "trolley/bus/mailbox/suspended_handler.h"
#include "trolley/bus/message/envelope.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

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

// A class, so that A::On is looked up only when M is known: there may be a Ref
// to an actor without any On().
template <typename A, typename M>
struct RawResultOf {
  static_assert(sizeof(ActorHandles<A, M>) > 0);
  using Type = decltype(std::declval<A&>().On(std::declval<M>()));
};
template <typename A, typename M>
using RawResult = typename RawResultOf<A, M>::Type;

// The result of A's handler of M: R, for On() that returns R or Task<R>.
template <typename A, typename M>
using HandlerResult = typename TaskResult<RawResult<A, M>>::Type;

// What an ask with M resolves to: absl::Status or absl::StatusOr<R>.
template <typename A, typename M>
using Reply = typename ReplyFor<HandlerResult<A, M>>::Type;

// True: messages to an A leave the process (bus/mailbox/actor_class.h).
template <typename A>
inline constexpr bool kLeadsOverALink = requires {
  A::kLeadsOverALink;
};

// The form of a reply for an asker in the same process.
struct TypedReply {
  template <typename A, typename M>
  using Stored = Reply<A, M>;
  template <typename A, typename M, typename R>
  static Stored<A, M> Convert(R&& result) {
    return std::forward<R>(result);
  }
};

// The form of a reply that a Protocol names: the result of the handler, or only
// its status.
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
inline constexpr MessageOps kReplyMessage = {
    .deliver = nullptr,
    .drop = &DropAs<Stored>,
    .answer = nullptr,
    .name = &TypeName<Stored>,
};

// MessageOps::count of an M.
template <typename M>
inline constexpr MessageOps::Count kCountOf = nullptr;
template <typename M>
requires kCountsBytes<M>
inline constexpr MessageOps::Count kCountOf<M> = [](Envelope* e) {
  return MessageOps::Counted{.lease = e->lease<M>(),
                             .bytes = MessageBytes(e->payload<M>())};
};

// One MessageOps for each actor class, message type and form of reply.
template <typename A, typename M, typename ReplyForm = TypedReply>
class Handler {
 public:
  using Result = HandlerResult<A, M>;
  using Stored = typename ReplyForm::template Stored<A, M>;
  static constexpr bool kIsTask = TaskResult<RawResult<A, M>>::kIsTask;

  // MessageOps::deliver.
  static Outcome Deliver(MessageTarget& target, Envelope* e,
                         HandlerCoroutine*& coroutine) {
    A& actor = static_cast<A&>(target);
    PayloadGuard<M> payload(e);
    if constexpr (kIsTask) {
      auto result = actor.On(std::move(e->payload<M>()));
      if constexpr (requires { result.now(); }) {
        if (result.now() != nullptr) {
          payload.Drop();
          return FinishMessage(e, std::move(*result.now()));
        }
      }
      auto frame = result.Release();
      payload.Release();  // Finish() destroys it
      SuspendedHandler& handler = frame.promise().BeginHandler(frame);
      handler.envelope = e;
      handler.finish = &Finish;
      coroutine = &handler;
      return Outcome::kCoroutine;
    } else if constexpr (std::is_void_v<Result>) {
      // mutant: P2_AMessageIsHandledTwice
      actor.On(std::move(e->payload<M>()));
      payload.Drop();
      return FinishMessage(e);
    } else {
      Result result = actor.On(std::move(e->payload<M>()));
      payload.Drop();
      return FinishMessage(e, std::move(result));
    }
  }

  // SuspendedHandler::finish for coroutine handlers.
  static Outcome Finish(SuspendedHandler* handler, Envelope* e) {
    if constexpr (std::is_void_v<Result>) {
      TakeResult(handler->frame, e);
      return FinishMessage(e);
    } else {
      return FinishMessage(e, TakeResult(handler->frame, e));
    }
  }

  static void Answer(Envelope* e, absl::Status error) {
    Put(e, [&] { return Stored(std::move(error)); });
  }

  static constexpr MessageOps kOps = {
      .deliver = &Deliver,
      .drop = &DropAs<M>,
      .answer = &Answer,
      .name = &TypeName<M>,
      .count = kCountOf<M>,
      .leads_over_a_link = kLeadsOverALink<A>,
      .urgent = kIsUrgent<M>,
  };

 private:
  // Destroys the frame first, then the message: the frame may refer to it.
  static Result TakeResult(std::coroutine_handle<> frame, Envelope* e) {
    PayloadGuard<M> payload(e);
    FrameOwner owner(frame);
    return std::coroutine_handle<TaskPromise<Result>>::from_address(
               frame.address())
        .promise()
        .Result();
  }

  // Builds the reply make() in the envelope.
  template <typename Make>
  static void Put(Envelope* e, Make make) {
    e->EmplaceResult<Stored>(make);
    e->ops = &kReplyMessage<Stored>;
    e->flags |= Envelope::kIsReply;
  }

  static Outcome FinishMessage(Envelope* e) {
    if (e->is_ask()) {
      Put(e,
          [] { return ReplyForm::template Convert<A, M>(absl::OkStatus()); });
    }
    return Outcome::kHandled;
  }

  template <typename R>
  static Outcome FinishMessage(Envelope* e, R&& result) {
    const bool ok = ReplyFor<Result>::Ok(result);
    if (e->is_ask()) {
      Put(e,
          [&] { return ReplyForm::template Convert<A, M>(std::move(result)); });
    }
    return ok ? Outcome::kHandled : Outcome::kFailed;
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_HANDLER_H_
