#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/crypto/certificate.h"

namespace weir::e2e {

// Objects of the namespace "shop".

struct Path {
  std::string path = "/";
  std::string type = "Prefix";
  std::string service = "a";
  std::string port = "80";  // a number or a name
};

struct Rule {
  std::string host;  // empty: every host
  std::vector<Path> paths = {Path{}};
};

struct IngressSpec {
  std::string name = "main";
  std::string class_name = "weir";  // empty: none
  std::map<std::string, std::string> annotations = {};
  std::vector<Rule> rules = {};
  std::string secret = {};
  std::vector<std::string> tls_hosts = {};
  std::string default_service = {};
};

base::Json ingress(const IngressSpec& spec);
// One host, "/" to one Service.
base::Json simple_ingress(const std::string& name, const std::string& host,
                          const std::string& service);
base::Json ingress_class(const std::string& name, const std::string& controller,
                         bool is_default = false);
// Port 80, named "http".
base::Json service(const std::string& name);
// Port 8080 of these addresses, for that Service.
base::Json slice(const std::string& name, const std::string& service,
                 const std::vector<std::string>& addresses);
base::Json config_map(const std::string& name, const std::map<std::string, std::string>& data);
base::Json tls_secret(const std::string& name, const crypto::PemPair& pair);

crypto::PemPair make_certificate(const std::string& host);
std::string fingerprint_of(const crypto::PemPair& pair);

}  // namespace weir::e2e
