# SPDX-License-Identifier: Apache-2.0
"""Links with one mistake at a time: see tests/mutants/mutant.py."""

_SOCKET = "UnixSocketTest.P12_"
_SOCKET14 = "UnixSocketTest.P14_"
_SLOW = ("All/SlowReaderTest."
         "P14_APeerThatSendsFasterThanItReadsGetsEveryAnswer/")
_FAULTS = "FaultsTest."
_LOSS = "LossTest.P15_"
_TORN = "HostileTest.P15_TornLastFrameIsCountedOnceAndNothingOfItHandled"
_WRITTEN = "ImpatientLossTest.P15_TheSenderKnowsWhatWasWritten"

MUTANTS = [
    # --- P12, running out of descriptors
    Mutant(
        "P12_APeerTurnedAwayIsNotClosed", Skip(),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_TheReserveIsGivenUpOnce", Skip(),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_NoPeerIsTakenForAnError",
        Swap("TurnOneAway() == -EAGAIN", "TurnOneAway(), false"),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_AConnectionThatEndedBreaksTheListener",
        Swap("error != ECONNABORTED", "true"),
        _SOCKET + "ConnectionsThatEndedWhileTheyWaitedAreNoError"),
    Mutant(
        "P12_TheListenerGivesUp",
        Swap("!absl::IsResourceExhausted(accepted.status())", "true"),
        "HostileTest.P12_WithoutDescriptorsNewPeersAreTurnedAway"),
    Mutant(
        "P12_TheListenerTriesOnAndOn", Skip(),
        _FAULTS + "P12_WithoutAReserveTheListenerPauses"),

    # --- P13, every system call may fail
    Mutant(
        "P13_AConnectionWithAnUnknownPeerIsLeftOpen",
        Before("if (!allowed.ok()) (void)fd->release();"),
        _FAULTS + "P13_AConnectionWithAnUnknownPeerIsClosed"),
    Mutant(
        "P13_TheAskerIsNotToldWhy",
        Before("return absl::UnavailableError(\"\");"),
        _FAULTS + "P13_AnAskOverALinkThatIsDownIsToldWhy"),

    # --- P14, hostile peers
    Mutant(
        "P14_APeerIsNotToldWhichRuleItBroke", Skip(),
        "HostileTest.P14_EachBrokenRuleEndsThatConnectionOnlyAndIsNamed"),
    Mutant(
        "P14_WhatAPeerDoesNotReadPilesUp",
        Swap("outbox_.unwritten() < options_.outbox_bytes", "true"),
        "HostileTest.P14_WhatAPeerDoesNotReadIsBounded"),

    Mutant(
        "P14_RefusalsPileUp",
        Swap("owed_.empty() && connection->HasRoom()", "true"),
        _SLOW + "2"),
    Mutant(
        "P14_PongsPileUp", Swap("!connection->HasRoom()", "false"),
        _SLOW + "0"),
    Mutant("P14_AnswersPileUp", Skip(), _SLOW + "7"),
    Mutant(
        "P14_PongsForAPeerThatTakesNonePileUp", Skip(),
        "HostileTest.P14_APeerThatHasClosedItsReadingGetsNoPongs"),
    Mutant(
        "P14_ATellThatWaitsKeepsItsAskers", Swap("ask", "true"),
        "HostileTest.P14_TheAskersOfATellThatWaitsTakeNoMemory"),
    Mutant(
        "P14_CreditPilesUp", Swap("!HasRoom()", "false"),
        "NarrowLinkTest.P14_APeerThatDoesNotReadIsGrantedNoMoreCredit"),
    Mutant(
        "P14_ALockWithContentIsTakenForOurs", Swap("file.st_size == 0", "true"),
        "All/WhatStandsThereTest.P14_IsNeverRemovedUnlessItIsAStaleSocket/4"),
    Mutant(
        "P14_TheLockIsRemovedWhateverIsInIt", Swap("file.st_size == 0", "true"),
        _SOCKET14 + "ALockWithContentSurvivesTheEndOfItsServer"),
    Mutant(
        "P14_TheTextOfAFailureIsTakenAsItIs",
        Swap("Printable(reply.failure().message())",
             "reply.failure().message()"),
        "OutsideTextTest.P14_EveryTextOfAMessageIsHarmless"),

    # --- P15, exact loss
    Mutant("P15_ATornFrameIsNotCounted", Skip(), _TORN),
    Mutant(
        "P15_ATornFrameIsCountedTwice", Before("if (torn) ++stats_.torn;"),
        _TORN),
    Mutant("P15_AnEndInsideAFrameIsAnEndLikeAnyOther", Skip(), _TORN),
    Mutant(
        "P15_WhatIsInTheOutboxCountsAsWritten",
        Swap("stats_.unsent", "stats_.written"),
        _WRITTEN),
    Mutant(
        "P15_AMessageIsWrittenWithItsFirstByte",
        Swap("frames_.front().end <= taken_",
             "frames_.front().end <= taken_ + 1000"),
        "FrameOutboxTest.P15_AMessageIsTakenWithItsLastByte"),
    Mutant("P15_WhatIsInTheOutboxIsForgotten", Skip(), _WRITTEN),
    Mutant(
        "P15_AQuestionThatLeftIsSaidNotToHave",
        Swap("ask->sequence <= connection.written_sequence()", "false"),
        "TwoProcessesTest.P15_AskOfAKilledProcessFailsAtOnce"),
    Mutant(
        "P15_AQuestionThatStayedIsSaidToHaveLeft",
        Instead("++state_.stats.fate_unknown;"),
        _LOSS + "AnAskSaysWhetherItHadLeft"),
    Mutant(
        "P15_TheEndIsToldBeforeWhatArrived", Skip(),
        _LOSS + "WhatArrivedIsDeliveredBeforeTheEndIsTold"),
    Mutant(
        "P15_WhatIsToldWhileTheLinkIsDownIsAccepted", Skip(),
        "FromThreads/RemoteTest.P15_IsToldAtOnceWhetherItsLinkIsUp/"
        "TellFromThread"),
    Mutant(
        "P15_AKilledPeerIsTakenForOneThatSaidGoodbye", Skip(),
        "TwoProcessesTest.P15_AKilledProcessIsToldFromOneThatEnds"),
    Mutant(
        "P15_WhatIsCancelledWhileItWaitsForTheLinkIsNotCounted", Skip(),
        _LOSS + "WhatIsCancelledWhileItWaitsForTheLinkIsCounted"),
    Mutant(
        "P15_AWatcherWithAFullMailboxDoesNotHearTheEnd",
        Instead("(void)state_.options.watcher.Tell(Down());"),
        "BusyWatcherTest.P15_AWatcherWithAFullMailboxHearsTheEndOfItsLink"),
    Mutant(
        "P15_ALinkThatWaitsForItsWatcherEndsWithoutGoAway",
        Swap("!connection->said_go_away()", "!state_.draining"),
        "BusyWatcherTest.P15_ALinkThatWaitsForItsWatcherSaysItsProcessEnds"),
    Mutant(
        "P15_AnAskThatIsForgottenIsNotCounted", Skip(),
        _LOSS + "AsksOfAPeerThatHasGoneAreForgotten"),
]
