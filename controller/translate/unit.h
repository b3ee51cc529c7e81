#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "common/model/resource.h"
#include "controller/store/object.h"

namespace weir::translate {

// What translation recomputes as a whole: everything of one host, one cluster, one certificate, one
// listener.
enum class UnitType : std::uint8_t { kGlobal, kHost, kCluster, kCertificate, kTrust };

struct UnitKey {
  UnitType type = UnitType::kHost;
  std::string name;  // host: "*.example.test"; cluster: "namespace/service/port", with its settings
                     // where it has any; certificate and trust:
                     // "namespace/secret"
  auto operator<=>(const UnitKey&) const = default;
};

enum class Severity : std::uint8_t { kNote, kWarning };

// Bytes of a Report's value: what is longer is shortened (base::shortened), so that a snippet of
// many pages does not fill Events and logs.
inline constexpr std::size_t kLongestValue = 256;

// What we tell an object's owner: becomes Event, log line, metric, and the answer of weirctl.
// Level-triggered: a report exists as long as its cause does.
struct Report {
  store::ObjectKey object;
  Severity severity = Severity::kWarning;
  std::string reason;  // CamelCase, stable, the Event's reason: "SecretNotFound"
  std::string field;   // "spec.tls[0].secretName", "metadata.annotations[…]"
  std::string value;   // as the owner wrote it, kLongestValue of it
  std::string text;    // one sentence with the accepted form and what happens meanwhile
  auto operator<=>(const Report&) const = default;
};

// What of a unit serves one object: the object's status waits for the ack of these.
struct Ownership {
  store::ObjectKey object;
  std::vector<model::ResourceKey> resources;  // of the same unit
};

// The whole output of building one unit. Policies may stand among the resources: they are interned,
// equal ones of many units count as one. Any other key belongs to one unit only.
struct UnitResult {
  std::vector<model::ResourcePtr> resources;
  std::vector<UnitKey>
      wants;  // units that must exist as long as this one names them (clusters, certificates)
  std::vector<Report> reports;
  std::vector<Ownership> owners;  // objects that this unit serves, each once
};

}  // namespace weir::translate
