#include "controller/translate/view.h"

namespace weir::translate {

store::ObjectPtr View::read(store::ObjectKey key) {
  store::ObjectPtr object = store_.get(key);
  reads_.insert(store::ReadKey{std::move(key)});
  return object;
}

std::vector<store::ObjectPtr> View::query(store::Index index, std::string_view value) {
  std::pair<store::Index, std::string> key(index, value);
  auto objects = store_.find(index, value);
  reads_.insert(store::ReadKey{std::move(key)});
  return objects;
}

}  // namespace weir::translate
