# SPDX-License-Identifier: Apache-2.0
"""Pools with one mistake at a time: see tests/mutants/mutant.py."""

_POOL = "PoolTest.P22_"
_FAILURE = "PoolFailureTest.P22_"
_RESIZE = "PoolResizeTest.P22_"

MUTANTS = [
    # --- Each message goes to one worker
    Mutant(
        "P22_AMessageGoesToEachWorkerInTurn", Skip(),
        _POOL + "EachPolicyGivesATellToItsWorker"),
    Mutant(
        "P22_AMessageThatOneWorkerRefusedIsNotOfferedOn",
        Instead("co_return Refused(ReplyStatus(refused));"),
        _POOL + "AnAskThatAFullWorkerRefusesIsOfferedToTheNextOneWhole"),
    Mutant(
        "P22_ABroadcastLeavesTheLastOneOut", Swap("i < size", "i + 1 < size"),
        _POOL + "ABroadcastTellReachesEachWorkerOnce"),
    Mutant(
        "P22_ATellLosesItsDeadline", Swap("until.is_infinite()", "true"),
        _POOL + "TheDeadlineOfATellReachesTheWorker"),

    # --- No ask stays unanswered
    Mutant(
        "P22_AnAskInFlightIsNotCounted", Skip(),
        _POOL + "MoreAsksThanMaxAsksAreRefusedAndThePoolStillAnswers"),
    Mutant(
        "P22_TheFirstInTheLineIsForgotten", Skip(),
        _POOL + "MessagesThatWaitForAFreeWorkerAreServedInTheirOrder"),

    # --- A worker that ends is replaced
    Mutant(
        "P22_AWorkerThatHasEndedIsNotReplaced",
        Swap("!worker->Restart()", "false"),
        _FAILURE + "AWorkerThatThrowsIsReplacedAndTheOthersAreNotTouched"),
    Mutant(
        "P22_AWorkerIsReplacedOnceMore",
        Swap("restarts_.size() >= options_.max_restarts",
             "restarts_.size() > options_.max_restarts"),
        _FAILURE + "AWorkerThatNeverStartsEndsThePoolWithItsReason"),

    # --- Resizing
    Mutant(
        "P22_AWorkerThatGoesDropsItsMailbox", Swap("true", "false"),
        _RESIZE + "NoMessageIsLostOrHandledTwice"),
    Mutant(
        "P22_AResizeIsAnsweredTooSoon",
        Swap("!workers_.Drains(resize)", "true"),
        _RESIZE + "TheReplyComesWhenTheWorkersThatGoHaveEnded"),
    Mutant(
        "P22_AnyKeyMovesWhenAPoolGrows",
        Before("return static_cast<uint32_t>(hash % workers);"),
        "KeyHashTest.P22_OneMoreWorkerTakesItsShareAndNoKeyMovesElsewhere"),
]
