#include "dataplane/exchange/error_page.h"

#include <array>
#include <charconv>
#include <cstring>

namespace weir::exchange {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};
constexpr std::array<Phrase, 25> kPhrases{{{200, "OK"},
                                           {301, "Moved Permanently"},
                                           {302, "Found"},
                                           {303, "See Other"},
                                           {307, "Temporary Redirect"},
                                           {308, "Permanent Redirect"},
                                           {400, "Bad Request"},
                                           {401, "Unauthorized"},
                                           {403, "Forbidden"},
                                           {404, "Not Found"},
                                           {405, "Method Not Allowed"},
                                           {408, "Request Timeout"},
                                           {410, "Gone"},
                                           {413, "Content Too Large"},
                                           {414, "URI Too Long"},
                                           {421, "Misdirected Request"},
                                           {429, "Too Many Requests"},
                                           {431, "Request Header Fields Too Large"},
                                           {500, "Internal Server Error"},
                                           {501, "Not Implemented"},
                                           {502, "Bad Gateway"},
                                           {503, "Service Unavailable"},
                                           {504, "Gateway Timeout"},
                                           {505, "HTTP Version Not Supported"},
                                           {511, "Network Authentication Required"}}};

bool takes_html(const codec::Head* request) {
  if (request == nullptr) return false;
  const auto accept = request->find("Accept");
  return accept && accept->find("text/html") != std::string_view::npos;
}

}  // namespace

std::string_view status_phrase(int status) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "Error";
}

worker::Slice make_page(worker::BufferPool& pool, int status, const codec::Head* request,
                        codec::Head& response) {
  std::array<char, 8> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  const std::string_view number(digits.data(), static_cast<std::size_t>(end - digits.data()));
  const std::string_view phrase = status_phrase(status);
  const bool html = takes_html(request);
  response.set("Content-Type", html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");

  std::array<char, 512> page{};
  std::size_t used = 0;
  const auto put = [&page, &used](std::string_view text) {
    std::memcpy(page.data() + used, text.data(), text.size());
    used += text.size();
  };
  const auto put_line = [&put, number, phrase] {
    put(number);
    put(" ");
    put(phrase);
  };
  if (!html) {
    put_line();
    put("\n");
    return pool.copy({page.data(), used});
  }
  put("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
  put_line();
  put("</title></head>\n<body><h1>");
  put_line();
  put("</h1></body></html>\n");
  return pool.copy({page.data(), used});
}

}  // namespace weir::exchange
