#include "dataplane/transport/client_hello.h"

#include <gtest/gtest.h>

namespace weir::transport {
namespace {

std::string number(std::size_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}
std::string block(const std::string& body, int length_bytes) {
  return number(body.size(), length_bytes) + body;
}
std::string extension(std::size_t type, const std::string& body) {
  return number(type, 2) + block(body, 2);
}
std::string server_name(const std::string& name) {
  return extension(0, block(number(0, 1) + block(name, 2), 2));
}
std::string alpn(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) list += block(protocol, 1);
  return extension(16, block(list, 2));
}
std::string message(const std::string& extensions) {
  const std::string body = "\x03\x03" + std::string(32, 'r') + block(std::string(32, 's'), 1) +
                           block(std::string("\x13\x01", 2), 2) + block(std::string(1, '\0'), 1) +
                           block(extensions, 2);
  return number(1, 1) + block(body, 3);
}
std::string records(const std::string& handshake, std::size_t piece = 16'384) {
  std::string out;
  for (std::size_t at = 0; at < handshake.size(); at += piece) {
    out += std::string("\x16\x03\x01", 3) + block(handshake.substr(at, piece), 2);
  }
  return out;
}

TEST(ClientHello, NameAndProtocolsAreFoundAmongOtherExtensions) {
  const std::string bytes =
      records(message(extension(43, "\x02\x03\x04") + server_name("Shop.Example.TEST") +
                      extension(51, std::string(80, 'k')) + alpn({"h2", "http/1.1"})));
  ClientHello hello;
  ASSERT_EQ(parse_client_hello(bytes, hello), HelloOutcome::kDone);
  EXPECT_EQ(hello.server_name, "shop.example.test");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
}

TEST(ClientHello, EveryProperPrefixIsIncompleteAndTrailingBytesDoNotMatter) {
  for (const std::size_t piece : {std::size_t{16'384}, std::size_t{7}}) {
    const std::string bytes = records(message(server_name("a.test") + alpn({"http/1.1"})), piece);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ClientHello hello;
      ASSERT_EQ(parse_client_hello(bytes.substr(0, size), hello), HelloOutcome::kIncomplete)
          << size << " of " << bytes.size();
      if (size == 0) continue;
      const std::size_t needed = hello_size(bytes.substr(0, size));
      ASSERT_GT(needed, size);
      ASSERT_LE(needed, bytes.size());
    }
    EXPECT_EQ(hello_size(bytes + "early data"), bytes.size());
    ClientHello hello;
    EXPECT_EQ(parse_client_hello(bytes + "early data", hello), HelloOutcome::kDone);
    EXPECT_EQ(hello.server_name, "a.test");
  }
}

TEST(ClientHello, WithoutExtensionsThereIsNoName) {
  std::string bytes = message("");
  bytes.resize(bytes.size() - 2);  // no extension block at all
  const std::string body = bytes.substr(4);
  ClientHello hello;
  ASSERT_EQ(parse_client_hello(records(number(1, 1) + block(body, 3)), hello), HelloOutcome::kDone);
  EXPECT_EQ(hello.server_name, "");
  EXPECT_TRUE(hello.alpn.empty());
}

TEST(ClientHello, HostileLengthsAndOtherMessagesAreInvalid) {
  const std::string good = message(server_name("a.test"));
  struct Case {
    std::string_view name;
    std::string bytes;
  };
  std::string server_hello = good;
  server_hello[0] = 2;
  std::string long_message = good;
  long_message[1] = 2;  // 128 KiB
  const std::string lying_list = extension(0, number(500, 2) + "x");
  const std::string nul_name = server_name(std::string("a\0b", 3));
  for (const Case& c :
       {Case{"plain HTTP", "GET / HTTP/1.1\r\n"}, Case{"a server's message", records(server_hello)},
        Case{"a message over the bound", records(long_message)},
        Case{"an empty record", std::string("\x16\x03\x01\x00\x00", 5)},
        Case{"a record over the bound", std::string("\x16\x03\x01\x50\x00", 5)},
        Case{"another protocol version", std::string("\x16\x02\x00\x00\x10", 5)},
        Case{"a name list longer than its extension", records(message(lying_list))},
        Case{"a name with NUL", records(message(nul_name))},
        Case{"an empty protocol", records(message(alpn({""})))},
        Case{"an extension beyond the end", records(message(number(0, 2) + number(9, 2)))}}) {
    SCOPED_TRACE(c.name);
    ClientHello hello;
    EXPECT_EQ(parse_client_hello(c.bytes, hello), HelloOutcome::kInvalid);
  }
}

TEST(ClientHello, AnyFlippedByteIsHandledWithinBounds) {
  const std::string good = records(message(server_name("a.test") + alpn({"h2", "http/1.1"})));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned flip : {1U, 0x80U, 0xFFU}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      ClientHello hello;
      parse_client_hello(bytes, hello);
      EXPECT_LE(hello.server_name.size(), 255U);
      EXPECT_LE(hello.alpn.size(), 16U);
    }
  }
}

TEST(ClientHello, BytesThatCannotBecomeOneNeedNothingMore) {
  for (const std::string& bytes :
       {std::string("\x15", 1), std::string("\x16\x02\x01\x00\x05", 5),
        std::string("\x16\x03\x01\x00\x00", 5), std::string("\x16\x03\x01\xFF\x00", 5),
        std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9)}) {
    EXPECT_LE(hello_size(bytes), bytes.size());
  }
}

TEST(JudgeOpening, TellsTlsFromPlainHttp) {
  struct Case {
    std::string_view bytes;
    Opening want;
  };
  for (const Case& c : {Case{"\x16", Opening::kTls}, Case{"\x16\x03\x01", Opening::kTls},
                        Case{"G", Opening::kPlainHttp}, Case{"GET / HTTP/1.1", Opening::kPlainHttp},
                        Case{"OPTIONS *", Opening::kPlainHttp}, Case{"get / ", Opening::kOther},
                        Case{"\x80\x2e\x01", Opening::kOther}, Case{"SSH-2.0", Opening::kOther},
                        Case{" GET", Opening::kOther}}) {
    SCOPED_TRACE(c.bytes);
    EXPECT_EQ(judge_opening(c.bytes), c.want);
  }
}

}  // namespace
}  // namespace weir::transport
