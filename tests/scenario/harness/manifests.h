#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/crypto/certificate.h"

namespace weir::scenario {

struct PathSpec {
  std::string path = "/";
  std::string type = "Prefix";
  std::string service = "a";
  std::string port = "80";  // a number or a name
};

struct RuleSpec {
  std::string host;  // empty: every host
  std::vector<PathSpec> paths = {PathSpec{}};
};

struct IngressSpec {
  std::string name = "main";
  std::vector<RuleSpec> rules = {};
  std::map<std::string, std::string> annotations = {};  // without the prefix
  std::string secret = {};                              // tls
  std::vector<std::string> tls_hosts = {};
  std::string default_service = {};
  std::string class_name = "weir";
  std::string created = {};  // RFC 3339
};

std::string ingress(const IngressSpec& spec);
// host and "/" to one service.
std::string simple_ingress(const std::string& name, const std::string& host,
                           const std::string& service);
std::string ingress_class();
// A Service with port 80, named "http", and a slice for each backend's port on 127.0.0.1.
std::string service(const std::string& name, const std::vector<std::uint16_t>& backends);
// type: kubernetes.io/tls
std::string tls_secret(const std::string& name, const crypto::PemPair& pair);
std::string opaque_secret(const std::string& name, const std::map<std::string, std::string>& data);

// A certificate for these names, made now.
crypto::PemPair make_certificate(const std::vector<std::string>& names);
// Its SHA-256, as Client::certificate() gives it.
std::string fingerprint_of(const crypto::PemPair& pair);

}  // namespace weir::scenario
