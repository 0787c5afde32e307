# SPDX-License-Identifier: Apache-2.0
"""Served actors and stubs with one mistake at a time: see
tests/mutants/mutant.py."""

_SERVICE = "ActorServiceTest."
_STREAMS = "ServerStreamsTest."
_STUB = "GrpcStubTest."

MUTANTS = [
    # --- What is checked when the service is made
    Mutant(
        "P14_TwoMethodsShareAHandler", Swap("other != methods.end()", "false"),
        _SERVICE + "CreateNamesEachMethodThatItCannotServe"),
    Mutant(
        "P14_AHandlerMayReplyWithAnything",
        Swap("reply == served.reply_type", "true"),
        _SERVICE + "CreateNamesEachMethodThatItCannotServe"),

    # --- Limits
    Mutant(
        "P6_AServiceHasNoLimitOfCalls",
        Swap("open_.fetch_add(1) < most_", "open_.fetch_add(1), true"),
        _SERVICE + "P6_CallsBeyondTheLimitAreRefused"),
    Mutant(
        "P6_AStreamHasNoBound", Swap("HasRoom(to_client_)", "true"),
        _STREAMS + "P6_AClientThatDoesNotReadHoldsABoundedPart"),
    Mutant(
        "P6_AStubHasNoLimitOfCalls", Swap("counts_.open >= most", "false"),
        _STUB + "P6_CallsWithoutAnAnswerAreLimited"),
    Mutant(
        "P14_ARequestHasNoLimit", Skip(),
        _SERVICE + "P14_MessagesAboveTheLimitAreRefused"),
    Mutant(
        "P17_ACallWithoutADeadlineHasNone",
        Swap("options.default_deadline", "absl::InfiniteDuration()"),
        _SERVICE + "P17_EveryDeadlineOfAClientIsADeadline"),

    # --- What the other side is told
    Mutant(
        "P10_AClientIsNotToldThatTheBusEnds",
        Swap("served.bus.draining()", "false"),
        _SERVICE + "P10_TheBusMayEndBeforeTheServer"),
    Mutant(
        "P14_AnErrorOfAHandlerIsNotMadePrintable",
        Swap("Printable(error.message())", "std::string(error.message())"),
        _SERVICE + "P14_TheTextOfAHandlerIsMadePrintableAndCut"),
    Mutant(
        "P14_AnErrorOfAServerIsNotMadePrintable",
        Swap("Printable(status.error_message())", "status.error_message()"),
        _STUB + "P14_WhatAServerSendsIsMadePrintableAndLimited"),
]
