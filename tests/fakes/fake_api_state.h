#pragma once

// Private to the fake API server.

#include <httplib.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "tests/fakes/fake_api_server.h"

namespace weir::fakes {

// The path and query of a request, taken apart.
struct FakeTarget {
  FakeKind kind;
  std::string ns, name;
  bool status = false;
  bool collection() const { return name.empty(); }
};

struct FakeApiServer::State {
  mutable std::mutex mutex;  // guards everything below but server and thread
  std::condition_variable changed;
  FakeApiStore store;
  std::vector<FakeKind> kinds;
  FakeFaults faults;
  std::vector<std::string> requests;
  std::map<std::string, std::vector<base::Json>> continues;  // what is left of a list, by token
  int next_token = 1;
  unsigned close_round = 0;  // watches of an older round end
  unsigned cut_round = 0;
  std::size_t open_watches = 0;
  bool stopping = false;

  int port = 0;
  int listen_fd = -1;  // owned by server
  std::unique_ptr<httplib::Server> server;
  std::thread thread;

  void start();
  void stop();
  const FakeKind* kind_named(std::string_view kind) const;
  void handle(const httplib::Request& request, httplib::Response& response);
  std::optional<FakeTarget> target_of(const std::string& path) const;
  std::optional<FakeAnswer> refuse(const httplib::Request& request, const FakeTarget* target) const;
  FakeAnswer read_or_write(const httplib::Request& request, const FakeTarget& target);
  FakeAnswer create(const FakeTarget& target, base::Json object);
  FakeAnswer list(const httplib::Request& request, const FakeTarget& target);
  void watch(const httplib::Request& request, httplib::Response& response,
             const FakeTarget& target);
};

// Handler of one watch (fake_api_watch.cc).
void send_answer(const FakeAnswer& answer, httplib::Response& response);
std::string selected_name(const httplib::Request& request);

}  // namespace weir::fakes
