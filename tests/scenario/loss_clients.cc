#include "tests/scenario/loss_clients.h"

#include <algorithm>

#include "tests/scenario/harness/backends.h"

namespace weir::scenario {

void Truth::open(std::vector<std::string> allowed) {
  const std::lock_guard lock(mutex_);
  epochs_.push_back({std::move(allowed), Clock::now()});
}

void Truth::acknowledge() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i + 1 < epochs_.size(); ++i) {
    epochs_[i].until = std::min(epochs_[i].until, Clock::now());
  }
}

bool Truth::allows(const std::string& backend, Clock::time_point sent) const {
  const std::lock_guard lock(mutex_);
  for (auto epoch = epochs_.rbegin(); epoch != epochs_.rend(); ++epoch) {
    if (epoch->until < sent) return false;
    const auto& allowed = epoch->allowed;
    if (std::find(allowed.begin(), allowed.end(), backend) != allowed.end()) return true;
  }
  return false;
}

std::string Truth::describe() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  const std::size_t from = epochs_.size() > 3 ? epochs_.size() - 3 : 0;
  for (std::size_t i = from; i < epochs_.size(); ++i) {
    out += " [";
    for (const std::string& one : epochs_[i].allowed) out += one + " ";
    out += epochs_[i].until == Clock::time_point::max() ? "now]" : "past]";
  }
  return out;
}

void Tally::complain(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (complaints_.size() < 10) complaints_.push_back(what);
}

std::string Tally::first_complaints() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const std::string& one : complaints_) out += one + "\n";
  return out;
}

std::string Tally::to_string() const {
  const auto part = [](const char* name, const std::atomic<long>& value) {
    return std::string(name) + " " + std::to_string(value.load()) + ", ";
  };
  return part("requests", requests) + part("of them websocket", websocket) +
         part("stream", stream) + part("parked", parked) + part("lost", lost) +
         part("reset", reset) + part("truncated", truncated) +
         part("not connected", not_connected) +
         part("closed without Connection: close", closed_without_notice) +
         part("wrong backend", wrong_backend) + part("wrong answer", wrong_answer) +
         part("wrong certificate", wrong_certificate) + "own 5xx " + std::to_string(own_5xx.load());
}

bool Tally::clean() const {
  return lost + reset + truncated + own_5xx + wrong_backend + wrong_answer + closed_without_notice +
             not_connected + wrong_certificate ==
         0;
}

namespace {

// Counts one answer. False: the connection is of no more use.
bool judge(LossRun& run, const LossTarget& target, const Answer& answer, Clock::time_point sent,
           const std::string& what) {
  Tally& tally = run.tally;
  std::atomic<long>* wrong = nullptr;
  switch (answer.outcome) {
    case Outcome::kAnswered:
      break;
    case Outcome::kClosedBefore:
      wrong = &tally.closed_without_notice;
      break;
    case Outcome::kNotConnected:
      wrong = &tally.not_connected;
      break;
    case Outcome::kReset:
      wrong = &tally.reset;
      break;
    case Outcome::kTruncated:
    case Outcome::kMalformed:
      wrong = &tally.truncated;
      break;
    case Outcome::kLost:
    case Outcome::kTimeout:
      wrong = &tally.lost;
      break;
  }
  if (answer.outcome != Outcome::kClosedBefore) ++tally.requests;
  if (wrong == nullptr && answer.made_by_proxy()) {
    wrong = answer.status >= 500 ? &tally.own_5xx : &tally.wrong_answer;
  } else if (wrong == nullptr && !target.truth->allows(answer.backend(), sent)) {
    wrong = &tally.wrong_backend;
  }
  if (wrong != nullptr) {
    ++*wrong;
    tally.complain(what + " " + target.host + ": " + answer.to_string() + target.truth->describe());
  }
  return answer.outcome == Outcome::kAnswered && !answer.says_close();
}

bool ask_and_judge(LossRun& run, const LossTarget& target, Client& client, const Request& request) {
  const Clock::time_point sent = Clock::now();
  const Answer answer = client.ask(request);
  const bool good = judge(run, target, answer, sent, request.method);
  if (answer.status == 200 && answer.message.body.rfind(request.method + " ", 0) == 0 &&
      answer.message.body.find(" sum=" + sum_of(request.body)) == std::string::npos) {
    ++run.tally.wrong_answer;
    run.tally.complain("body differs: " + answer.to_string());
  }
  if (!good) client.close();
  return good;
}

void check_certificate(LossRun& run, const std::string& seen) {
  const std::lock_guard lock(run.mutex);
  if (run.certificates[0].empty()) return;
  if (seen == run.certificates[0] || seen == run.certificates[1]) return;
  ++run.tally.wrong_certificate;
  run.tally.complain("certificate " + seen);
}

Request request_of(const LossTarget& target, const std::string& method, long n) {
  Request request{.method = method, .target = "/" + std::to_string(n), .host = target.host};
  if (method != "GET") request.body = pattern(static_cast<std::size_t>(n * 37 % 3'000));
  request.chunked = method == "PUT" && n % 2 == 0;
  return request;
}

}  // namespace

void keep_alive_client(LossRun& run, const LossTarget& target, const std::string& method,
                       bool tls) {
  Client client(tls ? target.https : target.http);
  for (long n = 0; !run.stop; ++n) {
    ask_and_judge(run, target, client, request_of(target, method, n));
    if (run.pace > Millis(0)) nap(run.pace);
  }
}

void new_connection_client(LossRun& run, const LossTarget& target, bool tls) {
  for (long n = 0; !run.stop; ++n) {
    Client client(tls ? target.https : target.http);
    ask_and_judge(run, target, client, request_of(target, n % 2 == 0 ? "GET" : "POST", n));
    if (tls) check_certificate(run, client.certificate());
    nap(Millis(5));
  }
}

namespace {

// One connection: false when it ended before it was to.
bool websocket_life(LossRun& run, const LossTarget& target, long messages) {
  const std::string message(
      "\x81\x84"
      "abcd"
      "\x11\x0b\x0d\x03",
      10);  // "pin" and a byte, masked with "abcd"
  const std::string want(
      "\x81\x04"
      "pin"
      "\x67",
      6);
  Client client(target.http);
  const Request upgrade{.target = "/ws",
                        .host = target.host,
                        .fields = {{"Connection", "Upgrade"},
                                   {"Upgrade", "websocket"},
                                   {"Sec-WebSocket-Version", "13"},
                                   {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}};
  const Clock::time_point sent = Clock::now();
  const Answer answer = client.ask(upgrade);
  judge(run, target, answer, sent, "websocket");
  if (answer.status != 101) return false;
  for (long n = 0; !run.stop && n < messages; ++n) {
    ++run.tally.requests;
    ++run.tally.websocket;
    const Outcome written = client.send(message);
    const std::string got = client.read_bytes(want.size());
    if (written != Outcome::kAnswered || got != want) {
      ++(got.empty() ? run.tally.lost : run.tally.truncated);
      run.tally.complain("websocket on " + target.host + " ended or differs");
      return false;
    }
    nap(Millis(10));
  }
  return true;
}

}  // namespace

void websocket_client(LossRun& run, const LossTarget& target, long messages) {
  while (websocket_life(run, target, messages) && !run.stop) {
  }
}

void stream_client(LossRun& run, const LossTarget& target) {
  Client client(target.http);
  while (!run.stop) {
    const Clock::time_point sent = Clock::now();
    const Answer answer = client.ask(
        {.target = "/stream", .host = target.host, .fields = {{"X-Do", "stream:20:15"}}});
    if (!judge(run, target, answer, sent, "stream")) client.close();
    ++run.tally.stream;
    const auto events = std::count(answer.message.body.begin(), answer.message.body.end(), ':');
    if (answer.status == 200 && (events != 20 || answer.message.trailers.size() != 1)) {
      ++run.tally.truncated;
      run.tally.complain("stream with " + std::to_string(events) +
                         " events: " + answer.to_string());
    }
  }
}

void parked_client(LossRun& run, const LossTarget& target, int connections) {
  while (!run.stop) {
    std::vector<Client> parked;
    for (int i = 0; i < connections; ++i) {
      parked.emplace_back(i % 2 == 0 ? target.http : target.https);
      if (!parked.back().connect()) ++run.tally.not_connected;
    }
    const long until = run.changes + 2;
    while (!run.stop && run.changes < until) nap(Millis(2));
    for (Client& client : parked) {
      ++run.tally.parked;
      ask_and_judge(run, target, client, request_of(target, "POST", 1));
    }
  }
}

}  // namespace weir::scenario
