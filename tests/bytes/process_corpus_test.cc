// The corpus against the real dataplane over real sockets, with recorders behind it: each case in
// one write and byte by byte.

#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>

#include "common/base/text.h"
#include "tests/bytes/corpus.h"
#include "tests/bytes/relay.h"
#include "tests/push/stage.h"

namespace weir::bytes {
namespace {

using push::Answer;
using push::Backend;
using push::Client;

constexpr std::size_t kLanes = 12;
constexpr std::size_t kEdge = 700;      // bytes at both ends of a long input that go one by one
constexpr std::size_t kMiddle = 4'096;  // the rest in parts of this size
constexpr push::Millis kFirstWait{10'000};

// A listener, a table and a recorder of its own: what the recorder gets in a lane was caused by the
// one case that the lane runs.
struct Lane {
  std::unique_ptr<Backend> recorder;
  std::uint16_t port = 0;
};

struct Counts {
  int wrongly_accepted = 0;
  int wrongly_rejected = 0;
  int second_readings = 0;
  int other = 0;  // a wrong status, a connection left open, wrong bytes
  std::vector<std::string> texts;
};

std::vector<std::string_view> pieces_of(std::string_view bytes, bool byte_by_byte) {
  std::vector<std::string_view> out;
  if (!byte_by_byte) return {bytes};
  for (std::size_t at = 0; at < bytes.size();) {
    const bool edge = at < kEdge || bytes.size() - at <= kEdge;
    const std::size_t size = edge ? 1 : std::min(kMiddle, bytes.size() - kEdge - at);
    out.push_back(bytes.substr(at, size));
    at += size;
  }
  return out;
}

// The client's is gone; the proxy has put its own there.
bool is_ours(const std::string& name, std::string_view value) {
  return base::equals_ignore_case(name, "X-Forwarded-For") && value == "127.0.0.1";
}

// A request that named no host goes on with an empty Host field (RFC 9112 section 3.2). Our own
// reader refuses that from clients, so it is given a name here.
std::string with_host(std::string message) {
  const std::size_t at = message.find("\r\nHost: \r\n");
  if (at != std::string::npos) message.insert(at + 8, "default");
  return message;
}

// What is wrong with the forwarded message; empty when nothing is.
std::string difference(const Forwarded& want, const std::string& message) {
  const Reading reading = read_requests(message);
  if (!reading.whole || reading.requests.size() != 1) return "no single request";
  const Request& got = *reading.requests[0];
  if (got.head.method() != want.method) return "method " + std::string(got.head.method());
  if (got.head.target() != want.target) return "target " + std::string(got.head.target());
  if (!want.authority.empty() && got.head.authority() != want.authority) {
    return "authority " + std::string(got.head.authority());
  }
  if (got.body != want.body) return "body " + got.body.substr(0, 200);
  for (const auto& [name, value] : want.fields) {
    bool found = false;
    got.head.each([&, field = std::string_view(name),
                   text = std::string_view(value)](const codec::FieldView& f) {
      found = found || (base::equals_ignore_case(f.name, field) && f.value == text);
    });
    if (!found) return "without " + name + ": " + value;
  }
  for (const std::string& name : want.absent) {
    const auto value = got.head.find(name);
    if (value && !is_ours(name, *value)) return "with " + name;
  }
  return "";
}

// One connection and what it brought.
struct Outcome {
  std::vector<int> statuses;  // of all final answers
  bool closed = false;        // by the proxy, before we ended it
  std::vector<std::string> messages;
};

Outcome run_case(const Case& c, const Lane& lane, bool byte_by_byte) {
  Outcome out;
  Client client({.port = lane.port});
  for (const std::string_view piece : pieces_of(c.bytes, byte_by_byte)) client.send(piece);
  for (const Forwarded& want : c.forwarded) {
    const Answer answer = client.read(want.method == "HEAD", kFirstWait);
    if (answer.status == 0) break;
    out.statuses.push_back(answer.status);
  }
  if (c.refused != 0) {
    const Answer answer = client.read(false, kFirstWait);
    if (answer.status != 0) out.statuses.push_back(answer.status);
    // A path that routing refuses came in a sound message: its connection may go on.
    if (c.row == 21 && c.only_process) client.finish_sending();
    out.closed = client.ends(kFirstWait);
  } else {
    client.finish_sending();
    const Answer more = client.read(false, kFirstWait);
    if (more.status != 0) out.statuses.push_back(more.status);
  }
  for (std::string& message : lane.recorder->take()) {
    out.messages.push_back(c.forwarded.empty() || c.forwarded[0].authority.empty()
                               ? with_host(std::move(message))
                               : std::move(message));
  }
  return out;
}

class Judge {
 public:
  void judge(const Case& c, const Outcome& got, const char* how) {
    const std::lock_guard lock(mutex_);
    const auto say = [&](int& count, const std::string& what) {
      ++count;
      counts.texts.push_back(c.name + " (" + how + "): " + what);
    };
    std::vector<int> want(c.forwarded.size(), 200);
    if (c.refused != 0) want.push_back(c.refused);
    if (got.messages.size() > c.forwarded.size()) {
      say(counts.wrongly_accepted, std::to_string(got.messages.size()) + " messages passed");
    } else if (got.messages.size() < c.forwarded.size()) {
      say(counts.wrongly_rejected, std::to_string(got.messages.size()) + " messages passed, got " +
                                       testing::PrintToString(got.statuses));
    } else if (got.statuses != want) {
      say(counts.other, "statuses " + testing::PrintToString(got.statuses));
    } else if (c.refused != 0 && !got.closed) {
      say(counts.other, "a refusal left the connection open");
    }
    for (std::size_t i = 0; i < got.messages.size(); ++i) {
      const std::string second = find_second_reading(Relayed{{got.messages[i]}, {}, false});
      if (!second.empty()) say(counts.second_readings, second);
      if (i >= c.forwarded.size()) continue;
      const std::string wrong = difference(c.forwarded[i], got.messages[i]);
      if (!wrong.empty()) say(counts.other, "forwarded " + wrong);
    }
  }
  Counts counts;

 private:
  std::mutex mutex_;
};

class ProcessCorpus : public testing::Test {
 protected:
  ProcessCorpus() : dataplane_({.workers = 2}), controller_(dataplane_.control_socket()) {
    std::vector<model::ResourcePtr> all;
    for (std::size_t i = 0; i < kLanes; ++i) add_lane("lane" + std::to_string(i), all);
    const push::Verdict verdict = controller_.push(all);
    EXPECT_TRUE(verdict.clean()) << verdict.to_string();
  }

  void add_lane(const std::string& name, std::vector<model::ResourcePtr>& all) {
    lanes_.push_back({std::make_unique<Backend>(name), push::free_port()});
    model::Route route = push::make_route("all", "/", name);
    route.table = name;
    route.host = "*";
    for (model::ResourcePtr resource :
         {model::make_resource(push::make_endpoints(name, {lanes_.back().recorder->port()})),
          model::make_resource(push::make_cluster(name)),
          model::make_resource(push::make_host("*", name)), model::make_resource(route),
          model::make_resource(push::make_listener(name, lanes_.back().port, name))}) {
      all.push_back(std::move(resource));
    }
  }

  void run_all(bool byte_by_byte) {
    auto loaded = load_corpus();
    ASSERT_TRUE(loaded.ok()) << loaded.error().text;
    std::vector<Case> cases = std::move(loaded).value();
    std::erase_if(cases, [](const Case& c) { return c.only_codec; });
    Judge judge;
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (const Lane& lane : lanes_) {
      threads.emplace_back([&cases, &judge, &next, &lane, byte_by_byte] {
        for (std::size_t i = next++; i < cases.size(); i = next++) {
          judge.judge(cases[i], run_case(cases[i], lane, byte_by_byte),
                      byte_by_byte ? "byte by byte" : "whole");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    // What the dataplane still holds must come now or never.
    EXPECT_EQ(dataplane_.stop(), 0) << dataplane_.log();
    push::nap(push::Millis(100));
    std::size_t late = 0;
    for (const Lane& lane : lanes_) late += lane.recorder->take().size();
    const Counts& counts = judge.counts;
    std::cout << cases.size() << " cases " << (byte_by_byte ? "byte by byte" : "whole") << ": "
              << counts.wrongly_accepted << " wrongly accepted, " << counts.wrongly_rejected
              << " wrongly rejected, " << counts.second_readings << " second readings, "
              << counts.other << " otherwise wrong, " << late << " late\n";
    for (const std::string& text : counts.texts) ADD_FAILURE() << text;
    EXPECT_EQ(late, 0U);
    EXPECT_GE(cases.size(), 200U);
  }

  std::vector<Lane> lanes_;
  push::Dataplane dataplane_;
  push::Controller controller_;
};

TEST_F(ProcessCorpus, EveryCaseGetsItsVerdictInOneWrite) { run_all(false); }

TEST_F(ProcessCorpus, EveryCaseGetsTheSameVerdictByteByByte) { run_all(true); }

}  // namespace
}  // namespace weir::bytes
