#include "common/wire/messages.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::wire {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string eight_bytes(std::uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

}  // namespace

base::Result<Hello> read_hello(Frame frame) {
  auto parsed = base::Json::parse(frame.json);
  if (parsed.ok() && parsed.value()["digests"].is_array()) {
    const auto known = enum_names(model::ResourceType{});
    base::Json digests = base::Json::array();
    for (const base::Json& one : parsed.value()["digests"].items()) {
      // What is absent is the default: the first type.
      const std::string& type = one["type"].as_string();
      if (type.empty() || std::find(known.begin(), known.end(), type) != known.end())
        digests.push(one);
    }
    base::Json json = std::move(parsed).value();
    json.set("digests", std::move(digests));
    frame.json = json.to_string();
  }
  return from_frame<Hello>(frame);
}

Frame upsert_frame(const model::Resource& resource) {
  Frame frame =
      to_frame(FrameType::kUpsert, Upsert{resource.key.type, resource.key.name, resource.hash});
  frame.blobs.reserve(resource.blobs.size() + 1);
  frame.blobs.push_back(resource.json);
  frame.blobs.insert(frame.blobs.end(), resource.blobs.begin(), resource.blobs.end());
  return frame;
}

base::Result<model::ResourcePtr> read_upsert(Frame frame) {
  auto upsert = from_frame<Upsert>(frame);
  if (!upsert.ok()) return std::move(upsert).error().within("upsert");
  model::Resource resource;
  resource.key = {upsert.value().type, std::move(upsert.value().name)};
  const std::string place = "upsert of " + resource.key.to_string();
  if (resource.key.name.empty()) return base::invalid(place + ": name is empty");
  if (frame.blobs.empty()) return base::invalid(place + ": blob 0, the resource, is missing");
  resource.json = std::move(frame.blobs.front());
  resource.blobs.assign(std::make_move_iterator(frame.blobs.begin() + 1),
                        std::make_move_iterator(frame.blobs.end()));
  resource.hash = model::resource_hash(resource.key, resource.json, resource.blobs);
  if (resource.hash != upsert.value().hash) {
    return base::invalid(place + ": hash '" + upsert.value().hash +
                         "' does not match the content, which has " + resource.hash);
  }
  return std::make_shared<const model::Resource>(std::move(resource));
}

void Digest::toggle(std::string_view name, std::string_view hash) {
  // The length in front keeps ("ab", "c") and ("a", "bc") apart.
  crypto::Sha256 digest;
  digest.add(std::to_string(name.size()) + ":");
  digest.add(name);
  digest.add(hash);
  const std::string sum = digest.finish();
  high_ ^= big_endian(sum);
  low_ ^= big_endian(std::string_view(sum).substr(8));
}

std::string Digest::to_string() const { return base::hex(eight_bytes(high_) + eight_bytes(low_)); }

}  // namespace weir::wire
