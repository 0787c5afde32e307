// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/probe_entry.h"

#include <cxxabi.h>

#include <cstdlib>

namespace trolley::testing {

std::string ProbeTypeNameOf(const std::type_info& type) {
  int failed = 0;
  char* const name =
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed);
  std::string text = failed == 0 ? name : type.name();
  std::free(name);
  return text;
}

}  // namespace trolley::testing
