#include "dataplane/transport/proxy_protocol.h"

#include <gtest/gtest.h>

namespace weir::transport {
namespace {

using Outcome = ProxyRead::Outcome;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(char command, char family, const std::string& block) {
  std::string out = kSignature + command + family;
  out += static_cast<char>(block.size() >> 8);
  out += static_cast<char>(block.size() & 0xff);
  return out + block;
}
const std::string kBlock4 = "\xcb\x00\x71\x09\x0a\x00\x00\x01\xc0\x00\x01\xbb"s;

base::SocketAddress at(std::string_view ip, std::uint16_t port) {
  return base::SocketAddress::parse(ip, port).value();
}

struct Good {
  std::string header;
  const char* source;  // empty: says nothing
  const char* destination;
};

std::vector<Good> good_headers() {
  const std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                         std::string(15, '\0') + "\x01" + "\x00\x50\x1f\x90"s;
  const std::string tlv =
      "\x04\x00\x03"
      "abc"
      "\x20\x00\x00"s;
  return {
      {"PROXY TCP4 203.0.113.9 10.0.0.1 49152 443\r\n", "203.0.113.9:49152", "10.0.0.1:443"},
      {"PROXY TCP6 2001:db8::1 ::1 80 8080\r\n", "[2001:db8::1]:80", "[::1]:8080"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 0 65535\r\n", "1.2.3.4:0", "5.6.7.8:65535"},
      {"PROXY UNKNOWN\r\n", "", ""},
      {"PROXY UNKNOWN ffff::1 whatever else\r\n", "", ""},
      {v2(0x21, 0x11, kBlock4), "203.0.113.9:49152", "10.0.0.1:443"},
      {v2(0x21, 0x11, kBlock4 + tlv), "203.0.113.9:49152", "10.0.0.1:443"},
      {v2(0x21, 0x11, kBlock4 + std::string(4'000, 't')), "203.0.113.9:49152", "10.0.0.1:443"},
      {v2(0x21, 0x21, v6), "[2001:db8::1]:80", "[::1]:8080"},
      {v2(0x20, 0x00, ""), "", ""},
      {v2(0x20, 0x11, kBlock4), "", ""},
      {v2(0x21, 0x00, "anything"), "", ""},
  };
}

TEST(ProxyProtocol, HeadersAreReadToTheirLastByteAndNoFurther) {
  for (const Good& one : good_headers()) {
    ProxyAddresses out;
    const ProxyRead read = read_proxy_header(one.header + "GET / HTTP/1.1\r\n", out);
    ASSERT_EQ(read.outcome, Outcome::kDone) << one.header;
    EXPECT_EQ(read.size, one.header.size());
    EXPECT_EQ(out.relayed, *one.source != '\0');
    if (!out.relayed) continue;
    EXPECT_EQ(out.source.to_string(), one.source);
    EXPECT_EQ(out.destination.to_string(), one.destination);
  }
}

TEST(ProxyProtocol, EveryProperPrefixIsIncompleteAndAsksForMoreThanItHas) {
  for (const Good& one : good_headers()) {
    for (std::size_t size = 0; size < one.header.size(); ++size) {
      ProxyAddresses out;
      const ProxyRead read = read_proxy_header(one.header.substr(0, size), out);
      ASSERT_EQ(read.outcome, Outcome::kIncomplete) << size << " of " << one.header;
      ASSERT_GT(read.size, size);
      ASSERT_LE(read.size, one.header.size());
      EXPECT_TRUE(begins_proxy_header(one.header.substr(0, size)));
    }
  }
}

TEST(ProxyProtocol, RefusesWhatIsNoHeaderOrNotWhatItSays) {
  std::string bad_signature = v2(0x21, 0x11, kBlock4);
  bad_signature[4] = '1';
  for (const std::string& bytes :
       std::vector<std::string>{"GET / HTTP/1.1\r\n",
                                "\x16\x03\x01",
                                "PROXY\r\n",
                                "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
                                "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
                                "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
                                "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
                                "PROXY TCP4 ::1 ::1 1 2\r\n",
                                "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
                                "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
                                "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
                                "PROXY UNKNOWNX\r\n",
                                "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"s,
                                "PROXY UNKNOWN " + std::string(100, 'x'),
                                bad_signature,
                                v2(0x31, 0x11, kBlock4),
                                v2(0x22, 0x11, kBlock4),
                                v2(0x21, 0x12, kBlock4),
                                v2(0x21, 0x31, std::string(216, 'u')),
                                v2(0x21, 0x11, kBlock4.substr(1)),
                                v2(0x21, 0x21, kBlock4),
                                v2(0x21, 0x11, kBlock4 + std::string(4'100, 't'))}) {
    ProxyAddresses out;
    EXPECT_EQ(read_proxy_header(bytes, out).outcome, Outcome::kInvalid) << bytes;
    EXPECT_FALSE(out.relayed);
  }
}

TEST(ProxyProtocol, WhatIsWrittenIsRead) {
  struct Case {
    base::SocketAddress source, destination;
    const char* text;
    const char* source_back;
  };
  for (const Case& one :
       {Case{at("203.0.113.9", 49'152), at("10.0.0.1", 443),
             "PROXY TCP4 203.0.113.9 10.0.0.1 49152 443\r\n", "203.0.113.9:49152"},
        Case{at("2001:db8::1", 1), at("fd00::1", 2), "PROXY TCP6 2001:db8::1 fd00::1 1 2\r\n",
             "[2001:db8::1]:1"},
        Case{at("203.0.113.9", 7), at("fd00::1", 2),
             "PROXY TCP6 ::ffff:203.0.113.9 fd00::1 7 2\r\n", "203.0.113.9:7"}}) {
    EXPECT_EQ(proxy_header_v1(one.source, one.destination), one.text);
    for (const std::string& header : {proxy_header_v1(one.source, one.destination),
                                      proxy_header_v2(one.source, one.destination)}) {
      ProxyAddresses out;
      const ProxyRead read = read_proxy_header(header, out);
      ASSERT_EQ(read.outcome, Outcome::kDone);
      EXPECT_EQ(read.size, header.size());
      EXPECT_EQ(out.source.to_string(), one.source_back);
      EXPECT_EQ(out.destination, one.destination);
    }
  }
  ProxyAddresses out;
  EXPECT_EQ(proxy_header_v1({}, at("10.0.0.1", 443)), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(read_proxy_header(proxy_header_v2({}, {}), out).outcome, Outcome::kDone);
  EXPECT_FALSE(out.relayed);
}

}  // namespace
}  // namespace weir::transport
