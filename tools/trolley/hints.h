// SPDX-License-Identifier: Apache-2.0
//
// Hints: says what to do after an error, for people.
//
// A function without state; thread-safe.

#ifndef TROLLEY_TOOLS_TROLLEY_HINTS_H_
#define TROLLEY_TOOLS_TROLLEY_HINTS_H_

#include <string>

#include "trolley/proto/control.pb.h"

namespace trolley::tools {

// The hint for an error of the control service. There is one for each reason.
// Empty if the error has no reason, or one that is newer than this command.
std::string HintFor(const control::v1::ErrorInfo& info);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_HINTS_H_
