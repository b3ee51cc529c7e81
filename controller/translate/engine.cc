#include "controller/translate/engine.h"

#include "common/base/check.h"
#include "controller/translate/desired_state.h"
#include "controller/translate/unit_table.h"

namespace weir::translate {

struct Engine::State {
  State(const store::Store& store_in, std::vector<const Translator*> translators_in)
      : store(store_in), translators(std::move(translators_in)) {}

  const Translator& translator_of(const UnitKey& key) const;
  void follow_index(store::Index index, const std::string& value);
  void build_next();
  void apply(Unit& unit, UnitResult result, const std::set<store::ReadKey>& reads);
  void replace_wants(Unit& unit, const std::vector<UnitKey>& next);
  void begin_want(const UnitKey& key);
  void end_want(const UnitKey& key);

  const store::Store& store;
  std::vector<const Translator*> translators;
  UnitTable units;
  DesiredState desired;
};

namespace {

bool is_on_demand(const store::ReadKey& read) {
  const auto* key = std::get_if<store::ObjectKey>(&read.what);
  return key != nullptr && store::row(key->kind).descriptor.fetch == kubernetes::Fetch::kOnDemand;
}

}  // namespace

const Translator& Engine::State::translator_of(const UnitKey& key) const {
  for (const Translator* one : translators)
    if (one->builds(key)) return *one;
  WEIR_CHECK(false);
}

// An index value that is in use calls its unit into being; without it the unit loses that reason.
void Engine::State::follow_index(store::Index index, const std::string& value) {
  for (const Translator* translator : translators) {
    const auto key = translator->unit_of(index, value);
    if (!key) continue;
    const bool in_use = store.has(index, value);
    if (!in_use && units.find(*key) == nullptr) continue;
    units.add(*key, *translator).called = in_use;
    units.mark(*key);
  }
}

void Engine::State::begin_want(const UnitKey& key) {
  Unit& unit = units.add(key, translator_of(key));
  ++unit.wanted;
  if (!unit.built) units.mark_urgent(key);
}

void Engine::State::end_want(const UnitKey& key) {
  Unit* unit = units.find(key);
  WEIR_CHECK(unit != nullptr && unit->wanted > 0);
  if (--unit->wanted == 0) units.mark(key);
}

void Engine::State::replace_wants(Unit& unit, const std::vector<UnitKey>& next) {
  std::set<UnitKey> wants(next.begin(), next.end());
  for (const UnitKey& key : wants)
    if (!unit.wants.contains(key)) begin_want(key);
  for (const UnitKey& key : unit.wants)
    if (!wants.contains(key)) end_want(key);
  unit.wants = std::move(wants);
}

void Engine::State::apply(Unit& unit, UnitResult result, const std::set<store::ReadKey>& reads) {
  const auto changes = units.set_reads(unit, reads);
  for (const store::ReadKey& key : changes.began)
    if (is_on_demand(key)) desired.set_wanted(std::get<store::ObjectKey>(key.what), true);
  for (const store::ReadKey& key : changes.ended)
    if (is_on_demand(key)) desired.set_wanted(std::get<store::ObjectKey>(key.what), false);
  replace_wants(unit, result.wants);
  desired.replace(unit, std::move(result));
}

void Engine::State::build_next() {
  const UnitKey key = units.take_dirty();
  Unit* unit = units.find(key);
  if (unit == nullptr) return;
  if (!unit->exists()) {
    apply(*unit, UnitResult{}, {});
    units.erase(key);
    return;
  }
  View view(store);
  UnitResult result = unit->translator->build(key, view);
  unit->built = true;
  apply(*unit, std::move(result), view.reads());
}

Engine::Engine(const store::Store& store, std::vector<const Translator*> translators)
    : state_(std::make_unique<State>(store, std::move(translators))) {
  for (const Translator* translator : state_->translators) {
    for (const UnitKey& key : translator->fixed_units()) {
      state_->units.add(key, *translator).fixed = true;
      state_->units.mark(key);
    }
  }
  for (std::size_t i = 0; i < store::kIndexes; ++i) {
    const auto index = static_cast<store::Index>(i);
    for (const std::string& value : store.index_values(index)) state_->follow_index(index, value);
  }
}

Engine::~Engine() = default;

void Engine::touch(const std::vector<store::ReadKey>& touched) {
  for (const store::ReadKey& key : touched) {
    if (const auto* index = std::get_if<std::pair<store::Index, std::string>>(&key.what))
      state_->follow_index(index->first, index->second);
    state_->units.mark_readers(key);
  }
}

void Engine::mark_all_dirty() { state_->units.mark_all(); }

void Engine::mark_dirty(const UnitKey& unit) { state_->units.mark(unit); }

bool Engine::dirty() const { return state_->units.dirty(); }

void Engine::run(const base::Clock& clock, base::TimePoint deadline, Changes& out) {
  // The build graph has two levels (hosts want clusters and certificates), so this ends.
  while (state_->units.dirty()) {
    state_->build_next();
    if (!state_->units.urgent() && clock.now() >= deadline) break;
  }
  state_->desired.flush_wanted(out);
  if (!state_->units.dirty()) state_->desired.flush(out);
}

const std::map<model::ResourceKey, model::ResourcePtr>& Engine::resources() const {
  return state_->desired.resources();
}

std::vector<Report> Engine::reports_of(const store::ObjectKey& object) const {
  return state_->desired.reports_of(object);
}

std::vector<Report> Engine::reports() const { return state_->desired.reports(); }

std::vector<model::ResourceKey> Engine::resources_of(const store::ObjectKey& object) const {
  return state_->desired.resources_of(object);
}

std::vector<store::ObjectKey> Engine::wanted() const {
  const auto& wanted = state_->desired.wanted();
  return {wanted.begin(), wanted.end()};
}

std::size_t Engine::unit_count() const { return state_->units.size(); }

}  // namespace weir::translate
