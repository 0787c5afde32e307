// SPDX-License-Identifier: Apache-2.0
//
// CheckField: checks the fields of an options struct.
//
//   const CheckField check("GrpcStubOptions::");
//   absl::Status status = check.Number("max_calls", options.max_calls, 1000);
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_CHECK_FIELD_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_CHECK_FIELD_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trolley::internal {

class CheckField {
 public:
  explicit CheckField(absl::string_view prefix) : prefix_(prefix) {}

  // InvalidArgument: it is not 1 to `most`.
  absl::Status Number(absl::string_view field, uint32_t value,
                      uint32_t most) const;
  // InvalidArgument: it is less than 1 ms.
  absl::Status Time(absl::string_view field, absl::Duration value) const;

 private:
  const absl::string_view prefix_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_CHECK_FIELD_H_
