// weir-e2e-load: the loss clients of the scenario tests as a program of its own, for a Weir in a
// cluster. Writes what they saw to a file, again and again, so that a script may wait for a number
// of requests.

#include <pthread.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "common/base/flags.h"
#include "common/base/text.h"
#include "e2e/pods/held_client.h"
#include "tests/scenario/loss_clients.h"

namespace weir::e2e {
namespace {

using scenario::ClientOptions;
using scenario::LossRun;
using scenario::LossTarget;
using scenario::Millis;

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t http_port = 80;
  std::uint16_t https_port = 443;
  std::string host = "a.test";
  std::string backends = "a";
  std::string report;
  std::uint32_t seconds = 600;
  std::uint32_t keep_alive = 4, fresh = 2, websockets = 2, streams = 2, held = 0;
  std::uint32_t pace = 2;
  std::uint32_t patience = 20;
};

base::Result<base::Flags::Outcome> parse(Options& o, std::vector<std::string> argv) {
  base::Flags flags("weir-e2e-load", "Clients of every kind that count what is lost.");
  flags.add("address", o.address, "IPv4 address that they dial")
      .add("http-port", o.http_port, "port of HTTP")
      .add("https-port", o.https_port, "port of HTTPS")
      .add("host", o.host, "host that they ask for")
      .add("backends", o.backends, "names of backends that may answer, separated by ','")
      .add("report", o.report, "file for what they saw, NAME=NUMBER a line")
      .add("seconds", o.seconds, "the longest run; SIGTERM ends it before")
      .add("keep-alive", o.keep_alive, "clients with one connection, every second with TLS")
      .add("fresh", o.fresh, "clients with a connection for each request, every second with TLS")
      .add("websockets", o.websockets, "clients that open a WebSocket about every second")
      .add("streams", o.streams, "clients of slow answers of 0.3 s")
      .add("held", o.held, "WebSockets that only Weir ends")
      .add("pace", o.pace, "milliseconds between two requests of a keep-alive client")
      .add("patience", o.patience, "seconds until an answer counts as lost");
  return flags.parse(std::move(argv));
}

// Failures by name, and what is none: connections that were ended while nothing was asked.
void write_report(const std::string& file, const LossRun& run, const HeldTally& held) {
  const scenario::Tally& t = run.tally;
  const long lost = t.lost + t.reset + t.truncated + t.own_5xx + t.wrong_backend + t.wrong_answer +
                    t.not_connected + t.wrong_certificate;
  {
    std::ofstream out(file + ".part");
    out << "requests=" << t.requests << "\nfailed=" << lost << "\nlost=" << t.lost
        << "\nreset=" << t.reset << "\ntruncated=" << t.truncated << "\nown_5xx=" << t.own_5xx
        << "\nwrong_backend=" << t.wrong_backend << "\nwrong_answer=" << t.wrong_answer
        << "\nnot_connected=" << t.not_connected << "\nclosed=" << t.closed_without_notice
        << "\nwebsocket=" << t.websocket << "\nstream=" << t.stream << "\n"
        << held.to_string();
  }
  std::rename((file + ".part").c_str(), file.c_str());
}

std::vector<std::thread> start(const Options& o, LossRun& run, const LossTarget& target,
                               HeldTally& held) {
  constexpr std::array<const char*, 3> kMethods = {"GET", "PUT", "POST"};
  std::vector<std::thread> out;
  for (std::uint32_t i = 0; i < o.keep_alive; ++i) {
    out.emplace_back([&, i] { keep_alive_client(run, target, kMethods[i % 3], i % 2 == 1); });
  }
  for (std::uint32_t i = 0; i < o.fresh; ++i) {
    out.emplace_back([&, i] { new_connection_client(run, target, i % 2 == 1); });
  }
  for (std::uint32_t i = 0; i < o.websockets; ++i) {
    out.emplace_back([&] {
      while (!run.stop) {
        websocket_client(run, target, 100);
        scenario::nap(Millis(20));
      }
    });
  }
  for (std::uint32_t i = 0; i < o.streams; ++i) {
    out.emplace_back([&] { stream_client(run, target); });
  }
  for (std::uint32_t i = 0; i < o.held; ++i) {
    out.emplace_back([&] { held_client(run, target, held); });
  }
  return out;
}

int run_load(const Options& o, const sigset_t& ends) {
  LossRun run;
  run.pace = Millis(o.pace);
  scenario::Truth truth;
  std::vector<std::string> names;
  for (const auto& name : base::split(o.backends, ',')) names.emplace_back(name);
  truth.open(std::move(names));
  const Millis patience(o.patience * 1'000L);
  const LossTarget target{{.port = o.http_port, .patience = patience, .address = o.address},
                          {.port = o.https_port,
                           .tls = true,
                           .sni = o.host,
                           .patience = patience,
                           .address = o.address},
                          o.host,
                          &truth};
  HeldTally held;
  const scenario::Deadline deadline(Millis(o.seconds * 1'000L));
  std::vector<std::thread> threads = start(o, run, target, held);
  const timespec turn{0, 200'000'000};
  while (!deadline.over() && ::sigtimedwait(&ends, nullptr, &turn) < 0) {
    if (!o.report.empty()) write_report(o.report, run, held);
  }
  run.stop = true;
  for (std::thread& thread : threads) thread.join();
  if (!o.report.empty()) write_report(o.report, run, held);
  std::printf("%s\n%s", run.tally.to_string().c_str(), run.tally.first_complaints().c_str());
  return 0;
}

}  // namespace
}  // namespace weir::e2e

int main(int argc, char** argv) {
  weir::e2e::Options options;
  const auto parsed = weir::e2e::parse(options, {argv + 1, argv + argc});
  if (!parsed.ok()) {
    std::fprintf(stderr, "weir-e2e-load: %s\n", parsed.error().text.c_str());
    return 2;
  }
  if (parsed.value() == weir::base::Flags::Outcome::kShownHelp) return 0;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread starts
  ::signal(SIGPIPE, SIG_IGN);                    // of TLS on a connection that the peer has reset
  return weir::e2e::run_load(options, ends);
}
