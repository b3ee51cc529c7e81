#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/snapshot/builder.h"

namespace weir::snapshot {

// A feature of the tests: refuses settings that are not "{}".
class TestFilter final : public exchange::Filter {
 public:
  explicit TestFilter(std::string_view stem) : stem_(stem) {}
  std::string_view stem() const override { return stem_; }
  exchange::Hooks hooks() const override {
    return exchange::Hooks().with(exchange::Hook::kRequestHead);
  }

 private:
  std::string_view stem_;
};

template <char kName>
base::Result<exchange::FilterPtr> make_test_filter(const model::Resource& policy) {
  static constexpr char kStem[] = {kName, '\0'};
  if (policy.blobs.at(0) != "{}") return base::invalid("settings: " + policy.blobs.at(0));
  return exchange::FilterPtr(std::make_shared<const TestFilter>(std::string_view(kStem, 1)));
}

inline const std::vector<exchange::FilterKind>& test_kinds() {
  static const std::vector<exchange::FilterKind> kinds = {{"a", 1, make_test_filter<'a'>},
                                                          {"b", 3, make_test_filter<'b'>}};
  return kinds;
}

inline model::ResourcePtr route(const std::string& host, const std::string& id,
                                std::vector<std::string> policies = {},
                                const std::string& cluster = "c1") {
  model::Route out;
  out.table = "main";
  out.host = host;
  out.id = id;
  out.match.path.value = "/" + id;
  out.backends.push_back({cluster, 1, false, "", {}});
  out.policies = std::move(policies);
  out.labels = {"ns", "ing-" + id, "svc", "/" + id};
  return model::make_resource(out);
}

inline model::ResourcePtr cluster(const std::string& name) {
  model::Cluster out;
  out.name = name;
  return model::make_resource(out);
}

inline model::ResourcePtr endpoints(const std::string& name, std::vector<int> last_bytes) {
  model::Endpoints out;
  out.cluster = name;
  for (const int last : last_bytes) {
    const std::string address = "10.0.0." + std::to_string(last);
    out.endpoints.push_back({address + ":80", address, 80, 1, ""});
  }
  return model::make_resource(out);
}

inline model::ResourcePtr listener(const std::string& name, std::uint16_t port) {
  model::Listener out;
  out.name = name;
  out.binds.push_back({"127.0.0.1", port});
  out.route_table = "main";
  return model::make_resource(out);
}

inline Transaction upserts(std::uint64_t version, std::vector<model::ResourcePtr> resources,
                           std::vector<model::ResourceKey> removals = {}) {
  Transaction out;
  out.version = version;
  out.upserts = std::move(resources);
  out.removals = std::move(removals);
  return out;
}

// A builder with what it borrows.
struct Bench {
  observe::Labels labels;
  Generations generations;
  Builder builder{test_kinds(), labels, generations};

  const exchange::RoutePlan* find(const std::string& host, const std::string& path) const {
    const auto* const table = builder.current()->tables.find("main");
    if (table == nullptr) return nullptr;
    return static_cast<const exchange::RoutePlan*>(
        table->find({host, path, "GET", nullptr}).target);
  }
};

}  // namespace weir::snapshot
