// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/proto/hostile_streams.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trolley/proto/crc32c.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"

namespace trolley::wire {
namespace {

void PutCrc(std::string& frame) {
  const uint32_t crc = Crc32c(std::string_view(frame).substr(0, 20));
  for (int i = 0; i < 4; ++i) {
    frame[20 + i] = static_cast<char>(crc >> (8 * i));
  }
}

FrameHeader Data(uint64_t sequence) {
  return {.type = FrameType::kData, .sequence = sequence};
}

FrameHeader Other(FrameType type, uint8_t flags = 0) {
  return {.type = type, .flags = flags};
}

// A header whose length is what it says, without the payload.
std::string Claim(FrameHeader header, uint32_t length) {
  std::string bytes = FrameBytes(header, "");
  for (int i = 0; i < 4; ++i) {
    bytes[i] = static_cast<char>(length >> (8 * i));
  }
  PutCrc(bytes);
  return bytes;
}

std::string Damaged(std::string bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  return bytes;
}

std::string GoodData(uint64_t sequence, std::string_view payload) {
  return FrameBytes(Data(sequence), payload);
}

}  // namespace

std::string HelloBytes(const std::function<void(Hello&)>& change) {
  Hello hello = SmallHello();
  if (change) change(hello);
  std::string bytes(kHelloBytes, '\0');
  EncodeHello(hello, bytes.data());
  return bytes;
}

std::string FrameBytes(FrameHeader header, std::string_view payload,
                       char reserved) {
  header.length = static_cast<uint32_t>(payload.size());
  std::string bytes(kFrameHeaderBytes, '\0');
  EncodeFrameHeader(header, bytes.data());
  bytes[7] = reserved;
  PutCrc(bytes);
  return bytes.append(payload);
}

std::vector<HostileStream> HostileStreams() {
  const std::string hello = HelloBytes();
  const std::string ping = FrameBytes(Other(FrameType::kPing), "12345678");
  const std::string first = GoodData(1, "one");
  const std::string kilo(1024, 'k');
  const auto unknown = static_cast<FrameType>(77);
  const std::string crc_hello =
      HelloBytes([](Hello& h) { h.features = kFeaturePayloadCrc; });
  std::string crc_frame = first;  // checksum of "one", little-endian
  for (int i = 0; i < 4; ++i) {
    crc_frame += static_cast<char>(Crc32c("one") >> (8 * i));
  }

  std::vector<HostileStream> rows;
  const auto add = [&rows](std::string name, std::string bytes, WireError error,
                           size_t frames = 0, std::string_view says = "") {
    rows.push_back({std::move(name), std::move(bytes), error, frames, says});
  };
  using E = WireError;

  // Streams that break no rule.
  add("HelloAlone", hello, E::kNone);
  add("DataAndPing", hello + first + ping + GoodData(2, ""), E::kNone, 3);
  add("LongestFrame", hello + GoodData(1, kilo), E::kNone, 1);
  add("FeaturesOfTheFuture",
      HelloBytes([](Hello& h) { h.features = 0xFFFFFFF0; }) + first, E::kNone,
      1);
  add("VersionsOfTheFutureToo",
      HelloBytes([](Hello& h) { h.max_version = 9; }) + first, E::kNone, 1);
  add("UnknownOptionalIsSkipped",
      hello + FrameBytes(Other(unknown, kFlagOptional), kilo) + first, E::kNone,
      1);
  add("ReservedTypeOptionalIsSkipped",
      hello + FrameBytes(Other(FrameType::kGap, kFlagOptional), "ab") + first,
      E::kNone, 1);
  add("PayloadChecksum", crc_hello + crc_frame, E::kNone, 1);
  add("ErrorCarriesNoPayloadChecksum",
      crc_hello +
          FrameBytes(Other(FrameType::kError), std::string("\x01\0why", 5)),
      E::kNone, 1);

  // The start.
  add("HttpRequest", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", E::kBadMagic,
      0, "GET / HT");
  add("TlsClientHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8),
      E::kBadMagic);
  add("Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", E::kBadMagic);
  add("SshBanner", "SSH-2.0-OpenSSH_9.2p1\r\n", E::kBadMagic);
  add("EscapeSequence", "\x1b[2J\x1b[2J\x1b[2J", E::kBadMagic, 0, "\\x1b[2J");
  add("NewlinesConverted", Damaged(hello, 4), E::kBadMagic);
  add("MagicCutByOneByte", hello.substr(1), E::kBadMagic);
  add("FrameBeforeHello", first + hello, E::kFrameBeforeHello, 0, "DATA");
  add("DamagedFrameBeforeHello", Damaged(first, 20) + hello, E::kBadMagic);
  add("NoBytes", "", E::kTorn, 0, "0 of 32");
  add("TornMagic", hello.substr(0, 5), E::kTorn, 0, "5 of 32");
  add("TornHello", hello.substr(0, 31), E::kTorn, 0, "31 of 32");
  add("VersionRangeEmpty", HelloBytes([](Hello& h) {
        h.min_version = 3;
        h.max_version = 2;
      }),
      E::kBadHello, 0, "3 to 2");
  add("VersionZero", HelloBytes([](Hello& h) { h.min_version = 0; }),
      E::kBadHello);
  add("FrameLimitTooSmall",
      HelloBytes([](Hello& h) { h.max_frame_bytes = kLeastMaxFrameBytes - 1; }),
      E::kBadHello, 0, "max_frame_bytes is 1023");
  add("FrameLimitTooLarge",
      HelloBytes([](Hello& h) { h.max_frame_bytes = 0xFFFFFFFF; }),
      E::kBadHello);
  add("CreditBelowTwoFrames",
      HelloBytes([](Hello& h) { h.initial_credit_bytes = 2095; }), E::kBadHello,
      0, "initial_credit_bytes is 2095");
  add("CreditAboveLimit",
      HelloBytes([](Hello& h) { h.initial_credit_bytes = 0x80000000; }),
      E::kBadHello);
  add("InstanceZero", HelloBytes([](Hello& h) { h.instance_id = 0; }),
      E::kBadHello);
  add("VersionTooNew", HelloBytes([](Hello& h) {
        h.min_version = 2;
        h.max_version = 4;
      }),
      E::kNoCommonVersion, 0, "update this side");
  add("SecondHello", hello + first + hello, E::kDuplicateHello, 1);
  add("SecondHelloAtOnce", hello + hello, E::kDuplicateHello);
  add("HelloAsAFrame", hello + FrameBytes(Other(FrameType::kHello), hello),
      E::kDuplicateHello);

  // Headers.
  for (size_t at : {0u, 4u, 5u, 6u, 7u, 8u, 12u, 19u, 20u, 23u}) {
    add("HeaderByte" + std::to_string(at) + "Damaged",
        hello + ping + Damaged(ping, at), E::kBadHeaderCrc, 1);
  }
  add("HeaderOfZeros", hello + std::string(24, '\0'), E::kBadHeaderCrc);
  add("LostByte", hello + first.substr(1) + ping, E::kBadHeaderCrc);
  add("InterleavedWriters", hello + first.substr(0, 12) + ping + first,
      E::kBadHeaderCrc);
  add("ReservedByte", hello + FrameBytes(Data(1), "x", 1), E::kReservedBits);
  for (int bit = 1; bit < 8; ++bit) {
    FrameHeader header = Data(1);
    header.flags = static_cast<uint8_t>(1 << bit);
    add("FlagBit" + std::to_string(bit), hello + FrameBytes(header, "x"),
        E::kReservedBits);
  }
  add("ReservedBitOnSkippedFrame",
      hello + FrameBytes(Other(unknown, 0x81), "x"), E::kReservedBits);
  add("OneByteTooLong", hello + Claim(Data(1), 1025), E::kFrameTooLong, 0,
      "1025 bytes; at most 1024");
  add("FourGigabytes", hello + Claim(Data(1), 0xFFFFFFFF), E::kFrameTooLong, 0,
      "4294967295");
  add("SkippedFrameTooLong", hello + Claim(Other(unknown, kFlagOptional), 1025),
      E::kFrameTooLong);
  add(
      "UnannouncedDescriptors",
      [&] {
        FrameHeader header = Data(1);
        header.fd_count = 253;
        return hello + FrameBytes(header, "x");
      }(),
      E::kTooManyFds, 0, "253 descriptors; at most 0");
  add("UnknownCriticalType", hello + FrameBytes(Other(unknown), "x"),
      E::kUnknownType, 0, "type 77");
  add("TypeZero", hello + FrameBytes(Other(static_cast<FrameType>(0)), ""),
      E::kUnknownType);
  for (FrameType type :
       {FrameType::kBind, FrameType::kUnbind, FrameType::kGap}) {
    add("Version1DoesNotKnow" + FrameTypeName(type),
        hello + FrameBytes(Other(type), "x"), E::kUnknownType);
  }
  add("CreditOf3Bytes", hello + FrameBytes(Other(FrameType::kCredit), "123"),
      E::kBadLength, 0, "CREDIT frame of 3 bytes");
  add("PingOf9Bytes", hello + FrameBytes(Other(FrameType::kPing), "123456789"),
      E::kBadLength);
  add("PongOf0Bytes", hello + FrameBytes(Other(FrameType::kPong), ""),
      E::kBadLength);
  add("GoAwayOf7Bytes",
      hello + FrameBytes(Other(FrameType::kGoAway), "1234567"), E::kBadLength);
  add("GoAwayTextTooLong",
      hello + FrameBytes(Other(FrameType::kGoAway), kilo.substr(0, 521)),
      E::kBadLength);
  add("ErrorOf1Byte", hello + FrameBytes(Other(FrameType::kError), "1"),
      E::kBadLength);
  add("ErrorTextTooLong",
      hello + FrameBytes(Other(FrameType::kError), kilo.substr(0, 515)),
      E::kBadLength);
  add(
      "StreamThatIsNotOpen",
      [&] {
        FrameHeader header = Data(1);
        header.stream = 7;
        return hello + FrameBytes(header, "x");
      }(),
      E::kUnknownStream, 0, "stream 7");
  add("SequenceFromZero", hello + GoodData(0, "x"), E::kBadSequence);
  add("SequenceRepeated", hello + first + first, E::kBadSequence, 1);
  add("SequenceJumps", hello + first + GoodData(3, "x"), E::kBadSequence, 1,
      "3 where 2");
  add(
      "SequenceOnPing",
      [&] {
        FrameHeader header = Other(FrameType::kPing);
        header.sequence = 1;
        return hello + FrameBytes(header, "12345678");
      }(),
      E::kBadSequence);

  // Payloads and ends.
  add("PayloadDamaged", crc_hello + Damaged(crc_frame, 24), E::kBadPayloadCrc);
  add("PayloadChecksumDamaged", crc_hello + Damaged(crc_frame, 30),
      E::kBadPayloadCrc);
  add("TornHeader", hello + first + ping.substr(0, 7), E::kTorn, 1, "7 of 24");
  add("HeaderWithoutPayload", hello + Claim(Data(1), 1000), E::kTorn, 0,
      "24 of 1024");
  add("TornPayload", hello + first + GoodData(2, kilo).substr(0, 54), E::kTorn,
      1, "sequence number 2, after 54 of 1048");
  add("TornChecksum", crc_hello + crc_frame.substr(0, 29), E::kTorn, 0,
      "29 of 31");
  add("TornSkippedFrame",
      hello + Claim(Other(unknown, kFlagOptional), 100) + "abc", E::kTorn, 0,
      "3 of 100");
  return rows;
}

}  // namespace trolley::wire
