// SPDX-License-Identifier: Apache-2.0
//
// IsMutant: says which mistake of its table a mutated copy makes.
//
// Immutable after the first call; any thread.

#ifndef TROLLEY_TESTS_MUTANTS_MUTANT_H_
#define TROLLEY_TESTS_MUTANTS_MUTANT_H_

#include <cstdlib>

namespace trolley {

// Whether this process is mutant `number`, of 1 and up: what TROLLEY_MUTANT
// says. Without it the copy makes no mistake.
inline bool IsMutant(int number) {
  static const int chosen = [] {
    const char* text = std::getenv("TROLLEY_MUTANT");
    return text == nullptr ? 0 : std::atoi(text);
  }();
  return chosen == number;
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_MUTANTS_MUTANT_H_
