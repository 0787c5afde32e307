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
        "P12_WhoIsTurnedAwayIsNotClosed", "actors/unix_socket.cc",
        "    sys_->Close(result);\n",
        "    if (!MUTANT) sys_->Close(result);\n",
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_TheReserveIsGivenUpOnce", "actors/unix_socket.cc",
        "  if (result >= 0 || result == -EAGAIN) HoldReserve();\n",
        "  if ((result >= 0 || result == -EAGAIN) && !MUTANT) HoldReserve();\n",
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_NobodyWaitingIsTakenForAnError", "actors/unix_socket.cc",
        "(out_of_resources && reserve_ && TurnOneAway() == -EAGAIN)) {\n",
        "(out_of_resources && reserve_ && TurnOneAway() == -EAGAIN &&\n"
        "         !MUTANT)) {\n",
        _SOCKET + "WithoutDescriptorsPeersAreToldAndServiceComesBack"),
    Mutant(
        "P12_AConnectionThatEndedBreaksTheListener", "actors/unix_socket.cc",
        "error != EINTR && error != ECONNABORTED",
        "error != EINTR && (error != ECONNABORTED || MUTANT)",
        _SOCKET + "ConnectionsThatEndedWhileTheyWaitedAreNoError"),
    Mutant(
        "P12_TheListenerGivesUp", "actors/unix_listener.cc",
        "    if (!absl::IsResourceExhausted(accepted.status())) {\n",
        "    if (MUTANT || !absl::IsResourceExhausted(accepted.status())) {\n",
        "HostileTest.P12_WithoutDescriptorsNewPeersAreTurnedAway"),
    Mutant(
        "P12_TheListenerTriesOnAndOn", "actors/unix_listener.cc",
        "    if (!could_wait || !socket_.has_reserve()) {\n",
        "    if ((!could_wait || !socket_.has_reserve()) && !MUTANT) {\n",
        _FAULTS + "P12_WithoutAReserveTheListenerPauses"),

    # --- P13, every system call may fail
    Mutant(
        "P13_AConnectionOfWhomIsUnknownIsLeftOpen", "actors/unix_link.cc",
        "  if (!peer.ok()) return peer.status();\n",
        "  if (!peer.ok()) {\n"
        "    if (MUTANT) (void)fd->release();\n"
        "    return peer.status();\n"
        "  }\n",
        _FAULTS + "P13_WhicheverCallFailsWhoAsksIsTold"),
    Mutant(
        "P13_WhoAsksIsNotToldWhy", "actors/unix_link_out.cc",
        '  return absl::UnavailableError(absl::StrCat(\n'
        '      "not connected: ", down_reason_.ok()',
        '  if (MUTANT) return absl::UnavailableError("");\n'
        '  return absl::UnavailableError(absl::StrCat(\n'
        '      "not connected: ", down_reason_.ok()',
        _FAULTS + "P13_WhicheverCallFailsWhoAsksIsTold"),

    # --- P14, hostile peers
    Mutant(
        "P14_WhoBreaksARuleIsNotToldWhich", "actors/unix_connection.cc",
        "    if (!heard_error_) wire::AppendErrorFrame",
        "    if (!heard_error_ && !MUTANT) wire::AppendErrorFrame",
        "HostileTest.P14_EachBrokenRuleEndsThatConnectionOnlyAndIsNamed"),
    Mutant(
        "P14_WhatAPeerDoesNotReadPilesUp", "actors/unix_connection.h",
        "    return outbox_.unwritten() < options_.outbox_bytes &&\n",
        "    return (MUTANT || outbox_.unwritten() < options_.outbox_bytes) &&\n",
        "ImpatientTest.P14_PeerThatNeverReadsIsCutAtTheWriteDeadline"),

    Mutant(
        "P14_RefusalsPileUp", "actors/unix_link_in.cc",
        "  if (owed_.empty() && connection_->HasRoom()) {\n",
        "  if (MUTANT || (owed_.empty() && connection_->HasRoom())) {\n",
        _SLOW + "2"),
    Mutant(
        "P14_PongsPileUp", "actors/unix_link.cc",
        "           !connection->HasRoom()) {\n",
        "           !connection->HasRoom() && !MUTANT) {\n",
        _SLOW + "0"),
    Mutant(
        "P14_AnswersPileUp", "actors/unix_link_in.cc",
        "  if (!taken.forgotten && !connection_->HasRoom()) {\n",
        "  if (!taken.forgotten && !connection_->HasRoom() && !MUTANT) {\n",
        _SLOW + "7"),
    Mutant(
        "P14_ALockWithContentIsTakenForOurs", "actors/unix_socket.cc",
        "IsOwn(file, own_uid) && file.st_size == 0) {\n",
        "IsOwn(file, own_uid) && (MUTANT || file.st_size == 0)) {\n",
        "All/WhatStandsThereTest.P14_IsNeverRemovedUnlessItIsAStaleSocket/4"),
    Mutant(
        "P14_TheLockIsRemovedWhateverIsInIt", "actors/unix_socket.cc",
        "== lock_id_ && file.st_size == 0;\n",
        "== lock_id_ && (MUTANT || file.st_size == 0);\n",
        _SOCKET14 + "ALockThatSomebodyWroteToSurvivesItsEnd"),
    Mutant(
        "P14_TheTextOfAFailureIsTakenAsItIs", "actors/unix_link_in.cc",
        "                              Printable(reply.failure().message()));\n",
        "                              MUTANT\n"
        "                                  ? reply.failure().message()\n"
        "                                  : Printable(reply.failure().message()));\n",
        "OutsideTextTest.P14_EveryTextOfAMessageIsHarmless"),

    # --- P15, exact loss
    Mutant(
        "P15_ATornFrameIsNotCounted", "actors/unix_connection.cc",
        "  if (torn) ++stats_.torn;\n",
        "  if (torn && !MUTANT) ++stats_.torn;\n",
        _TORN),
    Mutant(
        "P15_ATornFrameIsCountedTwice", "actors/unix_connection.cc",
        "  if (error != WireError::kNone && !torn) {\n",
        "  if (torn && MUTANT) ++stats_.torn;\n"
        "  if (error != WireError::kNone && !torn) {\n",
        _TORN),
    Mutant(
        "P15_AnEndInsideAFrameIsAnEndLikeAnyOther", "actors/unix_connection.cc",
        "  if (!torn.ok()) return End(LinkEnd::kLost, torn);\n",
        "  if (!torn.ok() && !MUTANT) return End(LinkEnd::kLost, torn);\n",
        _TORN),
    Mutant(
        "P15_WhatIsInTheOutboxCountsAsWritten", "actors/unix_connection.cc",
        "  stats_.unsent += outbox_.messages();\n",
        "  (MUTANT ? stats_.written : stats_.unsent) += outbox_.messages();\n",
        _WRITTEN),
    Mutant(
        "P15_AMessageIsWrittenWithItsFirstByte", "actors/frame_outbox.cc",
        "  while (!frames_.empty() && frames_.front().end <= taken_) {\n",
        "  while (!frames_.empty() &&\n"
        "         frames_.front().end <= taken_ + (MUTANT ? 1000 : 0)) {\n",
        _WRITTEN),
    Mutant(
        "P15_WhatIsInTheOutboxIsForgotten", "actors/unix_connection.cc",
        "  stats_.waiting -= outbox_.messages();\n",
        "  if (!MUTANT) stats_.waiting -= outbox_.messages();\n",
        _WRITTEN),
    Mutant(
        "P15_AQuestionThatLeftIsSaidNotToHave", "actors/unix_link_out.cc",
        "ask->sequence <= connection.written_sequence();\n",
        "ask->sequence <= connection.written_sequence() && !MUTANT;\n",
        "TwoProcessesTest.P15_AskOfAKilledProcessFailsAtOnce"),
    Mutant(
        "P15_AQuestionThatStayedIsSaidToHaveLeft", "actors/unix_link_out.cc",
        "    if (written) ++stats_.fate_unknown;\n",
        "    if (written || MUTANT) ++stats_.fate_unknown;\n",
        _LOSS + "AnAskSaysWhetherItHadLeft"),
    Mutant(
        "P15_TheEndIsToldBeforeWhatArrived", "actors/unix_link.cc",
        "  while (stats_.queued > 0) co_await drained_.Wait();\n",
        "  while (stats_.queued > 0 && !MUTANT) co_await drained_.Wait();\n",
        _LOSS + "WhatArrivedIsDeliveredBeforeTheEndIsTold"),
    Mutant(
        "P15_WhatIsToldWhileTheLinkIsDownIsAccepted", "actors/unix_link.cc",
        "  loop().bus().SetConnected(address().id(), connected);\n",
        "  if (MUTANT) return;\n"
        "  loop().bus().SetConnected(address().id(), connected);\n",
        "FromThreads/RemoteTest.P15_IsToldAtOnceWhetherItsLinkIsUp/"
        "TellFromThread"),
    Mutant(
        "P15_AKilledPeerIsTakenForOneThatSaidGoodbye",
        "actors/unix_connection.cc",
        "  if (go_away_.empty()) {\n",
        "  if (go_away_.empty() && !MUTANT) {\n",
        "TwoProcessesTest.P15_AKilledProcessIsToldFromOneThatEnds"),
    Mutant(
        "P15_AnAskThatIsForgottenIsNotCounted", "actors/unix_link_in.cc",
        "      ++stats_.abandoned;\n      return true;\n",
        "      if (!MUTANT) ++stats_.abandoned;\n      return true;\n",
        _LOSS + "AsksOfAPeerThatHasGoneAreForgotten"),
]
