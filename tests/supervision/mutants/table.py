# SPDX-License-Identifier: Apache-2.0
"""Supervisors with one mistake at a time: see tests/mutants/mutant.py."""

_RESTART = "RestartTest.P20_"
_TREE = "TreeTest.P20_"
_MAILBOX = "MailboxTest.P20_TheMailboxIsKeptOrDroppedAndTheLedgerIsExact"

MUTANTS = [
    # --- The budget and the backoff
    Mutant(
        "P20_TheBudgetAllowsOneMore",
        Swap("spent_.size() >= most_", "spent_.size() > most_"),
        _RESTART + "NRestartsHoldAndTheNextEscalates"),
    Mutant(
        "P20_ARestartCountsLongerThanItsTime",
        Swap("now - spent_.front() >= within_",
             "now - spent_.front() > within_"),
        _RESTART + "TheBudgetByDefaultIsOneInFiveSeconds"),
    Mutant(
        "P20_TheBackoffDoesNotGrow", Instead("failures_ = 1;"),
        _RESTART + "TheBackoffGrowsAndBeginsAgainAfterATimeUp"),
    Mutant(
        "P20_TheBackoffDoesNotBeginAgain", Skip(),
        _RESTART + "TheBackoffGrowsAndBeginsAgainAfterATimeUp"),
    Mutant(
        "P20_AFailureInAGroupCounts",
        Swap("phase_ != Phase::kRunning && index >= started_", "false"),
        _RESTART + "AFailureOfAChildWhoseStopHasNotComeDoesNotCount"),

    # --- Which children, and in which order
    Mutant(
        "P20_OneForAllLeavesTheFirstOnesAlone", Swap("0", "index"),
        _RESTART + "EachStrategyWithEachKindOfRestart"),
    Mutant(
        "P20_ChildrenStartAtOneTime", Skip(),
        _TREE + "ChildrenStartInOrderEachWhenTheOneBeforeIsUp"),
    Mutant(
        "P20_ChildrenStopAtOneTime", Instead("(void)Stop(child, for_good);"),
        _TREE + "ChildrenStopInReverseEachByItsDeadline"),
    Mutant(
        "P20_AChildIsNotStoppedHard", Skip(),
        _TREE + "ChildrenStopInReverseEachByItsDeadline"),

    # --- Never silence
    Mutant(
        "P20_AStartThatFailsIsSilent", Instead("return;"),
        _RESTART + "ANameThatIsTakenIsAFailedStart"),
    Mutant(
        "P20_AFailureOverTheBudgetIsSilent",
        Instead("if (!budget_.Spend(now)) return;"),
        _RESTART + "NRestartsHoldAndTheNextEscalates"),
    Mutant(
        "P20_TheEndOfALoopIsSilent",
        Swap("state != ChildState::kWaiting", "false"),
        _TREE + "TheEndOfTheLoopOfAChildEscalates"),
    Mutant(
        "P20_AnEscalationEndsAsIfItWereStopped",
        Instead("if (end_ == End::kFailed) Actor::Stop();"),
        _TREE + "FailuresEscalateOverThreeLevels"),

    # --- What becomes of messages
    Mutant("P20_AMailboxThatIsNotKeptIsKept", Skip(), _MAILBOX),
    Mutant("P20_AMailboxIsNeverKept", Skip(), _MAILBOX),

    # --- The end of the bus
    Mutant(
        "P20_TheRootDoesNotStopItsTreeAtShutdown", Skip(),
        _TREE + "ShutdownStopsTheTreeInReverse"),
    Mutant(
        "P20_AChildThatIsASupervisorRestartsDuringAShutdown",
        Swap("draining_ || phase_ == Phase::kEnding",
             "phase_ == Phase::kEnding"),
        _TREE + "NothingRestartsWhileALaterChildIsStillStopping"),
    Mutant(
        "P20_WhatWaitsForARestartIsNotFailedAtTheEnd", Skip(),
        _TREE + "ShutdownFailsWhatWaitsForARestart"),
]
