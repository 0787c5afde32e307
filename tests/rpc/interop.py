# SPDX-License-Identifier: Apache-2.0
"""examples/grpc_service from python3-grpcio, with messages as bytes.

usage: interop.py ADDRESS
Exit code 77: grpcio is not installed.
"""

import sys

try:
  import grpc
except ImportError as missing:
  print(missing)
  sys.exit(77)

BANK = "/bank.v1.Bank/"


def varint(value):
  out = bytearray()
  while True:
    out.append(value & 0x7f | (0x80 if value > 0x7f else 0))
    value >>= 7
    if not value:
      return bytes(out)


def cents(value):
  """DepositRequest, Balance and Entry have this field at the same number."""
  return b"\x08" + varint(value)


def expect(got, wanted):
  assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def main(address):
  with grpc.insecure_channel(address) as channel:
    deposit = channel.unary_unary(BANK + "Deposit")
    expect(deposit(cents(25)), cents(25))
    expect(deposit(cents(275)), cents(300))

    try:
      deposit(b"")
      raise AssertionError("a deposit of 0")
    except grpc.RpcError as error:
      expect(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
      expect(error.details(), "cents: a deposit is above 0")
    try:
      deposit(b"\xff\xff")
      raise AssertionError("bytes that are no message")
    except grpc.RpcError as error:
      expect(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
      trailers = dict(error.trailing_metadata())
      assert b"BAD_PAYLOAD" in trailers["grpc-status-details-bin"]

    entries = channel.unary_stream(BANK + "ListEntries")
    expect(list(entries(b"")), [cents(25), cents(275)])
    expect(list(entries(b"\x08\x01")), [cents(25)])
    imported = channel.stream_unary(BANK + "Import")
    expect(imported(iter([cents(100)] * 1000)), cents(100300))
    expect(len(list(entries(b"", timeout=60))), 1002)

    # A stream that is left in the middle.
    stream = entries(b"")
    next(stream)
    stream.cancel()
    futures = [deposit.future(cents(1)) for _ in range(200)]
    for future in futures:
      future.result()
    expect(channel.unary_unary(BANK + "GetBalance")(b""), cents(100500))

    # Reflection, as tools use it: the list of services, and the file of one.
    reflect = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    listed, described = reflect(iter([b"\x3a\x00", b"\x22\x0cbank.v1.Bank"]))
    assert b"bank.v1.Bank" in listed, listed
    assert b"ListEntriesRequest" in described, described
  print("python3-grpcio", grpc.__version__)


main(sys.argv[1])
