// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pools/internal/key_hash.h"

#include <cassert>

namespace trolley::internal {
namespace {

// The first digits of pi and of e: two odd numbers without a pattern.
constexpr uint64_t kPi = 0x243f6a8885a308d3;
constexpr uint64_t kE = 0xb7e151628aed2a6b;

// The two halves of a product of 128 bits, each bit of which depends on many
// bits of `x`.
uint64_t Mix(uint64_t x) {
  const auto product = static_cast<unsigned __int128>(x ^ kPi) * kE;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// More than 0 and at most 1.
double Fraction(uint64_t bits) {
  constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
  return static_cast<double>((bits >> 11) + 1) * kUnit;
}

}  // namespace

uint64_t HashNumber(uint64_t key) { return Mix(Mix(key) + kE); }

uint64_t HashText(absl::string_view key) {
  // Each character changes the state; the length tells "a" from "a\0".
  uint64_t hash = key.size();
  for (const char c : key) hash = Mix(hash + static_cast<unsigned char>(c));
  return Mix(hash + kE);
}

uint32_t WorkerOfKey(uint64_t hash, uint32_t workers) {
  assert(workers > 0);
  // mutant: P22_AnyKeyMovesWhenAPoolGrows
  uint32_t at = 0;
  for (uint64_t move = 1;; ++move) {
    // It stays at `at` as the pool grows to m workers with a probability of
    // (at + 1) / m. So the m at which it moves is (at + 1) / fraction.
    const double next = (at + 1) / Fraction(Mix(hash + move * kE));
    if (next >= workers) return at;
    at = static_cast<uint32_t>(next);
  }
}

}  // namespace trolley::internal
