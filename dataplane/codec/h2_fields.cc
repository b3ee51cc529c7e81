#include "dataplane/codec/h2_fields.h"

#include <algorithm>
#include <charconv>

#include "common/base/text.h"
#include "dataplane/codec/h1_authority.h"
#include "dataplane/codec/h1_scan.h"
#include "dataplane/codec/h1_start_line.h"
#include "dataplane/codec/hop_by_hop.h"

namespace weir::codec {
namespace {

// How far over the limits a section may go before its connection is ended.
constexpr std::size_t kBombFactor = 8;

bool is_lower_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_token_char(c) && !(c >= 'A' && c <= 'Z');
  });
}

std::uint8_t* bytes_of(std::string_view text) {
  // nghttp2 takes pointers to mutable bytes and only reads them.
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

}  // namespace

void H2FieldReader::start(Kind kind, const SessionContext& context) {
  context_ = &context;
  head_ = context.heads.take();
  kind_ = kind;
  fields_ = bytes_ = 0;
  malformed_ = over_fields_ = over_bytes_ = over_target_ = false;
  has_authority_ = is_https_ = bad_scheme_ = false;
  cookie_.clear();
  protocol_.clear();
}

bool H2FieldReader::is_bomb() const {
  return fields_ > context_->limits.fields * kBombFactor ||
         bytes_ > context_->limits.head_bytes * kBombFactor;
}

bool H2FieldReader::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kH2EntryCost;
  const bool is_pseudo = name.starts_with(':');
  if (!is_pseudo) ++fields_;
  over_bytes_ = over_bytes_ || bytes_ > context_->limits.head_bytes;
  over_fields_ = over_fields_ || fields_ > context_->limits.fields;
  if (find_control(value) != value.size()) malformed_ = true;
  if (!is_pseudo && !is_lower_token(name)) malformed_ = true;
  if (malformed_) return false;
  if (is_pseudo) return malformed_ = !add_pseudo(name, value), !malformed_;
  if (over_bytes_ || over_fields_) return true;
  if (field_id(name) == FieldId::kCookie) {
    if (!cookie_.empty()) cookie_ += "; ";
    cookie_ += value;
    return true;
  }
  head_->add(name, value);
  return true;
}

// Which of them belong to the message, and each of them once, is nghttp2's to check.
bool H2FieldReader::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    if (!is_token(value)) return false;
    head_->set_method(value);
  } else if (name == ":path") {
    over_target_ = value.size() > context_->limits.target_bytes;
    if (over_target_ || over_bytes_) return true;
    if (!std::all_of(value.begin(), value.end(), is_target_char)) return false;
    head_->set_target(value);
  } else if (name == ":authority") {
    if (value.find_first_of(" \t") != std::string_view::npos) return false;
    has_authority_ = true;
    if (!over_bytes_) head_->set_authority(value);
  } else if (name == ":scheme") {
    is_https_ = same_name(value, "https");
    bad_scheme_ = !is_https_ && !same_name(value, "http");
  } else if (name == ":protocol") {
    protocol_ = value.substr(0, kLongestMethod + 1);
  } else if (name == ":status") {
    // Three digits: nghttp2 has seen to it.
    const auto status = base::parse_uint(value);
    if (!status || *status < 100 || *status > 999) return false;
    head_->set_status(static_cast<int>(*status));
  }
  return true;
}

Refusal H2FieldReader::finish() {
  if (!cookie_.empty()) head_->add("cookie", cookie_);
  if (kind_ == Kind::kTrailers) {
    head_->remove_if([](const FieldView& f) { return is_forbidden_trailer(f); });
    if (over_bytes_ || over_fields_) return {431, "trailers: more than the limit"};
    return {};
  }
  if (kind_ == Kind::kRequest) return finish_request();
  if (over_bytes_) return {502, "response: the field section is over the limit"};
  if (over_fields_) return {502, "response: more fields than the limit"};
  return {};
}

Refusal H2FieldReader::finish_request() {
  if (over_target_) return {414, "request: \":path\" is over the limit"};
  if (over_bytes_) return {431, "request: the field section is over the limit"};
  if (over_fields_) return {431, "request: more fields than the limit"};
  if (head_->method().size() > kLongestMethod) {
    return {400, "request: \":method\" is no token of at most 32 bytes"};
  }
  if (head_->method() == "CONNECT") {
    if (protocol_.empty()) return {501, "request: CONNECT is not supported"};
    if (!same_name(protocol_, "websocket")) {
      return {501, "request: of extended CONNECT only \":protocol: websocket\" is supported"};
    }
  }
  if (bad_scheme_) return {400, "request: \":scheme\" is neither http nor https"};
  if (const Refusal refusal = judge_authority()) return refusal;
  return judge_target();
}

Refusal H2FieldReader::judge_target() const {
  const std::string_view target = head_->target();
  if (target.starts_with('/')) return {};
  if (target == "*" && head_->method() == "OPTIONS") return {};
  return {400, "request: \":path\" does not begin with a slash"};
}

// One authority: ":authority", Host, or both alike (RFC 9113 section 8.3.1).
Refusal H2FieldReader::judge_authority() {
  const std::size_t hosts = head_->count(FieldId::kHost);
  if (hosts > 1) return {400, "request: more than one Host"};
  if (has_authority_ && !is_valid_authority(head_->authority())) {
    return {400, "request: \":authority\" is not host or host:port"};
  }
  if (hosts == 0) {
    return has_authority_ ? Refusal{} : Refusal{400, "request: neither \":authority\" nor Host"};
  }
  const std::string_view host = *head_->find(FieldId::kHost);
  if (!is_valid_authority(host)) return {400, "request: Host is not host or host:port"};
  if (has_authority_ && !same_authority(host, head_->authority(), is_https_)) {
    return {400, "request: Host differs from \":authority\""};
  }
  head_->set_authority(host);
  head_->remove(FieldId::kHost);
  return {};
}

HeadPtr H2FieldReader::take() { return std::move(head_); }

void H2FieldList::clear() {
  fields_.clear();
  names_.clear();
  digits_.clear();
}

void H2FieldList::add_literal(std::string_view name, std::string_view value) {
  fields_.push_back(nghttp2_nv{bytes_of(name), bytes_of(value), name.size(), value.size(), 0});
}

void H2FieldList::add_status(int status) {
  digits_.reserve(32);
  const std::size_t at = digits_.size();
  digits_ += std::to_string(status);
  add_literal(":status", std::string_view(digits_).substr(at));
}

void H2FieldList::add_length(std::uint64_t bytes) {
  digits_.reserve(32);
  const std::size_t at = digits_.size();
  digits_ += std::to_string(bytes);
  add_literal("content-length", std::string_view(digits_).substr(at));
}

std::string_view H2FieldList::lowered(std::string_view name) {
  const std::size_t at = names_.size();
  for (const char c : name) names_ += lower(c);
  return std::string_view(names_).substr(at);
}

void H2FieldList::add(const FieldView& field) {
  const std::string_view known = field_name(field.id);
  add_literal(known.empty() ? lowered(field.name) : known, field.value);
}

void H2FieldList::add_fields(const Head& head) {
  std::size_t room = names_.size();
  head.each([&room](const FieldView& f) { room += f.name.size(); });
  names_.reserve(room);
  head.each([this](const FieldView& f) {
    if (!is_connection_level(f.id)) add(f);
  });
}

void H2FieldList::add_trailers(const Head& trailers) {
  std::size_t room = names_.size();
  trailers.each([&room](const FieldView& f) { room += f.name.size(); });
  names_.reserve(room);
  trailers.each([this](const FieldView& f) {
    if (!is_forbidden_trailer(f)) add(f);
  });
}

H2FieldList& h2_scratch_fields() {
  thread_local H2FieldList list;
  list.clear();
  return list;
}

std::optional<std::uint64_t> h2_content_length(const Head& head) {
  const auto field = head.find(FieldId::kContentLength);
  if (!field) return std::nullopt;
  return base::parse_uint(*field);
}

}  // namespace weir::codec
