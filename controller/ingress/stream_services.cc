#include <algorithm>

#include "common/base/text.h"
#include "controller/ingress/builders.h"
#include "controller/ingress/cluster_name.h"
#include "controller/ingress/service_port.h"
#include "controller/store/field_reader.h"

// TCP and UDP by the two ConfigMaps of ingress-nginx: "9000": "namespace/service:port", for TCP
// with
// ":PROXY" when clients send a PROXY header and a further ":PROXY" when the backend gets one.

namespace weir::ingress {
namespace {

using translate::Severity;
using Words = std::vector<std::string_view>;

constexpr std::string_view kForm =
    "must be namespace/service:port, for TCP followed by [:PROXY][:PROXY]";

bool is_label(std::string_view text) {
  return store::is_dns_name(text) && text.find('.') == std::string_view::npos;
}

class StreamBuilder {
 public:
  StreamBuilder(const Config& config, bool udp, translate::View& view,
                translate::UnitResult& result)
      : config_(config), udp_(udp), view_(view), result_(result) {}

  void build(const std::string& name) {
    if (name.empty()) return;
    const NamePair pair = split_name(name);
    map_ = {store::Kind::kConfigMap, pair.ns, pair.name};
    const auto map = view_.get<store::ConfigMap>(map_.kind, map_.ns, map_.name);
    if (map == nullptr) {
      report("ConfigMapNotFound", udp_ ? "--udp-services-configmap" : "--tcp-services-configmap",
             name, "must be a ConfigMap; until it is there no stream of it is served");
      return;
    }
    for (const auto& [port, value] : map->data) add(port, value);
  }

 private:
  void report(std::string_view reason, const std::string& field, const std::string& value,
              std::string text) {
    result_.reports.push_back(
        {map_, Severity::kWarning, std::string(reason), field, value, std::move(text)});
  }

  // False: told.
  bool read_port(const std::string& text, std::uint16_t& out) {
    const auto number = base::parse_uint(text);
    if (!number || *number < 1 || *number > 65'535 || text[0] == '0') {
      report("StreamPortInvalid", "data", text,
             "a key must be a port, 1 to 65535; this entry is not served");
      return false;
    }
    out = static_cast<std::uint16_t>(*number);
    const auto& reserved = config_.reserved_ports;
    if (udp_ || std::find(reserved.begin(), reserved.end(), out) == reserved.end()) return true;
    report("StreamPortReserved", "data", text,
           "must be a port that Weir does not use itself; this entry is not served");
    return false;
  }

  // The optional words behind the port; empty when they are good, else what they must be.
  std::string_view read_proxy(const Words& words, model::Listener& listener) const {
    if (words.size() > 2 && udp_)
      return "must be namespace/service:port, the PROXY protocol is only for TCP";
    const auto is = [&words](std::size_t at, std::string_view what) {
      return base::equals_ignore_case(base::trim(words[at]), what);
    };
    if (words.size() > 2) {
      listener.proxy_protocol = is(2, "PROXY");
      if (!listener.proxy_protocol && !is(2, "")) return kForm;
    }
    if (words.size() <= 3) return {};
    if (is(3, "PROXY-V2")) listener.stream.send_proxy = model::ProxyHeader::kV2;
    if (is(3, "PROXY")) listener.stream.send_proxy = model::ProxyHeader::kV1;
    const bool good = listener.stream.send_proxy != model::ProxyHeader::kNone || is(3, "");
    return good ? std::string_view() : kForm;
  }

  void add(const std::string& key, const std::string& value) {
    std::uint16_t port = 0;
    if (!read_port(key, port)) return;
    const std::string field = "data[\"" + key + "\"]";
    model::Listener listener;
    listener.name = (udp_ ? "udp-" : "tcp-") + key;
    listener.protocol = udp_ ? model::ListenerProtocol::kUdp : model::ListenerProtocol::kTcp;
    for (const std::string& address : config_.stream_addresses)
      listener.binds.push_back({address, port, udp_});
    listener.stream = config_.stream;

    const Words words = base::split(value, ':');
    const NamePair service = split_name(base::trim(words[0]));
    const std::string wanted(words.size() > 1 ? base::trim(words[1]) : std::string_view());
    const bool named = words.size() <= 4 && is_label(service.ns) &&
                       store::is_dns_name(service.name) && is_label(wanted);
    const std::string_view problem = named ? read_proxy(words, listener) : kForm;
    if (!problem.empty()) {
      report("StreamServiceInvalid", field, value,
             std::string(problem) + "; this entry is not served");
      return;
    }
    check_service(service, wanted, field, value);
    point(service.ns + "/" + service.name + "/" + wanted, listener);
    result_.resources.push_back(model::make_resource(listener));
  }

  void point(const std::string& service_port, model::Listener& listener) {
    model::Cluster settings;
    settings.udp = udp_;
    std::string unit = cluster_unit_name(service_port, settings);
    model::WeightedBackend backend;
    backend.cluster = cluster_of_unit(unit).name;
    listener.stream.backends.push_back(std::move(backend));
    const translate::UnitKey wanted{translate::UnitType::kCluster, std::move(unit)};
    // Two ports may lead to one Service.
    const bool known =
        std::find(result_.wants.begin(), result_.wants.end(), wanted) != result_.wants.end();
    if (!known) result_.wants.push_back(wanted);
  }

  void check_service(const NamePair& name, const std::string& port, const std::string& field,
                     const std::string& value) {
    const auto service = view_.get<store::Service>(store::Kind::kService, name.ns, name.name);
    const std::string meanwhile = "; until then its clients are turned away";
    const std::string protocol = udp_ ? "UDP" : "TCP";
    if (service == nullptr) {
      report("ServiceNotFound", field, value, "must name a Service that is there" + meanwhile);
    } else if (is_external(*service)) {
      report("ServiceExternalName", field, value,
             "must name a Service with endpoints; one of type ExternalName is refused" + meanwhile);
    } else if (find_port(*service, port, protocol) == nullptr) {
      report("ServicePortNotFound", field, value,
             "must name a " + protocol + " port of the Service, by number or name" + meanwhile);
    }
  }

  const Config& config_;
  const bool udp_;
  translate::View& view_;
  translate::UnitResult& result_;
  store::ObjectKey map_;
};

}  // namespace

void add_stream_services(const Config& config, translate::View& view,
                         translate::UnitResult& result) {
  StreamBuilder(config, false, view, result).build(config.tcp_services);
  StreamBuilder(config, true, view, result).build(config.udp_services);
}

}  // namespace weir::ingress
