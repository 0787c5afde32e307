# SPDX-License-Identifier: Apache-2.0
"""The seam to the kernel with one mistake: see tests/mutants/mutant.py."""

_STANDARD = "SysTest.P11_NoCallMakesDescriptor0To2"

MUTANTS = [
    Mutant(
        "P11_ADescriptorStaysWhereTheKernelPutIt", "poller/sys.cc",
        "  if (fd > STDERR_FILENO) return fd;\n",
        "  if (MUTANT || fd > STDERR_FILENO) return fd;\n",
        _STANDARD),
    Mutant(
        "P11_TheSecondOfAPairStays", "poller/sys.cc",
        "  if (fds[0] >= 0) fds[1] = MoveOffStandard(fds[1]);\n",
        "  if (fds[0] >= 0 && !MUTANT) fds[1] = MoveOffStandard(fds[1]);\n",
        _STANDARD),
    Mutant(
        "P11_ADuplicateTakesTheLowestNumber", "poller/sys.cc",
        "return ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);",
        "return ::fcntl(fd, F_DUPFD_CLOEXEC, MUTANT ? 0 : STDERR_FILENO + 1);",
        _STANDARD),
    Mutant(
        "P11_WhatIsMovedIsInherited", "poller/sys.cc",
        "cloexec ? F_DUPFD_CLOEXEC : F_DUPFD",
        "cloexec && !MUTANT ? F_DUPFD_CLOEXEC : F_DUPFD",
        _STANDARD),
    Mutant(
        "P11_TheOldNumberStaysOpen", "poller/sys.cc",
        "  const int error = errno;\n  ::close(fd);\n",
        "  const int error = errno;\n  if (!MUTANT) ::close(fd);\n",
        _STANDARD),
    Mutant(
        "P11_ASignalfdThatIsChangedIsMoved", "poller/sys.cc",
        "      if (Fd(a[0]) >= 0) return result;\n",
        "      if (Fd(a[0]) >= 0 && !MUTANT) return result;\n",
        "SysTest.P11_ASignalfdThatIsChangedStaysWhereItIs"),
]
