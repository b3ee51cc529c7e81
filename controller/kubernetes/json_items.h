#pragma once

#include <string>
#include <string_view>

#include "common/base/json.h"
#include "common/base/unique_function.h"

namespace weir::kubernetes {

// The largest object that is taken; the API server's own limit is about 1.5 MiB.
inline constexpr std::size_t kMaxItemBytes = 4 * 1024 * 1024;

// Follows the nesting of JSON text byte by byte, strings and escapes included. Checks nothing: the
// pieces that it helps to cut are parsed afterwards.
class JsonNesting {
 public:
  void feed(char c);
  int depth() const { return depth_; }
  bool in_string() const { return in_string_; }

 private:
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

// Cuts the body of a LIST answer into its items while it streams in: never holds more than one item
// and the list's own fields. The order of the fields does not matter. One thread.
class ListCutter {
 public:
  using OnItem = base::UniqueFunction<void(base::Json)>;
  explicit ListCutter(OnItem on_item) : on_item_(std::move(on_item)) {}

  //   errors: kProtocol: an item that is no JSON or longer than kMaxItemBytes, bytes after the end.
  //   After
  //           an error feed no more.
  base::Result<void> feed(std::string_view bytes);
  // The list without its items: metadata.resourceVersion, metadata.continue,
  // metadata.remainingItemCount.
  //   errors: kProtocol when the text ended early or is no JSON object.
  base::Result<base::Json> finish();

 private:
  enum class Place { kOutside, kItems, kItem };
  base::Result<void> feed_byte(char c);
  base::Result<void> outside(char c);
  base::Result<void> between_items(char c);
  base::Result<void> end_item();

  OnItem on_item_;
  JsonNesting nesting_;
  Place place_ = Place::kOutside;
  std::string rest_;         // the text with an empty "items"
  std::size_t key_at_ = 0;   // where the newest string at depth 1 starts in rest_
  bool items_next_ = false;  // the key "items" and its colon were the last tokens
  bool done_ = false;
  std::string item_;
};

// Cuts a WATCH stream into its events: one JSON object after the other. One thread.
class EventCutter {
 public:
  using OnEvent = base::UniqueFunction<void(base::Json)>;
  explicit EventCutter(OnEvent on_event) : on_event_(std::move(on_event)) {}
  //   errors: as ListCutter::feed.
  base::Result<void> feed(std::string_view bytes);
  bool at_boundary() const { return event_.empty(); }

 private:
  OnEvent on_event_;
  JsonNesting nesting_;
  std::string event_;
};

}  // namespace weir::kubernetes
