# SPDX-License-Identifier: Apache-2.0
"""Copies of the simulated world with one mistake; see tests/mutants/mutant.py."""

_SAME = "SimTest.P18_TheSameSeedGivesTheSameTrace"

MUTANTS = [
    Mutant("P18_TheSeedIsForgotten", Swap("seed", "1"), _SAME),
    Mutant(
        "P18_WorldsShareTheirChance",
        Before("static uint64_t drawn = 0;"
               "return Mix(state_ + ++drawn);"),
        _SAME),
    Mutant(
        "P18_SimulatedTimeGoesOnByItself",
        Swap("now_ns_.load()",
             "now_ns_.load() + [] {"
             "  static int reads = 0;"
             "  return ++reads % 1000;"
             "}()"),
        _SAME),
    Mutant(
        "P18_TheOrderIsThatOfTheAddresses",
        Before("const auto bits = [](const Candidate& c) {"
               "  return reinterpret_cast<uintptr_t>(c.entry) >> 5 & 63;"
               "};"
               "std::sort(ready.begin(), ready.end(),"
               "          [&](const Candidate& a, const Candidate& b) {"
               "            return bits(a) < bits(b);"
               "          });"),
        _SAME),
    Mutant(
        "P18_FaultsComeByTheAddress",
        Swap("SimRandom::Mix(seed)", "reinterpret_cast<uintptr_t>(this)"),
        _SAME),
]
