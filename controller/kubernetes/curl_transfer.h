#pragma once

// Private to the curl wrapper: one easy handle and what it has received.

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "controller/kubernetes/curl_multi.h"

namespace weir::kubernetes {

struct CurlConnections::Transfer {
  struct FreeEasy {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  // request moves in; target is borrowed.
  Transfer(std::uint64_t id, HttpRequest request, std::shared_ptr<const TlsSettings> tls,
           HttpTarget& target);
  // Sets all options; false when libcurl refuses one (out of memory).
  bool prepare();
  void deliver();

  std::uint64_t id;
  HttpRequest request;
  std::shared_ptr<const TlsSettings> tls;
  HttpTarget* target;  // null once cancelled
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> header_list;
  std::unique_ptr<curl_slist, FreeList> connect_to;

  int status = 0;
  bool head_complete = false;
  bool head_told = false;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string inbox;  // body bytes that the target has not seen
  std::optional<base::Result<void>> ended;

 private:
  bool prepare_tls();
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
};

// The error of a libcurl result; see HttpTarget::on_end. transfer: borrowed for the call.
base::Error curl_error(CURLcode code, CURL* transfer, std::string_view url);

}  // namespace weir::kubernetes
