#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// discovery.k8s.io/v1 EndpointSlice. Only addresses[0] counts; a condition that is not given means
// ready, serving, not terminating.

namespace weir::store {
namespace {

constexpr const char* kServiceLabel = "kubernetes.io/service-name";

base::Result<void> read_endpoint(const FieldAt& at, SliceEndpoint& out) {
  const FieldAt addresses = at.child("addresses");
  if (auto checked = check_list(addresses); !checked.ok()) return checked;
  if (addresses.json.items().empty()) return addresses.wrong("a list of at least one address");
  if (auto read = read_string(addresses.item(0), out.address); !read.ok()) return read;
  const FieldAt conditions = at.child("conditions");
  if (auto read = read_bool(conditions.child("ready"), out.ready); !read.ok()) return read;
  if (auto read = read_bool(conditions.child("serving"), out.serving); !read.ok()) return read;
  if (auto read = read_bool(conditions.child("terminating"), out.terminating); !read.ok())
    return read;
  return read_string(at.child("zone"), out.zone);
}

base::Result<void> read_slice_port(const FieldAt& at, SlicePort& out) {
  if (auto read = read_string(at.child("name"), out.name); !read.ok()) return read;
  if (auto read = read_port(at.child("port"), out.port); !read.ok()) return read;
  out.protocol = "TCP";
  return read_string(at.child("protocol"), out.protocol);
}

template <typename T>
base::Result<void> read_list(const FieldAt& at, std::vector<T>& out,
                             base::Result<void> (*read_one)(const FieldAt&, T&)) {
  if (auto checked = check_list(at); !checked.ok()) return checked;
  for (std::size_t i = 0; i < at.json.items().size(); ++i)
    if (auto read = read_one(at.item(i), out.emplace_back()); !read.ok()) return read;
  return {};
}

}  // namespace

base::Result<ObjectPtr> parse_endpoint_slice(const base::Json& item) {
  auto out = std::make_shared<EndpointSlice>();
  if (auto read = read_metadata(item, Kind::kEndpointSlice, *out); !read.ok())
    return std::move(read).error();
  const FieldAt top{out->key, item, ""};
  if (auto read = read_string(top.child("addressType"), out->address_type); !read.ok())
    return std::move(read).error();
  if (auto read = read_list(top.child("endpoints"), out->endpoints, read_endpoint); !read.ok())
    return std::move(read).error();
  if (auto read = read_list(top.child("ports"), out->ports, read_slice_port); !read.ok())
    return std::move(read).error();
  const auto label = out->labels.find(kServiceLabel);
  if (label != out->labels.end()) out->service = label->second;
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
