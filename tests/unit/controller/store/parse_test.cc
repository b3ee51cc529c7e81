#include "controller/store/parse.h"

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controller/store/store.h"

namespace weir::store {
namespace {

base::Json json(std::string_view text) {
  auto parsed = base::Json::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? std::move(parsed).value() : base::Json();
}

// An item of this kind with these members beside its metadata.
base::Result<ObjectPtr> parse(Kind kind, std::string_view members) {
  const std::string ns = row(kind).descriptor.namespaced ? R"("namespace":"shop",)" : "";
  return row(kind).parse(
      json(R"({"metadata":{)" + ns + R"("name":"x"},)" + std::string(members) + "}"));
}

struct Refusal {
  std::string_view name, members, text;
};

void expect_refusals(Kind kind, const std::vector<Refusal>& cases) {
  for (const Refusal& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = parse(kind, c.members);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().text, c.text);
    EXPECT_EQ(got.error().origin, base::Origin::kConfig);
  }
}

TEST(ParseMetadata, FillsWhatAllKindsShareAndDropsLastApplied) {
  const auto got = parse_service(json(R"({"metadata":{"namespace":"shop","name":"cart","uid":"u1",
      "resourceVersion":"7","creationTimestamp":"1970-01-01T00:01:00Z","labels":{"a":"b"},
      "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","c":"d"}}})"));
  ASSERT_TRUE(got.ok()) << got.error().text;
  const Object& object = *got.value();
  EXPECT_EQ(object.key.to_string(), "Service shop/cart");
  EXPECT_EQ(object.uid, "u1");
  EXPECT_EQ(object.resource_version, "7");
  EXPECT_EQ(object.created, 60);
  EXPECT_EQ(object.labels.at("a"), "b");
  EXPECT_EQ(object.annotations.size(), 1U);
}

TEST(ParseMetadata, NamesObjectFieldValueAndForm) {
  const struct {
    std::string_view item, text;
  } cases[] = {
      {R"({"metadata":{"namespace":"shop"}})",
       "Service shop/: metadata.name: missing; must be a name"},
      {R"({"metadata":{"name":"cart"}})",
       "Service cart: metadata.namespace: missing; must be a namespace"},
      {R"({"metadata":{"namespace":"shop","name":"cart","creationTimestamp":"soon"}})",
       "Service shop/cart: metadata.creationTimestamp: \"soon\" is not a time such as "
       "\"2026-01-02T03:04:05Z\""},
      {R"({"metadata":{"namespace":"shop","name":"cart","labels":{"a":1}}})",
       "Service shop/cart: metadata.labels.a: 1 is not a string"},
  };
  for (const auto& c : cases) {
    const auto got = parse_service(json(c.item));
    ASSERT_FALSE(got.ok()) << c.item;
    EXPECT_EQ(got.error().text, c.text);
  }
}

TEST(ParseIngress, ReadsRulesTlsBackendsAndStatus) {
  const auto got = parse(Kind::kIngress, R"("spec":{"ingressClassName":"weir",
      "defaultBackend":{"service":{"name":"d","port":{"name":"web"}}},
      "rules":[{"host":"Shop.Example.test","http":{"paths":[
        {"path":"/a","pathType":"Exact","backend":{"service":{"name":"s","port":{"number":80}}}},
        {"backend":{"resource":{"kind":"Bucket","name":"b"}}}]}},{"host":"*.example.test"}],
      "tls":[{"hosts":["Shop.example.test"],"secretName":"t"},{}]},
      "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"},{"hostname":"lb.test"}]}})");
  ASSERT_TRUE(got.ok()) << got.error().text;
  const auto& ingress = static_cast<const Ingress&>(*got.value());
  EXPECT_EQ(ingress.class_name, "weir");
  EXPECT_EQ(ingress.default_backend->service->port_name, "web");
  ASSERT_EQ(ingress.rules.size(), 2U);
  EXPECT_EQ(ingress.rules[0].host, "shop.example.test");
  ASSERT_EQ(ingress.rules[0].paths.size(), 2U);
  EXPECT_EQ(ingress.rules[0].paths[0].type, PathType::kExact);
  EXPECT_EQ(ingress.rules[0].paths[0].backend.service->port_number, 80);
  EXPECT_EQ(ingress.rules[0].paths[1].type, PathType::kImplementationSpecific);
  EXPECT_EQ(ingress.rules[0].paths[1].backend.resource, "Bucket/b");
  ASSERT_EQ(ingress.tls.size(), 2U);
  EXPECT_EQ(ingress.tls[0].hosts, std::vector<std::string>{"shop.example.test"});
  EXPECT_EQ(ingress.status.size(), 2U);
}

TEST(ParseIngress, RefusesWhatItCannotServe) {
  const std::string backend = R"("backend":{"service":{"name":"s","port":{"number":80}}})";
  const auto rule = [&](const std::string& path) {
    return R"("spec":{"rules":[{"http":{"paths":[{)" + path + "}]}}]}";
  };
  const std::string relative = rule(R"("path":"a","pathType":"Prefix",)" + backend);
  const std::string dots = rule(R"("path":"/a/../b","pathType":"Exact",)" + backend);
  const std::string type = rule(R"("path":"/","pathType":"Regex",)" + backend);
  const std::string none = rule(R"("path":"/","backend":{})");
  const std::string ports =
      rule(R"("backend":{"service":{"name":"s","port":{"number":80,"name":"web"}}})");
  const std::string range = rule(R"("backend":{"service":{"name":"s","port":{"number":65536}}})");
  expect_refusals(
      Kind::kIngress,
      {{"no spec", R"("kind":"Ingress")", "Ingress shop/x: spec: missing; must be an object"},
       {"nothing to do", R"("spec":{})",
        "Ingress shop/x: spec.rules: missing; must be a list of rules, unless "
        "spec.defaultBackend is set"},
       {"host with port", R"("spec":{"rules":[{"host":"a.test:80"}]})",
        "Ingress shop/x: spec.rules[0].host: \"a.test:80\" is not a DNS name in lower case, or "
        "\"*.\" and a DNS name (no IP address, no port)"},
       {"bare star", R"("spec":{"rules":[{"host":"*"}]})",
        "Ingress shop/x: spec.rules[0].host: \"*\" is not a DNS name in lower case, or "
        "\"*.\" and a DNS name (no IP address, no port)"},
       {"IP address", R"("spec":{"rules":[{"host":"10.0.0.1"}]})",
        "Ingress shop/x: spec.rules[0].host: \"10.0.0.1\" is not a DNS name in lower case, or "
        "\"*.\" and a DNS name (no IP address, no port)"},
       {"relative path", relative,
        "Ingress shop/x: spec.rules[0].http.paths[0].path: \"a\" is not an absolute path"},
       {"dot segments", dots,
        "Ingress shop/x: spec.rules[0].http.paths[0].path: \"/a/../b\" is not a path without "
        "\"//\", \"/./\", \"/../\" or \"%2f\""},
       {"path type", type,
        "Ingress shop/x: spec.rules[0].http.paths[0].pathType: \"Regex\" is not Exact, Prefix or "
        "ImplementationSpecific"},
       {"no backend", none,
        "Ingress shop/x: spec.rules[0].http.paths[0].backend: {} is not an object with either "
        "service or resource"},
       {"both ports", ports,
        "Ingress shop/x: spec.rules[0].http.paths[0].backend.service.port: "
        "{\"number\":80,\"name\":\"web\"} is not an object with either name or number "
        "(1..65535)"},
       {"port range", range,
        "Ingress shop/x: spec.rules[0].http.paths[0].backend.service.port.number: 65536 is not a "
        "port in 1..65535"},
       {"tls is no list", R"("spec":{"rules":[{}],"tls":{}})",
        "Ingress shop/x: spec.tls: {} is not a list"}});
}

TEST(ParseIngressClass, NeedsAControllerAndReadsTheDefaultMark) {
  const auto got = parse(Kind::kIngressClass, R"("spec":{"controller":"weir.ingress/controller"})");
  ASSERT_TRUE(got.ok());
  EXPECT_FALSE(static_cast<const IngressClass&>(*got.value()).is_default);
  EXPECT_EQ(got.value()->key.to_string(), "IngressClass x");
  expect_refusals(Kind::kIngressClass,
                  {{"no controller", R"("spec":{})",
                    "IngressClass x: spec.controller: missing; must be the name of a controller"}});
}

TEST(ParseService, DefaultsTypeProtocolAndTargetPort) {
  const auto got = parse(Kind::kService, R"("spec":{"clusterIP":"None","externalIPs":["192.0.2.9"],
      "ports":[{"port":80},{"name":"m","port":90,"targetPort":"metrics","protocol":"UDP"},
               {"name":"n","port":91,"targetPort":8080,"appProtocol":"kubernetes.io/h2c"}]})");
  ASSERT_TRUE(got.ok()) << got.error().text;
  const auto& service = static_cast<const Service&>(*got.value());
  EXPECT_EQ(service.type, "ClusterIP");
  EXPECT_EQ(service.cluster_ip, "None");
  EXPECT_EQ(service.external_ips.size(), 1U);
  ASSERT_EQ(service.ports.size(), 3U);
  EXPECT_EQ(service.ports[0].target_port, "80");
  EXPECT_EQ(service.ports[0].protocol, "TCP");
  EXPECT_EQ(service.ports[1].target_port, "metrics");
  EXPECT_EQ(service.ports[1].protocol, "UDP");
  EXPECT_EQ(service.ports[2].target_port, "8080");
  EXPECT_EQ(service.ports[2].app_protocol, "kubernetes.io/h2c");
  expect_refusals(Kind::kService,
                  {{"no port", R"("spec":{"ports":[{"name":"a"}]})",
                    "Service shop/x: spec.ports[0].port: missing; must be a port in 1..65535"}});
}

TEST(ParseEndpointSlice, ReadsConditionsWithTheirDefaults) {
  const auto got = parse_endpoint_slice(json(R"({"metadata":{"namespace":"shop","name":"x",
      "labels":{"kubernetes.io/service-name":"cart"}},"addressType":"IPv4",
      "endpoints":[{"addresses":["10.0.0.1","10.0.0.9"],"zone":"z1"},
        {"addresses":["10.0.0.2"],"conditions":{"ready":false,"serving":true,"terminating":true}}],
      "ports":[{"name":"web","port":8080},{"name":"all"}]})"));
  ASSERT_TRUE(got.ok()) << got.error().text;
  const auto& slice = static_cast<const EndpointSlice&>(*got.value());
  EXPECT_EQ(slice.service, "cart");
  ASSERT_EQ(slice.endpoints.size(), 2U);
  EXPECT_EQ(slice.endpoints[0].address, "10.0.0.1");
  EXPECT_TRUE(slice.endpoints[0].ready && slice.endpoints[0].serving);
  EXPECT_FALSE(slice.endpoints[0].terminating);
  EXPECT_FALSE(slice.endpoints[1].ready);
  EXPECT_TRUE(slice.endpoints[1].terminating);
  EXPECT_EQ(slice.ports[1].port, 0);
  expect_refusals(Kind::kEndpointSlice,
                  {{"no address", R"("endpoints":[{"addresses":[]}])",
                    "EndpointSlice shop/x: endpoints[0].addresses: [] is not a list of at least "
                    "one address"}});
}

TEST(ParseSecret, DecodesDataAndNeverRepeatsAValue) {
  const auto got = parse(Kind::kSecret, R"("type":"Opaque","data":{"auth":"YTpi\nYw=="},
      "stringData":{"more":"plain"})");
  ASSERT_TRUE(got.ok()) << got.error().text;
  const auto& secret = static_cast<const Secret&>(*got.value());
  EXPECT_EQ(secret.data.at("auth"), "a:bc");
  EXPECT_EQ(secret.data.at("more"), "plain");
  EXPECT_FALSE(secret.key_pair.has_value());
  expect_refusals(Kind::kSecret, {{"not base64", R"("data":{"auth":"s3cr!t"})",
                                   "Secret shop/x: data.auth: the value is not base64 text"}});
}

TEST(ParseSecret, ParsesAKeyPairOnceAndKeepsItsErrorBesideTheObject) {
  const auto pem = crypto::make_self_signed({"a.test"}, 1'800'000'000, 30);
  base::Json item = json(R"({"metadata":{"namespace":"shop","name":"x"}})");
  base::Json data = base::Json::object();
  data.set("tls.crt", base::base64_encode(pem.certificate));
  data.set("tls.key", base::base64_encode(pem.key));
  item.set("data", data);
  const auto good = parse_secret(item);
  ASSERT_TRUE(good.ok());
  const auto& secret = static_cast<const Secret&>(*good.value());
  ASSERT_TRUE(secret.key_pair && secret.key_pair->ok());
  EXPECT_EQ(secret.key_pair->value().names, std::vector<std::string>{"a.test"});
  EXPECT_TRUE(secret.data.empty());

  data.set("tls.key", base::base64_encode("no key"));
  item.set("data", data);
  const auto broken = parse_secret(item);
  ASSERT_TRUE(broken.ok());
  ASSERT_TRUE(static_cast<const Secret&>(*broken.value()).key_pair);
  EXPECT_FALSE(static_cast<const Secret&>(*broken.value()).key_pair->ok());
}

TEST(ParseWeirSettings, KeepsTheSpecAsItIsWrittenAndReadsItsConditions) {
  const auto got = parse_weir_settings(json(R"({"metadata":{"namespace":"weir","name":"main",
      "generation":3},"spec":{"http2Streams":0,"nobody":1},"status":{"conditions":[
        {"type":"Accepted","status":"False","reason":"FieldsRefused","message":"m",
         "observedGeneration":2,"lastTransitionTime":"2026-01-02T03:04:05Z"}]}})"));
  ASSERT_TRUE(got.ok()) << got.error().text;
  const auto& settings = static_cast<const WeirSettings&>(*got.value());
  EXPECT_EQ(settings.generation, 3);
  EXPECT_EQ(settings.spec.to_string(), R"({"http2Streams":0,"nobody":1})")
      << "one bad field must not take the others away";
  ASSERT_EQ(settings.conditions.size(), 1U);
  EXPECT_EQ(settings.conditions[0].status, "False");
  EXPECT_EQ(settings.conditions[0].generation, 2);
  EXPECT_EQ(settings.conditions[0].since, "2026-01-02T03:04:05Z");
  EXPECT_TRUE(parse(Kind::kWeirSettings, R"("kind":"WeirSettings")").ok())
      << "no spec says nothing";
  expect_refusals(Kind::kWeirSettings,
                  {{"a list", R"("spec":[])", "WeirSettings shop/x: spec: [] is not an object"}});
}

}  // namespace
}  // namespace weir::store
