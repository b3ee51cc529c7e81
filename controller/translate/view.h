#pragma once

#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "controller/store/store.h"

namespace weir::translate {

// The store as one unit sees it. Reads are the dependencies: every key and index query is recorded,
// also those that found nothing. Pure: no I/O, no clock. Lives for one build.
class View {
 public:
  explicit View(const store::Store& store) : store_(store) {}

  template <typename T>
  std::shared_ptr<const T> get(store::Kind kind, std::string_view ns, std::string_view name) {
    return std::static_pointer_cast<const T>(
        read(store::ObjectKey{kind, std::string(ns), std::string(name)}));
  }
  template <typename T>
  std::vector<std::shared_ptr<const T>> find(store::Index index, std::string_view value) {
    std::vector<std::shared_ptr<const T>> out;
    for (auto& object : query(index, value))
      out.push_back(std::static_pointer_cast<const T>(std::move(object)));
    return out;
  }
  const std::set<store::ReadKey>& reads() const { return reads_; }

 private:
  store::ObjectPtr read(store::ObjectKey key);
  std::vector<store::ObjectPtr> query(store::Index index, std::string_view value);

  const store::Store& store_;
  std::set<store::ReadKey> reads_;
};

}  // namespace weir::translate
