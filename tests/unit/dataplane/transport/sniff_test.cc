#include "dataplane/transport/sniff.h"

#include <optional>

#include "tests/unit/dataplane/transport/loopback.h"

namespace weir::transport {
namespace {

using Proxy = SniffNeeds::Proxy;
using namespace std::string_literals;

std::string be(std::size_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string sized(const std::string& body, int length_bytes) {
  return be(body.size(), length_bytes) + body;
}

// A ClientHello for this name, in records of `piece` bytes.
std::string hello(const std::string& name, std::size_t piece = 16'384, std::size_t padding = 0) {
  std::string extensions = be(0, 2) + sized(sized(be(0, 1) + sized(name, 2), 2), 2);
  if (padding > 0) extensions += be(21, 2) + sized(std::string(padding, '\0'), 2);
  const std::string body = "\x03\x03" + std::string(32, 'r') + sized("", 1) + sized("\x13\x01", 2) +
                           sized("\0"s, 1) + sized(extensions, 2);
  const std::string message = be(1, 1) + sized(body, 3);
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += piece) {
    out += "\x16\x03\x01"s + sized(message.substr(at, piece), 2);
  }
  return out;
}

const std::string kHeader = "PROXY TCP4 203.0.113.9 10.0.0.1 49152 443\r\n";

class SniffTest : public LoopbackTest, public SniffTarget {
 protected:
  void start(SniffNeeds needs) {
    needs.proxy_deadline = std::chrono::seconds(5);
    needs.hello_deadline = std::chrono::seconds(5);
    client_ = dial();
    const int on = 1;
    setsockopt(client_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto accepted = accept_one();
    sniffer_ = std::make_unique<Sniffer>(worker_, std::move(accepted), name_of(client_.get()),
                                         needs, *this);
  }
  void put(std::string_view bytes) {
    EXPECT_EQ(::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  bool over() const { return sniffed_.has_value() || failed_.has_value(); }
  // What whoever comes next finds in the socket.
  std::string left() {
    std::string out(100'000, '\0');
    const ssize_t got = recv(sniffed_->fd.get(), out.data(), out.size(), MSG_DONTWAIT);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  void on_sniffed(Sniffed sniffed) override {
    sniffed_ = std::move(sniffed);
    sniffer_.reset();
  }
  void on_sniff_failed(const base::Error& error) override {
    failed_ = error;
    sniffer_.reset();
  }

  base::UniqueFd client_;
  std::unique_ptr<Sniffer> sniffer_;
  std::optional<Sniffed> sniffed_;
  std::optional<base::Error> failed_;
};

TEST_F(SniffTest, TheHelloIsLookedAtAndStaysInTheSocket) {
  start({.hello = true});
  const std::string bytes = hello("Shop.Test");
  put(bytes);
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(sniffed_.has_value());
  EXPECT_TRUE(sniffed_->is_tls);
  EXPECT_EQ(sniffed_->hello.server_name, "shop.test");
  EXPECT_EQ(left(), bytes);
}

TEST_F(SniffTest, AHelloInManyRecordsAndManySegmentsIsFoundWithoutSpinning) {
  start({.hello = true});
  const std::string bytes = hello("shop.test", 11);
  const auto& figures = worker_.loop().figures();
  for (const char byte : bytes) {
    ASSERT_FALSE(over());
    put({&byte, 1});
    spin(3);
  }
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(sniffed_.has_value());
  EXPECT_EQ(sniffed_->hello.server_name, "shop.test");
  EXPECT_EQ(left(), bytes);
  // At most two looks a record: the loop is not woken for bytes that cannot help.
  EXPECT_LE(figures.events.load(), 2 * bytes.size() / 16 + 8);
}

TEST_F(SniffTest, TheProxyHeaderIsTakenToItsLastByteByteByByte) {
  for (const bool with_hello : {false, true}) {
    sniffed_.reset();
    start({.proxy = Proxy::kRequired, .hello = with_hello});
    const std::string rest = with_hello ? hello("a.test") : "GET / HTTP/1.1\r\n\r\n";
    const std::string all = kHeader + rest;
    for (std::size_t i = 0; i < kHeader.size(); ++i) {
      ASSERT_FALSE(over()) << i;
      put({&all[i], 1});
      spin(2);
    }
    put(rest);
    ASSERT_TRUE(run_until([&] { return over(); }));
    ASSERT_TRUE(sniffed_.has_value());
    EXPECT_EQ(sniffed_->addresses.source.to_string(), "203.0.113.9:49152");
    EXPECT_EQ(sniffed_->is_tls, with_hello);
    spin(2);
    EXPECT_EQ(left(), rest);
  }
}

TEST_F(SniffTest, HeaderAndHelloMayComeInOneSegment) {
  start({.proxy = Proxy::kRequired, .hello = true});
  put(kHeader + hello("a.test"));
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(sniffed_.has_value());
  EXPECT_EQ(sniffed_->hello.server_name, "a.test");
  EXPECT_EQ(left(), hello("a.test"));
}

TEST_F(SniffTest, WhoMustSendAHeaderAndDoesNotIsRefused) {
  for (const std::string& bytes : {"GET / HTTP/1.1\r\n"s, hello("a.test"), "PROXY nonsense\r\n"s}) {
    failed_.reset();
    start({.proxy = Proxy::kRequired});
    put(bytes);
    ASSERT_TRUE(run_until([&] { return over(); }));
    ASSERT_TRUE(failed_.has_value());
    EXPECT_NE(failed_->text.find("PROXY header"), std::string::npos);
  }
}

TEST_F(SniffTest, WhoMustNotSendAHeaderIsRefusedOnlyWhenHeDoes) {
  struct Case {
    std::string bytes;
    bool refused;
  };
  for (const Case& one :
       {Case{kHeader, true}, Case{"PROXY \xff"s, true}, Case{"\r\n\r\n\0\r\nQUIT\n\x21\x11"s, true},
        Case{"PUT / HTTP/1.1\r\n", false}, Case{"PROXYX", false}, Case{hello("a.test"), false}}) {
    failed_.reset();
    sniffed_.reset();
    start({.proxy = Proxy::kRefused});
    put(one.bytes.substr(0, 3));
    spin(3);
    put(one.bytes.substr(3));
    ASSERT_TRUE(run_until([&] { return over(); })) << one.bytes;
    EXPECT_EQ(failed_.has_value(), one.refused) << one.bytes;
    if (!one.refused) {
      EXPECT_EQ(left(), one.bytes);
    }
  }
}

TEST_F(SniffTest, WhatIsNoHelloIsHandedOnForOthersToAnswer) {
  start({.hello = true});
  put("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(sniffed_.has_value());
  EXPECT_FALSE(sniffed_->is_tls);
  EXPECT_EQ(left(), "GET / HTTP/1.1\r\n\r\n");
}

TEST_F(SniffTest, AHelloWithoutEndIsRefusedAtItsBound) {
  start({.hello = true});
  put(hello("a.test", 1'000, 40'000).substr(0, Sniffer::kMostHello + 6'000));
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(failed_.has_value());
  EXPECT_NE(failed_->text.find("20 KiB"), std::string::npos);
}

TEST_F(SniffTest, AClientThatLeavesInTheMiddleIsSeen) {
  for (const std::string& bytes : {""s, "PRO"s, kHeader.substr(0, 30)}) {
    failed_.reset();
    start({.proxy = Proxy::kRequired, .hello = true});
    put(bytes);
    spin(3);
    shutdown(client_.get(), SHUT_WR);
    ASSERT_TRUE(run_until([&] { return over(); })) << bytes;
    EXPECT_TRUE(failed_.has_value());
  }
}

TEST_F(SniffTest, ASilentClientIsRefusedAtTheDeadline) {
  client_ = dial();
  SniffNeeds needs{.proxy = Proxy::kRequired};
  needs.proxy_deadline = std::chrono::milliseconds(30);
  sniffer_ = std::make_unique<Sniffer>(worker_, accept_one(), name_of(client_.get()), needs, *this);
  put("PROXY TCP4 1.");
  ASSERT_TRUE(run_until([&] { return over(); }));
  ASSERT_TRUE(failed_.has_value());
  EXPECT_EQ(failed_->kind, base::ErrorKind::kTimeout);
}

}  // namespace
}  // namespace weir::transport
