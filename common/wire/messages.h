#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"
#include "common/base/result.h"
#include "common/model/resource.h"
#include "common/wire/frame.h"

namespace weir::wire {

using base::field;

inline constexpr std::uint32_t kProtocolVersion = 1;

// A feature that this dataplane implements: every policy with this stem and a revision up to this
// one.
struct FeatureRevision {
  std::string stem;
  std::uint32_t revision = 0;
  bool operator==(const FeatureRevision&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("stem", &FeatureRevision::stem), field("revision", &FeatureRevision::revision));
  }
};

// Digest over all resources of one type: see Digest below.
struct TypeDigest {
  model::ResourceType type = model::ResourceType::kSettings;
  std::string digest;
  bool operator==(const TypeDigest&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("type", &TypeDigest::type), field("digest", &TypeDigest::digest));
  }
};

struct Hello {
  std::uint32_t protocol = kProtocolVersion;
  std::string
      instance;  // random per worker process: tells a restarted dataplane from a reconnected one
  std::uint64_t applied = 0;  // version of the last transaction applied, 0: none
  std::vector<FeatureRevision> features;
  std::vector<TypeDigest> digests;  // one per type
  bool operator==(const Hello&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("protocol", &Hello::protocol), field("instance", &Hello::instance),
              field("applied", &Hello::applied), field("features", &Hello::features),
              field("digests", &Hello::digests));
  }
};

struct KeysWanted {
  std::vector<model::ResourceType> types;
  bool operator==(const KeysWanted&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("types", &KeysWanted::types)); }
};

struct KeyHash {
  std::string name;
  std::string hash;
  bool operator==(const KeyHash&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &KeyHash::name), field("hash", &KeyHash::hash));
  }
};

struct Keys {
  model::ResourceType type = model::ResourceType::kSettings;
  std::vector<KeyHash> keys;
  bool last = false;  // no further frame for this type
  bool operator==(const Keys&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("type", &Keys::type), field("keys", &Keys::keys), field("last", &Keys::last));
  }
};

// Versions rise by at least 1 from one transaction to the next of a controller process.
struct Begin {
  std::uint64_t version = 0;
  bool full = false;  // the dataplane drops every resource that this transaction does not name
  bool operator==(const Begin&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("version", &Begin::version), field("full", &Begin::full));
  }
};

struct Upsert {  // the resource's JSON is blob 0, its blobs follow
  model::ResourceType type = model::ResourceType::kSettings;
  std::string name;
  std::string hash;
  bool operator==(const Upsert&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("type", &Upsert::type), field("name", &Upsert::name),
              field("hash", &Upsert::hash));
  }
};

struct Remove {
  model::ResourceType type = model::ResourceType::kSettings;
  std::string name;
  bool operator==(const Remove&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("type", &Remove::type), field("name", &Remove::name));
  }
};

struct Commit {
  std::uint64_t version = 0;
  std::uint32_t upserts = 0;  // counts guard against a cut transaction
  std::uint32_t removals = 0;
  bool operator==(const Commit&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("version", &Commit::version), field("upserts", &Commit::upserts),
              field("removals", &Commit::removals));
  }
};

struct Reason {
  model::ResourceType type = model::ResourceType::kSettings;
  std::string name;
  std::string text;
  bool operator==(const Reason&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("type", &Reason::type), field("name", &Reason::name),
              field("text", &Reason::text));
  }
};

// Applied: every worker serves this version. degraded: resources that were applied but answer 503
// (a policy that this dataplane does not know, a certificate that it could not parse).
struct Ack {
  std::uint64_t version = 0;
  std::vector<Reason> degraded;
  bool operator==(const Ack&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("version", &Ack::version), field("degraded", &Ack::degraded));
  }
};

// Nothing applied. The controller drops the named resources and sends the rest again at once.
struct Nack {
  std::uint64_t version = 0;
  std::vector<Reason> reasons;
  bool operator==(const Nack&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("version", &Nack::version), field("reasons", &Nack::reasons));
  }
};

// Typed message <-> frame.
template <typename Message>
Frame to_frame(FrameType type, const Message& message) {
  return Frame{type, base::encode(message).to_string(), {}};
}

//   errors: kInvalid naming the field; kProtocol when the JSON does not parse.
template <typename Message>
base::Result<Message> from_frame(const Frame& frame) {
  auto json = base::Json::parse(frame.json);
  if (!json.ok()) {
    base::Error error = std::move(json).error();
    error.kind = base::ErrorKind::kProtocol;
    return error;
  }
  return base::decode<Message>(json.value());
}

// The hello of any version: types that are not known here are left out of its digests.
//   errors: as from_frame.
base::Result<Hello> read_hello(Frame frame);

Frame upsert_frame(const model::Resource& resource);
//   errors: kInvalid when blob 0 is missing or the hash does not match the content.
base::Result<model::ResourcePtr> read_upsert(Frame frame);

// Order-independent digest over (key, hash) pairs of one type, kept up to date in O(1) per change:
// the XOR of SHA-256(key, hash), cut to 16 bytes. Equal on both sides exactly when both hold the
// same resources (up to hash collisions).
class Digest {
 public:
  void add(std::string_view name, std::string_view hash) { toggle(name, hash); }
  void remove(std::string_view name, std::string_view hash) { toggle(name, hash); }
  std::string to_string() const;  // 32 hex digits

 private:
  void toggle(std::string_view name, std::string_view hash);
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace weir::wire
