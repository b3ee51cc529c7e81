#pragma once

#include <random>
#include <string>
#include <vector>

#include "controller/store/store.h"

namespace weir::ingress {

// Random histories of a small, crowded cluster: few names, so that objects meet each other all the
// time. The same seed gives the same history.
class History {
 public:
  explicit History(std::uint32_t seed) : random_(seed) {}

  // Puts a new or changed object, or removes one; returns what it touched.
  std::vector<store::ReadKey> step(store::Store& store);

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  store::ObjectPtr make(store::Kind kind);
  store::ObjectPtr make_ingress();
  store::ObjectPtr make_class();
  store::ObjectPtr make_service();
  store::ObjectPtr make_slice();
  store::ObjectPtr make_secret();
  store::ObjectPtr make_config_map();
  store::ObjectPtr make_settings();
  store::IngressBackend make_backend();
  void annotate(store::Ingress& ingress);

  std::mt19937 random_;
};

}  // namespace weir::ingress
