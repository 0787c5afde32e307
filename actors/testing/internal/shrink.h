// SPDX-License-Identifier: Apache-2.0
//
// Shrink: from the choices of a run that failed it finds simpler ones that fail
// too. It leaves out choices and lowers them, as long as that helps.
//
//   RecordedChoices least = Shrink(failing, 1000, [&](const auto& candidate) {
//     return Run(candidate);   // what it drew, if it failed; else nullopt
//   });
//
// One run is simpler than another if the body draws fewer numbers; or as many
// and the first that differs is smaller; or the same and fewer turns differ
// from the plain order. Zeros at the end do not count.
//
// Ownership: keeps nothing.
// Threads:   one.
// Bounds:    `most_runs` calls.
// Ends:      when no change helps, or after `most_runs` calls.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_SHRINK_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_SHRINK_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "trolley/actors/testing/internal/recorded_choices.h"

namespace trolley::internal {

// Runs a candidate. Returns what was drawn if the run failed as the first one
// did, else nullopt.
using RunChoices =
    std::function<std::optional<RecordedChoices>(const RecordedChoices&)>;

// Returns the simplest run that was found, without zeros at its end; `failing`
// if there is none.
RecordedChoices Shrink(RecordedChoices failing, uint64_t most_runs,
                       const RunChoices& run);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_SHRINK_H_
