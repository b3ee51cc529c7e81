#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// Core v1 Service: its ports and what the status of an Ingress may publish.

namespace weir::store {
namespace {

// targetPort is a number or a name; without it the port itself.
base::Result<void> read_target_port(const FieldAt& at, ServicePort& out) {
  if (at.json.is_null()) {
    out.target_port = std::to_string(out.port);
    return {};
  }
  if (at.json.is_int()) {
    std::int32_t number = 0;
    // Before it is stored the API server turns 0 into the port.
    if (at.json.as_int() == 0) number = out.port;
    if (number == 0) {
      if (auto read = read_port(at, number); !read.ok()) return read;
    }
    out.target_port = std::to_string(number);
    return {};
  }
  return read_string(at, out.target_port);
}

base::Result<void> read_service_port(const FieldAt& at, ServicePort& out) {
  if (auto read = read_string(at.child("name"), out.name); !read.ok()) return read;
  if (auto read = read_port(at.child("port"), out.port); !read.ok()) return read;
  if (out.port == 0) return at.child("port").wrong("a port in 1..65535");
  if (auto read = read_target_port(at.child("targetPort"), out); !read.ok()) return read;
  if (auto read = read_string(at.child("appProtocol"), out.app_protocol); !read.ok()) return read;
  out.protocol = "TCP";
  return read_string(at.child("protocol"), out.protocol);
}

base::Result<void> read_spec(const FieldAt& at, Service& out) {
  out.type = "ClusterIP";
  if (auto read = read_string(at.child("type"), out.type); !read.ok()) return read;
  if (auto read = read_string(at.child("externalName"), out.external_name); !read.ok()) return read;
  if (auto read = read_string(at.child("clusterIP"), out.cluster_ip); !read.ok()) return read;
  const FieldAt ports = at.child("ports");
  if (auto checked = check_list(ports); !checked.ok()) return checked;
  for (std::size_t i = 0; i < ports.json.items().size(); ++i) {
    auto read = read_service_port(ports.item(i), out.ports.emplace_back());
    if (!read.ok()) return read;
  }
  const FieldAt ips = at.child("externalIPs");
  if (auto checked = check_list(ips); !checked.ok()) return checked;
  for (std::size_t i = 0; i < ips.json.items().size(); ++i) {
    auto read = read_string(ips.item(i), out.external_ips.emplace_back());
    if (!read.ok()) return read;
  }
  return {};
}

}  // namespace

base::Result<ObjectPtr> parse_service(const base::Json& item) {
  auto out = std::make_shared<Service>();
  if (auto read = read_metadata(item, Kind::kService, *out); !read.ok())
    return std::move(read).error();
  if (auto read = read_spec({out->key, item["spec"], "spec"}, *out); !read.ok())
    return std::move(read).error();
  out->status = read_addresses(item);
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
