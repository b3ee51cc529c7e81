#include "controller/policies/setting_rules.h"
#include "controller/policies/settings_schema.h"

// docs/settings.md: the words in front, and a row per field.

namespace weir::policies {
namespace {

template <typename Struct>
void add_rows(const std::string& path, const std::string& place, const Struct& defaults,
              std::string& out) {
  each_setting<Struct>([&](const auto& field) {
    const auto& standard = defaults.*(field.member);
    const std::string here = join_path(path, field.name);
    const std::string there = join_path(place, setting_name(field.name));
    if constexpr (base::Fielded<std::decay_t<decltype(standard)>>) {
      add_rows(here, there, standard, out);
    } else {
      const SettingRule& rule = setting_rule(here);
      out += "| `" + there + "` | " + accepted_form(rule, standard) + " | " +
             default_text(standard) + " | " +
             (rule.flag.empty() ? "" : "`--" + std::string(rule.flag) + "`") + " | " +
             std::string(rule.help) + " |\n";
    }
  });
}

constexpr std::string_view kPageHead = R"(# Settings

Fields of a WeirSettings object (`weir.ingress/v1alpha1`, short name `ws`). Made from the field list by `controller/policies`; a test says
when this page is not what it gives.

```yaml
apiVersion: weir.ingress/v1alpha1
kind: WeirSettings
metadata:
  name: weir
  namespace: weir
spec:
  keepAliveTimeout: 2m
  clientAddress:
    useForwardedHeaders: true
    forwardedSources: [10.0.0.0/8]
```

- **One object counts:** the one that the controller's flag `--settings` names. The chart names its release: with `helm install weir …
  --namespace weir` it is `weir/weir`. Any other is told so by an Event and a report, `NotSelected`.
- **Field before flag before default.** A field that is absent, or an object or definition that is absent, leaves the flag in force. A list
  replaces the flag's list. A flag that says the opposite (`--disable-access-log`) or the same in another form (`--otel-sampler-ratio`, a
  share of 1) gives the default of its field. Everybody, whom `--proxy-real-ip-cidr` names by default, is not meant by `useForwardedHeaders`
  alone: name your load balancers in `forwardedSources`.
- **A change is live without a restart** and closes nothing: it takes the way of any other change ([life of a change](life-of-a-change.md)).
- **A bad field harms only itself.** The API server refuses what the schema can express. What still arrives (a folder of manifests, an older
  definition) is left out, its flag holds, and its owner gets a report and an Event with field, value and accepted form.
- **Status:** `Accepted` says whether every field counts; `Programmed` whether the dataplane has acknowledged the settings of this
  `observedGeneration`. The leader writes them; `kubectl get ws` shows both.
- Secrets are not here, and what opens listeners stays with the flags ([flags](flags.md)): ports, addresses, `--use-proxy-protocol`.

The definition: [crds](../crds/README.md). How it is installed and upgraded: [install](install.md#settings-and-their-definition).

| Field of `spec` | Accepted | Default | Flag | Meaning |
|---|---|---|---|---|
)";

}  // namespace

std::string settings_page() {
  std::string out(kPageHead);
  add_rows("", "", model::Settings(), out);
  return out;
}

}  // namespace weir::policies
