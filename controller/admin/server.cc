#include "controller/admin/server.h"

#include <httplib.h>

#include <future>
#include <thread>

namespace weir::admin {
namespace {

constexpr std::chrono::seconds kPatience{3};

}  // namespace

struct AdminServer::Impl {
  Impl(loop::Loop& loop_in, const AdminTarget& target_in) : loop(loop_in), target(target_in) {}

  // Runs ask on the loop's thread. Empty when the loop did not answer in time: then the promise
  // outlives this call in the task.
  std::optional<std::string> on_loop(std::string (*ask)(const AdminTarget&)) {
    auto promise = std::make_shared<std::promise<std::string>>();
    std::future<std::string> answer = promise->get_future();
    loop.post([promise, ask, asked = &target] { promise->set_value(ask(*asked)); });
    if (answer.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
    return answer.get();
  }

  void serve(const char* path, const char* type, std::string (*ask)(const AdminTarget&)) {
    server.Get(path, [this, type, ask](const httplib::Request&, httplib::Response& response) {
      const std::optional<std::string> body = on_loop(ask);
      response.status = !body.has_value() || body->empty() ? 503 : 200;
      response.set_content(body.value_or("the event loop does not answer\n"), type);
    });
  }

  loop::Loop& loop;
  const AdminTarget& target;
  httplib::Server server;
  std::thread thread;
};

AdminServer::AdminServer(loop::Loop& loop, const AdminTarget& target)
    : impl_(std::make_unique<Impl>(loop, target)) {}

AdminServer::~AdminServer() {
  impl_->server.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

base::Result<void> AdminServer::start(const std::string& address, std::uint16_t port) {
  impl_->serve("/healthz", "text/plain", [](const AdminTarget&) { return std::string("ok\n"); });
  impl_->serve("/readyz", "text/plain",
               [](const AdminTarget& target) { return target.readiness(); });
  impl_->serve("/metrics", "text/plain; version=0.0.4",
               [](const AdminTarget& target) { return target.metrics(); });
  impl_->serve("/reports", "application/json",
               [](const AdminTarget& target) { return target.reports(); });
  if (!impl_->server.bind_to_port(address.c_str(), port)) {
    return base::Error{base::ErrorKind::kSystem, base::Origin::kConfig, false,
                       "admin port " + address + ":" + std::to_string(port) + ": cannot listen"};
  }
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  return {};
}

}  // namespace weir::admin
