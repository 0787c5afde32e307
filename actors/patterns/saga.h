// SPDX-License-Identifier: Apache-2.0
//
// Saga: several steps with different partners, of which either all hold or all
// are undone. Each step has a compensation, which undoes it.
//
//   class Travel : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     Task<absl::Status> On(Book m) {
//       absl::StatusOr<Saga> saga = sagas_.Begin(m.id);
//       if (!saga.ok()) co_return saga.status();
//       const auto room = [&] { return hotel_.Ask(Reserve{m.id}, kTimeout); };
//       const auto no_room = [this, id = m.id] {
//         return hotel_.Ask(Release{id}, kTimeout);
//       };
//       absl::Status done = co_await saga->Step("room", room, no_room);
//       if (!done.ok()) co_return done;   // undone in the background
//       const auto seat = [&] { return rail_.Ask(Reserve{m.id}, kTimeout); };
//       const auto no_seat = [this, id = m.id] {
//         return rail_.Ask(Release{id}, kTimeout);
//       };
//       done = co_await saga->Step("seat", seat, no_seat);
//       if (!done.ok()) co_return co_await saga->Undo(done);   // undone by now
//       co_return saga->Commit();
//     }
//     void OnStop() { Keep(sagas_.Unfinished()); }
//    private:
//     Sagas sagas_{
//         [this](Task<absl::Status> t) { RunInBackground(std::move(t)); }};
//   };
//
//   what happens                      the steps are undone
//   Commit()                          never
//   Undo()                            now; it resolves when that is over
//   the Saga is destroyed before:     soon, in the background
//   a return, a throw, the handler
//   was cancelled
//   the actor ends                    no more: see Unfinished()
//
// A step that was begun is undone, whatever came of it: after an error such as
// DeadlineExceeded it may hold all the same. So a compensation
// - does nothing if its step does not hold;
// - may be called again, for it is tried again after an error;
// - outlives the handler: what it uses is a copy, as `id` above.
// Compensations run in a background task of the actor, the latest step first,
// one after the other, each with the retries of SagaOptions::undo. One that
// fails for good is logged and named in SagaEnd, and the others go on.
//
// Ownership: Sagas is a member of an actor; it must outlive its Sagas, which
//            are locals of handlers. It keeps the compensations.
// Threads:   loop thread only.
// Bounds:    SagaOptions::sagas and steps.
// Ends:      with its actor. Unfinished() in OnStop() says what still holds.
//            Tell it to an actor that lives on, or write it down: a restarted
//            actor knows nothing of it.

#ifndef TROLLEY_ACTORS_PATTERNS_SAGA_H_
#define TROLLEY_ACTORS_PATTERNS_SAGA_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/saga_record.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/saga_options.h"
#include "trolley/actors/task.h"

namespace trolley {

class Sagas;

// One saga under way. Movable; a moved-from one is empty.
class [[nodiscard]] Saga {
 public:
  Saga(Saga&& other) noexcept = default;
  Saga& operator=(Saga&&) = delete;
  ~Saga();

  // Keeps undo(), calls work(), and awaits what it returns: a Task, an ask or
  // the like, that resolves to an absl::Status or an absl::StatusOr. undo()
  // returns the like. Errors: those of `work`. In these cases neither is kept
  // or called:
  //   ResourceExhausted   SagaOptions::steps
  //   FailedPrecondition  a step has failed, or the saga has ended
  // Steps may run at the same time, as in a WhenAll().
  template <typename F, typename U>
  Task<internal::WorkResult<F>> Step(std::string name, F&& work, U&& undo) {
    internal::CheckTemporaries<F, U>();
    return RunStep<std::decay_t<F>, std::decay_t<U>>(
        std::move(name), std::forward<F>(work), std::forward<U>(undo));
  }

  // All steps hold from now on. FailedPrecondition: a step has failed, or the
  // saga has ended; nothing happens.
  absl::Status Commit();

  // Undoes all steps that were begun, and resolves when that is over: to `why`
  // if all are undone. Otherwise to an error with the code of `why`, whose text
  // names a step that is not. `why` is an error. If the awaiting coroutine is
  // destroyed, the undoing goes on. FailedPrecondition: the saga has ended.
  Task<absl::Status> Undo(absl::Status why);

 private:
  friend class Sagas;
  using RecordPtr = std::shared_ptr<internal::SagaRecord>;
  Saga(Sagas& sagas, RecordPtr record)
      : sagas_(&sagas), record_(std::move(record)) {}

  template <typename F, typename U>
  Task<internal::WorkResult<F>> RunStep(std::string name, F work, U undo) {
    using R = internal::WorkResult<F>;
    static_assert(
        internal::kIsStatus<R> && internal::kIsStatus<internal::WorkResult<U>>,
        "a step and its compensation resolve to an absl::Status or "
        "StatusOr");
    const RecordPtr record = record_;
    if (absl::Status status = MayBegin(); !status.ok()) co_return status;
    // mutant: P23_AStepThatWasBegunIsNotUndone
    record->steps.emplace_back(std::move(name), std::move(undo));
    auto operation = work();
    R result = co_await internal::AwaitNamed(operation);
    if (!result.ok()) record->failed = true;
    co_return result;
  }
  absl::Status MayBegin() const;

  Sagas* sagas_;
  RecordPtr record_;  // null: it has ended
};

class Sagas {
 public:
  using RunInBackground = std::function<void(Task<absl::Status>)>;

  // `run` starts a background task of the actor.
  explicit Sagas(RunInBackground run, SagaOptions options = {});
  Sagas(const Sagas&) = delete;
  Sagas& operator=(const Sagas&) = delete;

  // Begins a saga. `id` names it, for SagaEnd and UnfinishedSaga.
  //   ResourceExhausted  SagaOptions::sagas
  //   InvalidArgument    the options are not valid
  absl::StatusOr<Saga> Begin(absl::string_view id);

  // The sagas under way and those that are being undone. In OnStop(): what
  // still holds and is undone no more.
  std::vector<UnfinishedSaga> Unfinished() const;
  const SagaStats& stats() const { return stats_; }

 private:
  friend class Saga;
  using RecordPtr = std::shared_ptr<internal::SagaRecord>;

  void Committed(const RecordPtr& record);
  void BeginUndo(const RecordPtr& record);
  Task<absl::Status> UndoAll(RecordPtr record);
  void Remove(const RecordPtr& record);

  const RunInBackground run_;
  const SagaOptions options_;
  const absl::Status valid_;
  Retry undo_;
  std::list<RecordPtr> records_;  // the oldest first
  SagaStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_SAGA_H_
