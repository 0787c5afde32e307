// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/hints.h"

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {

namespace v1 = control::v1;

std::string HintFor(const v1::ErrorInfo& info) {
  const auto actor = info.metadata().find("actor");
  const std::string name =
      actor != info.metadata().end() ? Printable(actor->second) : "NAME";
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  if (!v1::ErrorReason_Parse(info.reason(), &reason)) return "";
  switch (reason) {
    case v1::ACTOR_NOT_FOUND:
    case v1::ACTOR_GONE:
      return "`trolley ps -o name` lists who is running";
    case v1::MAILBOX_FULL:
      return absl::StrCat("try again when it has caught up; `trolley info ",
                          name, "` shows its depth");
    case v1::MESSAGE_TYPE_REJECTED:
    case v1::BAD_PAYLOAD:
      return absl::StrCat("`trolley info ", name, "` lists what it takes");
    case v1::PAYLOAD_TOO_LARGE:
      return "ask for less, or let the program set a larger "
             "ControlOptions::max_message_bytes";
    case v1::ASK_TIMEOUT:
    case v1::STOP_TIMEOUT:
      return absl::StrCat("wait longer with --timeout; `trolley info ", name,
                          "` shows whether it is busy");
    case v1::ACTOR_STOPPED_DURING_ASK:
      return "ask again if it is started anew";
    case v1::HANDLER_FAILED:
      return absl::StrCat("the actor itself says so; `trolley info ", name,
                          "` shows its state");
    case v1::STALE_INCARNATION:
      return "look at it again, then decide";
    case v1::DRAINING:
      return "the program is on its way to its end; try again when it has "
             "started anew";
    case v1::BAD_REQUEST:
      return "`trolley help COMMAND` says what it takes; `trolley ps -o name` "
             "lists the names of actors";
    case v1::LOOPS_BUSY:
      return "wait longer with --timeout; `gdb -p PID` shows which handler "
             "keeps "
             "its loop";
    case v1::TOO_MANY_CALLS:
      return "try again when the program has caught up; `gdb -p PID` shows "
             "which "
             "handler keeps its loop";
    default:
      return "";
  }
}

}  // namespace trolley::tools
