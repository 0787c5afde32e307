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
      return "`trolley ps -o name` lists the actors that run";
    case v1::MAILBOX_FULL:
      return absl::StrCat("try again when its mailbox has room; `trolley info ",
                          name, "` shows the depth");
    case v1::MESSAGE_TYPE_REJECTED:
    case v1::BAD_PAYLOAD:
      return absl::StrCat("`trolley info ", name,
                          "` lists the messages that it takes");
    case v1::PAYLOAD_TOO_LARGE:
      return "ask for less data, or set a larger "
             "ControlOptions::max_message_bytes in the program";
    case v1::ASK_TIMEOUT:
    case v1::STOP_TIMEOUT:
      return absl::StrCat("wait longer with --timeout; `trolley info ", name,
                          "` shows whether it is busy");
    case v1::ACTOR_STOPPED_DURING_ASK:
      return "ask again when the actor was started again";
    case v1::HANDLER_FAILED:
      return absl::StrCat(
          "this is the error of the actor's handler; "
          "`trolley info ",
          name, "` shows its state");
    case v1::STALE_INCARNATION:
      return absl::StrCat(
          "this is another actor of the same name; `trolley info ", name,
          "` shows it");
    case v1::DRAINING:
      return "the program is shutting down; try again when it was started "
             "again";
    case v1::BAD_REQUEST:
      return "`trolley help COMMAND` explains its operands; `trolley ps -o "
             "name` lists the names of actors";
    case v1::NOT_A_SUPERVISOR:
      return "`trolley tree` shows the supervisors that the program names in "
             "ControlOptions::tree";
    case v1::LOOPS_BUSY:
      return "wait longer with --timeout; `gdb -p PID` shows which handler "
             "blocks its loop";
    case v1::TOO_MANY_CALLS:
      return "try again when the program is less busy; `gdb -p PID` shows "
             "which handler blocks its loop";
    default:
      return "";
  }
}

}  // namespace trolley::tools
