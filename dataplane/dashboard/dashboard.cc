#include "dataplane/dashboard/dashboard.h"

#include "common/base/text.h"
#include "dataplane/dashboard/api.h"
#include "dataplane/dashboard/ask.h"
#include "dataplane/dashboard/asset.h"

namespace weir::dashboard {
namespace {

using admin::Page;
using base::Json;

// Nothing but what this port serves, and nobody may frame it.
std::vector<std::pair<std::string, std::string>> fields() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
           "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"}};
}

const char* type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "image/svg+xml";
}

Page json_page(const Json& json) {
  return {200, "application/json; charset=utf-8", json.to_string(), fields()};
}

std::int64_t wall(std::chrono::milliseconds unit) {
  const auto now = base::system_clock().wall_now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now) / unit;
}

RouteFilter filter_of(std::string_view query) {
  RouteFilter out;
  out.search = parameter(query, "search");
  if (const auto limit = base::parse_uint(parameter(query, "limit")))
    out.limit = std::min<std::size_t>(out.limit, *limit);
  return out;
}

}  // namespace

Dashboard::Dashboard(Parts parts) : parts_(std::move(parts)) {
  pages_.refuse_names();
  add_pages();
  std::vector<admin::PageThread::Served> served;
  served.push_back({pages_, std::move(parts_.tcp)});
  thread_.emplace(parts_.index, parts_.offload, std::move(served));
}

void Dashboard::add_pages() {
  for (const Asset& asset : assets()) {
    const std::string path = asset.name == "index.html" ? "/" : "/" + std::string(asset.name);
    pages_.add(path, [asset](std::string_view) {
      return Page{200, type_of(asset.name), std::string(asset.bytes), fields()};
    });
  }
  const auto add = [this](const char* path, auto make) {
    pages_.add(path, [this, make](std::string_view query) {
      const auto current = parts_.current();
      static const exchange::Snapshot none{};
      return json_page(make(current == nullptr ? none : *current, query));
    });
  };
  using exchange::Snapshot;
  add("/api/overview", [](const Snapshot& of, std::string_view) {
    return overview(of, wall(std::chrono::seconds(1)));
  });
  add("/api/routes",
      [](const Snapshot& of, std::string_view query) { return routes(of, filter_of(query)); });
  add("/api/endpoints", [](const Snapshot& of, std::string_view) { return endpoints(of); });
  add("/api/certificates", [](const Snapshot& of, std::string_view) { return certificates(of); });
  add("/api/explain", [](const Snapshot& of, std::string_view query) { return ask(of, query); });
  add("/api/traffic", [this](const Snapshot&, std::string_view) {
    std::vector<base::Family> families;
    for (const base::MetricSource* source : parts_.metrics) source->collect(families);
    return traffic(families, wall(std::chrono::milliseconds(1)));
  });
}

}  // namespace weir::dashboard
