#include "weirctl/configuration.h"

#include "common/model/cluster.h"
#include "common/model/resource.h"
#include "controller/policies/settings_overlay.h"

namespace weir::weirctl {
namespace {

using base::Json;
using model::ResourceType;

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

// The EndpointSlice that has this address, as "EndpointSlice namespace/name"; the Service itself
// where none has it.
std::string origin_of(const store::Store& store, const model::Cluster& cluster,
                      const std::string& address) {
  const std::string service = cluster.ns + "/" + cluster.service;
  for (const store::ObjectPtr& object : store.find(store::Index::kSlicesByService, service)) {
    const auto& slice = static_cast<const store::EndpointSlice&>(*object);
    for (const store::SliceEndpoint& one : slice.endpoints) {
      if (one.address == address) return slice.key.to_string();
    }
  }
  return "Service " + service;
}

// Reads the resources of one pipeline.
class Reader {
 public:
  Reader(const publish::Pipeline& pipeline, Configuration& out) : pipeline_(pipeline), out_(out) {}

  base::Result<void> read(const model::Resource& resource) {
    switch (resource.key.type) {
      case ResourceType::kHost:
        return typed<model::Host>(resource, [this](model::Host host) -> base::Result<void> {
          add_host(out_, std::move(host));
          return {};
        });
      case ResourceType::kRoute:
        return typed<model::Route>(
            resource, [this](model::Route route) { return add_route(out_, std::move(route)); });
      case ResourceType::kListener:
        return typed<model::Listener>(resource, [this](model::Listener one) -> base::Result<void> {
          out_.listeners[one.name] = std::move(one);
          return {};
        });
      case ResourceType::kSettings:
        return typed<model::Settings>(resource,
                                      [this](const model::Settings& one) -> base::Result<void> {
                                        out_.settings = policies::settings_spec(one);
                                        return {};
                                      });
      case ResourceType::kEndpoints:
        return typed<model::Endpoints>(
            resource, [this](const model::Endpoints& one) { return add_endpoints(one); });
      case ResourceType::kCluster:
        return as_json(resource, resource.json, out_.clusters);
      case ResourceType::kCertificate:
        return as_json(resource, resource.json, out_.certificates);
      case ResourceType::kPolicy:
        return resource.blobs.empty() ? base::Result<void>()
                                      : as_json(resource, resource.blobs.front(), out_.policies);
      default:
        return {};
    }
  }

 private:
  template <typename T, typename Take>
  static base::Result<void> typed(const model::Resource& resource, Take take) {
    auto value = model::read_resource<T>(resource);
    if (!value.ok()) return std::move(value).error();
    return take(std::move(value).value());
  }

  static base::Result<void> as_json(const model::Resource& resource, const std::string& text,
                                    std::map<std::string, Json>& into) {
    auto json = Json::parse(text);
    if (!json.ok()) return std::move(json).error().within(resource.key.to_string());
    into[resource.key.name] = std::move(json).value();
    return {};
  }

  base::Result<void> add_endpoints(const model::Endpoints& endpoints) {
    const auto& resources = pipeline_.engine().resources();
    const auto found = resources.find({ResourceType::kCluster, endpoints.cluster});
    model::Cluster cluster;
    if (found != resources.end()) {
      auto read = model::read_resource<model::Cluster>(*found->second);
      if (!read.ok()) return std::move(read).error();
      cluster = std::move(read).value();
    }
    Json& list = out_.endpoints[endpoints.cluster] = Json::array();
    for (const model::Endpoint& endpoint : endpoints.endpoints) {
      Json one = base::encode(endpoint);
      one.set("from", origin_of(pipeline_.store(), cluster, endpoint.address));
      list.push(std::move(one));
    }
    return {};
  }

  const publish::Pipeline& pipeline_;
  Configuration& out_;
};

base::Result<void> add_table(Configuration& out, const Json& table) {
  for (const Json& item : table["hosts"].items()) {
    auto host = base::decode<model::Host>(item);
    if (!host.ok()) return std::move(host).error().within("dump: host");
    add_host(out, std::move(host).value());
  }
  for (const Json& item : table["routes"].items()) {
    auto route = base::decode<model::Route>(item);
    if (!route.ok()) return std::move(route).error().within("dump: route");
    const std::string place = route.value().host + "/" + route.value().id;
    if (auto added = add_route(out, std::move(route).value()); !added.ok()) return added;
    if (item.has("unavailable")) out.unavailable[place] = item["unavailable"].as_string();
  }
  return {};
}

}  // namespace

base::Result<Configuration> from_pipeline(const publish::Pipeline& pipeline) {
  Configuration out;
  Reader reader(pipeline, out);
  for (const auto& [key, resource] : pipeline.engine().resources()) {
    if (auto read = reader.read(*resource); !read.ok()) return std::move(read).error();
  }
  for (const store::ObjectPtr& object : pipeline.store().all(store::Kind::kIngress)) {
    auto& keys = out.annotations[object->key.ns + "/" + object->key.name];
    for (const auto& [key, value] : object->annotations) keys.push_back(key);
  }
  out.reports = pipeline.reports();
  out.not_seen = pipeline.source_problems();
  return out;
}

base::Result<Configuration> from_dump(const Json& dump) {
  Configuration out;
  for (const auto& [name, table] : dump["tables"].members()) {
    if (auto added = add_table(out, table); !added.ok()) return std::move(added).error();
  }
  for (const auto& [name, json] : dump["listeners"].members()) {
    auto listener = base::decode<model::Listener>(json);
    if (!listener.ok()) return std::move(listener).error().within("dump: listener");
    out.listeners[name] = std::move(listener).value();
  }
  for (const auto& [name, json] : dump["clusters"].members()) {
    Json settings = json;
    settings.erase("endpoints");
    out.clusters[name] = std::move(settings);
    out.endpoints[name] = json["endpoints"].is_array() ? json["endpoints"] : Json::array();
  }
  for (const auto& [name, json] : dump["certificates"].members()) out.certificates[name] = json;
  return out;
}

}  // namespace weir::weirctl
