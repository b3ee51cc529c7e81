#include "common/features/basic_auth.h"

#include <algorithm>

#include "common/base/text.h"
#include "controller/annotations/reader.h"

// User and password from a Secret. Everything that cannot be honoured closes the path: a broken
// lock must not stand open. No report repeats what a Secret holds.

namespace weir::annotations {
namespace {

constexpr const char* kFileKey = "auth";

struct SecretName {
  std::string ns;
  std::string name;
};

// "[namespace/]name"; empty on another form.
std::optional<SecretName> parse_secret_name(std::string_view text, const std::string& own_ns) {
  const auto parts = base::split(text, '/');
  if (parts.size() == 1 && !parts[0].empty()) return SecretName{own_ns, std::string(parts[0])};
  if (parts.size() == 2 && !parts[0].empty() && !parts[1].empty())
    return SecretName{std::string(parts[0]), std::string(parts[1])};
  return std::nullopt;
}

bool is_user_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < line.size();
}

// The lines "user:hash" of an htpasswd file. bad counts lines of another form; comments and empty
// lines are neither.
std::string users_of_file(std::string_view text, std::size_t& bad) {
  std::string out;
  for (std::string_view line : base::split(text, '\n')) {
    line = base::trim(line);
    if (line.empty() || line.front() == '#') continue;
    if (!is_user_line(line)) {
      ++bad;
      continue;
    }
    out.append(line).push_back('\n');
  }
  return out;
}

// auth-map: every key is a user, its value the hash.
std::string users_of_map(const std::map<std::string, std::string>& data, std::size_t& bad) {
  std::string out;
  for (const auto& [user, hash] : data) {
    const std::string line = user + ":" + std::string(base::trim(hash));
    if (!is_user_line(line) || line.find_first_of("\r\n") != std::string::npos) {
      ++bad;
      continue;
    }
    out.append(line).push_back('\n');
  }
  return out;
}

std::shared_ptr<const store::Secret> read_secret(const FeatureInput& input, const Found& type,
                                                 FeatureOutput& out) {
  const auto found = find(input, "auth-secret");
  if (!found) {
    deny(input, type, "needs auth-secret, \"[namespace/]name\" of a Secret", out);
    return nullptr;
  }
  const std::string& ns = input.ingress.key.ns;
  const auto name = parse_secret_name(found->value, ns);
  if (!name) {
    deny(input, *found, "must be \"[namespace/]name\" of a Secret", out);
    return nullptr;
  }
  if (name->ns != ns) {
    deny(input, *found, "must be a Secret of namespace " + ns, out);
    return nullptr;
  }
  auto secret = input.view.get<store::Secret>(store::Kind::kSecret, name->ns, name->name);
  if (secret == nullptr) deny(input, *found, "there is no Secret of that name", out);
  return secret;
}

std::string read_users(const FeatureInput& input, const Found& type, FeatureOutput& out) {
  const auto form = find(input, "auth-secret-type");
  const bool map = form && form->value == "auth-map";
  if (form && !map && form->value != "auth-file") {
    deny(input, *form, "must be auth-file or auth-map", out);
    return {};
  }
  const auto secret = read_secret(input, type, out);
  if (secret == nullptr) return {};
  const Found about = *find(input, "auth-secret");
  std::size_t bad = 0;
  std::string users;
  if (map) {
    users = users_of_map(secret->data, bad);
  } else {
    const auto file = secret->data.find(kFileKey);
    if (file == secret->data.end()) {
      deny(input, about, "the Secret must have a key \"auth\" with an htpasswd file", out);
      return {};
    }
    users = users_of_file(file->second, bad);
  }
  if (users.empty()) {
    deny(input, about, "the Secret must hold at least one user as \"user:hash\"", out);
  } else if (bad > 0) {
    out.reports.push_back(annotation_report(
        input, "SecretPartlyInvalid", about,
        std::to_string(bad) + " entries of the Secret are not \"user:hash\" and let nobody in"));
  }
  return users;
}

std::string read_realm(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "auth-realm");
  if (!found) return {};
  const auto is_odd = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\';
  };
  if (std::none_of(found->value.begin(), found->value.end(), is_odd)) return found->value;
  out.reports.push_back(annotation_report(
      input, kInvalidReason, *found,
      "must be text without quotes, backslashes and control bytes; an empty realm is used"));
  return {};
}

void translate_basic_auth(const FeatureInput& input, FeatureOutput& out) {
  const auto type = find(input, "auth-type");
  if (!type) {
    const auto secret = find(input, "auth-secret");
    if (secret) {
      out.reports.push_back(annotation_report(
          input, "AnnotationIncomplete", *secret,
          "has no effect without auth-type: basic; these paths ask for no password"));
    }
    return;
  }
  if (type->value == "digest") {
    deny(input, *type, "digest is not supported; use basic", out);
    return;
  }
  if (type->value != "basic") {
    deny(input, *type, "must be basic", out);
    return;
  }
  std::string users = read_users(input, *type, out);
  if (!out.deny_reason.empty()) return;
  features::BasicAuth settings;
  settings.realm = read_realm(input, out);
  out.policies.push_back(make_policy_of(settings, {std::move(users)}));
}

}  // namespace

extern const Feature kBasicAuth;
const Feature kBasicAuth = {
    features::BasicAuth::kStem,
    {{.key = "auth-type",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "basic",
      .help = "Asks for a user and a password."},
     {.key = "auth-secret",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "[namespace/]name of a Secret in the Ingress's namespace",
      .help = "Where the users stand. A missing or broken Secret closes the path."},
     {.key = "auth-secret-type",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "auth-file or auth-map (auth-file)",
      .help = "auth-file: an htpasswd file under the key auth; auth-map: one key per user."},
     {.key = "auth-realm",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "text without quotes, backslashes and control bytes",
      .help = "The realm that a browser shows."}},
    translate_basic_auth};

}  // namespace weir::annotations
