// SPDX-License-Identifier: Apache-2.0
//
// RecordedChoices: what a run drew from its Choices
// (actors/testing/choices.h). The same lists give the same run.
//
// Ownership: a value.
// Threads:   any.
// Bounds:    Choices::kMostRecorded in each list.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_RECORDED_CHOICES_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_RECORDED_CHOICES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace trolley::internal {

struct RecordedChoices {
  // The part of `values` that one element of a Repeat() drew, with the draw
  // that let it begin. Indices: [begin, end).
  struct Element {
    size_t begin = 0;
    size_t end = 0;
    friend bool operator==(const Element&, const Element&) = default;
  };

  std::vector<uint64_t> values;        // of the body
  std::vector<uint64_t> turns;         // of the bus
  std::vector<Element> elements = {};  // by their beginnings

  // A run draws 0 where a list has ended, so zeros at an end say nothing.
  void DropLastZeros() {
    while (!values.empty() && values.back() == 0) values.pop_back();
    while (!turns.empty() && turns.back() == 0) turns.pop_back();
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_RECORDED_CHOICES_H_
