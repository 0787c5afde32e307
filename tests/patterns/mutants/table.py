# SPDX-License-Identifier: Apache-2.0
"""Patterns with one mistake at a time: see tests/mutants/mutant.py."""

_COMBINATORS = "CombinatorsTest."
_ASKS = "AsksTest."
_RETRY = "RetryTest.P23_"
_BREAKER = "CircuitBreakerTest."
_BULKHEAD = "BulkheadTest."
_LIMITER = "RateLimiterTest."
_BATCHER = "BatcherTest."
_AGGREGATOR = "AggregatorTest."
_FLIGHT = "SingleFlightTest."
_IDEMPOTENCY = "IdempotencyTest."
_SAGA = "SagaTest.P23_"
_STREAM = "ReplyStreamTest."

MUTANTS = [
    # --- WhenAll, WhenAny, Within, AskAll
    Mutant(
        "P23_WhatIsNotWantedRunsOn", Skip(),
        _COMBINATORS + "P23_WhatIsNotWantedIsDestroyedWhenRunReturns"),
    Mutant(
        "P23_WhenAllTurnsItsResultsAround",
        Instead("for (auto& result : results) "
                "values.insert(values.begin(), *std::move(result.value));"),
        _COMBINATORS + "WhenAllKeepsTheOrderOfItsTasks"),
    Mutant(
        "P23_WhenAnyWaitsForAll", Swap("false", "true"),
        _COMBINATORS + "P23_WhenAnyCancelsTheLosers"),
    Mutant(
        "P23_WithinHasNoLimit", Skip(),
        _COMBINATORS + "P23_WithinGivesTheResultOrDeadlineExceeded"),
    Mutant(
        "P23_ALimitThatIsOverBeginsTheTask", Skip(),
        _COMBINATORS + "ALimitThatIsOverBeginsNothing"),
    Mutant(
        "P23_AskAllAsksTheFirstAgain", Swap("ref", "refs.front()"),
        _ASKS + "AskAllGivesEachReply"),

    # --- Quorum
    Mutant(
        "P23_AQuorumWaitsForOneMore",
        Swap("votes.size() < needed", "votes.size() <= needed"),
        _ASKS + "AQuorumIsThereWithTheLastVoteThatItNeeds"),
    Mutant(
        "P23_AQuorumThatIsImpossibleIsWaitedFor",
        Swap("failures.count() <= count - needed", "true"),
        _ASKS + "AQuorumFailsAsSoonAsItIsImpossible"),

    # --- Retry
    Mutant(
        "P23_ARetryIsNotTakenOutOfTheBudget", Skip(),
        _RETRY + "TheBudgetIsSpentExactly"),
    Mutant(
        "P23_ARetryThatDoesNotBeginStaysTaken", Skip(),
        _RETRY + "ARetryThatDoesNotBeginGoesBackIntoTheBudget"),

    # --- Circuit breaker
    Mutant(
        "P23_ACallOfAnEarlierStateCounts", Skip(),
        _BREAKER + "ACallOfAnEarlierStateCountsAsNothing"),
    Mutant(
        "P23_ASuccessLeavesTheRowOfFailures", Skip(),
        _BREAKER + "ASuccessBreaksTheRow"),
    Mutant(
        "P23_EachCallIsAProbe", Skip(),
        _BREAKER + "AfterTheTimeOneProbeDecides"),
    Mutant(
        "P23_AProbeThatIsCancelledKeepsItsPlace", Skip(),
        _BREAKER + "P23_AProbeThatIsCancelledLeavesItsPlace"),

    # --- Bulkhead
    Mutant(
        "P23_ASlotThatWasGivenIsLost", Swap("taken()", "taken_at_once"),
        _BULKHEAD + "P23_ASlotThatWasGivenToACancelledWaiterIsPassedOn"),
    Mutant(
        "P23_NobodyInTheLineGetsASlot", Swap("!line_.GiveToFirst()", "true"),
        _BULKHEAD + "SoManyRunAndTheRestWaitInOrder"),
    Mutant(
        "P23_TheLineHasNoLimit",
        Swap("line_.size() >= options_.waiting", "false"),
        _BULKHEAD + "TheNextOneIsRefused"),

    # --- Rate limiter
    Mutant(
        "P23_APermitThatWasNotUsedIsLost", Skip(),
        _LIMITER + "P23_APermitThatWasGivenAndNotUsedGoesBack"),
    Mutant(
        "P23_ANewcomerPassesTheLine", Swap("line_.empty()", "true"),
        _LIMITER + "AtTheSameMomentTheLineGoesFirst"),
    Mutant(
        "P23_ARestFillsMoreThanTheBurst",
        Swap("std::max(next_, now)", "next_"),
        _LIMITER + "ARestFillsTheBurstAndNoMore"),

    # --- Batcher
    Mutant(
        "P23_BytesMakeNoBatchFull", Swap("bytes_ >= options_.bytes", "false"),
        _BATCHER + "BytesMakeABatchFull"),
    Mutant(
        "P23_TheBytesOfABatchStayCounted", Skip(),
        _BATCHER + "TooManyItemsOrBytesAreRefused"),
    Mutant(
        "P23_ATakerTakesBeforeItIsDue",
        Instead("std::vector<T> early = TakeAll(); co_await WaitUntilDue(); "
                "if (!early.empty()) co_return early;"),
        _BATCHER + "P23_ACancelledTakerLosesNothing"),

    # --- Aggregator
    Mutant(
        "P23_ALastPartClosesNoGroup",
        Swap("at->group.parts.size() == needed", "false"),
        _AGGREGATOR + "AGroupClosesWithItsLastPart"),
    Mutant(
        "P23_ThePartsThatAreTakenStayCounted", Skip(),
        _AGGREGATOR + "LimitsCountOpenAndClosedGroups"),
    Mutant(
        "P23_CloseLeavesOpenGroups", Swap("closed_", "false"),
        _AGGREGATOR + "P23_CloseGivesTheRestAndThenNothing"),

    # --- Single flight
    Mutant(
        "P23_NobodyTakesTheWorkOver",
        Swap("flight->line.GiveToFirst()", "false"),
        _FLIGHT + "P23_WhenTheWorkIsCancelledTheOldestWaiterTakesOver"),
    Mutant(
        "P23_AKeyThatNobodyWorksForIsKept", Skip(),
        _FLIGHT + "P23_TheLastOneThatIsCancelledForgetsTheKey"),
    Mutant(
        "P23_ALaterCallGetsAnOldResult", Skip(),
        _FLIGHT + "ALaterCallWorksAgain"),

    # --- Idempotency
    Mutant(
        "P23_WorkEndsWithTheCallThatBeganIt",
        Instead("auto here = DoWork<F>(Work(*this, entry), std::move(work)); "
                "co_await std::move(here);"),
        _IDEMPOTENCY + "P23_ACancelledCallLeavesTheWorkToTheNext"),
    Mutant(
        "P23_AnErrorIsKept", Swap("status.ok()", "true"),
        _IDEMPOTENCY + "AnErrorIsNotKeptUnlessItIsToldSo"),
    Mutant(
        "P23_AResultIsForgottenAtOnce",
        Swap("kept_.front()->until_ <= now", "true"),
        _IDEMPOTENCY + "TheSecondTimeItIsTheFirstResult"),

    # --- Saga
    Mutant(
        "P23_TheFirstStepIsUndoneFirst",
        Before("std::reverse(record->steps.begin(), record->steps.end());"),
        _SAGA + "UndoIsFromTheLastToTheFirstAndOverWhenItReturns"),
    Mutant(
        "P23_ASagaThatIsLetGoHolds", Skip(),
        _SAGA + "AReturnWithoutCommitUndoesInTheBackground"),
    Mutant(
        "P23_AStepThatWasBegunIsNotUndone", Skip(),
        _SAGA + "ACancelledHandlerIsUndoneWithTheStepThatItWasIn"),
    Mutant(
        "P23_AnActorThatEndsUndoesAStep", Skip(),
        _SAGA + "AnActorThatEndsLeavesAListAndSendsNothing"),

    # --- Reply stream
    Mutant(
        "P23_AStreamHasNoCredit", Skip(),
        _STREAM + "ASlowReaderSlowsTheHandler"),
    Mutant(
        "P23_TheEndOfAStreamIsNotWaitedFor", Skip(),
        _STREAM + "AllItemsComeInOrder"),
    Mutant(
        "P23_AStreamThatIsCutIsNotTold", Skip(),
        _STREAM + "AnErrorOfTheHandlerComesOnceAllThatWasFetchedIsRead"),
]
