// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/internal/reply_channel.h"

#include "absl/strings/str_cat.h"

namespace trolley::internal {

absl::Status NoCredit() {
  return absl::InvalidArgumentError(
      "ReplyStreamOptions::credit is 0; it is at least 1");
}

absl::Status NoSuchStream() {
  return absl::NotFoundError(
      "there is no such stream: its handler has made no ReplyStreamWriter yet, "
      "or has ended");
}

absl::Status TooManyStreams(size_t most) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "ReplyStreamsOptions::streams = ", most, " streams are under way"));
}

absl::Status SameStream() {
  return absl::FailedPreconditionError(
      "a stream with this key is under way; make a ReplyStreamKey for each "
      "request");
}

absl::Status StreamHasEnded() {
  return absl::FailedPreconditionError(
      "Yield() or End() after End() of a stream");
}

absl::Status OutOfPatience(absl::Duration patience) {
  return absl::DeadlineExceededError(
      absl::StrCat("the reader of the stream has fetched nothing for "
                   "ReplyStreamsOptions::patience = ",
                   absl::FormatDuration(patience)));
}

absl::Status EndOfStream(bool cut, absl::Status end) {
  if (!cut || !end.ok()) return end;
  return absl::DataLossError(
      "the handler of the request has returned OK without End()");
}

}  // namespace trolley::internal
