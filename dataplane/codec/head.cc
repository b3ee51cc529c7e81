#include "dataplane/codec/head.h"

#include <algorithm>
#include <cstring>

#include "common/base/check.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

constexpr std::size_t kSmallestBlock = 1024;
constexpr std::size_t kRoomForMore = 512;  // what filters usually add to a received head
constexpr std::size_t kLargestKeptBlock = 16 * 1024;
constexpr std::size_t kMostKeptFields = 256;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Head::clear() {
  used_ = 0;
  method_ = target_ = authority_ = reason_ = Span{};
  status_ = 0;
  version_minor_ = 1;
  live_ = 0;
  fields_.clear();
}

std::string_view Head::path() const {
  const std::string_view whole = target();
  return whole.substr(0, whole.find('?'));
}

std::string_view Head::query() const {
  const std::string_view whole = target();
  const std::size_t mark = whole.find('?');
  return mark == std::string_view::npos ? std::string_view() : whole.substr(mark + 1);
}

std::optional<std::string_view> Head::find(FieldId id) const {
  if (id == FieldId::kOther) return std::nullopt;
  for (const Field& f : fields_) {
    if (f.id == id && !f.removed) return view(f.value);
  }
  return std::nullopt;
}

std::optional<std::string_view> Head::find(std::string_view name) const {
  const FieldId id = field_id(name);
  if (id != FieldId::kOther) return find(id);
  for (const Field& f : fields_) {
    if (!f.removed && f.id == FieldId::kOther && same_ignoring_case(view(f.name), name)) {
      return view(f.value);
    }
  }
  return std::nullopt;
}

std::size_t Head::count(FieldId id) const {
  std::size_t found = 0;
  for (const Field& f : fields_) found += f.id == id && !f.removed ? 1 : 0;
  return found;
}

void Head::add(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  // Both are located before either is stored, since storing may move the block under the other.
  std::optional<Span> name_span = inside(name);
  std::optional<Span> value_span = inside(value);
  if (!name_span) name_span = store(name);
  if (!value_span) value_span = store(value);
  fields_.push_back(Field{*name_span, *value_span, id, false});
  ++live_;
}

void Head::set(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  Field* first = nullptr;
  for (Field& f : fields_) {
    if (f.removed || f.id != id) continue;
    if (id == FieldId::kOther && !same_ignoring_case(view(f.name), name)) continue;
    if (first == nullptr) {
      first = &f;
    } else {
      f.removed = true;
      --live_;
    }
  }
  if (first != nullptr) {
    first->value = store(value);
  } else {
    add(name, value);
  }
}

void Head::remove(FieldId id) {
  remove_if([id](const FieldView& f) { return f.id == id && id != FieldId::kOther; });
}

void Head::remove(std::string_view name) {
  const FieldId id = field_id(name);
  remove_if([id, name](const FieldView& f) {
    return f.id == id && (id != FieldId::kOther || same_ignoring_case(f.name, name));
  });
}

void Head::copy_from(const Head& other) {
  WEIR_CHECK(&other != this);
  clear();
  reserve(other.used_);
  if (other.used_ > 0) std::memcpy(block_.get(), other.block_.get(), other.used_);
  used_ = other.used_;
  method_ = other.method_;
  target_ = other.target_;
  authority_ = other.authority_;
  reason_ = other.reason_;
  status_ = other.status_;
  version_minor_ = other.version_minor_;
  live_ = other.live_;
  fields_.assign(other.fields_.begin(), other.fields_.end());
}

void Head::assign_block(std::string_view bytes) {
  WEIR_CHECK(used_ == 0);
  reserve(bytes.size());
  if (!bytes.empty()) std::memcpy(block_.get(), bytes.data(), bytes.size());
  used_ = bytes.size();
}

void Head::add_in_block(std::size_t name_at, std::size_t name_size, std::size_t value_at,
                        std::size_t value_size, FieldId id) {
  fields_.push_back(
      Field{Span{static_cast<std::uint32_t>(name_at), static_cast<std::uint32_t>(name_size)},
            Span{static_cast<std::uint32_t>(value_at), static_cast<std::uint32_t>(value_size)}, id,
            false});
  ++live_;
}

void Head::set_method_in_block(std::size_t at, std::size_t size) {
  method_ = Span{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

void Head::set_target_in_block(std::size_t at, std::size_t size) {
  target_ = Span{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

void Head::set_authority_in_block(std::size_t at, std::size_t size) {
  authority_ = Span{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

void Head::set_reason_in_block(std::size_t at, std::size_t size) {
  reason_ = Span{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

std::optional<Head::Span> Head::inside(std::string_view text) const {
  if (block_ == nullptr || text.data() < block_.get() || text.data() >= block_.get() + used_) {
    return std::nullopt;
  }
  return Span{static_cast<std::uint32_t>(text.data() - block_.get()),
              static_cast<std::uint32_t>(text.size())};
}

Head::Span Head::store(std::string_view text) {
  if (text.empty()) return {};
  if (const auto span = inside(text)) return *span;
  reserve(text.size());
  std::memcpy(block_.get() + used_, text.data(), text.size());
  const Span span{static_cast<std::uint32_t>(used_), static_cast<std::uint32_t>(text.size())};
  used_ += text.size();
  return span;
}

void Head::reserve(std::size_t more) {
  if (used_ + more <= capacity_ && block_ != nullptr) return;
  const std::size_t wanted =
      std::max({kSmallestBlock, used_ + more + kRoomForMore, capacity_ + capacity_ / 2});
  auto block = std::make_unique_for_overwrite<char[]>(wanted);
  if (used_ > 0) std::memcpy(block.get(), block_.get(), used_);
  block_ = std::move(block);
  capacity_ = wanted;
}

HeadPool::~HeadPool() = default;

HeadPtr HeadPool::take() {
  if (free_.empty()) return HeadPtr(new Head(), HeadReturn{this});
  Head* head = free_.back().release();
  free_.pop_back();
  return HeadPtr(head, HeadReturn{this});
}

void HeadReturn::operator()(Head* head) const {
  std::unique_ptr<Head> owned(head);
  if (pool == nullptr || head->capacity() > kLargestKeptBlock ||
      head->field_capacity() > kMostKeptFields || pool->free_.size() >= HeadPool::kKeep) {
    return;
  }
  head->clear();
  pool->free_.push_back(std::move(owned));
}

}  // namespace weir::codec
