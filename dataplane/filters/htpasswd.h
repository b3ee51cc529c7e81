#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::filters {

// An htpasswd file: "user:hash" a line; blank lines and lines that begin with '#' are ignored, a
// second ':' starts a comment. Hashes: bcrypt and whatever else crypt(3) knows, apr1, {SHA},
// {SSHA}. Plain text is refused. Immutable; any thread.
class Htpasswd {
 public:
  struct Entry {
    std::string user;
    std::string hash;
  };
  //   errors: kInvalid naming the line and the accepted hashes, never the hash.
  static base::Result<Htpasswd> parse(std::string_view text);

  const Entry* find(std::string_view user) const;  // the first line of that user
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // sorted by user, at least one
};

// True when the password gives this hash. Takes from microseconds ({SHA}) to seconds (a high bcrypt
// cost): not for an event loop unless is_cheap_hash(hash). Any thread; compares in constant time.
bool verify_password(std::string_view hash, std::string_view password);
bool is_cheap_hash(std::string_view hash);

}  // namespace weir::filters
