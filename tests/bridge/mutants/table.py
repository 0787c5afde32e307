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
        "P15_TheEndIsSaidAgainAndAgain",
        Swap("!said_end_", "true"),
        "Of/GrpcPiecesTest.P15_TheEndIsSaidOnceAfterAllThatWasWritten/Client"),
    Mutant(
        "P16_TheLoopIsNotWokenByGrpc", Skip(),
        "Of/GrpcPiecesTest.P16_TheLoopIsWokenWhenItWaitsAndOnlyThen/Server"),
]
