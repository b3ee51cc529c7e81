#include "controller/policies/settings_now.h"

#include "common/model/resource.h"
#include "controller/policies/settings_overlay.h"

namespace weir::policies {
namespace {

using translate::Report;
using translate::Severity;

void tell_not_selected(const store::ObjectKey& selected, translate::View& view,
                       translate::UnitResult& result) {
  const std::string which =
      selected.name.empty()
          ? "no object is selected; accepted: the one that the controller's flag --settings names"
          : "the controller's flag --settings names " + selected.ns + "/" + selected.name;
  for (const auto& one : view.find<store::WeirSettings>(store::Index::kWeirSettings, "")) {
    if (one->key == selected) continue;
    result.reports.push_back({.object = one->key,
                              .severity = Severity::kNote,
                              .reason = "NotSelected",
                              .field = "metadata.name",
                              .value = one->key.name,
                              .text = "this object does not count: " + which});
  }
}

}  // namespace

model::Settings settings_now(const std::string& ns, const std::string& name,
                             const model::Settings& flags, translate::View& view,
                             translate::UnitResult& result) {
  const store::ObjectKey selected{store::Kind::kWeirSettings, ns, name};
  tell_not_selected(selected, view, result);
  if (name.empty()) return flags;
  const auto object = view.get<store::WeirSettings>(selected.kind, ns, name);
  if (object == nullptr) return flags;
  Overlay read = overlay(object->spec, flags);
  for (RefusedField& one : read.refused) {
    result.reports.push_back({.object = selected,
                              .severity = Severity::kWarning,
                              .reason = std::move(one.reason),
                              .field = std::move(one.field),
                              .value = std::move(one.value),
                              .text = std::move(one.text)});
  }
  result.owners.push_back({selected, {model::key_of(read.settings)}});
  return read.settings;
}

}  // namespace weir::policies
