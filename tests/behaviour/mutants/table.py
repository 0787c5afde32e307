# SPDX-License-Identifier: Apache-2.0
"""Phases, gates and the other helpers of an actor, each with one mistake at a
time: see tests/mutants/mutant.py."""

_PHASES = "ShutdownPhasesTest."
_LATE = _PHASES + "P10_AtItsDeadlineAPhaseStopsItsActors"
_NO_TIME = _PHASES + "P10_TheDeadlineOfAllHoldsAndTheRestIsLeftToTheBus"
_ORDER = _PHASES + "P10_ThePhasesRunInReverseOrderEachToItsEnd"
_GATE = "GateTest."
_EVERY = "EveryTest."
_STASH = "StashTest."
_STATES = "StatesTest."
_POOL = "HeldPool."
_SIGNALS = "SignalsInProcessTest."

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

    # --- Every
    Mutant(
        "P6_TicksPileUpInTheMailbox", Skip(),
        _EVERY + "AtMostOneTickWaitsInTheMailbox"),
    Mutant(
        "P17_EachPointThatHasPassedIsATick", Instead("passed_ += 1;"),
        _EVERY + "PointsThatTheBusyLoopHasPassedAreOneTickAndCounted"),
    Mutant(
        "P17_TheFirstTickIsLate", Swap("options_.at_start", "false"),
        _EVERY + "AtStartTheFirstTickIsAtOnce"),

    # --- Stash
    Mutant(
        "P1_AStashIsTurnedAround",
        After("Kept last = std::move(kept_.back()); kept_.pop_back(); "
              "kept_.push_front(std::move(last));"),
        _STASH + "KeptMessagesAreHandledInTheirOrderBeforeThoseThatWait"),
    Mutant(
        "P2_WhatIsLeftInAStashIsForgotten", Skip(),
        _STASH + "P2_WhatIsLeftAtAStopIsRefusedAndLogged"),
    Mutant(
        "P6_AStashTakesAnyNumber",
        Swap("kept_.size() >= options_.max_messages", "false"),
        _STASH + "AFullStashSaysOfWhatAndDoesNotMoveTheMessage"),

    # --- States
    Mutant(
        "P2_AMessageThatAStateDoesNotTakeIsGone", Swap("false", "true"),
        _STATES + "AStateTakesItsMessagesAndNoOther"),
    Mutant(
        "P1_AStateChangesWithTheNextMessage", Skip(),
        _STATES + "TheExitComesBeforeTheEntryAndAfterTheHandler"),

    # --- Blocking pools
    Mutant(
        "P6_AFunctionThatNobodyWaitsForRuns", Skip(),
        _POOL + "AFunctionThatWaitsDoesNotRunOnceItsActorHasEnded"),

    # --- Signals
    Mutant(
        "P2_SignalsWhileOneIsHandledAreLost",
        Swap("std::exchange(times_, 0)", "(times_ = 0, 1)"),
        _SIGNALS + "ThoseThatComeWhileOneIsHandledAreCounted"),
    Mutant(
        "P10_TheHandlerOfASignalStays", Skip(),
        _SIGNALS + "TheEndOfTheActorRestoresWhatWasThere"),
]
