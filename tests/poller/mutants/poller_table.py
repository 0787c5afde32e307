# SPDX-License-Identifier: Apache-2.0
"""A poller with one mistake at a time, of the kind that real ones have had.

See tests/mutants/mutant.py. The test is a case of the conformance suite.
"""


def _epoll(case):
  return f"Copy/PollerConformance.{case}/epoll"


def _completions(case):
  return f"Copy/PollerConformance.{case}/completions"


MUTANTS = [
    # --- wakes
    Mutant(
        "P16_AWakeIsForgotten", Before("return;"),
        _epoll("Pitfall30_AWakeDuringTheWaitEndsIt")),
    Mutant(
        "P16_AWakeBeforeTheWaitIsForgotten", Before("wake_.Take();"),
        _epoll("Pitfall30_AWakeBeforeTheWaitIsNotLost")),
    Mutant(
        "P16_AWakeByTheLoopsOwnThreadIsForgotten", Before("wake_.Take();"),
        _epoll("Pitfall32_AWakeByTheLoopsOwnThreadIsNotLost")),
    Mutant(
        "P16_TheFirstWakeIsTheOnlyOne", Swap("pending_.exchange(false)", "true"),
        _epoll("Pitfall18_AThousandWakesOneAfterTheOther")),
    Mutant(
        "P16_EveryHundredthWakeIsForgotten",
        Before("static std::atomic<int> wakes{0};"
               "if (++wakes % 100 == 0) return;"),
        _epoll("Pitfall18_AThousandWakesOneAfterTheOther")),
    Mutant(
        "P16_AWakeIsReportedTwice",
        Before("static bool before = false;"
               "const bool now = result->woken;"
               "result->woken |= std::exchange(before, now);"),
        _epoll("AWakeIsReportedOnceAndSeveralAreOne")),
    Mutant(
        "P16_EventsStarveAWake",
        Before("static bool woken = false;"
               "woken |= result->woken;"
               "result->woken = result->events < events.size() &&"
               "                std::exchange(woken, false);"),
        _epoll("AWakeIsNotStarvedByReadyDescriptors")),
    Mutant(
        "P16_AWakeHidesEvents",
        Before("static int hidden = 0;"
               "hidden = result->woken ? 8 : std::max(0, hidden - 1);"
               "if (hidden > 0) result->events = 0;"),
        _epoll("AWakeDoesNotHideEvents")),

    # --- time
    Mutant(
        "P16_ItIsEarly",
        Swap("deadline",
             "deadline.is_infinite() ? deadline"
             "                       : deadline + -absl::Milliseconds(1)"),
        _epoll("NeverBeforeTheDeadline")),
    Mutant(
        "P16_TimeIsRoundedUpToMilliseconds",
        Before("left_ns_ = (left_ns_ + 999'999) / 1'000'000 * 1'000'000;"),
        _epoll("SubMillisecondDeadlinesAreKeptWhereClaimed")),
    Mutant(
        "P16_AFarDeadlineWrapsAround",
        Before("if (static_cast<int32_t>(left_ns_ / 1'000'000 + 1) < 0) {"
               "  left_ns_ = 0;"
               "}"),
        _epoll("Pitfall25_FarDeadlinesDoNotWrapAround")),
    Mutant(
        "P16_ASignalStartsTheTimeOver",
        Before("if (ready == -EINTR) return WaitOnce(room, limit);"),
        _epoll("Pitfall24_SignalsNeitherEndNorProlongAWait")),
    Mutant(
        "P16_ItLooksOnAndOn",
        Swap("limit.spec()", "[] { static timespec now; return &now; }()"),
        _epoll("Pitfall25_WaitingCostsNoProcessorTime")),

    # --- what is reported
    Mutant(
        "P16_AHangupThatIsNotWaitedForSpins", Swap("Wanted(interest)", "true"),
        _epoll("Pitfall12_HangupWithEmptyInterestDoesNotSpin")),
    Mutant(
        "P16_AClosedDescriptorSpins",
        Instead("return SpinsOnWhatIsClosed(events, deadline);"),
        _epoll("Pitfall22_ADescriptorClosedTooEarlyDoesNotSpin")),
    Mutant(
        "P16_AClosedDescriptorIsReportedForEver",
        Instead("return ReportsWhatIsClosed(events, deadline);"),
        _epoll("Pitfall22_ABadDescriptorDoesNotSilenceTheOthers")),
    Mutant(
        "P16_AnEmptyInterestChangesNothing",
        Before("if (interest.ready == Ready::kNone) return absl::OkStatus();"),
        _epoll("AnEmptyInterestIsSilentUntilItChanges")),
    Mutant(
        "P16_AStaleTokenIsReported",
        Instead("return HandsOutWhatIsStale(events, deadline);"),
        _epoll("Pitfall1_ANumberUsedAgainInABatchKeepsItsEvents")),
    Mutant(
        "P16_WhatIsRemovedStaysInTheSet", Skip(),
        _epoll("Pitfall8_NoEventAfterRemoveHoweverItRaces")),
    Mutant(
        "P16_WhatIsRemovedStaysWithADuplicate", Skip(),
        _epoll("Pitfall2_ADuplicateDoesNotReportAfterRemove")),
    Mutant(
        "P16_AReportedOneshotIsArmedAgain", Swap("!entry.armed", "false"),
        _epoll("Pitfall2_AReportedOneshotStaysSilentWhenOthersGoEarly")),
    Mutant(
        "P16_WhatIsRemovedStaysRegistered", Skip(),
        _epoll("Pitfall3_RemoveCloseReopenBeforeTheNextWait")),
    Mutant(
        "P16_WhatDoesNotFitIsDropped",
        Before("if (room < kBatch) {"
               "  return std::min<int>(room, WaitOnce(kBatch, limit));"
               "}"),
        _epoll("WhatDidNotFitComesWithTheNextWait")),
    Mutant(
        "P16_SomeArePreferredForEver",
        Before("if (room < kBatch) {"
               "  const int all = WaitOnce(kBatch, limit);"
               "  std::sort(batch_.data(), batch_.data() + std::max(0, all),"
               "            [](const epoll_event& a, const epoll_event& b) {"
               "              return Token::Unpack(a.data.u64).slot <"
               "                     Token::Unpack(b.data.u64).slot;"
               "            });"
               "  return std::min<int>(room, all);"
               "}"),
        _epoll("Pitfall16_NoReadyDescriptorIsPassedOverForEver")),
    Mutant(
        "P16_OneIsReportedTwice",
        Before("if (result->events > 0 && result->events < events.size()) {"
               "  events[result->events++] = events[0];"
               "}"),
        _epoll("DataIsReportedWithTheToken")),
    Mutant(
        "P16_ReadableIsSaidWithoutCause",
        Before("if (result->events == 0 && !watched_.empty()) {"
               "  events[result->events++] ="
               "      {watched_.begin()->second, Ready::kReadable};"
               "}"),
        _epoll("NothingReadyReportsNothing")),
    Mutant(
        "P16_WritableIsAlwaysAdded", Swap("Ready::kNone", "Ready::kWritable"),
        _epoll("OnlyWhatWasAskedForIsReported")),
    Mutant(
        "P16_AHangupIsHidden", Swap("Ready::kHangup", "Ready::kNone"),
        _epoll("Pitfall11_FullCloseIsHangup")),
    Mutant(
        "P16_AHangupIsNotReadable", Swap("Ready::kReadable", "Ready::kNone"),
        _epoll("Pitfall10_EndOfAPipeIsReadableAndHangup")),
    Mutant(
        "P16_AnErrorIsHidden", Swap("Ready::kError", "Ready::kNone"),
        _epoll("APipeWithoutReaderIsInError")),
    Mutant(
        "P16_AHalfCloseIsForgotten", Swap("Ready::kReadHangup", "Ready::kNone"),
        _epoll("Pitfall11_HalfCloseIsReadableAndNoHangup")),
    Mutant(
        "P16_AHalfCloseIsTakenForAHangup",
        After("ready = ready | Ready::kHangup;"),
        _epoll("Pitfall11_HalfCloseIsReadableAndNoHangup")),
    Mutant(
        "P16_ATokenIsCutShort",
        Swap("token", "Token{token.slot, token.generation & 0xffff}"),
        _epoll("TheWholeTokenComesBack")),

    # --- triggers
    Mutant(
        "P16_LevelIsEdge",
        Swap("interest.trigger == Trigger::kEdge",
             "interest.trigger != Trigger::kOneshot"),
        _epoll("LevelIsReportedOnEveryWaitWhileItLasts")),
    Mutant(
        "P16_EdgeIsLevel", Skip(),
        _epoll("Pitfall13_EdgeDoesNotRepeatARemainderButModifyDoes")),
    Mutant(
        "P16_EdgeIsOneshot",
        Before("if (interest.trigger == Trigger::kEdge) events |= EPOLLONESHOT;"),
        _epoll("Pitfall14_EdgeReportsEachChangeAfterADrain")),
    Mutant(
        "P16_OneshotIsLevel", Skip(),
        _epoll("Pitfall17_OneshotDisarmsBothDirectionsUntilModify")),
    Mutant(
        "P16_AOneshotHangupIsRepeated", Skip(),
        _epoll("OneshotReportsAHangupOnceOnly")),

    # --- registrations
    Mutant(
        "P16_AModifyThatChangesNothingIsSkipped",
        Before("if (interest == entry->interest) return absl::OkStatus();"),
        _epoll("AConditionThatHoldsAtModifyIsReportedAgain")),
    Mutant(
        "P16_ASecondAddIsIgnored",
        Before("if (absl::IsAlreadyExists(allowed)) return absl::OkStatus();"),
        _epoll("RegisteringTwiceIsRefusedAndHarmless")),
    Mutant(
        "P16_EveryAddIsBelieved", Before("if (added < 0) return absl::OkStatus();"),
        _epoll("ADescriptorThatIsNotOpenIsInvalid")),
    Mutant(
        "P13_AFailedAddIsIgnored",
        Before("if (added == -ENOMEM || added == -ENOSPC) {"
               "  return absl::OkStatus();"
               "}"),
        _epoll("P13_EverySystemCallMayFail")),
    Mutant(
        "P16_AnUnknownRegistrationIsForgiven",
        Before("if (entry == nullptr) return absl::OkStatus();"),
        _epoll("WhatIsNotRegisteredIsNotFound")),
    Mutant(
        "P16_ARegularFileIsTakenAndSilent",
        Before("if (added == -EPERM) return absl::OkStatus();"),
        _epoll("Pitfall19_ARegularFileIsAlwaysReadyOrRefused")),
    Mutant(
        "P16_ADuplicateIsKept", Before("sys_.Dup(fd);"),
        _epoll("Pitfall7_AfterRemoveCloseReachesThePeerAtOnce")),
    Mutant(
        "P16_ADescriptorLeaks", Before("sys.EpollCreate1(EPOLL_CLOEXEC);"),
        _epoll("EndsCleanlyWithRegistrationsAndAWakeLeft")),
    Mutant(
        "P11_ChildrenInheritTheSet", Swap("EPOLL_CLOEXEC", "0"),
        _epoll("P11_ItsDescriptorsAreClosedOnExec")),
    Mutant(
        "P16_NoRoomIsAccepted", Before("if (events.empty()) return WaitResult{};"),
        _epoll("NoRoomForAnEventIsAnError")),

    # --- completions
    Mutant(
        "P16_ABufferIsTouchedAfterCancel",
        Before("if (waiting_.Has(operation) &&"
               "    operation.request.kind == Operation::Kind::kRead) {"
               "  ghosts_.push_back(operation.request);"
               "}"),
        _completions("NobodyTouchesTheBufferAfterCancel")),
    Mutant(
        "P16_AnOperationCompletesTwice",
        Before("static Operation* last = nullptr;"
               "if (last != nullptr) return std::exchange(last, nullptr);"
               "last = completed_.first();"),
        _completions("AReadWaitsForItsBytes")),
    Mutant(
        "P16_AFullQueueLosesAnOperation", Skip(unless="waiting_.size() < 256"),
        _completions("Pitfall45_AnyNumberAtOnceAndEachEndsOnce")),
    Mutant(
        "P11_ACancelLosesAConnection",
        After("operation.SetResult(-ECANCELED);"),
        _completions("P11_ACancelledAcceptLosesNoConnection")),
    Mutant(
        "P16_WhatWasCancelledIsReported", After("completed_.Add(operation);"),
        _completions("NobodyTouchesTheBufferAfterCancel")),
    Mutant(
        "P16_ItSleepsOnACompletion", Swap("!completed_.empty()", "false"),
        _completions("AnEndedOperationDoesNotLetTheWaitSleep")),
]
