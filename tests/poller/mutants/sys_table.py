# SPDX-License-Identifier: Apache-2.0
"""Copies of poller/sys.cc with one mistake; see tests/mutants/mutant.py."""

_STANDARD = "SysTest.P11_NoCallMakesDescriptor0To2"

MUTANTS = [
    Mutant(
        "P11_ADescriptorStaysWhereTheKernelPutIt", Before("return fd;"),
        _STANDARD),
    Mutant("P11_TheSecondOfAPairStays", Skip(), _STANDARD),
    Mutant(
        "P11_ADuplicateTakesTheLowestNumber", Swap("STDERR_FILENO + 1", "0"),
        _STANDARD),
    Mutant("P11_WhatIsMovedIsInherited", Swap("cloexec", "false"), _STANDARD),
    Mutant("P11_TheOldNumberStaysOpen", Skip(), _STANDARD),
    Mutant(
        "P11_ASignalfdThatIsChangedIsMoved", Skip(),
        "SysTest.P11_ASignalfdThatIsChangedStaysWhereItIs"),
]
