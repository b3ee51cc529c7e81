#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::kubernetes {

// Which objects a watcher has handed out, by name, and at which version: what a relist is compared
// with. Versions are opaque: only equality counts. One thread.
class KnownObjects {
 public:
  // True when this version is new, so that the object must be handed out.
  bool put(std::string_view ns, std::string_view name, std::string_view version) {
    Entry& entry = entries_[key_of(ns, name)];
    if (entry.round != round_) ++seen_;
    entry.round = round_;
    if (entry.version == version && !version.empty()) return false;
    entry.version = version;
    return true;
  }
  // True when it was there.
  bool remove(std::string_view ns, std::string_view name) {
    return entries_.erase(key_of(ns, name)) > 0;
  }
  // What was handed out may have been less than the object: at the next sight each is new.
  void doubt() {
    for (auto& [key, entry] : entries_) entry.version.clear();
  }
  // A complete list begins: what it does not name is gone at its end.
  void begin_round() {
    ++round_;
    seen_ = 0;
  }
  // Objects named since begin_round(); some may have been removed again.
  std::size_t seen() const { return seen_; }
  std::size_t size() const { return entries_.size(); }
  // Forgets what was not named since begin_round() and gives (namespace, name) of it.
  std::vector<std::pair<std::string, std::string>> take_unseen() {
    std::vector<std::pair<std::string, std::string>> out;
    for (auto it = entries_.begin(); it != entries_.end();) {
      if (it->second.round == round_) {
        ++it;
        continue;
      }
      const std::size_t slash = it->first.find('/');
      out.emplace_back(it->first.substr(0, slash), it->first.substr(slash + 1));
      it = entries_.erase(it);
    }
    return out;
  }

 private:
  struct Entry {
    std::string version;
    unsigned round = 0;
  };
  static std::string key_of(std::string_view ns, std::string_view name) {
    return std::string(ns) + "/" + std::string(name);
  }

  std::unordered_map<std::string, Entry> entries_;
  unsigned round_ = 1;
  std::size_t seen_ = 0;
};

}  // namespace weir::kubernetes
