// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/refusals.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

using link::v1::Refusal;

absl::Status StatusOfRefusal(const Refusal& refusal) {
  const std::string text = Printable(refusal.detail());
  switch (refusal.reason()) {
    case Refusal::FULL:
      return absl::ResourceExhaustedError(text);
    case Refusal::GONE:
    case Refusal::UNKNOWN_ACTOR:
      return absl::NotFoundError(text);
    case Refusal::DRAINING:
      return absl::UnavailableError(text);
    case Refusal::TYPE_REJECTED:
    case Refusal::BAD_PAYLOAD:
      return absl::InvalidArgumentError(text);
    case Refusal::EXPIRED:
      return absl::DeadlineExceededError(text);
    case Refusal::NOT_PERMITTED:
      return absl::PermissionDeniedError(text);
    default:
      return absl::UnknownError(
          absl::StrCat("the other process refused it for reason ",
                       static_cast<int>(refusal.reason()),
                       ", which this one does not know: ", text));
  }
}

Refusal::Reason RefusalReasonOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Refusal::GONE;
    case absl::StatusCode::kUnavailable:
      return Refusal::DRAINING;
    case absl::StatusCode::kInvalidArgument:
      return Refusal::BAD_PAYLOAD;
    default:
      return Refusal::FULL;
  }
}

namespace {

void Send(LinkConnection& connection, const wire::FrameHeader& header,
          uint64_t ask_id, Refusal::Reason reason, absl::string_view detail) {
  LinkPayload payload;
  Refusal& refusal = *payload.mutable_refusal();
  refusal.set_sequence(header.sequence);
  refusal.set_ask_id(ask_id);
  refusal.set_reason(reason);
  refusal.set_detail(Printable(detail));
  connection.SendAnswer("", payload.SerializeAsString()).IgnoreError();
  connection.Discharge(header.length);
}

}  // namespace

void Refusals::Refuse(const wire::FrameHeader& header, uint64_t ask_id,
                      Reason reason, absl::string_view detail) {
  ++state_.stats.refused;
  const LinkState::Connection& connection = state_.connection;
  if (connection == nullptr || !connection->writable()) return;
  // mutant: P14_RefusalsPileUp
  if (owed_.empty() && connection->HasRoom()) {
    return Send(*connection, header, ask_id, reason, detail);
  }
  owed_.push_back({header, ask_id, reason});
  if (owed_.size() == 1) state_.RunInBackground(SendOwed(connection));
}

Task<absl::Status> Refusals::SendOwed(LinkState::Connection connection) {
  while (connection->writable() && !owed_.empty()) {
    if (!connection->HasRoom()) {
      co_await state_.changed.Wait();
      continue;
    }
    const Owed owed = owed_.front();
    owed_.pop_front();
    Send(*connection, owed.header, owed.ask_id, owed.reason,
         "refused; so many were that the reason is left out");
  }
  co_return absl::OkStatus();
}

}  // namespace trolley::internal
