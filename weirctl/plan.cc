#include "weirctl/plan.h"

#include <set>

#include "weirctl/places.h"

namespace weir::weirctl {
namespace {

using base::Json;

constexpr std::string_view kShadowed = "PathConflict";  // the reason of its report

Json entry(const model::Route& route) {
  Json out = Json::object();
  out.set("route", place_text(route));
  out.set("host", route.host);
  out.set("match", base::encode(route.match));
  out.set("from", base::encode(route.provenance));
  return out;
}

// Why the route answers an error whatever is asked; empty: it does not.
std::string broken_reason(const Configuration& configuration, const model::Route& route) {
  const auto denied = configuration.unavailable.find(route.host + "/" + route.id);
  if (denied != configuration.unavailable.end()) return denied->second;
  if (route.backends.empty()) return "no backend, answers " + std::to_string(route.fixed_status);
  std::string reason;
  for (const model::WeightedBackend& backend : route.backends) {
    if (backend.invalid) {
      reason = backend.reason.empty() ? "invalid backend" : backend.reason;
      continue;
    }
    const auto found = configuration.endpoints.find(backend.cluster);
    if (found != configuration.endpoints.end() && !found->second.items().empty()) return "";
    reason = "no endpoint of " + backend.cluster;
  }
  return reason;
}

Json backends_of(const model::Route& route) {
  Json out = Json::array();
  for (const model::WeightedBackend& one : route.backends)
    out.push(one.cluster + " weight " + std::to_string(one.weight));
  return out;
}

// What beside backends decides what a request meets.
Json settings_of(const Configuration& configuration, const model::Route& route) {
  Json out = Json::object();
  for (const std::string& key : route.policies) {
    const auto found = configuration.policies.find(key);
    out.set(key.substr(0, key.find('/')),
            found == configuration.policies.end() ? Json(key) : found->second);
  }
  out.set("timeouts", base::encode(route.timeouts));
  out.set("retry", base::encode(route.retry));
  out.set("hash_on", route.hash_on);
  if (route.cookie) out.set("cookie", base::encode(*route.cookie));
  for (const model::WeightedBackend& one : route.backends) {
    const auto found = configuration.clusters.find(one.cluster);
    if (found == configuration.clusters.end()) continue;
    Json cluster = found->second;
    for (const char* name : {"name", "namespace", "service", "port"}) cluster.erase(name);
    out.set("cluster " + one.cluster, std::move(cluster));
  }
  return out;
}

// Members that differ, as "name: before -> after"; empty: none does.
Json differences(const Json& before, const Json& after) {
  Json out = Json::object();
  for (const auto& [name, value] : after.members()) {
    const Json& old = before[name];
    if (old == value) continue;
    Json one = Json::object();
    one.set("before", old);
    one.set("after", value);
    out.set(name, std::move(one));
  }
  for (const auto& [name, value] : before.members()) {
    if (after.has(name)) continue;
    Json one = Json::object();
    one.set("before", value);
    one.set("after", Json());
    out.set(name, std::move(one));
  }
  return out;
}

// Members of members as "outer.inner", so that each setting that differs is named alone.
Json flat(const Json& json, const std::string& outer = {}) {
  Json out = Json::object();
  for (const auto& [name, value] : json.members()) {
    if (!value.is_object()) {
      out.set(outer + name, value);
      continue;
    }
    const Json inner = flat(value, outer + name + ".");
    for (const auto& [path, one] : inner.members()) out.set(path, one);
  }
  return out;
}

// Compares two states route by route.
class Comparison {
 public:
  Comparison(const Configuration& before, const Configuration& after)
      : before_(before), after_(after), old_(places_of(before)), new_(places_of(after)) {}

  Plan make() {
    for (const char* list : kLists) routes_.set(list, Json::array());
    for (const auto& [key, place] : new_) {
      const auto old = old_.find(key);
      if (old == old_.end()) {
        gained(*place);
      } else {
        kept(*old->second, *place);
      }
    }
    for (const auto& [key, place] : old_) {
      if (!new_.contains(key)) lost(*place);
    }
    Json reported = reports();
    Plan out;
    out.json.set("before", before_.source);
    out.json.set("after", after_.source);
    out.json.set("routes", std::move(routes_));
    out.json.set("certificates", certificates());
    out.json.set("listeners", listeners());
    if (before_.settings.is_object() && after_.settings.is_object())
      out.json.set("settings", differences(flat(before_.settings), flat(after_.settings)));
    out.json.set("reports", std::move(reported));
    Json problems = Json::object();
    for (const Configuration* side : {&before_, &after_}) {
      for (const auto& [where, text] : side->not_seen) problems.set(where, text);
    }
    if (!problems.members().empty()) out.json.set("not_seen", std::move(problems));
    out.json.set("loses", loses_);
    out.loses = loses_;
    return out;
  }

 private:
  static constexpr const char* kLists[] = {"lost",     "owner_changed",   "broken",
                                           "gained",   "mended",          "backend_changed",
                                           "shadowed", "settings_changed"};

  void add(std::string_view list, Json one) { routes_.find(list)->push(std::move(one)); }

  // Requests that it takes went to another route until now.
  void gained(const model::Route& route) {
    Json one = entry(route);
    const auto taker = taker_of(before_, route);
    if (taker && *taker != nullptr) {
      one.set("before", owner_of(**taker) + " by " + place_text(**taker));
      if (owner_of(**taker) != owner_of(route)) {
        loses_ = true;
        one.set("after", owner_of(route));
        return add("owner_changed", std::move(one));
      }
    }
    if (const std::string reason = broken_reason(after_, route); !reason.empty())
      one.set("answers_error", reason);
    add("gained", std::move(one));
  }

  void lost(const model::Route& route) {
    Json one = entry(route);
    const auto taker = taker_of(after_, route);
    if (taker)
      one.set("after", *taker == nullptr ? Json("404")
                                         : Json(owner_of(**taker) + " by " + place_text(**taker)));
    loses_ = true;
    add("lost", std::move(one));
  }

  void kept(const model::Route& was, const model::Route& is) {
    Json one = entry(is);
    if (owner_of(was) != owner_of(is)) {
      one.set("before", owner_of(was));
      one.set("after", owner_of(is));
      loses_ = true;
      return add("owner_changed", std::move(one));
    }
    const std::string old_reason = broken_reason(before_, was);
    const std::string reason = broken_reason(after_, is);
    if (reason.empty() != old_reason.empty()) {
      Json broken = one;
      broken.set("reason", reason.empty() ? old_reason : reason);
      loses_ = loses_ || !reason.empty();
      add(reason.empty() ? "mended" : "broken", std::move(broken));
    }
    if (!(backends_of(was) == backends_of(is))) {
      Json changed = one;
      changed.set("before", backends_of(was));
      changed.set("after", backends_of(is));
      return add("backend_changed", std::move(changed));
    }
    Json settings = differences(settings_of(before_, was), settings_of(after_, is));
    if (settings.members().empty()) return;
    one.set("changes", std::move(settings));
    add("settings_changed", std::move(one));
  }

  // By host: the certificates that its clients get.
  std::map<std::string, Json> by_host(const Configuration& of) const {
    std::map<std::string, Json> out;
    for (const auto* side : {&old_, &new_}) {
      for (const auto& [key, place] : *side) {
        const model::Route& route = *place;
        const auto table = of.tables.find(route.table);
        const model::Host* host =
            table == of.tables.end() ? nullptr : table->second.host(route.host);
        Json names = Json::array();
        for (const std::string& name :
             host == nullptr ? std::vector<std::string>() : host->certificates) {
          const auto found = of.certificates.find(name);
          if (found != of.certificates.end())
            names.push(name + " " + found->second["fingerprint"].as_string().substr(0, 16));
        }
        out[route.host] = std::move(names);
      }
    }
    return out;
  }

  Json certificates() {
    Json out = Json::object();
    for (const char* list : {"lost", "gained", "changed"}) out.set(list, Json::array());
    const auto was = by_host(before_);
    for (const auto& [host, names] : by_host(after_)) {
      const Json& old = was.at(host);
      if (old == names) continue;
      Json one = Json::object();
      one.set("host", host);
      one.set("before", old);
      one.set("after", names);
      const char* list = names.items().empty() ? "lost"
                         : old.items().empty() ? "gained"
                                               : "changed";
      loses_ = loses_ || names.items().empty();
      out.find(list)->push(std::move(one));
    }
    return out;
  }

  Json listeners() {
    Json out = Json::object();
    out.set("lost", Json::array());
    out.set("gained", Json::array());
    for (const auto& [name, listener] : before_.listeners) {
      if (after_.listeners.contains(name)) continue;
      loses_ = true;
      out.find("lost")->push(name);
    }
    for (const auto& [name, listener] : after_.listeners) {
      if (!before_.listeners.contains(name)) out.find("gained")->push(name);
    }
    return out;
  }

  // What the controller would tell owners that it does not tell them now. A path that another
  // object serves already is a route that gets no requests.
  Json reports() {
    std::set<std::string> known;
    const auto text = [](const translate::Report& report) {
      return report.object.to_string() + " " + report.field + ": " + report.text;
    };
    for (const translate::Report& report : before_.reports) known.insert(text(report));
    Json out = Json::array();
    for (const translate::Report& report : after_.reports) {
      if (known.contains(text(report))) continue;
      if (report.reason != kShadowed) {
        out.push(text(report));
        continue;
      }
      Json one = Json::object();
      one.set("object", report.object.to_string());
      one.set("field", report.field);
      one.set("reason", report.text);
      add("shadowed", std::move(one));
    }
    return out;
  }

  const Configuration& before_;
  const Configuration& after_;
  const std::map<std::string, const model::Route*> old_, new_;
  Json routes_ = Json::object();
  bool loses_ = false;
};

std::string text_of(const Json& value) {
  if (value.is_string()) return value.as_string();
  if (!value.is_array()) return value.to_string();
  std::string out;
  for (const Json& one : value.items()) out += (out.empty() ? "" : ", ") + one.as_string();
  return out.empty() ? "none" : out;
}

void add_route(std::string_view list, const Json& one, std::string& out) {
  const Json& from = one["from"];
  if (from.is_null()) {
    out += std::string(list) + ": " + one["object"].as_string() + " " + one["field"].as_string() +
           ": " + one["reason"].as_string() + "\n";
    return;
  }
  out += std::string(list) + ": " + one["route"].as_string() + "  [" + from["kind"].as_string() +
         " " + from["namespace"].as_string() + "/" + from["name"].as_string() + " " +
         from["field"].as_string() + "]";
  const std::pair<const char*, const char*> parts[] = {{"before", "until now "},
                                                       {"after", "then "},
                                                       {"reason", ""},
                                                       {"answers_error", "answers an error: "}};
  for (const auto& [member, words] : parts) {
    if (one.has(member)) out += "; " + std::string(words) + text_of(one[member]);
  }
  out += "\n";
  for (const auto& [name, change] : one["changes"].members())
    out +=
        "    " + name + ": " + text_of(change["before"]) + " -> " + text_of(change["after"]) + "\n";
}

}  // namespace

Plan make_plan(const Configuration& before, const Configuration& after) {
  return Comparison(before, after).make();
}

std::string plan_text(const Plan& plan) {
  std::string out;
  for (const auto& [list, routes] : plan.json["routes"].members()) {
    std::string words = list;
    for (char& c : words) c = c == '_' ? ' ' : c;
    for (const Json& one : routes.items()) add_route(words, one, out);
  }
  for (const auto& [list, hosts] : plan.json["certificates"].members()) {
    for (const Json& one : hosts.items())
      out += "certificate " + list + ": " + one["host"].as_string() + "; until now " +
             text_of(one["before"]) + "; then " + text_of(one["after"]) + "\n";
  }
  for (const auto& [list, names] : plan.json["listeners"].members()) {
    for (const Json& one : names.items()) out += "listener " + list + ": " + one.as_string() + "\n";
  }
  for (const auto& [name, change] : plan.json["settings"].members())
    out += "setting changed: " + name + ": " + change["before"].to_string() + " -> " +
           change["after"].to_string() + "\n";
  for (const Json& one : plan.json["reports"].items()) out += "reported: " + one.as_string() + "\n";
  if (out.empty()) out = "nothing changes\n";
  for (const auto& [where, text] : plan.json["not_seen"].members())
    out += "not seen: " + where + ": " + text.as_string() + "\n";
  return out + (plan.loses ? "Something is lost or changes its owner.\n" : "Nothing is lost.\n");
}

}  // namespace weir::weirctl
