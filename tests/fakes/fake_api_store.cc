#include "tests/fakes/fake_api_store.h"

#include <algorithm>
#include <ctime>

#include "common/base/text.h"

namespace weir::fakes {
namespace {

using base::Json;

constexpr std::size_t kMaxEvents = 20'000;

std::string table_of(const FakeKind& kind) { return kind.plural + "." + kind.group; }

std::string qualified(const FakeKind& kind) {
  return kind.group.empty() ? kind.plural : kind.plural + "." + kind.group;
}

// RFC 7386.
void merge(Json& into, const Json& patch) {
  for (const auto& [name, value] : patch.members()) {
    if (value.is_null()) {
      into.erase(name);
    } else if (value.is_object()) {
      Json* old = into.find(name);
      Json next = old != nullptr && old->is_object() ? *old : Json::object();
      merge(next, value);
      into.set(name, std::move(next));
    } else {
      into.set(name, value);
    }
  }
}

FakeAnswer not_found(const FakeKind& kind, const std::string& name) {
  return status_answer(404, "NotFound", qualified(kind) + " \"" + name + "\" not found");
}

FakeAnswer conflict(const FakeKind& kind, const std::string& name) {
  return status_answer(409, "Conflict",
                       "Operation cannot be fulfilled on " + qualified(kind) + " \"" + name +
                           "\": the object has been modified; please apply your changes to the "
                           "latest version and try again");
}

}  // namespace

FakeAnswer status_answer(int code, std::string reason, std::string message) {
  Json body = Json::object();
  body.set("kind", Json("Status"));
  body.set("apiVersion", Json("v1"));
  body.set("metadata", Json::object());
  body.set("status", Json("Failure"));
  body.set("message", Json(std::move(message)));
  body.set("reason", Json(std::move(reason)));
  body.set("code", Json(code));
  return {code, std::move(body)};
}

FakeAnswer FakeApiStore::create(const FakeKind& kind, Json object) {
  Json* metadata = object.find("metadata");
  if (metadata == nullptr) metadata = &object.set("metadata", Json::object());
  if (!(*metadata)["resourceVersion"].as_string().empty())
    return status_answer(500, "", "resourceVersion should not be set on objects to be created");
  if ((*metadata)["name"].as_string().empty() && !(*metadata)["generateName"].as_string().empty())
    metadata->set("name",
                  Json((*metadata)["generateName"].as_string() + std::to_string(next_uid_)));
  const Key key{(*metadata)["namespace"].as_string(), (*metadata)["name"].as_string()};
  if (key.second.empty())
    return status_answer(422, "Invalid", kind.kind + " is invalid: metadata.name: Required value");
  if (objects_[table_of(kind)].contains(key))
    return status_answer(409, "AlreadyExists",
                         qualified(kind) + " \"" + key.second + "\" already exists");
  metadata->set("uid", Json("00000000-0000-4000-8000-" + std::to_string(next_uid_++)));
  if (!metadata->has("creationTimestamp"))
    metadata->set("creationTimestamp", Json(base::format_rfc3339(std::time(nullptr))));
  metadata->set("generation", Json(1));
  if (kind.has_status) object.erase("status");
  FakeAnswer answer = store(kind, key, std::move(object), nullptr);
  answer.code = 201;
  return answer;
}

FakeAnswer FakeApiStore::update(const FakeKind& kind, Json object, bool status) {
  const Json metadata = object["metadata"];
  const Key key{metadata["namespace"].as_string(), metadata["name"].as_string()};
  auto& table = objects_[table_of(kind)];
  const auto found = table.find(key);
  if (found == table.end()) return not_found(kind, key.second);
  const Json& old = found->second;
  const std::string& expected = metadata["resourceVersion"].as_string();
  if (!expected.empty() && expected != old.at_path("metadata", "resourceVersion").as_string())
    return conflict(kind, key.second);
  if (status) {
    Json next = old;
    next.set("status", object["status"]);
    return store(kind, key, std::move(next), &old);
  }
  if (kind.has_status) {
    object.erase("status");
    if (old.has("status")) object.set("status", old["status"]);
  }
  for (const std::string_view field : {"uid", "creationTimestamp", "generation"})
    object.find("metadata")->set(field, old.at_path("metadata", field));
  return store(kind, key, std::move(object), &old);
}

FakeAnswer FakeApiStore::merge_patch(const FakeKind& kind, const std::string& ns,
                                     const std::string& name, const Json& patch, bool status) {
  const FakeAnswer old = get(kind, ns, name);
  if (!old.ok()) return old;
  Json next = old.body;
  const std::string expected = patch.at_path("metadata", "resourceVersion").as_string();
  if (!expected.empty() && expected != next.at_path("metadata", "resourceVersion").as_string())
    return conflict(kind, name);
  merge(next, patch);
  return update(kind, std::move(next), status);
}

FakeAnswer FakeApiStore::store(const FakeKind& kind, const Key& key, Json object, const Json* old) {
  object.set("apiVersion", Json(kind.api_version()));
  object.set("kind", Json(kind.kind));
  Json& metadata = *object.find("metadata");
  if (old != nullptr) {
    metadata.set("resourceVersion", old->at_path("metadata", "resourceVersion"));
    if (object.to_string() == old->to_string())
      return {200, *old};  // nothing changes: no new version
    if (!((*old)["spec"] == object["spec"]))
      metadata.set("generation", Json(metadata["generation"].as_int() + 1));
  }
  const std::string type = old == nullptr ? "ADDED" : "MODIFIED";
  metadata.set("resourceVersion", Json(std::to_string(++version_)));
  objects_[table_of(kind)][key] = object;
  log(kind, type, key, object);
  return {200, std::move(object)};
}

FakeAnswer FakeApiStore::remove(const FakeKind& kind, const std::string& ns,
                                const std::string& name) {
  auto& table = objects_[table_of(kind)];
  const auto found = table.find({ns, name});
  if (found == table.end()) return not_found(kind, name);
  Json object = std::move(found->second);
  table.erase(found);
  object.find("metadata")->set("resourceVersion", Json(std::to_string(++version_)));
  log(kind, "DELETED", {ns, name}, object);
  return {200, std::move(object)};
}

FakeAnswer FakeApiStore::get(const FakeKind& kind, const std::string& ns,
                             const std::string& name) const {
  const auto table = objects_.find(table_of(kind));
  if (table == objects_.end()) return not_found(kind, name);
  const auto found = table->second.find({ns, name});
  if (found == table->second.end()) return not_found(kind, name);
  return {200, found->second};
}

std::vector<Json> FakeApiStore::list(const FakeKind& kind, const std::string& ns,
                                     const std::string& name) const {
  std::vector<Json> out;
  const auto table = objects_.find(table_of(kind));
  if (table == objects_.end()) return out;
  for (const auto& [key, object] : table->second) {
    if ((ns.empty() || key.first == ns) && (name.empty() || key.second == name))
      out.push_back(object);
  }
  return out;
}

void FakeApiStore::log(const FakeKind& kind, std::string type, const Key& key, Json object) {
  events_.push_back(
      {version_, std::move(type), table_of(kind), key.first, key.second, std::move(object)});
  if (events_.size() <= kMaxEvents) return;
  compacted_ = events_.front().version;
  events_.pop_front();
}

void FakeApiStore::compact() {
  compacted_ = ++version_;
  events_.clear();
}

const FakeEvent* FakeApiStore::event_after(std::int64_t version) const {
  const auto found =
      std::upper_bound(events_.begin(), events_.end(), version,
                       [](std::int64_t v, const FakeEvent& event) { return v < event.version; });
  return found == events_.end() ? nullptr : &*found;
}

}  // namespace weir::fakes
