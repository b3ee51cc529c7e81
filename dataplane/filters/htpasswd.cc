#include "dataplane/filters/htpasswd.h"

#include <crypt.h>

#include <algorithm>
#include <memory>

#include "common/base/text.h"
#include "common/crypto/digest.h"

namespace weir::filters {
namespace {

constexpr std::string_view kItoa64 =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kApr1 = "$apr1$";
constexpr std::string_view kSha = "{SHA}";
constexpr std::string_view kSalted = "{SSHA}";
constexpr std::string_view kAccepted = "bcrypt, crypt(3), apr1, {SHA} or {SSHA}";

bool is_des_hash(std::string_view hash) {
  return hash.size() == 13 && hash.find_first_not_of(kItoa64) == std::string_view::npos;
}

bool is_known_hash(std::string_view hash) {
  if (hash.starts_with(kSha) || hash.starts_with(kSalted)) return true;
  // "$id$salt$..." of crypt(3) and apr1.
  const bool modular = hash.size() > 8 && hash[0] == '$' && hash.find('$', 1) < 8;
  return modular || is_des_hash(hash);
}

void append_itoa64(std::string& out, unsigned value, int digits) {
  for (; digits > 0; --digits, value >>= 6) out += kItoa64[value & 63];
}

std::string apr1_text(std::string_view digest) {
  const auto byte = [digest](std::size_t i) { return static_cast<unsigned char>(digest[i]); };
  std::string out;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t last = i == 4 ? 5 : i + 12;
    append_itoa64(out, static_cast<unsigned>(byte(i) << 16 | byte(i + 6) << 8 | byte(last)), 4);
  }
  append_itoa64(out, byte(11), 2);
  return out;
}

// Apache's MD5 scheme: a thousand rounds that mix password, salt and the last digest.
std::string apr1(std::string_view password, std::string_view salt) {
  const std::string pass(password);
  const std::string inner = crypto::md5(pass + std::string(salt) + pass);
  std::string text = pass + std::string(kApr1) + std::string(salt);
  for (std::size_t left = pass.size(); left > 0; left -= std::min<std::size_t>(left, 16)) {
    text += inner.substr(0, std::min<std::size_t>(left, 16));
  }
  for (std::size_t bits = pass.size(); bits > 0; bits >>= 1) {
    text += (bits & 1) != 0 ? '\0' : pass[0];
  }
  std::string digest = crypto::md5(text);
  for (int round = 0; round < 1000; ++round) {
    const bool odd = (round & 1) != 0;
    std::string next = odd ? pass : digest;
    if (round % 3 != 0) next += salt;
    if (round % 7 != 0) next += pass;
    next += odd ? digest : pass;
    digest = crypto::md5(next);
  }
  return std::string(kApr1) + std::string(salt) + "$" + apr1_text(digest);
}

bool verify_apr1(std::string_view hash, std::string_view password) {
  const std::string_view rest = hash.substr(kApr1.size());
  const std::string_view salt = rest.substr(0, std::min<std::size_t>(rest.find('$'), 8));
  return crypto::equals_constant_time(apr1(password, salt), hash);
}

bool verify_sha(std::string_view hash, std::string_view password) {
  const auto want = base::base64_decode(hash.substr(kSha.size()));
  return want && crypto::equals_constant_time(*want, crypto::sha1(password));
}

bool verify_salted(std::string_view hash, std::string_view password) {
  constexpr std::size_t kDigest = 20;
  const auto want = base::base64_decode(hash.substr(kSalted.size()));
  if (!want || want->size() < kDigest) return false;
  const std::string got = crypto::sha1(std::string(password) + want->substr(kDigest));
  return crypto::equals_constant_time(want->substr(0, kDigest), got);
}

bool verify_crypt(std::string_view hash, std::string_view password) {
  if (password.find('\0') != std::string_view::npos) return false;  // crypt would stop there
  const auto data = std::make_unique<crypt_data>();                 // 32 KiB, zeroed
  const std::string want(hash);
  const char* got = crypt_rn(std::string(password).c_str(), want.c_str(), data.get(),
                             static_cast<int>(sizeof *data));
  return got != nullptr && crypto::equals_constant_time(got, want);
}

}  // namespace

base::Result<Htpasswd> Htpasswd::parse(std::string_view text) {
  Htpasswd out;
  std::size_t number = 0;
  for (const std::string_view raw : base::split(text, '\n')) {
    ++number;
    const std::string_view line = base::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    const std::string where = "line " + std::to_string(number);
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) {
      return base::invalid(where + ": is not 'user:hash'");
    }
    std::string_view hash = line.substr(colon + 1);
    hash = hash.substr(0, hash.find(':'));
    if (!is_known_hash(hash)) {
      return base::invalid(where + ": the hash of user '" + std::string(line.substr(0, colon)) +
                           "' is not " + std::string(kAccepted));
    }
    out.entries_.push_back({std::string(line.substr(0, colon)), std::string(hash)});
  }
  if (out.entries_.empty()) return base::invalid("no user: a 'user:hash' line is needed");
  std::stable_sort(out.entries_.begin(), out.entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.user < b.user; });
  return out;
}

const Htpasswd::Entry* Htpasswd::find(std::string_view user) const {
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), user,
      [](const Entry& entry, std::string_view key) { return std::string_view(entry.user) < key; });
  return at != entries_.end() && at->user == user ? &*at : nullptr;
}

bool is_cheap_hash(std::string_view hash) {
  return hash.starts_with(kSha) || hash.starts_with(kSalted);
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (hash.starts_with(kApr1)) return verify_apr1(hash, password);
  if (hash.starts_with(kSha)) return verify_sha(hash, password);
  if (hash.starts_with(kSalted)) return verify_salted(hash, password);
  return verify_crypt(hash, password);
}

}  // namespace weir::filters
