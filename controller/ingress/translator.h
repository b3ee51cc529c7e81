#pragma once

#include "controller/ingress/config.h"
#include "controller/translate/engine.h"

namespace weir::ingress {

// networking.k8s.io/v1 Ingress with the semantics of ingress-nginx
// where the API leaves them open. Units:
//   global       listeners "http" and "https", settings, default certificate, ticket keys
//   host         Host, Routes and policies of one host name ("*": requests that no other host
//   takes) cluster      "namespace/service/port": Cluster and Endpoints certificate
//   "namespace/secret": Certificate
class IngressTranslator final : public translate::Translator {
 public:
  explicit IngressTranslator(Config config);

  std::vector<translate::UnitKey> fixed_units() const override;
  std::optional<translate::UnitKey> unit_of(store::Index index,
                                            std::string_view value) const override;
  bool builds(const translate::UnitKey& unit) const override;
  translate::UnitResult build(const translate::UnitKey& unit, translate::View& view) const override;

  // Renewed by the controller. The caller then has global_unit() built again.
  void set_default_certificate(model::ResourcePtr certificate);
  void set_own_tickets(TicketRing ring);
  const Config& config() const { return config_; }
  static translate::UnitKey global_unit();

 private:
  Config config_;
};

}  // namespace weir::ingress
