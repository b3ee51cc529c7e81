#include "controller/ingress/translator.h"

#include "common/base/check.h"
#include "controller/ingress/builders.h"

namespace weir::ingress {

using translate::UnitKey;
using translate::UnitType;

NamePair split_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

IngressTranslator::IngressTranslator(Config config) : config_(std::move(config)) {
  config_.annotations.https_port = config_.https_public_port;
}

std::vector<UnitKey> IngressTranslator::fixed_units() const {
  // "*" exists without any Ingress: the global default backend answers there.
  return {global_unit(), {UnitType::kHost, "*"}};
}

std::optional<UnitKey> IngressTranslator::unit_of(store::Index index,
                                                  std::string_view value) const {
  if (index != store::Index::kIngressByHost) return std::nullopt;
  return UnitKey{UnitType::kHost, std::string(value)};
}

bool IngressTranslator::builds(const UnitKey&) const { return true; }

translate::UnitResult IngressTranslator::build(const UnitKey& unit, translate::View& view) const {
  switch (unit.type) {
    case UnitType::kGlobal:
      return build_global(config_, view);
    case UnitType::kHost:
      return build_host(config_, unit.name, view);
    case UnitType::kCluster:
      return build_cluster(config_, unit.name, view);
    case UnitType::kCertificate:
      return build_certificate(unit.name, view);
    case UnitType::kTrust:
      return build_trust(unit.name, view);
  }
  WEIR_CHECK(false);
}

void IngressTranslator::set_default_certificate(model::ResourcePtr certificate) {
  config_.default_certificate = std::move(certificate);
}

void IngressTranslator::set_own_tickets(TicketRing ring) { config_.own_tickets = std::move(ring); }

UnitKey IngressTranslator::global_unit() { return {UnitType::kGlobal, ""}; }

}  // namespace weir::ingress
