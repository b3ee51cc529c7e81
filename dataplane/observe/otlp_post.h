#pragma once

#include <memory>
#include <string>

namespace weir::observe {

// Posts to a collector, over one kept connection; blocks, at most 5 s. One thread.
class OtlpPost {
 public:
  enum class Outcome { kTaken, kLater, kRefused };
  OtlpPost();
  ~OtlpPost();
  OtlpPost(const OtlpPost&) = delete;
  OtlpPost& operator=(const OtlpPost&) = delete;

  // kLater: no answer, or 429, 502, 503, 504 (OTLP's retryable ones); kRefused: any other status
  // than 2xx. problem: of the last one that was not taken.
  Outcome post(const std::string& url, const std::string& body);
  const std::string& problem() const { return problem_; }

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::string problem_;
};

}  // namespace weir::observe
