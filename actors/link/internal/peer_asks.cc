// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/peer_asks.h"

#include <algorithm>
#include <utility>

#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/message_head.h"

namespace trolley::internal {
namespace {

// Between two looks: twice as long each time.
constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(100);

}  // namespace

// Keeps a Taken in the list while it lives, and the ask in the count.
class PeerAsks::Listed {
 public:
  Listed(PeerAsks& asks, Taken& taken) : asks_(asks), taken_(taken) {
    asks_.taken_.insert(&taken_);
    asks_.by_id_.try_emplace(taken_.ask_id, &taken_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() {
    asks_.taken_.erase(&taken_);
    const auto named = asks_.by_id_.find(taken_.ask_id);
    if (named != asks_.by_id_.end() && named->second == &taken_) {
      asks_.by_id_.erase(named);
    }
    asks_.Drop();
  }

 private:
  PeerAsks& asks_;
  Taken& taken_;
};

void PeerAsks::AnswerLater(uint64_t ask_id, std::unique_ptr<WireAsk> ask) {
  state_.RunInBackground(Answer(ask_id, std::move(ask)));
}

void PeerAsks::AnswerWhen(uint64_t ask_id, Look look, Instant deadline) {
  state_.RunInBackground(Await(ask_id, std::move(look), deadline));
}

void PeerAsks::FailLater(uint64_t ask_id, absl::Status error) {
  state_.RunInBackground(Fail(ask_id, std::move(error)));
}

Task<absl::Status> PeerAsks::Answer(uint64_t ask_id,
                                    std::unique_ptr<WireAsk> ask) {
  Taken taken;
  taken.ask_id = ask_id;
  taken.ask = ask.get();
  const Listed listed(*this, taken);
  AskAwaiter<WireAsk::Result>& reply = ask->reply();
  absl::StatusOr<WireMessage> result = co_await reply;
  // mutant: P14_AnswersPileUp
  if (!taken.forgotten && !state_.connection->HasRoom()) {
    co_await WaitForRoom(taken);
  }
  if (!taken.forgotten) AnswerNow(ask_id, std::move(result));
  co_return absl::OkStatus();
}

// As Names (actors/behaviour/names.h).
Task<absl::Status> PeerAsks::Await(uint64_t ask_id, Look look,
                                   Instant deadline) {
  Taken taken;
  taken.ask_id = ask_id;
  const Listed listed(*this, taken);
  absl::Duration pause = kFirstPause;
  std::optional<absl::StatusOr<WireMessage>> found = look();
  while (!found.has_value() && state_.context().Now() < deadline) {
    co_await taken.forgot.Wait(
        std::min(deadline, state_.context().Now() + pause));
    if (taken.forgotten) co_return absl::OkStatus();
    pause = std::min(2 * pause, kLongestPause);
    found = look();
  }
  if (!found.has_value()) co_return absl::OkStatus();  // so has the asker
  co_await WaitForRoom(taken);
  if (!taken.forgotten) AnswerNow(ask_id, *std::move(found));
  co_return absl::OkStatus();
}

Task<absl::Status> PeerAsks::Fail(uint64_t ask_id, absl::Status error) {
  Taken taken;
  taken.ask_id = ask_id;
  const Listed listed(*this, taken);
  co_await WaitForRoom(taken);
  if (!taken.forgotten) AnswerNow(ask_id, std::move(error));
  co_return absl::OkStatus();
}

Task<absl::Status> PeerAsks::WaitForRoom(const Taken& taken) {
  while (!taken.forgotten && state_.connection->writable() &&
         !state_.connection->HasRoom()) {
    co_await state_.changed.Wait();
  }
  co_return absl::OkStatus();
}

void PeerAsks::AnswerNow(uint64_t ask_id, absl::StatusOr<WireMessage> result) {
  LinkConnection& connection = *state_.connection;
  if (!connection.writable()) {
    ++state_.stats.undelivered_replies;
    return;
  }
  absl::Status failure = result.status();
  if (result.ok()) {
    head_.clear();
    wire::AppendReplyHead(ask_id, result->type, result->bytes.size(), &head_);
    failure = connection.SendAnswer(head_, std::move(result->bytes));
    if (failure.ok()) return;
  }
  LinkPayload payload;
  payload.mutable_reply()->set_ask_id(ask_id);
  link::v1::Failure& told = *payload.mutable_reply()->mutable_failure();
  told.set_code(static_cast<int>(failure.code()));
  // Printable, because a string that is no UTF-8 would end the connection; and
  // cut to what every peer takes.
  told.set_message(Printable(failure.message()));
  connection.SendAnswer("", payload.SerializeAsString()).IgnoreError();
}

void PeerAsks::Forget() {
  for (Taken* taken : taken_) {
    if (taken->forgotten) continue;
    ++state_.stats.undelivered_replies;
    Forget(*taken, "the connection of the asker has ended");
  }
}

void PeerAsks::Cancel(uint64_t ask_id) {
  const auto named = by_id_.find(ask_id);
  if (named == by_id_.end() || named->second->forgotten) return;
  ++state_.stats.cancelled;
  // mutant: P6_TheHandlerOfAnAskThatWasGivenUpGoesOn
  Forget(*named->second, "the asker gave up");
}

void PeerAsks::Forget(Taken& taken, absl::string_view why) {
  taken.forgotten = true;
  taken.forgot.Notify();
  if (taken.ask != nullptr) {
    taken.ask->reply().GiveUp(absl::CancelledError(why));
  }
}

}  // namespace trolley::internal
