#include "controller/publish/pipeline.h"

#include "common/base/log.h"
#include "controller/store/last_good.h"

namespace weir::publish {
namespace {

store::ObjectKey key_of(const kubernetes::KindDescriptor& kind, std::string_view ns,
                        std::string_view name) {
  return store::ObjectKey{store::row_of(kind)->kind, std::string(ns), std::string(name)};
}

}  // namespace

// Runs the pipeline at the end of the loop iteration, after all events that this iteration brought.
class Pipeline::Flush final : public loop::Flushable {
 public:
  explicit Flush(Pipeline& pipeline) : pipeline_(pipeline) {}
  ~Flush() override { pipeline_.loop_.flush_cancel(*this); }
  void flush() override { pipeline_.run(); }

 private:
  Pipeline& pipeline_;
};

Pipeline::Pipeline(loop::Loop& loop, kubernetes::Source& source,
                   std::vector<const translate::Translator*> translators, PipelineTarget& target,
                   Options options)
    : loop_(loop),
      source_(source),
      target_(target),
      options_(options),
      kinds_(store::descriptors()),
      engine_(store_, std::move(translators)),
      flush_(std::make_unique<Flush>(*this)),
      burst_timer_(loop.timers(), [this] { run(); }),
      patience_timer_(loop.timers(), [this] { maybe_live(); }) {}

Pipeline::~Pipeline() = default;

void Pipeline::start() {
  for (const kubernetes::KindDescriptor& kind : kinds_) {
    if (kind.fetch == kubernetes::Fetch::kAll) unsynced_.insert(kind.kind);
  }
  source_.start(kinds_, *this);
}

void Pipeline::follow(const store::ObjectKey& key) {
  unresolved_.insert(key);
  source_.want(store::row(key.kind).descriptor, key.ns, key.name);
}

void Pipeline::rebuild(const translate::UnitKey& unit) {
  engine_.mark_dirty(unit);
  schedule(false);
}

void Pipeline::on_object(const kubernetes::KindDescriptor& kind, base::Json object) {
  ++events_;
  const base::Json& metadata = object["metadata"];
  const store::ObjectKey key =
      key_of(kind, metadata["namespace"].as_string(), metadata["name"].as_string());
  resolve(key);
  base::Result<store::ObjectPtr> parsed = store::row_of(kind)->parse(object);
  if (parsed.ok()) {
    const bool was_refused = refused_.erase(key) > 0;
    if (was_refused) changes_.reports_changed.insert(key);
    touched(store_.put(store::with_last_good(std::move(parsed).value(), store_.get(key))),
            key.kind);
    if (was_refused) schedule(false);
    return;
  }
  translate::Report report;
  report.object = key;
  report.reason = "ObjectInvalid";
  report.text = parsed.error().text + "; the last good version, if there was one, stays live";
  refused_[key] = std::move(report);
  changes_.reports_changed.insert(key);
  schedule(false);
}

void Pipeline::on_removed(const kubernetes::KindDescriptor& kind, std::string_view ns,
                          std::string_view name) {
  ++events_;
  const store::ObjectKey key = key_of(kind, ns, name);
  resolve(key);
  if (refused_.erase(key) > 0) changes_.reports_changed.insert(key);
  touched(store_.remove(key), key.kind);
}

void Pipeline::on_synced(const kubernetes::KindDescriptor& kind) {
  unsynced_.erase(kind.kind);
  if (phase_ == Phase::kListing && unsynced_.empty()) {
    phase_ = Phase::kBuilding;
    engine_.mark_all_dirty();
    patience_timer_.arm(loop_.clock().now() + options_.want_patience);
    schedule(true);
  }
}

void Pipeline::on_problem(const kubernetes::KindDescriptor* kind, std::string_view object,
                          const base::Error& error) {
  std::string place = kind == nullptr ? "source" : std::string(kind->kind);
  if (!object.empty()) place += " " + std::string(object);
  if (error.text.empty()) {
    if (problems_.erase(place) > 0) base::log_info("source problem is over", {{"where", place}});
    return;
  }
  std::string& text = problems_[place];
  if (text == error.text) return;
  text = error.text;
  base::log_warn("source problem", {{"where", place}, {"reason", error.text}});
}

void Pipeline::touched(const std::vector<store::ReadKey>& keys, store::Kind kind) {
  if (keys.empty()) return;
  engine_.touch(keys);
  schedule(kind == store::Kind::kEndpointSlice);
}

// An object wanted by name has been answered, by itself or by its absence.
void Pipeline::resolve(const store::ObjectKey& key) {
  if (unresolved_.erase(key) == 0 || phase_ != Phase::kBuilding) return;
  schedule(true);
}

void Pipeline::schedule(bool at_once) {
  if (phase_ == Phase::kListing) return;
  const base::TimePoint now = loop_.clock().now();
  if (first_event_ == base::TimePoint{}) first_event_ = now;
  const base::Duration rest = std::min(options_.burst_ceiling, last_cost_ * options_.rest);
  if (at_once || now - last_run_ >= rest) {
    loop_.flush_later(*flush_);
  } else if (!burst_timer_.armed()) {
    burst_timer_.arm(last_run_ + rest);
  }
}

void Pipeline::run() {
  const base::TimePoint now = loop_.clock().now();
  engine_.run(loop_.clock(), now + (phase_ == Phase::kLive ? options_.slice : options_.first_slice),
              changes_);
  last_run_ = loop_.clock().now();
  running_cost_ += last_run_ - now;
  follow_wants();
  if (engine_.dirty()) {
    loop_.post([this] { run(); });
    return;
  }
  last_cost_ = std::exchange(running_cost_, {});
  if (phase_ == Phase::kBuilding) {
    maybe_live();
  } else {
    hand_on();
  }
}

void Pipeline::follow_wants() {
  for (const store::ObjectKey& key : changes_.wanted) {
    if (phase_ != Phase::kLive) unresolved_.insert(key);
    source_.want(store::row(key.kind).descriptor, key.ns, key.name);
  }
  for (const store::ObjectKey& key : changes_.unwanted) {
    unresolved_.erase(key);
    source_.unwant(store::row(key.kind).descriptor, key.ns, key.name);
    store_.remove(key);  // nobody reads it: nothing is touched
  }
  changes_.wanted.clear();
  changes_.unwanted.clear();
}

void Pipeline::maybe_live() {
  const bool out_of_patience = !patience_timer_.armed();
  if (phase_ != Phase::kBuilding || engine_.dirty() || (!unresolved_.empty() && !out_of_patience))
    return;
  phase_ = Phase::kLive;
  unresolved_.clear();
  target_.on_synced();
  hand_on();
}

void Pipeline::hand_on() {
  const base::TimePoint since = std::exchange(first_event_, base::TimePoint{});
  if (!changes_.empty()) {
    if (since != base::TimePoint{}) last_latency_ = loop_.clock().now() - since;
    target_.on_changes(std::exchange(changes_, {}));
  }
  target_.on_translated();
}

std::vector<translate::Report> Pipeline::reports() const {
  std::vector<translate::Report> out = engine_.reports();
  for (const auto& [key, report] : refused_) out.push_back(report);
  return out;
}

std::vector<translate::Report> Pipeline::reports_of(const store::ObjectKey& object) const {
  std::vector<translate::Report> out = engine_.reports_of(object);
  const auto found = refused_.find(object);
  if (found != refused_.end()) out.push_back(found->second);
  return out;
}

}  // namespace weir::publish
