# SPDX-License-Identifier: Apache-2.0
"""A frame decoder without one rule: see tests/mutants/mutant.py."""

_HOSTILE = "FrameHostileTest."


def _verdict(row):
  return f"All/HostileStreamTest.P14_GetsTheVerdictOfItsRule/{row}"


MUTANTS = [
    Mutant(
        "P14_AHeaderWithAWrongChecksumIsTaken", Before("return true;"),
        _verdict("HeaderByte23Damaged")),
    Mutant(
        "P14_APayloadWithAWrongChecksumIsTaken", Skip(),
        _verdict("PayloadDamaged")),
    Mutant(
        "P14_MemoryFollowsTheClaimOfAHeader",
        After("(void)new char[header.length];"),
        _HOSTILE + "P14_OneByteOfALongestFrameCostsNoMoreThanOneRead"),
    Mutant("P14_AFrameOfAnyLengthIsTaken", Skip(), _verdict("OneByteTooLong")),
    Mutant(
        "P14_TheLongestFrameIsRefused",
        Swap("header.length > options_.max_frame_bytes",
             "header.length >= options_.max_frame_bytes"),
        _verdict("LongestFrame")),
    Mutant("P14_ReservedBitsAreIgnored", Skip(), _verdict("ReservedByte")),
    Mutant(
        "P14_ACriticalFrameOfUnknownTypeIsSkipped",
        Before("return absl::OkStatus();"),
        _verdict("UnknownCriticalType")),
    Mutant(
        "P14_AnyNumberOfDescriptorsIsTaken", Skip(),
        _verdict("UnannouncedDescriptors")),
    Mutant("P14_SequenceNumbersAreIgnored", Skip(), _verdict("SequenceJumps")),
    Mutant(
        "P14_TheFirstErrorIsForgotten", Before("return error;"),
        _HOSTILE + "P14_TheFirstErrorIsFinal"),
    Mutant(
        "P14_EveryEndIsClean", Before("return absl::OkStatus();"),
        _verdict("TornPayload")),
    Mutant(
        "P14_ASkippedFrameIsHeld",
        Before("if (buffer_.held().size() < skip_bytes_) return std::nullopt;"),
        _HOSTILE + "P14_ASkippedFrameIsNeverHeld"),
]
