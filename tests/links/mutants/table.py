# SPDX-License-Identifier: Apache-2.0
"""Links with one mistake at a time: see tests/mutants/mutant.py."""

_SOCKET = "UnixSocketTest.P12_"
_SOCKET14 = "UnixSocketTest.P14_"
_SLOW = ("Over/SlowReaderTest."
         "P14_APeerThatSendsFasterThanItReadsGetsEveryAnswer/unix_")


def _unix(test):
  return f"Over/{test}/unix"


_TORN = _unix(
    "HostileTest.P15_TornLastFrameIsCountedOnceAndNothingOfItHandled")
_TORN_PACKETS = _TORN.replace("/unix", "/packets")
_WRITTEN = _unix("ImpatientLossTest.P15_TheSenderKnowsWhatWasWritten")

MUTANTS = [
    # --- P6, asks that were given up
    Mutant(
        "P6_TheHandlerOfAnAskThatWasGivenUpGoesOn",
        Instead("named->second->forgotten = true;"),
        _unix("CancelTest.P6_AHandlerOverThereHearsThatItsAskerGaveUp")),
    Mutant(
        "P6_AnAskThatIsGivenUpKeepsItsPlace", Skip(),
        _unix("CancelTest."
              "P6_AnAskThatWaitsForAMailboxOverThereGivesBackItsCredit")),

    # --- P21, topics of other processes
    Mutant(
        "P21_WhatAProcessDoesNotReadPilesUp",
        Swap("entries_.size() >= options_.max_waiting", "false"),
        _unix("RemoteTopicsTest."
              "P21_ASlowSubscriberGetsTheExactCountOfWhatItMissed")),
    Mutant(
        "P21_WhatHasComeComesAgain", Skip(),
        _unix("RemoteTopicsTest.P14_AnExportThatLiesIsHarmless")),
    Mutant(
        "P21_APeerMaySubscribeAsOftenAsItLikes",
        Swap("sessions_.size() >= options_.max_sessions", "false"),
        _unix("RemoteTopicsTest.P21_TheSubscriptionsOfOthersAreBounded")),
    Mutant(
        "P21_WhatIsOnItsWayIsForgotten",
        Swap("entries_.front().number() <= number", "true"),
        "WaitingEntriesTest.P21_AnEntryStaysUntilItIsReceived"),
    Mutant(
        "P21_WhatFindsNoRoomIsForgotten", Skip(),
        "WaitingEntriesTest.P21_WhatFindsNoRoomIsCountedWhereItWas"),
    Mutant(
        "P21_ALongPublicationStopsASession",
        Instead("if (BytesOf(entry) > most_bytes) break;"),
        "WaitingEntriesTest.P21_ALongOneBecomesACount"),

    # --- P6 and P9, watches
    Mutant(
        "P6_WatchesOverALinkAreNotBounded",
        Swap("watches_.size() >= state_.options.max_watches", "false"),
        _unix("RemoteWatchTest.P6_WatchesAreBoundedHereAndThere")),
    Mutant(
        "P9_ARemoteWatchThatIsForgottenStays", Skip(),
        _unix("RawServerTest.P9_APeerHearsThatAWatchIsForgotten")),
    Mutant(
        "P9_ALostWatchIsTakenForTheEndOfTheLink", Skip(),
        _unix("RemoteWatchTest."
              "P9_TheEndOfTheConnectionIsToldApartFromThatOfTheActor")),
    Mutant(
        "P9_TheReasonOfAnEndOverThereIsLost",
        Swap("ReasonOf(ended)", "ExitReason()"),
        _unix("RemoteWatchTest."
              "P9_TheEndOfAnActorOverThereIsToldWithItsReason")),
    Mutant(
        "P9_OneOfManyWatchersIsTold",
        Before("if (!owed_.empty()) continue;"),
        _unix("RemoteWatchTest.P9_EachOfManyWatchersGetsOneDown")),
    Mutant(
        "P9_WhatAPeerWatchedIsWatchedOn", Skip(),
        _unix("TwoProcessesTest.P9_TheWatchesOfAKilledProcessAreForgotten")),

    # --- P12, running out of descriptors
    Mutant(
        "P12_APeerTurnedAwayIsNotClosed", Skip(),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_TheReserveIsGivenUpOnce", Skip(),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_NoPeerIsTakenForAnError",
        Swap("TurnOneAway(listener) == -EAGAIN",
             "TurnOneAway(listener), false"),
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_AConnectionThatEndedBreaksTheListener",
        Swap("!IsOfOneConnection(-error)", "true"),
        _SOCKET + "ConnectionsThatEndedWhileTheyWaitedAreNoError"),
    Mutant(
        "P12_TheListenerGivesUp",
        Swap("!absl::IsResourceExhausted(accepted.status())", "true"),
        _unix("HostileTest.P12_WithoutDescriptorsNewPeersAreTurnedAway")),
    Mutant(
        "P12_TheListenerTriesOnAndOn", Skip(),
        _unix("FaultsTest.P12_WithoutAReserveTheListenerPauses")),

    # --- P13, every system call may fail
    Mutant(
        "P13_AConnectionWithAnUnknownPeerIsLeftOpen",
        Before("if (!allowed.ok()) (void)fd->release();"),
        _unix("FaultsTest.P13_AConnectionWithAnUnknownPeerIsClosed")),
    Mutant(
        "P13_TheAskerIsNotToldWhy",
        Before("return absl::UnavailableError(\"\");"),
        _unix("FaultsTest.P13_AnAskOverALinkThatIsDownIsToldWhy")),

    Mutant(
        "P13_ANewCertificateNeedsARestart",
        Swap("fingerprint != fingerprint_", "fingerprint_.empty()"),
        "TlsLinkTest.P13_NewFilesAreUsedWithoutARestart"),

    Mutant(
        "P13_APeerThatHasNotOpenedItsPipeYetIsTakenForOneThatClosed",
        Swap("ready <= 0", "ready < 0"),
        "PipeLinkTest.P13_WhicheverSideComesFirstTheyMeet"),
    Mutant(
        "P13_TwoProcessesWriteToOnePipe",
        Swap("locked == -EWOULDBLOCK", "false"),
        "PipeLinkTest.P13_APipeHasOneWriter"),

    # --- P14, hostile peers
    Mutant(
        "P14_AnswersOfTlsPileUp",
        Swap("sealed().size() > kMostAnswers", "false"),
        "TlsSessionTest.P14_APeerThatChangesItsKeysAndDoesNotReadIsEnded"),
    Mutant(
        "P14_APacketThatIsTooLongIsCut",
        Swap("n > 0", "n < 0"),
        "PacketsTest.P14_APacketThatIsTooLongEndsItsConnection"),
    Mutant(
        "P14_APeerWithoutACertificateMayConnect",
        Swap("role_ == TlsRole::kStrictListener", "false"),
        "TlsLinkTest.P14_APeerWithoutACertificateConnectsOnlyIfItMay"),
    Mutant(
        "P14_ARevokedCertificateIsTrusted", Skip(),
        "TlsLinkTest.P14_ALinkTrustsNoBadCertificateAndSaysWhy"),
    Mutant(
        "P14_TheNameOfTheHostIsNotLookedAt",
        Swap("IsIpAddress(peer_name)",
             "true ? true : IsIpAddress(peer_name)"),
        "TlsLinkTest.P14_ACertificateWithOtherNamesIsNotThatOfTheHost"),
    Mutant(
        "P14_EveryNameIsAllowed", Swap("allowed.empty()", "true"),
        "TlsLinkTest.P14_OnlyTheNamesThatAreAllowedMayConnectOrAreTalkedTo"),
    Mutant(
        "P14_APeerThatMayNotConnectIsNotToldWhy", Before("shaken_ = false;"),
        "TlsLinkTest.P14_OnlyTheNamesThatAreAllowedMayConnectOrAreTalkedTo"),
    Mutant(
        "P14_APeerIsNotToldWhichRuleItBroke", Skip(),
        _unix("HostileTest."
              "P14_EachBrokenRuleEndsThatConnectionOnlyAndIsNamed")),
    Mutant(
        "P14_WhatAPeerDoesNotReadPilesUp",
        Swap("outbox_.unwritten() < options_.outbox_bytes", "true"),
        _unix("HostileTest.P14_WhatAPeerDoesNotReadIsBounded")),

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
        _unix("HostileTest.P14_APeerThatHasClosedItsReadingGetsNoPongs")),
    Mutant(
        "P14_CancelsPileUp", Swap("!connection.HasRoom()", "false"),
        _unix("RawServerTest.P14_CancelsThatAPeerDoesNotReadAreOwed")),
    Mutant(
        "P14_EndsPileUp", Swap("!connection->HasRoom()", "false"),
        _unix("HostileTest.P14_EndsThatAPeerDoesNotReadAreBounded")),
    Mutant(
        "P14_APeerMayWatchAsMuchAsItLikes",
        Swap("watches_.count() >= state_.options.max_watches", "false"),
        _unix("HostileTest.P14_APeerWatchesNoMoreThanItMay")),
    Mutant(
        "P14_APeerMayLookForAsManyNamesAsItLikes",
        Swap("asks_.count() >= state_.options.max_pending_asks", "false"),
        _unix("HostileTest.P14_APeerLooksForNoMoreNamesThanItMay")),
    Mutant(
        "P14_TheTypesOfALookupAreTakenAsTheyAre",
        Swap("Printable(type)", "type"),
        _unix("RawNamesTest.P14_AnswersThatAreNoneAreHarmless")),
    Mutant(
        "P14_TheTextOfAnEndIsTakenAsItIs",
        Swap("Printable(ended.message())", "ended.message()"),
        _unix("RawServerTest.P14_AnswersThatAreNoneAreHarmless")),
    Mutant(
        "P14_ATellThatWaitsKeepsItsAskers", Swap("ask", "true"),
        _unix("HostileTest.P14_TheAskersOfATellThatWaitsTakeNoMemory")),
    Mutant(
        "P14_CreditPilesUp", Swap("!HasRoom()", "false"),
        _unix("NarrowLinkTest.P14_APeerThatDoesNotReadIsGrantedNoMoreCredit")),
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

    # --- P6 and P14, peers over TCP
    Mutant(
        "P6_AllAddressesOfANameAreTried", Skip(),
        "TcpLinkTest.P6_ANameWithManyAddressesDoesNotTakeForEver"),
    Mutant(
        "P6_AddressesAreNeverForgotten", Skip(),
        "AddressLimitsTest.P6_AddressesWithoutAConnectionAreForgotten"),
    Mutant(
        "P14_EveryNetworkMayConnect",
        Swap("network.Contains(*address)", "true"),
        "TcpLinkTest.P14_OnlyTheNetworksInTheListMayConnect"),
    Mutant(
        "P14_APlaceOfAnAddressIsNotGivenBack", Skip(),
        "TcpLinkTest.P14_ConnectionsOfAnAddressAreLimited"),
    Mutant(
        "P14_AnAddressMayComeAsOftenAsItLikes", Swap("entry.left < 1", "false"),
        "AddressLimitsTest.P14_TheBucketFillsWithinASecond"),

    # --- P14 and P15, the ledger of a peer
    Mutant(
        "P14_AccountsPileUp", Swap("!connection->HasRoom()", "false"),
        _unix("HostileTest.P14_AccountsThatAPeerDoesNotReadAreOne")),
    Mutant(
        "P14_APeerAcknowledgesMoreThanItGot",
        Swap("count > sent_ - refused_", "false"),
        "SentBooksTest.P14_APeerThatLiesDoesNotUnbalanceThem"),
    Mutant(
        "P15_WhatDidNotLeaveHasAnUnknownFate",
        Swap("unwritten_.size()", "0"),
        "SentBooksTest.P15_WhatLeftHasAnUnknownFateAndTheRestHasFailed"),
    Mutant(
        "P15_WhatLeftIsForgottenWithItsConnection", Skip(),
        "SentBooksTest.P15_WhatLeftHasAnUnknownFateAndTheRestHasFailed"),
    Mutant(
        "P15_ATellThatWasTakenIsNotAcknowledged", Skip(),
        _unix("LedgerTest.P15_WhatAMailboxTookIsAcknowledged")),

    # --- P15, exact loss
    Mutant(
        "P15_PacketsOfAPeerThatClosedAreLost", Swap("-ECONNRESET", "-E2BIG"),
        _TORN_PACKETS),
    Mutant("P15_ATornFrameIsNotCounted", Skip(), _TORN),
    Mutant(
        "P15_ASilentPeerIsKept", Skip(),
        "HeartbeatTest.P15_ASilentPeerIsAskedAndThenGivenUp"),
    Mutant(
        "P15_APeerThatIsAliveIsTakenForSilent", Skip(),
        "HeartbeatTest.P15_APeerThatAnswersStays"),
    Mutant(
        "P15_WhatIsNotReadIsTakenForSilence", Skip(),
        "HeartbeatTest.P15_ASideThatDoesNotReadDoesNotAsk"),
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
        "P15_ARecordThatIsCutCountsAsWritten",
        Swap("records_.front().end <= sealed_ever_ + taken_", "true"),
        "TlsSessionTest."
        "P15_WhatThePeerCanOpenIsSaidExactlyWhereverItIsCut"),
    Mutant(
        "P15_AQuestionThatLeftIsSaidNotToHave",
        Swap("ask->sequence <= connection.written_sequence()", "false"),
        _unix("TwoProcessesTest.P15_AskOfAKilledProcessFailsAtOnce")),
    Mutant(
        "P15_AQuestionThatStayedIsSaidToHaveLeft",
        Instead("++state_.stats.fate_unknown;"),
        _unix("LossTest.P15_AnAskSaysWhetherItHadLeft")),
    Mutant(
        "P15_TheEndIsToldBeforeWhatArrived", Skip(),
        _unix("LossTest.P15_WhatArrivedIsDeliveredBeforeTheEndIsTold")),
    Mutant(
        "P15_WhatIsToldWhileTheLinkIsDownIsAccepted", Skip(),
        "FromThreads/RemoteTest.P15_IsToldAtOnceWhetherItsLinkIsUp/"
        "TellFromThread_unix"),
    Mutant(
        "P15_AKilledPeerIsTakenForOneThatSaidGoodbye", Skip(),
        _unix("TwoProcessesTest.P15_AKilledProcessIsToldFromOneThatEnds")),
    Mutant(
        "P15_WhatIsCancelledWhileItWaitsForTheLinkIsNotCounted", Skip(),
        _unix("LossTest.P15_WhatIsCancelledWhileItWaitsForTheLinkIsCounted")),
    Mutant(
        "P15_AWatcherWithAFullMailboxDoesNotHearTheEnd",
        Instead("(void)state_.options.watcher.Tell(MakeDown());"),
        _unix("BusyWatcherTest."
              "P15_AWatcherWithAFullMailboxHearsTheEndOfItsLink")),
    Mutant(
        "P15_ALinkThatWaitsForItsWatcherEndsWithoutGoAway",
        Swap("!connection->said_go_away()", "!state_.draining"),
        _unix("BusyWatcherTest."
              "P15_ALinkThatWaitsForItsWatcherSaysItsProcessEnds")),
    Mutant(
        "P15_AnAskThatIsForgottenIsNotCounted", Skip(),
        _unix("LossTest.P15_AsksOfAPeerThatHasGoneAreForgotten")),
]
