# SPDX-License-Identifier: Apache-2.0
"""A simulated world with one mistake: see tests/mutants/mutant.py."""

_SAME = "SimTest.P18_TheSameSeedGivesTheSameTrace"

MUTANTS = [
    Mutant(
        "P18_TheSeedIsForgotten", "poller/sim_random.h",
        ": state_(seed) {}",
        ": state_(MUTANT ? 1 : seed) {}",
        _SAME),
    Mutant(
        "P18_WorldsShareTheirChance", "poller/sim_random.h",
        "    return Mix(state_);\n",
        "    static uint64_t drawn = 0;\n"
        "    return Mix(MUTANT ? state_ + ++drawn : state_);\n",
        _SAME),
    Mutant(
        "P18_TimeGoesOnByItself", "poller/sim_clock.h",
        "return Instant::FromNanos(now_ns_.load()); }",
        "\n"
        "    const int64_t real = MUTANT ? MonotonicClock().Now().nanos() : 0;\n"
        "    return Instant::FromNanos(now_ns_.load() + real % 1000);\n"
        "  }",
        _SAME),
    Mutant(
        "P18_TheOrderIsThatOfTheAddresses", "poller/sim_poller.cc",
        "  world_.random().Shuffle(absl::MakeSpan(ready));\n",
        "  if (MUTANT) {\n"
        "    const auto bits = [](const Candidate& c) {\n"
        "      return reinterpret_cast<uintptr_t>(c.entry) >> 5 & 63;\n"
        "    };\n"
        "    std::sort(ready.begin(), ready.end(),\n"
        "              [&](const Candidate& a, const Candidate& b) {\n"
        "                return bits(a) < bits(b);\n"
        "              });\n"
        "  }\n"
        "  world_.random().Shuffle(absl::MakeSpan(ready));\n",
        _SAME),
    Mutant(
        "P18_FaultsComeByTheAddress", "poller/sim.cc",
        "sys_(SimRandom::Mix(seed), options)",
        "sys_(MUTANT ? reinterpret_cast<uintptr_t>(this)\n"
        "                  : SimRandom::Mix(seed),\n"
        "           options)",
        _SAME),
]
