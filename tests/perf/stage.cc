#include "tests/perf/stage.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <ctime>

#include "common/base/check.h"
#include "common/crypto/certificate.h"
#include "dataplane/filters/order.h"
#include "tests/perf/costs.h"

namespace weir::perf {
namespace {

constexpr std::chrono::milliseconds kNow{0};
constexpr std::chrono::seconds kDrain{10};
constexpr int kMostTurns = 2'000;    // of the loop, for anything that is not steady
constexpr std::size_t kWarmUp = 20;  // rounds: pools, rings and connections reach their size
constexpr std::size_t kCounted = 10;
const char* const kLogFile = "/dev/null";

base::UniqueFd listen_somewhere(base::SocketAddress& bound) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
  WEIR_CHECK(bind(fd.get(), any.data(), any.size()) == 0 && listen(fd.get(), 1'024) == 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  bound = base::SocketAddress(reinterpret_cast<sockaddr*>(&address));
  return fd;
}

std::string host_name(std::size_t number) { return "h" + std::to_string(number) + ".perf.test"; }

model::ResourcePtr make_certificate() {
  const crypto::PemPair pem = crypto::make_self_signed({"*.perf.test"}, std::time(nullptr), 30);
  crypto::KeyPair pair = crypto::parse_key_pair(pem.certificate, pem.key).value();
  model::Certificate facts;
  facts.name = "perf";
  facts.names = pair.names;
  facts.not_after = pair.not_after;
  facts.fingerprint = pair.fingerprint;
  facts.key_type = pair.key_type;
  std::vector<std::string> blobs = pair.chain;
  blobs.push_back(pair.key);
  return model::make_resource(facts, std::move(blobs));
}

void add_host(std::size_t number, std::vector<model::ResourcePtr>& out) {
  for (const char* path : {"/", "/a/b"}) {
    model::Route route;
    route.table = "main";
    route.host = host_name(number);
    route.id = std::string("r") + path;
    std::erase(route.id, '/');
    route.match.path.value = path;
    route.backends.push_back({"shop", 1, false, "", {}});
    route.labels = {"perf", "ingress-" + std::to_string(number), "shop", path};
    out.push_back(model::make_resource(route));
  }
}

}  // namespace

Stage::Stage(const Setting& setting)
    : setting_(setting),
      log_(observe::AccessLog::open(kLogFile, 1).value()),
      builder_(filters::filter_kinds(), labels_, generations_),
      worker_(0, {budget_, offload_, caps_, limits_, labels_, *log_, spans_, 1, zone_, kDrain}) {
  base::SocketAddress bound;
  origin_ = listen_somewhere(bound);
  origin_port_ = bound.port();
  answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
            std::to_string(setting.body) + "\r\n\r\n" + std::string(setting.body, 'x');
  worker_.swap(configure());
  worker_.add_socket("perf", "bind", listen_somewhere(address_));
  connect_clients();
}

Stage::~Stage() {
  leave();
  SSL_CTX_free(tls_);
}

void Stage::leave() {
  for (Client& client : clients_) SSL_free(client.ssl);
  clients_.clear();
}

snapshot::Swap Stage::configure() {
  std::vector<model::ResourcePtr> all;
  model::Settings settings;
  settings.access_log = setting_.loaded;
  settings.max_connections = setting_.loaded ? 16'000 : 0;
  settings.connections_per_address = setting_.loaded ? 10'000 : 0;
  all.push_back(model::make_resource(settings));
  if (setting_.tls) all.push_back(make_certificate());
  model::Endpoints endpoints;
  endpoints.cluster = "shop";
  endpoints.endpoints.push_back(
      {"127.0.0.1:" + std::to_string(origin_port_), "127.0.0.1", origin_port_, 1, ""});
  all.push_back(model::make_resource(endpoints));
  model::Cluster cluster;
  cluster.name = "shop";
  all.push_back(model::make_resource(cluster));
  for (std::size_t i = 0; i < setting_.hosts; ++i) add_host(i, all);
  model::Listener listener;
  listener.name = "perf";
  listener.binds.push_back(
      {"127.0.0.1", address_.port() == 0 ? std::uint16_t{80} : address_.port()});
  listener.protocol =
      setting_.tls ? model::ListenerProtocol::kHttps : model::ListenerProtocol::kHttp;
  listener.route_table = "main";
  if (setting_.tls) listener.default_certificates = {"perf"};
  all.push_back(model::make_resource(listener));
  snapshot::Transaction transaction;
  transaction.version = 1;
  transaction.upserts = std::move(all);
  snapshot::Builder::Outcome outcome = builder_.apply(transaction);
  WEIR_CHECK(outcome.swap.snapshot != nullptr && outcome.degraded.empty());
  return std::move(outcome.swap);
}

void Stage::connect_clients() {
  if (setting_.tls && tls_ == nullptr) tls_ = SSL_CTX_new(TLS_client_method());
  clients_.resize(setting_.clients);
  for (Client& client : clients_) {
    client.fd = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    WEIR_CHECK(connect(client.fd.get(), address_.data(), address_.size()) == 0);
    fcntl(client.fd.get(), F_SETFL, O_NONBLOCK);
    const int on = 1;
    setsockopt(client.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls_ != nullptr) shake_hands(client);
  }
}

void Stage::shake_hands(Client& client) {
  client.ssl = SSL_new(tls_);
  SSL_set_fd(client.ssl, client.fd.get());
  SSL_set_tlsext_host_name(client.ssl, host_name(0).c_str());
  for (int i = 0; i < kMostTurns && SSL_connect(client.ssl) != 1; ++i)
    worker_.loop().run_once(kNow);
  WEIR_CHECK(SSL_is_init_finished(client.ssl) == 1);
}

void Stage::turn_worker() {
  const Counting counting;
  worker_.loop().run_once(kNow);
}

void Stage::round() {
  if (setting_.fresh) {
    leave();
    connect_clients();
  }
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    // Hosts in an order that no cache line predicts.
    const std::string head = "GET /a/b/c HTTP/1.1\r\nHost: " +
                             host_name((i * 1'237 + client.asked++ * 389) % setting_.hosts) +
                             "\r\n\r\n";
    const auto size = static_cast<int>(head.size());
    const auto put =
        client.ssl != nullptr
            ? SSL_write(client.ssl, head.data(), size)
            : static_cast<int>(send(client.fd.get(), head.data(), head.size(), MSG_NOSIGNAL));
    good_ = good_ && put == size;
  }
  std::size_t left = clients_.size();
  std::vector<bool> done(clients_.size());
  for (int turn = 0; turn < kMostTurns && left > 0; ++turn) {
    turn_worker();
    answer_all();
    if (turn == 0) turn_worker();  // the answers, in the same way
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (done[i] || !hear(clients_[i])) continue;
      done[i] = true;
      --left;
    }
  }
  good_ = good_ && left == 0;
}

// The origin: every request that has come is answered.
void Stage::answer_all() {
  for (;;) {
    base::UniqueFd fd(accept4(origin_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) break;
    upstreams_.push_back(std::move(fd));
  }
  std::array<char, 4'096> buffer;
  for (const base::UniqueFd& fd : upstreams_) {
    if (recv(fd.get(), buffer.data(), buffer.size(), 0) <= 0) continue;
    good_ = good_ && send(fd.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL) ==
                         static_cast<ssize_t>(answer_.size());
  }
}

bool Stage::hear(Client& client) {
  std::array<char, 16'384> buffer;
  const auto room = static_cast<int>(buffer.size());
  const auto got = client.ssl != nullptr
                       ? SSL_read(client.ssl, buffer.data(), room)
                       : static_cast<int>(recv(client.fd.get(), buffer.data(), buffer.size(), 0));
  if (got <= 0) return false;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  good_ = good_ && text.starts_with("HTTP/1.1 200") && text.ends_with("x");
  return true;
}

RoundCost cost_of_a_round(Stage& stage) {
  for (std::size_t i = 0; i < kWarmUp; ++i) stage.round();
  forget_costs();
  for (std::size_t i = 0; i < kCounted; ++i) stage.round();
  const auto requests = static_cast<double>(kCounted * stage.setting().clients);
  return {static_cast<double>(costs().calls) / requests,
          static_cast<double>(costs().allocations) / requests, calls_by_name()};
}

}  // namespace weir::perf
