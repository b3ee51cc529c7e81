#include "common/base/text.h"
#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// Core v1 Secret. No error text ever repeats a value. A key pair is parsed here, once per change of
// the Secret, so that the many hosts that choose a certificate only look at the outcome.

namespace weir::store {
namespace {

constexpr const char* kCertificateKey = "tls.crt";
constexpr const char* kPrivateKey = "tls.key";
constexpr const char* kAuthorities = "ca.crt";
constexpr const char* kRevoked = "ca.crl";

base::Error secret_error(const FieldAt& at, std::string_view accepted) {
  return base::invalid(at.key.to_string() + ": " + at.field + ": the value is not " +
                       std::string(accepted));
}

base::Result<void> read_data(const FieldAt& at, bool encoded,
                             std::map<std::string, std::string>& out) {
  if (!at.json.is_null() && !at.json.is_object())
    return secret_error(at, "an object of key and value");
  for (const auto& [name, value] : at.json.members()) {
    const FieldAt here = at.child(name);
    if (value.is_null()) {
      out[name].clear();
      continue;
    }
    if (!value.is_string()) return secret_error(here, "a string");
    if (!encoded) {
      out[name] = value.as_string();
      continue;
    }
    // YAML block scalars leave line ends in and around base64 text.
    std::string text = value.as_string();
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    auto decoded = base::base64_decode(text);
    if (!decoded) return secret_error(here, "base64 text");
    out[name] = std::move(*decoded);
  }
  return {};
}

// Keeps the parsed pair and drops the texts: nobody reads them again.
void take_key_pair(Secret& secret) {
  const auto certificate = secret.data.find(kCertificateKey);
  const auto key = secret.data.find(kPrivateKey);
  if (certificate == secret.data.end() || key == secret.data.end()) return;
  secret.key_pair.emplace(crypto::parse_key_pair(certificate->second, key->second));
  crypto::wipe(key->second);
  secret.data.erase(certificate);
  secret.data.erase(key);
}

// Likewise. An empty ca.crt is as none; cert-manager writes one while it waits.
void take_trust(Secret& secret) {
  const auto authorities = secret.data.find(kAuthorities);
  if (authorities == secret.data.end() || authorities->second.empty()) return;
  const auto revoked = secret.data.find(kRevoked);
  const bool has_lists = revoked != secret.data.end();
  std::optional<std::string_view> lists;
  if (has_lists) lists = revoked->second;
  secret.trust.emplace(crypto::parse_trust_bundle(authorities->second, lists));
  secret.data.erase(authorities);
  if (has_lists) secret.data.erase(revoked);
}

}  // namespace

base::Result<ObjectPtr> parse_secret(const base::Json& item) {
  auto out = std::make_shared<Secret>();
  if (auto read = read_metadata(item, Kind::kSecret, *out); !read.ok())
    return std::move(read).error();
  const FieldAt top{out->key, item, ""};
  if (auto read = read_string(top.child("type"), out->type); !read.ok())
    return std::move(read).error();
  if (auto read = read_data(top.child("data"), true, out->data); !read.ok())
    return std::move(read).error();
  // The API server merges stringData away; in a folder it is still there and wins.
  if (auto read = read_data(top.child("stringData"), false, out->data); !read.ok())
    return std::move(read).error();
  take_key_pair(*out);
  take_trust(*out);
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
