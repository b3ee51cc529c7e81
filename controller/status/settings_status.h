#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/kubernetes/api_client.h"
#include "controller/publish/pipeline.h"

namespace weir::status {

// What the conditions of a WeirSettings object that counts say.
struct SettingsState {
  std::vector<translate::Report> reports;  // of the object
  bool programmed = false;                 // what came of this generation is live
  std::string refused;                     // by the dataplane, why; empty: it is not
};

// Accepted and Programmed for this generation. now: RFC 3339; of a condition whose status stands
// there already its time is kept. Pure.
std::vector<store::Condition> settings_conditions(const store::WeirSettings& object,
                                                  const SettingsState& state,
                                                  const std::string& now);

// Keeps the conditions of the WeirSettings object that counts. Level-triggered: it looks when it is
// told that something moved, and once a second while the object exists; a write happens only when
// what stands there says something else. What is not programmed yet gets a second before its
// conditions say so, because most changes are live at once. Once programmed, a generation stays so
// unless the dataplane refuses it.
//
// One loop thread. At most one patch runs.
class SettingsStatus {
 public:
  // What it asks; called on the loop's thread.
  struct Questions {
    base::UniqueFunction<bool()> leads;
    base::UniqueFunction<bool(const store::Object& object)> is_programmed;
    base::UniqueFunction<std::string(const store::Object& object)> refused;  // SettingsState's
  };

  // loop, client: borrowed for the object's life.
  SettingsStatus(loop::Loop& loop, kubernetes::ApiClient& client, Questions questions);

  // pipeline: borrowed for the object's life.
  void start(const publish::Pipeline& pipeline) { pipeline_ = &pipeline; }
  void look() { settle(false); }

 private:
  void settle(bool late);
  const store::WeirSettings* served() const;
  SettingsState state_of(const store::WeirSettings& object);
  void write(const store::WeirSettings& object, const std::vector<store::Condition>& conditions);
  void on_written(const store::ObjectKey& key, const base::Result<kubernetes::ApiResponse>& answer);

  loop::Loop& loop_;
  kubernetes::ApiClient& client_;
  Questions questions_;
  const publish::Pipeline* pipeline_ = nullptr;
  std::unique_ptr<kubernetes::ApiCall> call_;
  bool running_ = false;
  std::string written_;  // resourceVersion that the last write was made for
  std::string told_;     // the last failure in the log
  loop::Timer again_;
};

}  // namespace weir::status
