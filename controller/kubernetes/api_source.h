#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "controller/kubernetes/watcher.h"

namespace weir::kubernetes {

// Objects from the Kubernetes API: one watcher per kind and namespace, and for on-demand kinds one
// per wanted object (so that RBAC by resourceNames is enough).
//   on-demand kinds are synced at once; a wanted object that cannot be had (forbidden) is a problem
//   named "namespace/name" and arrives as a removal, so that nobody waits for it.
// One loop thread.
class ApiSource final : public Source, private WatcherTarget, private loop::Flushable {
 public:
  // client is borrowed for the object's life. namespaces: empty means all; cluster-scoped kinds are
  // always watched as a whole.
  ApiSource(ApiClient& client, std::vector<std::string> namespaces, WatchTimings timings = {});
  ~ApiSource() override;

  // Watches a kind in one more namespace. Before start().
  void also_watch(std::string_view kind, std::string ns);

  void start(const std::vector<KindDescriptor>& kinds, SourceTarget& target) override;
  void want(const KindDescriptor& kind, std::string_view ns, std::string_view name) override;
  void unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) override;
  double seconds_since_contact() const override;
  std::size_t held_kinds() const override;
  Positions positions() const override;

 private:
  struct Wanted {
    int count = 0;
    std::unique_ptr<Watcher> watcher;
    bool told = false;  // presence or absence has been handed out
  };

  void flush() override;
  void on_item(Watcher& from, base::Json object) override;
  void on_gone(Watcher& from, std::string_view ns, std::string_view name) override;
  void on_first_list(Watcher& from) override;
  void on_watch_problem(Watcher& from, const base::Error& error) override;
  void add_watcher(const KindDescriptor& kind, const std::string& ns);
  Wanted* wanted_of(const Watcher& watcher);

  ApiClient& client_;
  std::vector<std::string> namespaces_;
  std::vector<std::pair<std::string, std::string>> also_;  // kind and namespace
  WatchTimings timings_;
  SourceTarget* target_ = nullptr;
  const std::vector<KindDescriptor>* kinds_ = nullptr;
  bool started_ = false;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::unordered_map<const KindDescriptor*, int>
      unsynced_;  // watchers without a first list, by kind
  std::unordered_map<std::string, Wanted> wanted_;
  std::vector<Watcher*> to_start_;
  std::vector<std::unique_ptr<Watcher>> retired_;  // stopped; may be on the call stack
};

}  // namespace weir::kubernetes
