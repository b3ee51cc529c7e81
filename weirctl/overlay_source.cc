#include "weirctl/overlay_source.h"

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

using kubernetes::KindDescriptor;

std::string key_of(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  return std::string(kind.kind) + "/" + std::string(ns) + "/" + std::string(name);
}

std::string key_of(const KindDescriptor& kind, const base::Json& object) {
  const base::Json& metadata = object["metadata"];
  return key_of(kind, kind.namespaced ? metadata["namespace"].as_string() : "",
                metadata["name"].as_string());
}

}  // namespace

OverlaySource::OverlaySource(kubernetes::Source& base, kubernetes::Source& over, std::int64_t now)
    : base_(base), over_(over), now_(now) {}

void OverlaySource::start(const std::vector<KindDescriptor>& kinds,
                          kubernetes::SourceTarget& target) {
  kinds_ = &kinds;
  target_ = &target;
  base_.start(kinds, base_side_);
}

// What is fetched as a whole the second hands out unasked, and it may not have been started yet.
void OverlaySource::want(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  if (kind.fetch == kubernetes::Fetch::kOnDemand) over_.want(kind, ns, name);
  base_.want(kind, ns, name);
}

void OverlaySource::unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  if (kind.fetch == kubernetes::Fetch::kOnDemand) over_.unwant(kind, ns, name);
  base_.unwant(kind, ns, name);
}

void OverlaySource::take_over(const KindDescriptor& kind, base::Json object) {
  const std::string key = key_of(kind, object);
  covered_.insert(key);
  if (base::Json* metadata = object.find("metadata")) {
    const auto made = made_.find(key);
    metadata->set("creationTimestamp",
                  made == made_.end() ? base::format_rfc3339(now_) : made->second);
  }
  target_->on_object(kind, std::move(object));
}

void OverlaySource::Side::on_object(const KindDescriptor& kind, base::Json object) {
  if (over_) return whole_.take_over(kind, std::move(object));
  const std::string key = key_of(kind, object);
  whole_.made_[key] = object.at_path("metadata", "creationTimestamp").as_string();
  if (!whole_.covered_.contains(key)) whole_.target_->on_object(kind, std::move(object));
}

void OverlaySource::Side::on_removed(const KindDescriptor& kind, std::string_view ns,
                                     std::string_view name) {
  // What the second does not have says nothing: the base answers too.
  if (over_ || whole_.covered_.contains(key_of(kind, ns, name))) return;
  whole_.target_->on_removed(kind, ns, name);
}

void OverlaySource::Side::on_synced(const KindDescriptor& kind) {
  if (over_) return whole_.target_->on_synced(kind);
  if (++whole_.synced_ == whole_.kinds_->size())
    whole_.over_.start(*whole_.kinds_, whole_.over_side_);
}

void OverlaySource::Side::on_problem(const KindDescriptor* kind, std::string_view object,
                                     const base::Error& error) {
  whole_.target_->on_problem(kind, object, error);
}

}  // namespace weir::weirctl
