#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::codec {

// Header names that the proxy itself looks at, so that it compares one byte instead of text.
// kOther: any other name.
enum class FieldId : std::uint8_t {
  kOther,
  kAcceptEncoding,
  kAuthorization,
  kCacheControl,
  kConnection,
  kContentEncoding,
  kContentLength,
  kContentType,
  kCookie,
  kDate,
  kExpect,
  kForwarded,
  kHost,
  kHttp2Settings,
  kKeepAlive,
  kLocation,
  kOrigin,
  kProxy,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kReferer,
  kServer,
  kSetCookie,
  kStrictTransportSecurity,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVia,
  kWwwAuthenticate,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXForwardedScheme,
  kXOriginalForwardedFor,
  kXRealIp,
  kXRequestId,
  kXScheme,
};

// Id of a header name, any case. One hash over length and a few characters, one comparison.
FieldId field_id(std::string_view name);
// The lower-case spelling; empty for kOther.
std::string_view field_name(FieldId id);

struct FieldView {
  std::string_view name;  // as received: case kept
  std::string_view value;
  FieldId id = FieldId::kOther;
};

// The head of a request, a response (also 1xx) or a trailer section: one block of bytes and an
// array of fields in it, original case and order kept. Views stay valid until the head changes
// (set, add) or goes back to its pool. One thread. The same type serves HTTP/1, 2 and 3: method,
// target, scheme and authority are what HTTP/2 calls pseudo-fields.
class Head {
 public:
  void clear();

  // Request. target: origin-form ("/a?b"), "*" for OPTIONS, authority-form for CONNECT; an
  // absolute-form target has been split.
  std::string_view method() const { return view(method_); }
  std::string_view target() const { return view(target_); }
  std::string_view authority() const {
    return view(authority_);
  }  // Host or :authority, as the client wrote it
  std::string_view path() const;   // target without query
  std::string_view query() const;  // without '?'; empty when there is none
  void set_method(std::string_view method) { method_ = store(method); }
  void set_target(std::string_view target) { target_ = store(target); }
  void set_authority(std::string_view authority) { authority_ = store(authority); }
  int version_minor() const { return version_minor_; }  // HTTP/1.x; 1 for HTTP/2
  void set_version_minor(int minor) { version_minor_ = minor; }

  // Response.
  int status() const { return status_; }
  std::string_view reason() const { return view(reason_); }
  void set_status(int status, std::string_view reason = {}) {
    status_ = status;
    reason_ = store(reason);
  }

  // Fields, in order. Removed ones are skipped by each() and find().
  template <typename Visit>
  void each(Visit&& visit) const {
    for (const Field& f : fields_) {
      if (!f.removed) visit(FieldView{view(f.name), view(f.value), f.id});
    }
  }
  std::size_t field_count() const { return live_; }
  std::optional<std::string_view> find(FieldId id) const;  // first of that id; not for kOther
  std::optional<std::string_view> find(std::string_view name) const;  // any case
  std::size_t count(FieldId id) const;
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name,
           std::string_view value);  // replaces the first, removes further ones, else adds
  void remove(FieldId id);
  void remove(std::string_view name);
  // Removes every field for which drop(FieldView) is true.
  template <typename Drop>
  void remove_if(Drop&& drop) {
    for (Field& f : fields_) {
      if (!f.removed && drop(FieldView{view(f.name), view(f.value), f.id})) {
        f.removed = true;
        --live_;
      }
    }
  }
  void copy_from(const Head& other);
  std::size_t bytes() const { return used_; }  // of the block in use
  std::size_t capacity() const { return capacity_; }

  std::size_t field_capacity() const { return fields_.capacity(); }

  // For codecs: takes a whole block of raw head bytes in one copy, and fields as offsets into it.
  // The offsets may be given before the block, as a parser finds them; nothing may be read until
  // the block is there, and nothing stored (set, add) before it. Names and values that are stored
  // must hold no CR, LF or NUL: codecs check what they receive, nobody checks again.
  void assign_block(std::string_view bytes);
  void add_in_block(std::size_t name_at, std::size_t name_size, std::size_t value_at,
                    std::size_t value_size, FieldId id);
  void set_method_in_block(std::size_t at, std::size_t size);
  void set_target_in_block(std::size_t at, std::size_t size);
  void set_authority_in_block(std::size_t at, std::size_t size);
  void set_reason_in_block(std::size_t at, std::size_t size);

 private:
  struct Span {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  struct Field {
    Span name;
    Span value;
    FieldId id = FieldId::kOther;
    bool removed = false;
  };
  std::string_view view(Span span) const { return {block_.get() + span.at, span.size}; }
  // Where a text lies that points into this head's own block.
  std::optional<Span> inside(std::string_view text) const;
  Span store(std::string_view text);  // text may point into this head's own block
  void reserve(std::size_t more);

  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  Span method_;
  Span target_;
  Span authority_;
  Span reason_;
  int status_ = 0;
  int version_minor_ = 1;
  std::size_t live_ = 0;
  std::vector<Field> fields_;
};

class HeadPool;
struct HeadReturn {
  HeadPool* pool = nullptr;
  void operator()(Head* head) const;
};
using HeadPtr = std::unique_ptr<Head, HeadReturn>;

// Heads of one worker, reused with their blocks so that a request allocates nothing. Blocks above
// 16 KiB are not kept.
class HeadPool {
 public:
  ~HeadPool();
  HeadPtr take();  // cleared
  void trim() { std::vector<std::unique_ptr<Head>>().swap(free_); }  // frees those that wait

 private:
  friend struct HeadReturn;
  static constexpr std::size_t kKeep = 256;
  std::vector<std::unique_ptr<Head>> free_;
};

}  // namespace weir::codec
