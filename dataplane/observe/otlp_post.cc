#include "dataplane/observe/otlp_post.h"

#include <curl/curl.h>

#include "common/base/check.h"

namespace weir::observe {
namespace {

constexpr long kConnectMillis = 2'000;
constexpr long kWholeMillis = 5'000;

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

bool may_be_tried_again(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

struct OtlpPost::Handle {
  CURL* curl = curl_easy_init();
  curl_slist* fields = curl_slist_append(nullptr, "Content-Type: application/x-protobuf");
  Handle() {
    WEIR_CHECK(curl != nullptr);
    // The collector decides about a body at once; without this curl waits a second for 100.
    fields = curl_slist_append(fields, "Expect:");
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
  }
};

OtlpPost::OtlpPost() : handle_(std::make_unique<Handle>()) {}
OtlpPost::~OtlpPost() = default;

OtlpPost::Outcome OtlpPost::post(const std::string& url, const std::string& body) {
  CURL* const curl = handle_->curl;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle_->fields);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kWholeMillis);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    problem_ = curl_easy_strerror(code);
    return Outcome::kLater;
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return Outcome::kTaken;
  problem_ = "status " + std::to_string(status);
  return may_be_tried_again(status) ? Outcome::kLater : Outcome::kRefused;
}

}  // namespace weir::observe
