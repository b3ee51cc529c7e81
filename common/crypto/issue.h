#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/crypto/certificate.h"

namespace weir::crypto {

// Certificates of an authority of our own, for processes that only trust each other. Any thread.

// A fresh P-256 key and a self-signed certificate that may sign leaves, and nothing else; valid
// from an hour before now for `days`. name: its common name, which must differ from that of every
// other authority that is trusted with it.
PemPair make_authority(const std::string& name, std::int64_t now_seconds, int days);

// A fresh P-256 key and a certificate for this DNS name, signed by authority; good for servers and
// clients, valid from an hour before now for `life`.
//   errors: kInvalid: the authority's PEM cannot be read, or its key is not that of the
//   certificate. No text repeats what is secret.
base::Result<PemPair> issue_certificate(const PemPair& authority, const std::string& name,
                                        std::int64_t now_seconds, std::chrono::seconds life);

}  // namespace weir::crypto
