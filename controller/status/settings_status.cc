#include "controller/status/settings_status.h"

#include <algorithm>
#include <tuple>

#include "common/base/log.h"
#include "common/base/text.h"
#include "controller/status/patch_target.h"
#include "controller/status/report_log.h"

namespace weir::status {
namespace {

using store::Condition;

constexpr base::Duration kRetry = std::chrono::seconds(1);
constexpr std::size_t kLongestMessage = 8'192;  // bytes; the schema allows 32768 characters

const Condition* standing(const store::WeirSettings& object, std::string_view type) {
  const auto found = std::find_if(object.conditions.begin(), object.conditions.end(),
                                  [type](const Condition& one) { return one.type == type; });
  return found == object.conditions.end() ? nullptr : &*found;
}

bool stands_programmed(const store::WeirSettings& object) {
  const Condition* one = standing(object, "Programmed");
  return one != nullptr && one->status == "True" && one->generation == object.generation;
}

Condition accepted(const std::vector<translate::Report>& reports) {
  std::string message;
  for (const translate::Report& report : reports) {
    if (report.severity != translate::Severity::kWarning) continue;
    message += (message.empty() ? "" : "; ") + report_line(report);
  }
  if (message.empty()) return {"Accepted", "True", "Accepted", "every field counts", 0, ""};
  return {"Accepted", "False", "FieldsRefused", base::shortened(message, kLongestMessage), 0, ""};
}

Condition programmed(const SettingsState& state) {
  if (!state.refused.empty())
    return {"Programmed",
            "False",
            "RefusedByDataplane",
            base::shortened(state.refused, kLongestMessage),
            0,
            ""};
  if (state.programmed)
    return {"Programmed", "True", "Programmed", "the dataplane works by these settings", 0, ""};
  return {"Programmed",
          "False",
          "Pending",
          "the dataplane has not acknowledged these settings yet",
          0,
          ""};
}

// The time of a condition says when its status became what it is.
bool says_the_same(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const Condition& one, const Condition& other) {
        return std::tie(one.type, one.status, one.reason, one.message, one.generation) ==
               std::tie(other.type, other.status, other.reason, other.message, other.generation);
      });
}

base::Json status_json(const std::vector<Condition>& conditions) {
  base::Json list = base::Json::array();
  for (const Condition& one : conditions) {
    base::Json item = base::Json::object();
    item.set("type", one.type);
    item.set("status", one.status);
    item.set("observedGeneration", one.generation);
    item.set("lastTransitionTime", one.since);
    item.set("reason", one.reason);
    item.set("message", one.message);
    list.push(std::move(item));
  }
  base::Json out = base::Json::object();
  out.set("conditions", std::move(list));
  return out;
}

}  // namespace

std::vector<Condition> settings_conditions(const store::WeirSettings& object,
                                           const SettingsState& state, const std::string& now) {
  std::vector<Condition> out = {accepted(state.reports), programmed(state)};
  for (Condition& one : out) {
    const Condition* before = standing(object, one.type);
    one.generation = object.generation;
    one.since = before != nullptr && before->status == one.status ? before->since : now;
  }
  return out;
}

SettingsStatus::SettingsStatus(loop::Loop& loop, kubernetes::ApiClient& client, Questions questions)
    : loop_(loop),
      client_(client),
      questions_(std::move(questions)),
      again_(loop.timers(), [this] { settle(true); }) {}

// The object that the settings came from, of the few of its kind.
const store::WeirSettings* SettingsStatus::served() const {
  for (const store::ObjectPtr& one : pipeline_->store().all(store::Kind::kWeirSettings)) {
    if (!pipeline_->engine().resources_of(one->key).empty())
      return static_cast<const store::WeirSettings*>(one.get());
  }
  return nullptr;
}

SettingsState SettingsStatus::state_of(const store::WeirSettings& object) {
  return {pipeline_->reports_of(object.key),
          stands_programmed(object) || questions_.is_programmed(object),
          questions_.refused(object)};
}

// late: what is pending has had its second.
void SettingsStatus::settle(bool late) {
  if (pipeline_ == nullptr || !pipeline_->synced() || !questions_.leads()) return;
  // What the store holds and what was built of it may differ until the engine has run.
  const store::WeirSettings* object = pipeline_->engine().dirty() ? nullptr : served();
  if (object == nullptr && pipeline_->store().size(store::Kind::kWeirSettings) == 0) return;
  if (!again_.armed()) again_.arm(loop_.now() + kRetry);
  if (object == nullptr || running_ || object->resource_version == written_) return;
  const SettingsState state = state_of(*object);
  // The API server has a newer version than the last good one, which is what we have here.
  const bool unreadable =
      std::any_of(state.reports.begin(), state.reports.end(),
                  [](const translate::Report& one) { return one.reason == "ObjectInvalid"; });
  if (unreadable || (!state.programmed && state.refused.empty() && !late)) return;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.clock().wall_now().time_since_epoch());
  const auto want = settings_conditions(*object, state, base::format_rfc3339(now.count()));
  if (!says_the_same(want, object->conditions)) write(*object, want);
}

void SettingsStatus::write(const store::WeirSettings& object,
                           const std::vector<Condition>& conditions) {
  running_ = true;
  written_ = object.resource_version;
  const store::ObjectKey key = object.key;
  call_ = client_.patch_status(
      store::row(key.kind).descriptor, patch_target(object), status_json(conditions),
      [this, key](base::Result<kubernetes::ApiResponse> answer) { on_written(key, answer); });
}

// After a failure the same version is tried again at the next look; after a conflict the watch
// brings the newer one first.
void SettingsStatus::on_written(const store::ObjectKey& key,
                                const base::Result<kubernetes::ApiResponse>& answer) {
  running_ = false;
  const bool ok = answer.ok() && (answer.value().ok() || answer.value().head.status == 404);
  std::string reason;
  if (!ok) {
    written_.clear();
    reason = answer.ok()
                 ? kubernetes::status_error(answer.value().head.status, answer.value().body).text
                 : answer.error().text;
    if (reason != told_)
      base::log_warn("status not written", {{"object", key.to_string()}, {"reason", reason}});
  }
  told_ = std::move(reason);
}

}  // namespace weir::status
