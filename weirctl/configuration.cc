#include "weirctl/configuration.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/fd.h"
#include "controller/ingress/translator.h"
#include "controller/kubernetes/folder_source.h"
#include "controller/publish/pipeline.h"

namespace weir::weirctl {
namespace {

constexpr base::Duration kFolderPatience = std::chrono::seconds(10);

// Stops the loop once the folder's first state has been built.
class UntilSynced final : public publish::PipelineTarget {
 public:
  explicit UntilSynced(loop::Loop& loop) : loop_(loop) {}
  void on_changes(const translate::Engine::Changes&) override {}
  void on_synced() override {
    synced_ = true;
    loop_.stop();
  }
  bool synced() const { return synced_; }

 private:
  loop::Loop& loop_;
  bool synced_ = false;
};

base::Result<void> add_route(Configuration& out, model::Route route) {
  routing::RouteTable& table = out.tables[route.table];
  if (!route.deny_reason.empty()) out.unavailable[route.host + "/" + route.id] = route.deny_reason;
  auto next = table.with_route(std::make_shared<routing::RouteTarget>(std::move(route)));
  if (!next.ok()) return std::move(next).error();
  table = std::move(next).value();
  return {};
}

void add_host(Configuration& out, model::Host host) {
  routing::RouteTable& table = out.tables[host.table];
  table = table.with_host(std::move(host));
}

base::Result<void> add_resource(Configuration& out, const model::Resource& resource) {
  if (resource.key.type == model::ResourceType::kHost) {
    auto host = model::read_resource<model::Host>(resource);
    if (!host.ok()) return std::move(host).error();
    add_host(out, std::move(host).value());
  } else if (resource.key.type == model::ResourceType::kRoute) {
    auto route = model::read_resource<model::Route>(resource);
    if (!route.ok()) return std::move(route).error();
    return add_route(out, std::move(route).value());
  } else if (resource.key.type == model::ResourceType::kEndpoints) {
    auto endpoints = model::read_resource<model::Endpoints>(resource);
    if (!endpoints.ok()) return std::move(endpoints).error();
    std::vector<std::string>& list = out.endpoints[endpoints.value().cluster];
    for (const model::Endpoint& endpoint : endpoints.value().endpoints) list.push_back(endpoint.id);
  }
  return {};
}

base::Result<void> add_table(Configuration& out, const base::Json& table) {
  for (const base::Json& item : table["hosts"].items()) {
    auto host = base::decode<model::Host>(item);
    if (!host.ok()) return std::move(host).error().within("dump: host");
    add_host(out, std::move(host).value());
  }
  for (const base::Json& item : table["routes"].items()) {
    auto route = base::decode<model::Route>(item);
    if (!route.ok()) return std::move(route).error().within("dump: route");
    const std::string place = route.value().host + "/" + route.value().id;
    if (auto added = add_route(out, std::move(route).value()); !added.ok()) return added;
    if (item.has("unavailable")) out.unavailable[place] = item["unavailable"].as_string();
  }
  return {};
}

}  // namespace

base::Result<Configuration> from_folder(const admin::Options& options) {
  auto config = admin::ingress_config(options);
  if (!config.ok()) return std::move(config).error();
  loop::Loop loop;
  kubernetes::FolderSource source(loop, options.manifests);
  const ingress::IngressTranslator translator(std::move(config).value());
  UntilSynced until(loop);
  publish::Pipeline pipeline(loop, source, {&translator}, until, {});
  loop::Timer patience(loop.timers(), [&loop] { loop.stop(); });
  patience.arm(loop.clock().now() + kFolderPatience);
  pipeline.start();
  loop.run();
  if (!until.synced())
    return base::invalid("folder " + options.manifests + ": not readable within 10 s");
  Configuration out;
  for (const auto& [key, resource] : pipeline.engine().resources()) {
    if (auto added = add_resource(out, *resource); !added.ok()) return std::move(added).error();
  }
  out.reports = pipeline.reports();
  return out;
}

base::Result<Configuration> from_dump(const base::Json& dump) {
  Configuration out;
  for (const auto& [name, table] : dump["tables"].members()) {
    if (auto added = add_table(out, table); !added.ok()) return std::move(added).error();
  }
  for (const auto& [name, cluster] : dump["clusters"].members()) {
    std::vector<std::string>& list = out.endpoints[name];
    for (const base::Json& endpoint : cluster["endpoints"].items())
      list.push_back(endpoint["id"].as_string());
  }
  return out;
}

base::Result<std::string> fetch_unix(const std::string& socket, const std::string& path) {
  const auto failed = [&socket](std::string_view what) {
    return base::Error{base::ErrorKind::kClosed, base::Origin::kConfig, false,
                       "dump socket " + socket + ": " + std::string(what)};
  };
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return failed("path too long");
  std::memcpy(address.sun_path, socket.data(), socket.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed(std::strerror(errno));
  }
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return failed(std::strerror(errno));
  }
  std::string answer;
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return failed("no answer");
  if (answer.compare(0, 12, "HTTP/1.1 200") != 0)
    return failed(answer.substr(0, answer.find('\r')));
  return answer.substr(body + 4);
}

}  // namespace weir::weirctl
