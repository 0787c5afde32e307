# SPDX-License-Identifier: Apache-2.0
"""Phases and gates with one mistake at a time: see tests/mutants/mutant.py."""

_PHASES = "ShutdownPhasesTest."
_LATE = _PHASES + "P10_AtItsDeadlineAPhaseStopsItsActors"
_NO_TIME = _PHASES + "P10_TheDeadlineOfAllHoldsAndTheRestIsLeftToTheBus"
_ORDER = _PHASES + "P10_ThePhasesRunInReverseOrderEachToItsEnd"
_GATE = "GateTest."

MUTANTS = [
    # --- P10, phases of a shutdown
    Mutant("P10_PhasesRunInTheOrderOfTheStart", Skip(), _ORDER),
    Mutant("P10_APhaseStopsItsActorsAtOnce", Swap("true", "false"), _ORDER),
    Mutant("P10_APhaseHasNoLimit", Swap("phase.limit", "left"), _LATE),
    Mutant("P10_APhaseThatIsLateStopsNoActor", Skip(), _LATE),
    Mutant(
        "P10_WhatEndedInTimeCountsAsStopped",
        Swap("!marks_[i].has_value()", "true"), _LATE),
    Mutant(
        "P10_APhaseHasMoreTimeThanAllOfThem",
        Swap("left", "phase.limit"), _NO_TIME),
    Mutant(
        "P10_APhaseWithoutTimeBegins",
        Swap("left <= absl::ZeroDuration()", "false"), _NO_TIME),
    Mutant("P10_WhyASurvivorEndedIsNotSaid", Skip(), _NO_TIME),
    Mutant(
        "P10_ASecondRunMakesAnotherReport", Skip(),
        _PHASES + "P10_ASecondRunReturnsTheFirstReport"),
    Mutant(
        "P8_AnActorThatThrewIsClean", Skip(),
        _PHASES + "P8_AnActorThatThrowsWhileItDrainsIsReported"),
    Mutant(
        "P6_ThereIsNoLimitOfPhases",
        Swap("phases_.size() == kMostPhases", "false"),
        _PHASES + "P6_ThereIsALimitOfPhases"),

    # --- Gates
    Mutant(
        "P1_ANewcomerPassesThoseThatWaitAtAGate",
        Swap("line_->waiters.empty()", "true"),
        _GATE + "AsksWaitUntilItOpensAndAreAnsweredInTheirOrder"),
    Mutant(
        "P1_AGateThatClosesLetsTheOthersPass", Swap("line->open", "true"),
        _GATE + "TheOrderHoldsIfItClosesInBetween"),
    Mutant(
        "P6_AGateTakesAnyNumber", Swap("line_->waiting >= most_", "false"),
        _GATE + "AFullGateSaysSo"),
    Mutant(
        "P6_APlaceAtAGateIsNotGivenBack", Skip(),
        _GATE + "P6_TheDeadlineOfAnAskHoldsAndItsPlaceIsFree"),
    Mutant(
        "P6_ThoseAtAGateThatIsDestroyedWaitForEver", Skip(),
        _GATE + "ThoseThatWaitAtAGateThatIsDestroyedAreCancelled"),
    Mutant(
        "P7_AllPassAGateInOneTurn", Swap("i < kAtOnce", "true"),
        _GATE + "P7_ManyThatPassLetOtherWorkInBetween"),
]
