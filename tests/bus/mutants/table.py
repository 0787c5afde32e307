# SPDX-License-Identifier: Apache-2.0
"""The bus with one mistake at a time: see tests/mutants/mutant.py."""

_ORDER = "Forms/OrderTest."
_BOOKS = "Forms/ConservationTest.P2_BooksBalanceWhateverHappens/"
_BOUNDS = "Forms/BoundsTest."
_SIM_BOUNDS = "Forms/SimBoundsTest."
_CONTAINMENT = "Forms/ContainmentTest."
_EXPIRY = "Forms/ExpiryTest."
_THROWING = "Forms/ThrowingMessageTest."
_EXIT = "Forms/ExitTest."
_LOOKING = "Forms/LookingTest."
_SHUTDOWN = "Forms/ShutdownTest."
_TIMERS = "TimerQueueTest."
_SIM_EXTREMES = "Forms/SimExtremes."
_EXTREMES = "Forms/ThreadExtremes."
_SEAT = "Loops/SeatTest."
_LIMITS = "Loops/LimitsTest."
_BYTES = "Loops/ByteLimitsTest."
_CANCEL = "Loops/CancelTokenTest."
_WATCH = "Forms/WatchTest."
_LOG = "Forms/LogTest."

MUTANTS = [
    # --- P1, order for each pair
    Mutant(
        "P1_TheNewestMessageIsFirstInTheMailbox",
        Before("if (first_ != nullptr) {"
               "  e->next = std::exchange(first_, e);"
               "  return;"
               "}"),
        _ORDER + "P1_OrderPerPairHoldsAcrossLoops/sim3"),
    Mutant(
        "P1_WhatIsHandedOverTogetherComesNewestFirst",
        Before("if (box.count > 0) {"
               "  (box.count == 1 ? box.newest : box.oldest)->next = envelope;"
               "  box.oldest = envelope;"
               "  return ++box.count >= kBatch;"
               "}"),
        _ORDER + "P1_OrderPerPairHoldsAcrossLoops/sim3"),
    Mutant(
        "P1_AHandlerThatWaitsLetsTheNextMessageIn", Swap("true", "false"),
        _ORDER + "P1_OrderPerPairHoldsAcrossLoops/sim3"),
    Mutant(
        "P1_MessagesAheadOfTheirActorAreDropped",
        Before("if (e->has(Envelope::kDataLane)) return DeadLetter(e);"),
        _ORDER + "P1_MessagesToAnActorJustSpawnedWaitForItsStart/sim3"),

    # --- P2, conservation
    Mutant(
        "P2_AMessageIsHandledTwice",
        Before("actor.On(std::move(e->payload<M>()));"),
        _BOOKS + "sim1"),
    Mutant(
        "P2_ARefusalCountsAsAccepted", Swap("was_accepted", "true"),
        _BOOKS + "sim2"),
    Mutant("P2_AnAttemptIsNotCounted", Skip(), _BOOKS + "sim1"),
    Mutant(
        "P2_WhatOverflowsIsNotCounted", Skip(),
        _LIMITS + "P6_OfTooManyTheNewestStay/TwoLoops"),
    Mutant("P2_ADeadLetterIsNotCounted", Skip(), _BOOKS + "sim2"),
    Mutant("P2_AnExpiredMessageIsNotCounted", Skip(), _BOOKS + "sim2"),
    Mutant(
        "P2_AMessageThatIsLateIsHandled",
        Instead("inbox_.ledger.expired.Increment();"),
        _BOOKS + "sim2"),
    Mutant(
        "P2_WhatIsOnItsWayToALoopThatEndsIsForgotten", Skip(),
        "Forms/SimConservationTest."
        "P2_WhatALoopHadNotTakenWhenItEndedIsCounted/sim1"),

    # --- P4, wake economy
    Mutant(
        "P4_AnAwakeLoopIsWoken", Before("stats.wakes.Increment();"),
        "Forms/WakeTest.P4_NoThreadWakesALoopThatIsAwake/epoll1"),

    # --- P5, handles never dangle
    Mutant(
        "P5_AnOldHandleReachesTheNextActor", Skip(),
        "Forms/HandlesTest.P5_AnOldHandleNeverReachesTheNextActor/sim1"),

    # --- P6, bounded memory
    Mutant(
        "P6_AFullMailboxTakesMore",
        Before("if (taken == 0) return {.credits = 1};"),
        _BOUNDS + "P6_TheBoundIsExactForAPlainThread/sim1"),
    Mutant(
        "P6_BytesHaveNoBound", Skip(),
        _BYTES + "P6_EveryWayToSendIsBounded/TwoLoops"),
    Mutant(
        "P6_AMessageOfMoreThanTheBoundNeverFits", Skip(),
        _BYTES + "P6_AMessageOfMoreThanTheBoundIsTakenAlone/OneLoop"),
    Mutant(
        "P6_BytesDoNotComeFree", Skip(),
        _BYTES + "P6_BytesComeFreeHoweverAMessageEnds/OneLoop"),
    Mutant(
        "P6_BytesThatAreTooManyAreKept", Instead("return false;"),
        _BYTES + "P6_OfTooManyBytesTheNewestStay/OneLoop"),
    Mutant(
        "P6_BytesThatAreReturnedAreNotTold",
        Swap("budget->TakeWaiting()", "false"),
        _BYTES + "P6_BytesThatGotNoCreditAreToldToTheLoop/OneLoop"),
    Mutant(
        "P6_ASenderThatWaitsForBytesIsForgotten", Skip(),
        _BYTES + "P6_BytesThatGotNoCreditAreToldToTheLoop/OneLoop"),
    Mutant(
        "P6_WhatHasNoRoomIsGranted", Skip(),
        _BYTES + "P6_ASenderWaitsForBytes/TwoLoops"),
    Mutant(
        "P6_FullBeforeItIsFull",
        Swap("std::min(free, batch)",
             "Free(word) == 1 ? 0 : std::min(free, batch)"),
        _BOUNDS + "P6_TheBoundIsExactForAnotherLoopAndItsCredits/sim2"),
    Mutant(
        "P6_EveryMessageIsTheLast", Instead("return true;"),
        _BOUNDS + "P6_OnlyTheFirstLastMessagePassesAFullMailbox/sim2"),
    Mutant(
        "P6_ASleepingLoopKeepsItsCredits", Skip(),
        _BOUNDS + "P6_ASleepingLoopHoldsNoCreditInAdvance/epoll3"),
    Mutant(
        "P6_ABusyLoopKeepsItsCredits",
        Swap("inbox_.stats.turns.Read() % kTurnsBetweenReturns == 0", "false"),
        _BOUNDS + "P6_ABusyLoopGivesBackCreditsThatItDoesNotUse/sim2"),
    Mutant(
        "P6_ASenderThatWaitsIsNotTold", Skip(),
        _BOUNDS + "P6_SendWaitsForRoomAndLosesNothing/sim2"),
    Mutant(
        "P6_EachCreditThatComesFreeWakesASender", Swap("cell.capacity / 4", "1"),
        _SIM_BOUNDS + "P6_ASenderThatWaitsIsWokenForAQuarterOfAMailbox/sim2"),
    Mutant(
        "P6_RoomIsKeptWhenNothingIsLeftToDo", Skip(),
        _SIM_BOUNDS +
        "P6_RoomThatOneLeavesUnusedGoesToTheOthersThatWait/sim2"),
    Mutant(
        "P6_ACreditIsLostWithItsSender", Skip(),
        _SIM_BOUNDS + "P6_ACreditGrantedToAnActorThatEndedIsNotLost/sim2"),
    Mutant(
        "P6_WhatIsUrgentWaitsBehindData", Skip(unless="cell.data.empty()"),
        _BOUNDS + "P6_RepliesAndTimersPassAFullMailbox/sim1"),
    Mutant(
        "P6_WhatIsUrgentIsOverlooked", Swap("true", "false"),
        _BOUNDS + "P6_AStopPassesAFullMailbox/sim1"),
    Mutant(
        "P6_AStopWaitsBehindData", Skip(unless="cell.data.empty()"),
        _BOUNDS + "P6_AStopPassesAFullMailbox/sim1"),

    Mutant(
        "P6_AnExpiredHandlerGoesOnWaiting", Before("if (end <= now) continue;"),
        _EXPIRY + "P6_AsksThatTimedOutHoldNoCredit/sim2"),
    Mutant(
        "P6_AToldHandlerGoesOnForEver", Swap("end <= now", "false"),
        _CANCEL + "P6_WhenTheGraceIsOverTheHandlerIsCancelled/OneLoop"),
    Mutant(
        "P6_AHandlerIsNotTold", Skip(),
        _CANCEL + "P6_AHandlerIsToldWhenItsAskerNoLongerWaits/TwoLoops"),
    Mutant(
        "P6_AnOrdinaryMessageTakesTheReserve",
        Swap("Free(word) > left ? Free(word) - left : 0", "Free(word)"),
        _LIMITS + "P6_TheReserveIsForUrgentMessagesOnly/OneLoop"),
    Mutant(
        "P6_WaitingSendersGetTheReserve", Swap("cell.credits.free()", "UINT32_MAX"),
        _LIMITS + "P6_TheReserveIsFullBeforeAWaitingSenderGetsRoom/OneLoop"),
    Mutant(
        "P6_WhatIsTooMuchWaitsForTheHandler", Swap("cell.actor_state.trims()", "false"),
        _LIMITS + "P6_OfTooManyTheNewestStay/OneLoop"),
    Mutant(
        "P6_WhatMustNotBeRefusedIsDropped", Before("e->ops->drop(e); Free(e); --cell.data_queued; continue;"),
        _LIMITS + "P6_WhatMustNotBeRefusedIsNotDroppedEither/OneLoop"),
    Mutant(
        "P6_WhatExpiresBehindAHandlerStays", Before("return false;"),
        _EXPIRY + "P6_WhatExpiresBehindAHandlerThatWaitsHoldsNoCredit/sim2"),
    Mutant(
        "P6_AnAskerThatHasGoneIsWaitedFor", Skip(),
        _EXPIRY + "P6_AskersThatGoLetGoOfWhatTheyAsked/sim2"),
    Mutant(
        "P6_AsksThatWaitMayTakeEveryCredit", Swap("capacity / 2", "capacity"),
        _EXPIRY + "P6_AsksThatWaitLeaveHalfOfAMailboxToOthers/sim2"),
    Mutant(
        "P6_AnAskExpiresInThePlaceOfAnother",
        After("gone_.back().external = nullptr;"),
        _EXPIRY + "P6_NoAskExpiresInThePlaceOfAnother/sim1"),
    Mutant(
        "P6_ActorsThatHaveEndedStayWatched", Skip(),
        _EXPIRY + "P6_ActorsThatHaveEndedAreNotWatched/sim1"),

    # --- P7, no starvation
    Mutant(
        "P7_ASliceIsAWholeTurn", Swap("std::min(left, slice)", "left"),
        "Forms/FairnessTest.P7_ANeighbourOnTheLoopWaitsForOneSliceAtMost/sim1"),
    Mutant(
        "P7_ASecondSliceGoesBeforeOtherLoops",
        Instead("RunQueue::Release(cell);"
                "router_.run_queue().Push(cell);"),
        "Forms/FairnessTest.P7_WhatWasHandedOverGoesBeforeASecondSlice/sim1"),
    Mutant(
        "P7_AFloodDoesNotLookAtOtherLoops", Skip(),
        "Forms/FairnessTest.P7_ATurnOfAFloodEndsForWhatIsHandedOver/sim1"),
    Mutant(
        "P7_WhatWasSentWaitsForAFlood", Skip(),
        "Forms/FairnessTest.P7_WhatWasSentGoesOutBeforeAFloodedSlice/sim1"),
    Mutant(
        "P7_ABusyLoopDoesNotLookAtTimers",
        Skip(unless="router_.run_queue().empty()"),
        "Forms/FairnessTest.P7_ADueTimerWaitsForOneTurnAtMost/sim1"),
    Mutant(
        "P7_ABusyLoopDoesNotLookAtDescriptors",
        Swap("++turns_since_poll_ >= options_.turns_between_polls", "false"),
        "Forms/FairnessTest.P7_AReadyDescriptorWaitsForAFewTurnsAtMost/sim1"),

    Mutant(
        "P7_ALookTakesOneTurn", Swap("left > 0", "true"),
        _LOOKING + "P7_LookingAtManyActorsTakesAStepATurn/sim1"),
    Mutant(
        "P7_EachLookTakesAStep",
        After("while (!stepped_work_.empty()) stepped_work_.Step();"),
        _LOOKING + "P7_ManyLooksAtOnceTakeAStepATurn/sim1"),
    Mutant(
        "P7_ALookForWhatHasExpiredTakesOneTurn", Swap("left > 0", "true"),
        _EXPIRY + "P7_ALookForWhatHasExpiredTakesAStepATurn/sim1"),

    # --- P8, containment
    Mutant(
        "P8_AnActorThatThrewGoesOn", Skip(),
        _CONTAINMENT + "P8_AThrowEndsItsActorAndNothingElse/sim1"),
    Mutant(
        "P8_TheAskerIsNotToldTheException", Swap("WhatIsThrown()", '""'),
        _CONTAINMENT + "P8_AThrowEndsItsActorAndNothingElse/sim2"),
    Mutant(
        "P8_AThrowCountsAsHandled",
        Swap("Outcome::kFailed", "Outcome::kHandled"),
        _CONTAINMENT + "P8_EveryThrowIsCounted/sim1"),
    Mutant(
        "P8_WhatIsQueuedIsHandledAfterAThrow", Swap("drain", "true"),
        _CONTAINMENT + "P8_AThrowDeadLettersWhatWasQueued/sim1"),
    Mutant(
        "P8_AnErrorReturnedEndsItsActor", After("guard_.Stop(cell, false);"),
        _CONTAINMENT + "P8_AnErrorReturnedIsCountedAndEndsNoActor/sim1"),

    Mutant(
        "P8_AMessageThatThrowsKeepsItsCredit", Skip(),
        _THROWING + "P8_APlainThreadGetsWhatItsMessageThrows/sim1"),
    Mutant(
        "P8_AMessageThatThrowsIsNoAttempt", Skip(),
        _THROWING + "P8_WhateverThrowsOnItsWayToAHandler/sim2"),
    Mutant(
        "P8_WhyItEndedIsForgotten", Before("return;"),
        _EXIT + "P8_AnAskerOfAnActorThatHasEndedLearnsItsNameAndWhy/sim1"),
    Mutant(
        "P8_AQueuedAskIsNotToldOfTheThrow",
        Swap("bus_.DescribeEnd(e->target)",
             "NameOf(*inbox_.cells.Find(e->target.slot()))"),
        _EXIT + "P8_AsksQueuedBehindAThrowAreToldOfIt/sim2"),
    Mutant(
        "P8_AReasonIsTakenForThatOfAnother",
        Swap("packed >> 3 == (generation & 31)", "true"),
        _EXIT + "P8_TheReasonIsNeverThatOfALaterActorOfTheSameCell/sim1"),
    Mutant(
        "P6_AllThatHaveEndedAreKept", Skip(),
        _EXIT + "P6_OfThoseThatHaveEndedTheLastFewAreKept/sim1"),

    # --- P9, watching
    Mutant(
        "P9_ADownIsSentTwice",
        Before("OutgoingMessage again(bus, LoopOf(&bus), to.id());"
               "again.WithoutCredit();"
               "again.Build<Notice<M>>("
               "    ops, Envelope::BytesFor<Notice<M>>(), Instant::Infinite(),"
               "    out.envelope().template payload<Notice<M>>().message,"
               "    forgotten);"
               "(void)again.Post();"),
        _WATCH + "P9_OneDownAfterTheLastMessageWhenTheNameIsFree/sim2"),
    Mutant(
        "P9_ADownComesAfterForget", Skip(),
        _WATCH + "P9_NoDownComesAfterForget/sim2"),
    Mutant(
        "P9_TheNameIsKeptWhenTheDownComes", Skip(),
        _WATCH + "P9_OneDownAfterTheLastMessageWhenTheNameIsFree/sim2"),

    Mutant(
        "P9_AnActorDoesNotLearnWhyItEnds", Instead("return ExitReason();"),
        _EXIT + "P9_AnActorLearnsWhyItEnds/sim2"),

    Mutant(
        "P9_OneOfTwoStays", Skip(),
        _WATCH + "P9_ActorsThatEndTogetherDo/sim2"),
    Mutant(
        "P9_ARestartIsNotTold", Skip(),
        _SEAT + "P9_ARefFollowsARestartAndTheMailboxIsKept/1"),
    Mutant(
        "P9_TheEndOfTheOwnerIsNoReason", Skip(),
        _SEAT + "P9_TheEndOfTheOwnerIsWhyTheSeatEnds/1"),
    Mutant(
        "P9_ATimerOfAnObjectReachesTheNextOne", Instead("return false;"),
        _SEAT + "P9_TimersAndHandlersOfAnObjectEndWithIt/1"),
    Mutant(
        "P6_DroppedMessagesKeepTheirCredits", Skip(),
        _SEAT + "P6_DroppedMessagesAreDeadLetters/1"),
    Mutant(
        "P6_AHandlerThatARestartEndsKeepsItsCredit", Skip(),
        _SEAT + "P6_EachCreditIsThereAfterManyRestarts/1"),

    # --- P10, ending
    Mutant(
        "P10_ManyEndInOneTurn", Skip(),
        _LOOKING + "P10_ManyActorsDrainAndEndAStepATurn/sim1"),
    Mutant(
        "P10_OthersHearOfAnEndWhenItIsOver", Skip(),
        _LOOKING + "P10_OthersHearSoonThatALoopEnds/sim1"),
    Mutant(
        "P10_WhatIsUnderWayIsNotWaitedFor", Swap("WaitUntilQuiet()", "true"),
        _SHUTDOWN + "P10_FiniteWorkIsFinished/sim2"),
    Mutant(
        "P10_ActorsStopInTheOrderOfTheirStart",
        Instead("return a.sequence < b.sequence;"),
        _SHUTDOWN + "P10_ActorsStopInReverseOrderOfTheirStart/sim2"),
    Mutant(
        "P10_TheLastWordsAreNotHandled", Swap("report_.clean", "false"),
        _SHUTDOWN + "P10_WhatOnStopSendsToAnEarlierActorIsHandled/sim2"),
    Mutant(
        "P10_AnActorSpawnedAtTheVeryEndIsForgotten", Skip(),
        _SHUTDOWN + "P10_AnActorSpawnedAtTheVeryEndIsDestroyed/sim1"),
    Mutant(
        "P10_AnActorThatStartsLateIsNotToldToDrain", Skip(),
        _SHUTDOWN + "P10_AnActorThatStartsDuringTheDrainIsToldToDrain/sim1"),
    Mutant(
        "P10_ASliceWithoutLimitLosesTheLastWords",
        Swap("uint64_t{cell->data_queued} + options_.messages_per_slice",
             "cell->data_queued + options_.messages_per_slice"),
        _SHUTDOWN + "P10_TheLastWordsAreHandledIfASliceHasNoLimit/sim1"),
    Mutant(
        "P10_AnEndIsToldTooSoon", Instead("router_.DeadLetter(e);"),
        _SHUTDOWN + "P10_AnEndIsToldAfterTheEnd/sim1"),
    Mutant(
        "P10_AnActorThatKeepsItsLoopIsNotNamed",
        Swap("!running", "true"),
        _SHUTDOWN + "P10_AHandlerThatSpinsIsNamed/epoll1"),
    Mutant(
        "P10_ADrainingActorTakesMessages", Skip(),
        _SIM_BOUNDS + "P10_AnActorUnderLoadEndsWhenItIsToldToDrain/sim2"),
    Mutant(
        "P10_DrainingForgetsHandlersThatWait",
        Swap("!cell.handles_something()", "true"),
        _SIM_BOUNDS + "P10_DrainingWaitsForHandlersThatWait/sim1"),

    # --- the log: it keeps no loop (P7), is bounded (P6), and takes any text
    Mutant(
        "P7_ALoopThatLogsWaitsForTheSink", Skip(),
        _LOG + "P7_TheSinkIsNeverCalledByALoopThatHasAThread/epoll1"),
    Mutant(
        "P6_TheLinesOfTheLogPileUp",
        Swap("options_.max_waiting_lines",
             "options_.max_waiting_lines + (1 << 20)"),
        "BusLogTest.P6_WhatWaitsIsBoundedInLinesAndASinkThatIsStuckLeftBehind"),
    Mutant(
        "P6_TheBytesOfTheLogPileUp", Skip(),
        "BusLogTest.P6_WhatWaitsIsBoundedInBytes"),
    Mutant(
        "P6_AFloodOfLinesIsWritten", Swap("bucket.tokens > 0", "true"),
        "LogLimitsTest.P6_OfManyLinesAFewAreWrittenAndTheRestIsCounted"),
    Mutant(
        "P8_ALineThatTheSinkDidNotTakeIsWritten", Swap("false", "true"),
        _LOG + "P8_ASinkThatThrowsEndsNothing/epoll1"),
    Mutant(
        "P8_AnAskerGetsTheTextAsItWasThrown", Before("return e.what();"),
        _LOG + "P8_AnAskerGetsTheTextPrintableAndCut/epoll1"),

    # --- P13, what the machine refuses
    Mutant(
        "P13_ARefusedThreadIsTakenForAnErrorOfOurs",
        Swap("absl::ResourceExhaustedError", "absl::InternalError"),
        "Pollers/RefusedTest.P13_WhicheverThreadIsRefusedCreateSaysSo/epoll1"),

    # --- P17, timers
    Mutant(
        "P17_WhatNeverComesIsDueAtOnce",
        Instead("if (deadline.is_infinite()) deadline = Instant();"),
        _SIM_EXTREMES + "P17_Timers/sim1"),
    Mutant(
        "P17_ADeadlineThatHasPassedIsLookedAtNextTime",
        Swap("e->deadline <= clock_.Recent()", "false"),
        _SIM_EXTREMES + "P17_DeadlinesOfMessages/sim1"),
    Mutant(
        "P17_AThreadDoesNotWaitForWhatIsFar",
        Before("if (limit > absl::Hours(24 * 365 * 200)) return is_open();"),
        _EXTREMES + "P17_Inspect/epoll2"),
    Mutant(
        "P17_EqualDeadlinesFireInAnyOrder",
        Swap("sequence() < other.sequence()", "false"),
        _TIMERS + "P17_AgreesWithASortedList"),
    Mutant(
        "P17_WhatMovesPassesACancelledTimer", Swap("sequence()", "~sequence()"),
        _TIMERS + "P17_AgreesWithASortedList"),
    Mutant(
        "P17_WhatFillsAPlaceNeverRises",
        Swap("last.Before(heap()[ParentOf(position)])", "false"),
        _TIMERS + "P17_AgreesWithASortedListWhenItIsLarge"),

    # --- P18, replay
    Mutant(
        "P18_TimersAreSetByARealClock",
        Swap("Recent()", "MonotonicClock().Now()"),
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
    Mutant(
        "P18_TimeGoesOnByItself",
        Swap("clock_.Now()",
             "clock_.Now() + absl::Nanoseconds([] {"
             "  static int reads = 0;"
             "  return ++reads % 1000;"
             "}())"),
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
    Mutant(
        "P18_TheLoopsHaveTheirTurnsAsItComes",
        Before("static int turns = 0;"
               "if (++turns % 7 == 0) worked |= loops_.back()->RunOnce();"),
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
]
