# SPDX-License-Identifier: Apache-2.0
"""Child processes with one mistake at a time: see tests/mutants/mutant.py."""

_GRACE = "KeeperTest.TheGraceIsExact"
_CLEAN = "Pollers/InheritedTest.P11_AProcessStartsCleanWhateverThisOneHas/epoll"

MUTANTS = [
    # --- How a process starts
    Mutant("P11_AChildProcessIgnoresWhatItsParentDid", Skip(), _CLEAN),
    Mutant(
        "P11_AChildProcessInheritsDescriptors", Instead("return true;"),
        _CLEAN),
    Mutant(
        "P13_AProgramThatIsNotThereLeavesAZombie", Skip(),
        "StartTest.P13_EachReasonForNoProcessIsNamed"),

    # --- How it ends
    Mutant("P10_AChildProcessIsNotAskedToEnd", Skip(), _GRACE),
    Mutant("P10_TheGraceOfAChildProcessHasNoEnd", Skip(), _GRACE),
    Mutant("P11_AChildProcessStaysAZombie", Skip(), _GRACE),
    Mutant(
        "P11_WhatIsLeftOfAGroupGoesOn", Skip(),
        "KeeperTest.AProcessThatEndsByTheFirstSignalGetsNoSecond"),
    Mutant(
        "P8_AnOwnerHearsTheChildProcessOfTheOneBefore",
        Swap("port_->forgotten", "false"),
        "KeeperTest.AnOwnerThatHasGoneHearsNothing"),

    # --- What goes over its pipes
    Mutant(
        "P6_TheInputOfAChildProcessHasNoBound",
        Swap("HasRoom(BytesOf(piece))", "true"),
        "ChildInputTest.P6_CountsTheLengthsOfFrames"),
    Mutant(
        "P6_AllErrorsOfAChildProcessAreLogged",
        Swap("lines_.size() < kMostLines", "true"),
        "ErrorLinesTest.P6_LinesBeyondTheLimitAreCounted"),
    Mutant(
        "P14_ErrorsOfAChildProcessAreLoggedAsTheyAre",
        Swap("Printable(line_)", "line_"),
        "ErrorLinesTest.P14_ALineIsCutAndPrintable"),
]
