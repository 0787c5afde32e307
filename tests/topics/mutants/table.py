# SPDX-License-Identifier: Apache-2.0
"""Topics with one mistake at a time: see tests/mutants/mutant.py."""

_TOPICS = "TopicsTest.P21_"
_NAMES = "TopicNameTest.P21_AStarIsOneTokenAndAGreaterSignIsOneOrMore"
_FULL = _TOPICS + "AFullMailboxGetsTheExactGapBeforeTheNextPublication"
_ONE_CREDIT = _TOPICS + "IfOnlyTheGapFitsThePublicationBeginsTheNextGap"
_REPLAY = _TOPICS + "ReplayBringsTheLastOfEachNameAndThenWhatIsNewer"

MUTANTS = [
    # --- Gaps
    Mutant("P21_AMissIsNotCounted", Skip(), _FULL),
    Mutant(
        "P21_TheGapComesAfterThePublication",
        Instead("if (subscriber_->Tell(publication) != Delivery::kAccepted) "
                "return Miss(); ++stats_.delivered; (void)TellGap(); "
                "return Offered::kDelivered;"),
        _FULL),
    Mutant(
        "P21_WhatCameWithAGapIsForgotten",
        Instead("return Offered::kMissed;"), _ONE_CREDIT),
    Mutant("P21_AfterAGapThereIsNoPause", Skip(), _ONE_CREDIT),
    Mutant(
        "P21_AFullMailboxStopsAPublication",
        Instead("++report.missed; return report;"), _FULL),

    # --- Who gets a publication, and what of it
    Mutant(
        "P21_EachSubscriberGetsACopy",
        Instead("auto copy = std::make_shared<PublicationOf<T>>("
                "publication->name, static_cast<const PublicationOf<T>&>("
                "*publication).value); copy->sequence = publication->sequence; "
                "return to_.template Tell<Published<T>>("
                "std::shared_ptr<const PublicationOf<T>>(std::move(copy)));"),
        _TOPICS + "AHundredSubscribersShareOneValue"),
    Mutant(
        "P21_ANewSubscriptionIsNotInAKnownRoute", Skip(),
        _TOPICS + "ALaterSubscriptionGetsWhatIsPublishedOnAKnownName"),
    Mutant(
        "P21_ASubscriptionOutlivesItsActor", Skip(),
        _TOPICS + "ASubscriptionEndsWithItsActor"),

    # --- Kept values
    Mutant("P21_ANewerValueIsNotKept", Skip("name.kept.empty()"), _REPLAY),
    Mutant("P21_AReplayIsInNoOrder", Skip(), _REPLAY),

    # --- Patterns
    Mutant("P21_AStarMatchesNoToken", Skip(), _NAMES),
    Mutant(
        "P21_ATailMatchesNothingToo",
        Before("if (const Node* tail = node.Child(\">\")) ids->insert("
               "ids->end(), tail->ids.begin(), tail->ids.end());"),
        _NAMES),
]
