# SPDX-License-Identifier: Apache-2.0
"""Links over gRPC with one mistake at a time: see tests/mutants/mutant.py."""

MUTANTS = [
    Mutant(
        "P13_ACallWithoutAListenerEndsAsIfAllWereWell",
        Swap("Draining()", "absl::OkStatus()"),
        "GrpcLinkTest.P13_ACallWhoseListenerEndsBeforeItsTurnIsEnded"),
    Mutant(
        "P14_APieceMayHaveAnyLength",
        Swap("message.Length() > kMostPieceBytes + kAroundBytes", "false"),
        "GrpcLinkTest.P14_PiecesThatBreakARuleEndTheirLink"),
    Mutant(
        "P14_PiecesMayBeEmpty", Swap("bytes == 0", "false"),
        "GrpcLinkTest.P14_PiecesThatBreakARuleEndTheirLink"),
    Mutant(
        "P14_TheNameInACertificateIsNotUsed", Skip(),
        "GrpcLinkTest.P14_ThePeerIsTheNameInItsCertificate"),
    Mutant(
        "P14_ThereIsNoLimitOfCalls",
        Swap("On(GetListenerStats()).open >= options_.max_connections",
             "false"),
        "GrpcLinkTest.P14_ACallAboveTheLimitIsTurnedAway"),
    Mutant(
        "P14_WhatIsNotHandledPilesUpInPieces",
        Swap("arrived_.size() < kMostWaiting", "true"),
        "Of/GrpcPiecesTest.P14_WhatTheLoopDoesNotReadIsNotTaken/Server"),
    Mutant(
        "P14_WhatIsNotReadPilesUpInPieces",
        Swap("kMostPieceBytes - waiting_.size()", "size_t{1} << 40"),
        "Of/GrpcPiecesTest.P14_WhatThePeerDoesNotReadIsNotKept/Client"),
    Mutant(
        "P15_ACallThatIsGivenUpGoesOn", Skip(),
        "Of/GrpcPiecesTest.P15_ATransportThatIsDroppedCancelsItsCall/Client"),
    Mutant(
        "P15_TheEndIsSaidBeforeWhatWasWritten",
        Swap("waiting_.empty() && !writing_", "true"),
        "Of/GrpcPiecesTest.P15_TheEndIsSaidOnceAfterAllThatWasWritten/Client"),
    Mutant(
        "P14_ASlowSubscriberCostsMemory", Skip(),
        "BridgeTopicsTest."
        "P14_WithoutCreditAFewAreKeptAndTheOthersAreCounted"),
    Mutant(
        "P14_AnotherClientGoesOnWithASubscription", Skip(),
        "BridgeTopicsTest.P14_ASubscriptionGoesOnWithOneCallOfItsOwnClient"),
    Mutant(
        "P14_EventsNeedNoCredit", Swap("credit_ > 0", "true"),
        "BridgeTopicsTest.P14_AClientWithoutCreditGetsNothing"),
    Mutant(
        "P19_TheGapBeforeAPublicationIsNotTold",
        Swap("first.position - position_ - 1", "0"),
        "BridgeTopicsTest.P19_ACallThatGoesOnLosesNoCount"),
    Mutant(
        "P19_ALostCallEndsItsSubscription", Swap("!lost || !had_it", "true"),
        "BridgeTopicsTest.P19_ACallThatGoesOnLosesNoCount"),
    Mutant(
        "P19_WhatWasLostWithACallIsNotCounted", Skip(),
        "BridgeTopicsTest.P19_ACallThatGoesOnLosesNoCount"),
    Mutant(
        "P16_TheLoopIsNotWokenByGrpc", Skip(),
        "Of/GrpcPiecesTest.P16_TheLoopIsWokenWhenItWaitsAndOnlyThen/Server"),
]
