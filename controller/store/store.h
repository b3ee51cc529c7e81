#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "controller/kubernetes/source.h"
#include "controller/store/object.h"

namespace weir::store {

// Ways to look objects up other than by key; each is one row in kinds.cc with a function from
// object to index values.
enum class Index : std::uint8_t {
  kIngressByHost,    // every host of spec.rules and spec.tls, "*" for host-less rules, a default
                     // backend and host-less tls
  kIngressClasses,   // value "" for every IngressClass
  kSlicesByService,  // "namespace/service"
  kWeirSettings,     // value "" for every WeirSettings
};
inline constexpr std::size_t kIndexes = 4;

// One thing that a reader may have read: an object by key (present or not), or an index value.
struct ReadKey {
  std::variant<ObjectKey, std::pair<Index, std::string>> what;
  auto operator<=>(const ReadKey&) const = default;
};

// A row of the table of kinds: descriptor, parser, and which indexes it feeds.
struct KindRow {
  Kind kind;
  kubernetes::KindDescriptor descriptor;
  // Parses one raw item. Unknown fields are ignored. errors: kInvalid naming object, field, value
  // and accepted form.
  base::Result<ObjectPtr> (*parse)(const base::Json& item);
  // Appends (index, value) pairs of the object.
  void (*index)(const Object& object, std::vector<std::pair<Index, std::string>>& out);
};
const std::vector<KindRow>& kind_rows();
const KindRow& row(Kind kind);
const KindRow* row_of(const kubernetes::KindDescriptor& descriptor);
std::vector<kubernetes::KindDescriptor> descriptors();

// Typed objects by key with their indexes. One thread. A change names what it touched; nothing else
// is compared or rebuilt.
class Store {
 public:
  // Puts or replaces. Returns the read keys that the change touches: the object's key, and every
  // index value it had or has. An object with the resource_version that is already there touches
  // nothing, unless it is of a custom kind, whose schema may have changed.
  std::vector<ReadKey> put(ObjectPtr object);
  std::vector<ReadKey> remove(const ObjectKey& key);

  ObjectPtr get(const ObjectKey& key) const;  // null when absent
  // Objects with this index value, ordered by (namespace, name).
  std::vector<ObjectPtr> find(Index index, std::string_view value) const;
  bool has(Index index, std::string_view value) const;       // find would give something
  std::vector<std::string> index_values(Index index) const;  // all values in use, sorted
  std::vector<ObjectPtr> all(Kind kind) const;
  std::size_t size(Kind kind) const;

 private:
  // Puts next (null: nothing) in place of what the slot holds and moves the index entries.
  std::vector<ReadKey> replace(ObjectPtr& slot, ObjectPtr next);

  std::map<ObjectKey, ObjectPtr> objects_;
  std::map<std::pair<Index, std::string>, std::map<ObjectKey, ObjectPtr>, std::less<>> indexes_;
  std::array<std::size_t, kKinds> sizes_{};
};

}  // namespace weir::store
