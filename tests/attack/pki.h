#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/model/resource.h"

struct evp_pkey_st;
struct x509_st;

namespace weir::attack {

// A certificate as a test wants it, right or wrong.
struct Ask {
  std::string common_name = {};
  std::string sans = {};   // as OpenSSL's configuration has them: "DNS:a.test,IP:127.0.0.1"
  std::string usage = {};  // extended: "clientAuth"; empty: none
  bool authority = false;  // CA:TRUE
  int from_days = -1;      // from now
  int until_days = 30;
  bool rsa = false;
};

// A key with a certificate, issued by another one or by itself.
class Identity {
 public:
  explicit Identity(const Ask& ask, const Identity* issuer = nullptr);

  x509_st* x509() const { return x509_.get(); }
  evp_pkey_st* key() const { return key_.get(); }
  const Identity* issuer() const { return issuer_; }  // null: itself; must outlive this one
  std::string der() const;
  std::string pem() const;
  std::string key_pem() const;
  // A revocation list of this authority.
  std::string crl_der(const std::vector<const Identity*>& revoked, int until_days = 30) const;
  std::string crl_pem(const std::vector<const Identity*>& revoked, int until_days = 30) const;

  // As resources for a dataplane: the certificate with these further links, and trust in this one.
  model::ResourcePtr certificate(const std::string& name,
                                 const std::vector<const Identity*>& links = {}) const;
  model::ResourcePtr trust(const std::string& name,
                           const std::vector<std::string>& crls = {}) const;

 private:
  struct KeyFree {
    void operator()(evp_pkey_st* key) const;
  };
  struct X509Free {
    void operator()(x509_st* x509) const;
  };
  void sign(const Ask& ask);

  const Identity* issuer_;
  std::unique_ptr<evp_pkey_st, KeyFree> key_;
  std::unique_ptr<x509_st, X509Free> x509_;
};

}  // namespace weir::attack
