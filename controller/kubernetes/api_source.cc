#include "controller/kubernetes/api_source.h"

#include <algorithm>

namespace weir::kubernetes {
namespace {

std::string wanted_key(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  return std::string(kind.plural) + "." + std::string(kind.group) + " " + std::string(ns) + "/" +
         std::string(name);
}

}  // namespace

ApiSource::ApiSource(ApiClient& client, std::vector<std::string> namespaces, WatchTimings timings)
    : client_(client), namespaces_(std::move(namespaces)), timings_(timings) {}

ApiSource::~ApiSource() { client_.loop().flush_cancel(*this); }

void ApiSource::also_watch(std::string_view kind, std::string ns) {
  const bool watched = std::find(namespaces_.begin(), namespaces_.end(), ns) != namespaces_.end();
  if (!watched) also_.emplace_back(kind, std::move(ns));
}

void ApiSource::start(const std::vector<KindDescriptor>& kinds, SourceTarget& target) {
  kinds_ = &kinds;
  target_ = &target;
  for (const KindDescriptor& kind : kinds) {
    if (kind.fetch == Fetch::kOnDemand) continue;
    if (!kind.namespaced || namespaces_.empty()) {
      add_watcher(kind, "");
      continue;
    }
    for (const std::string& ns : namespaces_) add_watcher(kind, ns);
    for (const auto& [also, ns] : also_) {
      if (also == kind.kind) add_watcher(kind, ns);
    }
  }
  client_.loop().flush_later(*this);
}

void ApiSource::add_watcher(const KindDescriptor& kind, const std::string& ns) {
  watchers_.push_back(std::make_unique<Watcher>(client_, WatchScope{&kind, ns, ""}, timings_,
                                                static_cast<WatcherTarget&>(*this)));
  ++unsynced_[&kind];
  to_start_.push_back(watchers_.back().get());
}

void ApiSource::flush() {
  retired_.clear();
  if (!started_) {
    started_ = true;
    for (const KindDescriptor& kind : *kinds_) {
      if (kind.fetch == Fetch::kOnDemand) target_->on_synced(kind);
    }
  }
  for (Watcher* watcher : std::exchange(to_start_, {})) watcher->start();
}

void ApiSource::want(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  Wanted& wanted = wanted_[wanted_key(kind, ns, name)];
  if (++wanted.count > 1) return;
  wanted.watcher =
      std::make_unique<Watcher>(client_, WatchScope{&kind, std::string(ns), std::string(name)},
                                timings_, static_cast<WatcherTarget&>(*this));
  to_start_.push_back(wanted.watcher.get());
  client_.loop().flush_later(*this);
}

void ApiSource::unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  const auto found = wanted_.find(wanted_key(kind, ns, name));
  if (found == wanted_.end() || --found->second.count > 0) return;
  found->second.watcher->stop();
  std::erase(to_start_, found->second.watcher.get());
  retired_.push_back(std::move(found->second.watcher));
  wanted_.erase(found);
  client_.loop().flush_later(*this);
}

ApiSource::Wanted* ApiSource::wanted_of(const Watcher& watcher) {
  const WatchScope& scope = watcher.scope();
  if (scope.name.empty()) return nullptr;
  const auto found = wanted_.find(wanted_key(*scope.kind, scope.ns, scope.name));
  return found == wanted_.end() ? nullptr : &found->second;
}

void ApiSource::on_item(Watcher& from, base::Json object) {
  if (Wanted* wanted = wanted_of(from)) wanted->told = true;
  target_->on_object(*from.scope().kind, std::move(object));
}

void ApiSource::on_gone(Watcher& from, std::string_view ns, std::string_view name) {
  if (Wanted* wanted = wanted_of(from)) wanted->told = true;
  target_->on_removed(*from.scope().kind, ns, name);
}

void ApiSource::on_first_list(Watcher& from) {
  const WatchScope& scope = from.scope();
  if (!scope.name.empty()) {
    Wanted* wanted = wanted_of(from);
    if (wanted == nullptr || std::exchange(wanted->told, true)) return;
    return target_->on_removed(*scope.kind, scope.ns, scope.name);
  }
  if (--unsynced_[scope.kind] == 0) target_->on_synced(*scope.kind);
}

void ApiSource::on_watch_problem(Watcher& from, const base::Error& error) {
  const WatchScope& scope = from.scope();
  const std::string object = scope.name.empty() ? scope.ns : scope.ns + "/" + scope.name;
  target_->on_problem(scope.kind, object, error);
}

std::size_t ApiSource::held_kinds() const {
  return static_cast<std::size_t>(std::count_if(
      watchers_.begin(), watchers_.end(), [](const auto& watcher) { return watcher->holds(); }));
}

Positions ApiSource::positions() const {
  Positions out;
  for (const auto& watcher : watchers_) {
    const WatchScope& scope = watcher->scope();
    out[std::string(scope.kind->kind) + (scope.ns.empty() ? "" : "/" + scope.ns)] =
        watcher->position();
  }
  return out;
}

double ApiSource::seconds_since_contact() const {
  return std::chrono::duration<double>(client_.loop().now() - client_.last_contact()).count();
}

}  // namespace weir::kubernetes
