#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/loop/loop.h"
#include "controller/kubernetes/source.h"

namespace weir::kubernetes {

inline const std::vector<KindDescriptor>& test_kinds() {
  static const std::vector<KindDescriptor> kinds = {
      {"Ingress", "networking.k8s.io", "v1", "ingresses"},
      {"IngressClass", "networking.k8s.io", "v1", "ingressclasses", false},
      {"Service", "", "v1", "services"},
      {"Secret", "", "v1", "secrets", true, Fetch::kOnDemand},
      {"Gizmo", "example.com", "v1", "gizmos", true, Fetch::kAll, false},
  };
  return kinds;
}

inline const KindDescriptor& test_kind(std::string_view kind) {
  for (const KindDescriptor& one : test_kinds()) {
    if (one.kind == kind) return one;
  }
  std::abort();
}

// Keeps what a source hands out: the state, and a line for each call.
class RecordingTarget final : public SourceTarget {
 public:
  void on_object(const KindDescriptor& kind, base::Json object) override {
    const std::string key = std::string(kind.kind) + " " +
                            object.at_path("metadata", "namespace").as_string() + "/" +
                            object.at_path("metadata", "name").as_string();
    calls.push_back("object " + key);
    objects[key] = std::move(object);
  }
  void on_removed(const KindDescriptor& kind, std::string_view ns, std::string_view name) override {
    const std::string key =
        std::string(kind.kind) + " " + std::string(ns) + "/" + std::string(name);
    calls.push_back("removed " + key);
    objects.erase(key);
  }
  void on_synced(const KindDescriptor& kind) override { ++synced[std::string(kind.kind)]; }
  void on_problem(const KindDescriptor* kind, std::string_view object,
                  const base::Error& error) override {
    const std::string key =
        (kind == nullptr ? "" : std::string(kind->kind) + " ") + std::string(object);
    calls.push_back("problem " + key + ": " + error.text);
    if (error.text.empty()) {
      problems.erase(key);
    } else {
      problems[key] = error.text;
    }
  }

  std::map<std::string, base::Json> objects;
  std::map<std::string, int> synced;
  std::map<std::string, std::string> problems;
  std::vector<std::string> calls;
};

// Runs the loop until the condition holds; false after `most`.
inline bool run_until(loop::Loop& loop, const std::function<bool()>& condition,
                      std::chrono::milliseconds most = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop.run_once(std::chrono::milliseconds(5));
  }
  return true;
}

// Runs the loop for a while, for what must not happen.
inline void run_for(loop::Loop& loop, std::chrono::milliseconds time) {
  run_until(loop, [] { return false; }, time);
}

}  // namespace weir::kubernetes
