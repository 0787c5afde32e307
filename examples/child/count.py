#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads child.Text messages (text.proto) and answers each by a child.Counts.

A message is some bytes with their number in front, as a varint. With the
package python3-protobuf the messages themselves would need no code here.
"""

import io
import sys


def read_varint(file):
  """The next number; None at the end of the file."""
  number, shift = 0, 0
  while byte := file.read(1):
    number |= (byte[0] & 0x7f) << shift
    shift += 7
    if byte[0] < 0x80:
      return number
  return None


def varint(number):
  some = b""
  while number >= 0x80:
    some += bytes([number & 0x7f | 0x80])
    number >>= 7
  return some + bytes([number])


def text_of(message):
  """child.Text.text: the tag of field 1, a length, and the bytes."""
  file = io.BytesIO(message)
  file.read(1)
  return file.read(read_varint(file) or 0).decode()


def counts(words, letters):
  """child.Counts: each field is its tag and a varint."""
  return b"\x08" + varint(words) + b"\x10" + varint(letters)


def main():
  while (length := read_varint(sys.stdin.buffer)) is not None:
    text = text_of(sys.stdin.buffer.read(length))
    if text == "crash":
      sys.exit("a text that no test has found")
    words = text.split()
    answer = counts(len(words), sum(map(len, words)))
    sys.stdout.buffer.write(varint(len(answer)) + answer)
    sys.stdout.buffer.flush()


main()
