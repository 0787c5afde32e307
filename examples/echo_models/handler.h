// SPDX-License-Identifier: Apache-2.0
//
// The handler of every model. It sends back the bytes that it gets.
//
// Stateless; any thread, any process.

#ifndef TROLLEY_EXAMPLES_ECHO_MODELS_HANDLER_H_
#define TROLLEY_EXAMPLES_ECHO_MODELS_HANDLER_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace echo {

// Each connection has a buffer of this many bytes, in every model.
inline constexpr size_t kBufferBytes = 4096;

inline absl::string_view Answer(absl::string_view request) { return request; }

}  // namespace echo

#endif  // TROLLEY_EXAMPLES_ECHO_MODELS_HANDLER_H_
