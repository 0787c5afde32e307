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
_LOG = "Forms/LogTest."

MUTANTS = [
    # --- P1, order for each pair
    Mutant(
        "P1_TheNewestMessageIsFirstInTheMailbox", "bus/mailbox.h",
        "    (first_ == nullptr ? first_ : last_->next) = e;\n",
        "    if (MUTANT && first_ != nullptr) {\n"
        "      e->next = std::exchange(first_, e);\n"
        "      return;\n"
        "    }\n"
        "    (first_ == nullptr ? first_ : last_->next) = e;\n",
        _ORDER + "P1_OrderPerPairHoldsForPlainThreads/epoll1"),
    Mutant(
        "P1_WhatIsHandedOverTogetherComesNewestFirst", "bus/outboxes.h",
        "    envelope->next = box.newest;\n"
        "    box.newest = envelope;\n",
        "    if (MUTANT && box.count > 0) {\n"
        "      (box.count == 1 ? box.newest : box.oldest)->next = envelope;\n"
        "      box.oldest = envelope;\n"
        "    } else {\n"
        "      envelope->next = box.newest;\n"
        "      box.newest = envelope;\n"
        "    }\n",
        _ORDER + "P1_OrderPerPairHoldsAcrossLoops/sim3"),
    Mutant(
        "P1_AHandlerThatWaitsLetsTheNextMessageIn", "bus/loop_actors.cc",
        "if (KeepsBusy(cell, handler)) cell.standing.set_busy(true);",
        "if (KeepsBusy(cell, handler)) cell.standing.set_busy(!MUTANT);",
        _ORDER + "P1_OrderPerPairHoldsAcrossLoops/sim3"),
    Mutant(
        "P1_MessagesAheadOfTheirActorAreDropped", "bus/loop_actors.cc",
        "    if (cell.credits.generation() != e->target.generation()) {\n",
        "    if (cell.credits.generation() != e->target.generation() ||\n"
        "        (MUTANT && e->has(Envelope::kDataLane))) {\n",
        _ORDER + "P1_MessagesToAnActorJustSpawnedWaitForItsStart/sim3"),

    # --- P2, conservation
    Mutant(
        "P2_AMessageIsHandledTwice", "actors/handler.h",
        "    } else if constexpr (std::is_void_v<Result>) {\n",
        "    } else if constexpr (std::is_void_v<Result>) {\n"
        "      if (MUTANT) actor.On(std::move(e->payload<M>()));\n",
        _BOOKS + "sim1"),
    Mutant(
        "P2_ARefusalCountsAsAccepted", "bus/ledger.h",
        "    (was_accepted ? accepted : refused).Increment();\n",
        "    (was_accepted || MUTANT ? accepted : refused).Increment();\n",
        _BOOKS + "sim2"),
    Mutant(
        "P2_AnAttemptIsNotCounted", "bus/bus_state.cc",
        "  outside_.attempted.Increment();\n",
        "  if (!MUTANT) outside_.attempted.Increment();\n",
        _BOOKS + "sim1"),
    Mutant(
        "P2_ADeadLetterIsNotCounted", "bus/loop_actors.cc",
        "    port_.ledger.dead_lettered.Increment();\n",
        "    if (!MUTANT) port_.ledger.dead_lettered.Increment();\n",
        _BOOKS + "sim2"),
    Mutant(
        "P2_AnExpiredMessageIsNotCounted", "bus/loop_actors.cc",
        "  port_.ledger.expired.Increment();\n",
        "  if (!MUTANT) port_.ledger.expired.Increment();\n",
        _BOOKS + "sim2"),
    Mutant(
        "P2_AMessageThatIsLateIsHandled", "bus/loop_actors.cc",
        "    return DropExpired(cell, e);\n",
        "    if (!MUTANT) return DropExpired(cell, e);\n"
        "    port_.ledger.expired.Increment();\n",
        _BOOKS + "sim2"),
    Mutant(
        "P2_WhatIsOnItsWayToALoopThatEndsIsForgotten", "bus/loop_actors.cc",
        "    DropUndelivered(e);\n    e = next;\n",
        "    if (!MUTANT) DropUndelivered(e);\n    e = next;\n",
        "Forms/SimConservationTest."
        "P2_WhatALoopHadNotTakenWhenItEndedIsCounted/sim1"),

    # --- P4, wake economy
    Mutant(
        "P4_AnAwakeLoopIsWoken", "bus/loop_port.h",
        "      case Handoff<Envelope>::Pushed::kQueued:\n",
        "      case Handoff<Envelope>::Pushed::kQueued:\n"
        "        if (MUTANT) stats.wakes.Increment();\n",
        "Forms/WakeTest.P4_WakesAreNoMoreThanSleeps/epoll1"),

    # --- P5, handles never dangle
    Mutant(
        "P5_AnOldHandleReachesTheNextActor", "bus/credits.h",
        "      if (Generation(word) != generation) return {.gone = true};\n",
        "      if (Generation(word) != generation && !MUTANT) {\n"
        "        return {.gone = true};\n"
        "      }\n",
        "Forms/HandlesTest.P5_AnOldHandleNeverReachesTheNextActor/sim1"),

    # --- P6, bounded memory
    Mutant(
        "P6_AFullMailboxTakesMore", "bus/credits.h",
        "      if (taken == 0) return {};\n",
        "      if (taken == 0) return {.places = MUTANT ? 1u : 0u};\n",
        _BOUNDS + "P6_TheBoundIsExactForAPlainThread/sim1"),
    Mutant(
        "P6_FullBeforeItIsFull", "bus/credits.h",
        "      const uint32_t taken = std::min(Places(word), share);\n",
        "      const uint32_t taken =\n"
        "          MUTANT && Places(word) == 1 ? 0\n"
        "                                      : std::min(Places(word), share);\n",
        _BOUNDS + "P6_TheBoundIsExactForAnotherLoopAndItsLeases/sim2"),
    Mutant(
        "P6_ASleepingLoopKeepsItsLeases", "bus/loop.cc",
        "  envelopes_.ReturnAll();\n"
        "  leases_.ReturnAll();\n"
        "  if (local_places_",
        "  envelopes_.ReturnAll();\n"
        "  if (!MUTANT) leases_.ReturnAll();\n"
        "  if (local_places_",
        _BOUNDS + "P6_PlacesLeasedByASleepingLoopAreFree/epoll3"),
    Mutant(
        "P6_WhoWaitsForRoomIsNotTold", "bus/room.cc",
        "    Keep(cell, 1);\n",
        "    if (!MUTANT) Keep(cell, 1);\n",
        _BOUNDS + "P6_SendWaitsForRoomAndLosesNothing/sim2"),
    Mutant(
        "P6_EachPlaceThatComesFreeWakesASender", "bus/room.cc",
        "all.places >= cell.capacity / 4",
        "all.places >= (MUTANT ? 1 : cell.capacity / 4)",
        _SIM_BOUNDS + "P6_ASenderThatWaitsIsWokenForAQuarterOfAMailbox/sim2"),
    Mutant(
        "P6_RoomIsKeptWhenNothingIsLeftToDo", "bus/loop_actors.cc",
        "    room_.GiveAll(cell);\n",
        "    if (!MUTANT) room_.GiveAll(cell);\n",
        _SIM_BOUNDS +
        "P6_RoomThatOneLeavesUnusedGoesToTheOthersThatWait/sim2"),
    Mutant(
        "P6_APlaceDiesWithWhoWantedIt", "bus/loop_actors.cc",
        "  if (has_place) {\n",
        "  if (has_place && !MUTANT) {\n",
        _SIM_BOUNDS + "P6_APlaceGrantedToAnActorThatEndedIsNotLost/sim2"),
    Mutant(
        "P6_AReplyWaitsBehindData", "bus/loop_actors.cc",
        "  if (Envelope* reply = cell.urgent.reply.Pop()) return reply;\n",
        "  if (!MUTANT || cell.data.empty()) {\n"
        "    if (Envelope* reply = cell.urgent.reply.Pop()) return reply;\n"
        "  }\n",
        _BOUNDS + "P6_RepliesAndTimersPassAFullMailbox/sim1"),
    Mutant(
        "P6_WhatIsUrgentIsOverlooked", "bus/loop_actors.cc",
        "    cell.standing.set_urgent(true);\n",
        "    cell.standing.set_urgent(!MUTANT);\n",
        _BOUNDS + "P6_AStopPassesAFullMailbox/sim1"),
    Mutant(
        "P6_AStopWaitsBehindData", "bus/loop_actors.cc",
        "  if (Envelope* control = cell.urgent.control.Pop()) return control;\n",
        "  if (!MUTANT || cell.data.empty()) {\n"
        "    if (Envelope* control = cell.urgent.control.Pop()) return control;\n"
        "  }\n",
        _BOUNDS + "P6_AStopPassesAFullMailbox/sim1"),

    Mutant(
        "P6_AnExpiredHandlerGoesOnWaiting", "bus/expiry.cc",
        "    if (end <= now || HasNoAsker(*h->envelope, gone)) {\n",
        "    if (MUTANT && end <= now) continue;\n"
        "    if (end <= now || HasNoAsker(*h->envelope, gone)) {\n",
        _EXPIRY + "P6_AsksThatTimedOutHoldNoPlace/sim2"),
    Mutant(
        "P6_WhatExpiresBehindAHandlerStays", "bus/expiry.cc",
        "    if (e.deadline <= now || HasNoAsker(e, gone)) return true;\n",
        "    if (MUTANT) return false;\n"
        "    if (e.deadline <= now || HasNoAsker(e, gone)) return true;\n",
        _EXPIRY + "P6_WhatExpiresBehindAHandlerThatWaitsHoldsNoPlace/sim2"),
    Mutant(
        "P6_AnAskerThatHasGoneIsWaitedFor", "bus/loop_actors.cc",
        "    expiry_.AskerHasGone(cell, e->payload<AskCancelled>().key);\n",
        "    if (!MUTANT) {\n"
        "      expiry_.AskerHasGone(cell, e->payload<AskCancelled>().key);\n"
        "    }\n",
        _EXPIRY + "P6_AskersThatGoLetGoOfWhatTheyAsked/sim2"),
    Mutant(
        "P6_AsksThatWaitMayTakeEveryPlace", "bus/cell.h",
        "    return std::clamp<uint32_t>(capacity / 2, 1, UINT16_MAX);\n",
        "    return std::clamp<uint32_t>(MUTANT ? capacity : capacity / 2, 1,\n"
        "                                UINT16_MAX);\n",
        _EXPIRY + "P6_AsksThatWaitLeaveHalfOfAMailboxToOthers/sim2"),

    # --- P7, no starvation
    Mutant(
        "P7_ASliceIsAWholeTurn", "bus/loop_actors.cc",
        "std::min(left, slice));",
        "MUTANT ? left : std::min(left, slice));",
        "Forms/FairnessTest.P7_ANeighbourOnTheLoopWaitsForOneSliceAtMost/sim1"),
    Mutant(
        "P7_ASecondSliceGoesBeforeOtherLoops", "bus/loop_actors.cc",
        "    run_queue_.PushAgain(cell);\n",
        "    if (MUTANT) RunQueue::Release(cell), run_queue_.Push(cell);\n"
        "    if (!MUTANT) run_queue_.PushAgain(cell);\n",
        "Forms/FairnessTest.P7_WhatWasHandedOverGoesBeforeASecondSlice/sim1"),
    Mutant(
        "P7_AFloodDoesNotLookAtOtherLoops", "bus/loop_actors.cc",
        "      if (OthersWait()) break;\n",
        "      if (OthersWait() && !MUTANT) break;\n",
        "Forms/FairnessTest.P7_ATurnOfAFloodEndsForWhatIsHandedOver/sim1"),
    Mutant(
        "P7_WhatWasSentWaitsForAFlood", "bus/loop_actors.cc",
        "      FlushOutboxes();\n"
        "      left -= ",
        "      if (!MUTANT) FlushOutboxes();\n"
        "      left -= ",
        "Forms/FairnessTest.P7_WhatWasSentGoesOutBeforeAFloodedSlice/sim1"),
    Mutant(
        "P7_ABusyLoopDoesNotLookAtTimers", "bus/loop.cc",
        "  if (!timers_.empty()) worked |= timers_.FireDue(Now());\n",
        "  if (!timers_.empty() && !(MUTANT && !run_queue_.empty())) {\n"
        "    worked |= timers_.FireDue(Now());\n"
        "  }\n",
        "Forms/FairnessTest.P7_ADueTimerWaitsForOneTurnAtMost/sim1"),
    Mutant(
        "P7_ABusyLoopDoesNotLookAtDescriptors", "bus/loop.cc",
        "++turns_since_poll_ >= options_.turns_between_polls\n",
        "++turns_since_poll_ >= options_.turns_between_polls && !MUTANT\n",
        "Forms/FairnessTest.P7_AReadyDescriptorWaitsForAFewTurnsAtMost/sim1"),

    Mutant(
        "P7_ALookTakesOneTurn", "bus/actor_pages.h",
        "       left > 0 && slot < end && go_on; --left) {\n",
        "       (left > 0 || MUTANT) && slot < end && go_on; --left) {\n",
        _LOOKING + "P7_LookingAtManyActorsTakesAStepATurn/sim1"),
    Mutant(
        "P7_EachLookTakesAStep", "bus/chores.cc",
        "std::exchange(last_turn_, turn) != turn) {\n",
        "(std::exchange(last_turn_, turn) != turn || MUTANT)) {\n",
        _LOOKING + "P7_ManyLooksAtOnceTakeAStepATurn/sim1"),

    # --- P8, containment
    Mutant(
        "P8_WhoThrewGoesOn", "bus/loop_actors.cc",
        "  StopActor(cell, /*drain=*/false);\n"
        "  bus_->Log(",
        "  if (!MUTANT) StopActor(cell, /*drain=*/false);\n"
        "  bus_->Log(",
        _CONTAINMENT + "P8_AThrowEndsItsActorAndNothingElse/sim1"),
    Mutant(
        "P8_WhoAskedIsNotToldWhatWasThrown", "bus/loop_actors.cc",
        '" threw: ", WhatIsThrown());',
        '" threw: ", MUTANT ? "" : WhatIsThrown());',
        _CONTAINMENT + "P8_AThrowEndsItsActorAndNothingElse/sim2"),
    Mutant(
        "P8_AThrowCountsAsHandled", "bus/loop_actors.cc",
        "    outcome = Outcome::kFailed;\n",
        "    outcome = MUTANT ? Outcome::kHandled : Outcome::kFailed;\n",
        _CONTAINMENT + "P8_EveryThrowIsCounted/sim1"),
    Mutant(
        "P8_WhatIsQueuedIsHandledAfterAThrow", "bus/loop_actors.cc",
        "  cell.standing.set_state(drain ? ",
        "  cell.standing.set_state(drain || MUTANT ? ",
        _CONTAINMENT + "P8_AThrowDeadLettersWhatWasQueued/sim1"),
    Mutant(
        "P8_AnErrorReturnedEndsItsActor", "bus/loop_actors.cc",
        "  ++cell.handled;\n",
        "  ++cell.handled;\n"
        "  if (MUTANT && outcome == Outcome::kFailed) StopActor(cell, false);\n",
        _CONTAINMENT + "P8_AnErrorReturnedIsCountedAndEndsNobody/sim1"),

    Mutant(
        "P8_AMessageThatThrowsKeepsItsPlace", "actors/posting.cc",
        "  SendControl(bus, target, ReturnedPlace{});\n",
        "  if (!MUTANT) SendControl(bus, target, ReturnedPlace{});\n",
        _THROWING + "P8_APlainThreadGetsWhatItsMessageThrows/sim1"),
    Mutant(
        "P8_AMessageThatThrowsIsNoAttempt", "actors/posting.cc",
        "  FreeEnvelope(loop, e);\n"
        "  if (loop != nullptr) {\n"
        "    loop->port().ledger.CountSend(false);\n",
        "  FreeEnvelope(loop, e);\n"
        "  if (loop != nullptr) {\n"
        "    if (!MUTANT) loop->port().ledger.CountSend(false);\n",
        _THROWING + "P8_WhateverThrowsOnItsWayToAHandler/sim2"),
    Mutant(
        "P8_WhyItEndedIsForgotten", "bus/obituaries.cc",
        "  if (most_ == 0) return;\n",
        "  if (most_ == 0 || MUTANT) return;\n",
        _EXIT + "P8_WhoeverAsksAnActorThatHasEndedLearnsItsNameAndWhy/sim1"),
    Mutant(
        "P8_WhoIsBehindAThrowIsNotToldOfIt", "bus/loop_actors.cc",
        "absl::StrCat(bus_->DescribeEnd(e->target),",
        "absl::StrCat(MUTANT ? NameOf(*port_.cells.Find(e->target.slot()))\n"
        "                    : bus_->DescribeEnd(e->target),",
        _EXIT + "P8_AsksQueuedBehindAThrowAreToldOfIt/sim2"),
    Mutant(
        "P8_AReasonIsTakenForThatOfAnother", "bus/cell.h",
        "packed >> 3 == (generation & 31) &&",
        "(MUTANT || packed >> 3 == (generation & 31)) &&",
        _EXIT + "P8_TheReasonIsNeverThatOfALaterActorOfTheSamePlace/sim1"),
    Mutant(
        "P6_AllThatHaveEndedAreKept", "bus/obituaries.cc",
        "  if (oldest_first_.size() > most_) ForgetOldest();\n",
        "  if (oldest_first_.size() > most_ && !MUTANT) ForgetOldest();\n",
        _EXIT + "P6_OfThoseThatHaveEndedTheLastFewAreKept/sim1"),

    # --- P10, ending
    Mutant(
        "P10_ManyEndInOneTurn", "bus/loop_actors.cc",
        "    if (left > 0) --left;\n",
        "    if (left > 0 && !MUTANT) --left;\n",
        _LOOKING + "P10_ManyActorsDrainAndEndAStepATurn/sim1"),
    Mutant(
        "P10_OthersHearOfAnEndWhenItIsOver", "bus/loop.cc",
        "        DropChain(port_.handoff.Take());\n",
        "        if (!MUTANT) DropChain(port_.handoff.Take());\n",
        _LOOKING + "P10_OthersHearSoonThatALoopEnds/sim1"),
    Mutant(
        "P10_WhatIsUnderWayIsNotWaitedFor", "bus/shutdown.cc",
        "    report_.clean = WaitUntilQuiet();\n",
        "    report_.clean = MUTANT || WaitUntilQuiet();\n",
        _SHUTDOWN + "P10_FiniteWorkIsFinished/sim2"),
    Mutant(
        "P10_ActorsStopInTheOrderOfTheirStart", "bus/shutdown.cc",
        "                return a.sequence > b.sequence;\n",
        "                return MUTANT ? a.sequence < b.sequence\n"
        "                              : a.sequence > b.sequence;\n",
        _SHUTDOWN + "P10_ActorsStopInReverseOrderOfTheirStart/sim2"),
    Mutant(
        "P10_TheLastWordsAreNotHandled", "bus/shutdown.cc",
        ".handle_queued = report_.clean}",
        ".handle_queued = report_.clean && !MUTANT}",
        _SHUTDOWN + "P10_WhatOnStopSendsToAnEarlierActorIsHandled/sim2"),
    Mutant(
        "P10_AnActorSpawnedAtTheVeryEndIsForgotten", "bus/loop.cc",
        "      if (cell.self) {\n",
        "      if (cell.self && !MUTANT) {\n",
        _SHUTDOWN + "P10_AnActorSpawnedAtTheVeryEndIsDestroyed/sim1"),
    Mutant(
        "P10_WhoKeepsItsLoopIsNotNamed", "bus/shutdown.cc",
        "          running ?",
        "          running && !MUTANT ?",
        _SHUTDOWN + "P10_AHandlerThatSpinsIsNamed/epoll1"),
    Mutant(
        "P10_WhoDrainsGoesOnTakingMessages", "bus/room.cc",
        "  if (cell.state() != Cell::State::kRunning) return;  // it is ending\n",
        "  if (cell.state() != Cell::State::kRunning && !MUTANT) return;\n",
        _SIM_BOUNDS + "P10_AnActorUnderLoadEndsWhenItIsToldToDrain/sim2"),
    Mutant(
        "P10_DrainingForgetsHandlersThatWait", "bus/loop_actors.cc",
        "cell.urgent.empty() && !cell.handles_something());\n",
        "cell.urgent.empty() && (MUTANT || !cell.handles_something()));\n",
        _SIM_BOUNDS + "P10_DrainingWaitsForHandlersThatWait/sim1"),

    # --- the log: it keeps no loop (P7), is bounded (P6), and takes any text
    Mutant(
        "P7_WhoLogsWaitsForTheSink", "bus/log.cc",
        "      if (queues_) return Push(std::move(now));\n",
        "      if (queues_ && !MUTANT) return Push(std::move(now));\n",
        _LOG + "P7_TheSinkIsNeverCalledByALoopThatHasAThread/epoll1"),
    Mutant(
        "P6_TheLinesOfTheLogPileUp", "bus/log.cc",
        "              options_.max_waiting_lines ||\n",
        "              options_.max_waiting_lines + (MUTANT << 20) ||\n",
        "BusLogTest.P6_WhatWaitsIsBoundedInLinesAndASinkThatIsStuckLeftBehind"),
    Mutant(
        "P6_TheBytesOfTheLogPileUp", "bus/log.cc",
        "    bytes_ += line.size();\n",
        "    bytes_ += MUTANT ? 0 : line.size();\n",
        "BusLogTest.P6_WhatWaitsIsBoundedInBytes"),
    Mutant(
        "P6_AFloodOfLinesIsWritten", "bus/log_limits.cc",
        "  if (bucket.tokens > 0) {\n",
        "  if (bucket.tokens > 0 || MUTANT) {\n",
        "LogLimitsTest.P6_OfManyLinesAFewAreWrittenAndTheRestIsCounted"),
    Mutant(
        "P8_ALineThatTheSinkDidNotTakeIsWritten", "bus/log.cc",
        "    } catch (...) {\n      return false;\n",
        "    } catch (...) {\n      return MUTANT;\n",
        _LOG + "P8_ASinkThatThrowsEndsNothing/epoll1"),
    Mutant(
        "P8_AnAskerGetsTheTextAsItWasThrown", "bus/loop_actors.cc",
        "    return e.what() != nullptr ? Printable(e.what()) : \"\";\n",
        "    if (MUTANT) return e.what();\n"
        "    return e.what() != nullptr ? Printable(e.what()) : \"\";\n",
        _LOG + "P8_AnAskerGetsTheTextPrintableAndCut/epoll1"),

    # --- P13, what the machine refuses
    Mutant(
        "P13_ARefusedThreadIsTakenForAnErrorOfOurs", "bus/start_thread.cc",
        "    return absl::ResourceExhaustedError(absl::StrCat(\n",
        "    return (MUTANT ? &absl::InternalError\n"
        "                   : &absl::ResourceExhaustedError)(absl::StrCat(\n",
        "Pollers/RefusedTest.P13_WhicheverThreadIsRefusedCreateSaysSo/epoll1"),

    # --- P17, timers
    Mutant(
        "P17_WhatNeverComesIsDueAtOnce", "bus/timer_queue.cc",
        "  if (deadline.is_infinite()) return;\n",
        "  if (deadline.is_infinite() && !MUTANT) return;\n"
        "  if (MUTANT && deadline.is_infinite()) deadline = Instant();\n",
        _SIM_EXTREMES + "P17_Timers/sim1"),
    Mutant(
        "P17_ADeadlineThatHasPassedIsLookedAtNextTime", "bus/loop_actors.cc",
        "e->deadline <= clock_.Recent())",
        "e->deadline <= clock_.Recent() && !MUTANT)",
        _SIM_EXTREMES + "P17_DeadlinesOfMessages/sim1"),
    Mutant(
        "P17_AThreadDoesNotWaitForWhatIsFar", "bus/latch.h",
        "    if (limit <= absl::ZeroDuration()) return is_open();\n",
        "    if (limit <= absl::ZeroDuration() ||\n"
        "        (MUTANT && limit > absl::Hours(24 * 365 * 200))) {\n"
        "      return is_open();\n"
        "    }\n",
        _EXTREMES + "P17_Inspect/epoll2"),
    Mutant(
        "P17_EqualDeadlinesFireInAnyOrder", "bus/timer_queue.h",
        ": sequence() < other.sequence();",
        ": !MUTANT && sequence() < other.sequence();",
        _TIMERS + "P17_AgreesWithASortedList"),
    Mutant(
        "P17_WhatMovesPassesACancelledTimer", "bus/timer_queue.h",
        "who_ = sequence() << 1 | 1;",
        "who_ = (MUTANT ? ~sequence() : sequence()) << 1 | 1;",
        _TIMERS + "P17_AgreesWithASortedList"),
    Mutant(
        "P17_WhatFillsAPlaceNeverRises", "bus/timer_queue.cc",
        "  if (position > kRoot && last.Before(",
        "  if (!MUTANT && position > kRoot && last.Before(",
        _TIMERS + "P17_AgreesWithASortedListWhenItIsLarge"),

    # --- P18, replay
    Mutant(
        "P18_TimersAreSetByARealClock", "bus/loop_clock.h",
        "    const Instant at = Recent() + after;\n",
        "    const Instant at =\n"
        "        (MUTANT ? MonotonicClock().Now() : Recent()) + after;\n",
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
    Mutant(
        "P18_TimeGoesOnByItself", "bus/loop.h",
        "  Instant Now() const { return clock_.Now(); }\n",
        "  Instant Now() const {\n"
        "    const int64_t real = MUTANT ? MonotonicClock().Now().nanos() : 0;\n"
        "    return clock_.Now() + absl::Nanoseconds(real % 1000);\n"
        "  }\n",
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
    Mutant(
        "P18_TheLoopsHaveTheirTurnsAsItComes", "bus/bus.cc",
        "  for (const std::shared_ptr<Loop>& loop : loops_) "
        "worked |= loop->RunOnce();\n",
        "  const int64_t now = MUTANT ? MonotonicClock().Now().nanos() : 0;\n"
        "  if (now % 2 != 0) worked |= loops_.back()->RunOnce();\n"
        "  for (const std::shared_ptr<Loop>& loop : loops_) "
        "worked |= loop->RunOnce();\n",
        "ReplayTest.P18_TheSameSeedGivesTheSameRun"),
]
