#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/kubernetes/api_client.h"
#include "controller/store/store.h"

namespace weir::peers {

// Keeps one field of a Secret that replicas share: writes what it should hold where it holds
// something else. Every replica, this one too, takes it from the Secret when its watch brings it,
// so a writer that dies in between leaves nothing half done.
//
// Who may write says the caller; that two write at once is excluded by the version that goes along
// with each write: one of them gets a conflict and looks again. A refusal is told once in the log,
// and tried again every half minute. One loop thread.
class SecretWriter {
 public:
  struct Place {
    std::string ns;
    std::string name;
    std::string field;
    std::string what;  // for the log: "session ticket keys"
  };
  // What the field should hold, given what it holds (empty: nothing) and the time in seconds since
  // the epoch; none: it may stay. Asked once a second.
  using Due = base::UniqueFunction<std::optional<std::string>(const std::string&, std::int64_t)>;
  // client, store: borrowed. store: holds the Secret, if it is there.
  SecretWriter(kubernetes::ApiClient& client, Place place, const store::Store& store, Due due,
               base::UniqueFunction<bool()> may_write);

 private:
  void look();
  void write(const store::Secret& secret, const std::string& text);
  void written(const base::Result<kubernetes::ApiResponse>& answer);
  void refused(const std::string& reason);

  kubernetes::ApiClient& client_;
  const Place place_;
  const store::Store& store_;
  Due due_;
  base::UniqueFunction<bool()> may_write_;
  loop::Timer timer_;
  std::unique_ptr<kubernetes::ApiCall> call_;
  std::string told_;  // why the last write failed, already in the log
};

}  // namespace weir::peers
