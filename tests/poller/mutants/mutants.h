// SPDX-License-Identifier: Apache-2.0
//
// Mutants: pollers with one mistake each, of the kind that real ones have had.
// The conformance suite must catch every one of them, in the case named here;
// a case that catches none of its mutants proves nothing.
//
// To add one: derive from Mutant, break one thing, name the case.

#ifndef TROLLEY_TESTS_POLLER_MUTANTS_MUTANTS_H_
#define TROLLEY_TESTS_POLLER_MUTANTS_MUTANTS_H_

#include <string>
#include <vector>

#include "trolley/tests/poller/conformance.h"

namespace trolley {

struct NamedMutant {
  std::string name;       // what it does wrong
  std::string caught_by;  // the case of PollerConformance that must fail
  ConformanceFactory create;
};

// The first one, "nothing", makes no mistake: the suite must pass for it.
std::vector<NamedMutant> AllMutants();

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_MUTANTS_MUTANTS_H_
