#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/loop/loop.h"
#include "controller/kubernetes/source.h"
#include "controller/store/store.h"
#include "controller/translate/engine.h"

namespace weir::publish {

// Told what a run of the pipeline changed. On the loop's thread.
class PipelineTarget {
 public:
  virtual ~PipelineTarget() = default;
  // The desired state moved: sessions mark the keys, status looks at the owners, logs tell the
  // reports.
  virtual void on_changes(const translate::Engine::Changes& changes) = 0;
  // All that the source has handed out so far is translated; after on_changes, if that led to any.
  virtual void on_translated() {}
  // Every permitted kind has been listed, everything wanted by name has been found or found
  // missing, and the first state has been built. Once; no on_changes comes before it.
  virtual void on_synced() = 0;
};

// Source -> store -> dirty units -> changes. Level-triggered: an event only marks what it touches;
// the work is done at the end of the loop iteration when it has been quiet, inside a burst at most
// every burst_ceiling, in slices so that leases and watches never starve. Changes are handed on
// only when no unit is dirty: a route never goes out before the cluster that it names.
//
// One loop thread. Invariant: each object of the source is in the store, or in refused_ with the
// reason (then its last good version, if any, stays in the store).
class Pipeline final : public kubernetes::SourceTarget {
 public:
  struct Options {
    // After a run the next one waits `rest` times what the run took, and never longer than the
    // ceiling: a burst costs a fifth of the thread at most, and cheap changes hardly wait.
    int rest = 4;
    base::Duration burst_ceiling = std::chrono::milliseconds(20);
    base::Duration slice = std::chrono::milliseconds(5);
    base::Duration first_slice = std::chrono::milliseconds(50);  // before on_synced
    // How long the first state waits for objects wanted by name; then it goes without them.
    base::Duration want_patience = std::chrono::seconds(5);
  };

  // Everything is borrowed for the pipeline's life.
  Pipeline(loop::Loop& loop, kubernetes::Source& source,
           std::vector<const translate::Translator*> translators, PipelineTarget& target,
           Options options);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() override;

  void start();  // starts the source
  // Builds this unit again: something outside of the store that it reads has changed.
  void rebuild(const translate::UnitKey& unit);
  // Follows one object of a kind whose namespace is not watched. The first state waits for it, as
  // for all that is wanted by name. Right after start().
  void follow(const store::ObjectKey& key);
  bool synced() const { return phase_ == Phase::kLive; }
  // Nothing waits for its translation.
  bool settled() const { return synced() && first_event_ == base::TimePoint{} && !engine_.dirty(); }
  const translate::Engine& engine() const { return engine_; }
  const store::Store& store() const { return store_; }

  // What is wrong now: reports of the engine and objects that did not parse.
  std::vector<translate::Report> reports() const;
  std::vector<translate::Report> reports_of(const store::ObjectKey& object) const;
  // Lasting problems of the source: "Ingress" -> "forbidden …".
  const std::map<std::string, std::string>& source_problems() const { return problems_; }
  // From the first event of a run to its changes handed on, of the last run; a gauge.
  base::Duration last_latency() const { return last_latency_; }
  std::uint64_t events() const { return events_; }

 private:
  enum class Phase { kListing, kBuilding, kLive };
  class Flush;

  void on_object(const kubernetes::KindDescriptor& kind, base::Json object) override;
  void on_removed(const kubernetes::KindDescriptor& kind, std::string_view ns,
                  std::string_view name) override;
  void on_synced(const kubernetes::KindDescriptor& kind) override;
  void on_problem(const kubernetes::KindDescriptor* kind, std::string_view object,
                  const base::Error& error) override;

  void touched(const std::vector<store::ReadKey>& keys, store::Kind kind);
  void resolve(const store::ObjectKey& key);
  void schedule(bool at_once);
  void run();
  void hand_on();
  void follow_wants();
  void maybe_live();

  loop::Loop& loop_;
  kubernetes::Source& source_;
  PipelineTarget& target_;
  const Options options_;
  const std::vector<kubernetes::KindDescriptor> kinds_;
  store::Store store_;
  translate::Engine engine_;
  Phase phase_ = Phase::kListing;
  std::set<std::string_view> unsynced_;    // kinds not listed yet
  std::set<store::ObjectKey> unresolved_;  // wanted by name, not answered yet
  std::map<store::ObjectKey, translate::Report> refused_;
  std::map<std::string, std::string> problems_;
  translate::Engine::Changes changes_;  // collected until no unit is dirty
  std::unique_ptr<Flush> flush_;
  loop::Timer burst_timer_;
  loop::Timer patience_timer_;
  base::TimePoint last_run_{};  // end of the last run
  base::Duration last_cost_{};  // of the last run, all its slices
  base::Duration running_cost_{};
  base::TimePoint first_event_{};
  base::Duration last_latency_{};
  std::uint64_t events_ = 0;
};

}  // namespace weir::publish
