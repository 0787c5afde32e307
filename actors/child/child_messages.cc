// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/child_messages.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace trolley {

bool ChildEnd::ok() const {
  return how == How::kExited && code == 0 && output.ok();
}

std::string ChildEnd::ToString() const {
  std::string text;
  switch (how) {
    case How::kExited:
      text = absl::StrCat("exited with code ", code);
      break;
    case How::kSignalled: {
      const char* const name = ::sigdescr_np(code);
      text = absl::StrCat("was ended by signal ", code);
      if (name != nullptr) absl::StrAppend(&text, " (", name, ")");
      break;
    }
    case How::kUnknown:
      text = "has ended, and another part of this program has waited for it";
  }
  if (!output.ok()) absl::StrAppend(&text, "; its output: ", output.message());
  return text;
}

}  // namespace trolley
