#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/budget.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/h1.h"

namespace weir::codec {

// Both ends of a session without sockets: what it writes is a string, what it reads is a script.

struct Memory {
  base::ProcessBudget process;
  base::WorkerBudget budget{process};
  worker::BufferPool buffers{budget};
  HeadPool heads;
  Limits limits;
  SessionContext context() { return {buffers, heads, limits}; }
};

struct ScriptedWire final : ByteStream {
  std::string out;
  std::size_t backlog = 0;  // what queued() says
  bool reading = true;
  void write(worker::Slice bytes) override { out += bytes.bytes(); }
  void pause_reading() override { reading = false; }
  void resume_reading() override { reading = true; }
  std::size_t queued() const override { return backlog; }
};

inline std::string to_text(BodyLength length) {
  if (length.kind == BodyLength::Kind::kNone) return "none";
  return length.kind == BodyLength::Kind::kKnown ? std::to_string(length.bytes) : "unknown";
}

// A head as one line: start line, authority and "name: value" of each field.
inline std::string to_text(const Head& head) {
  std::string out = head.status() > 0
                        ? std::to_string(head.status()) + " " + std::string(head.reason())
                        : std::string(head.method()) + " " + std::string(head.target()) + " @" +
                              std::string(head.authority());
  head.each([&out](const FieldView& f) {
    out.append(" | ").append(f.name).append(": ").append(f.value);
  });
  return out;
}

// Writes down every event; neighbouring data events are one. `then` hooks let a test answer from
// inside an event.
struct RecordingTarget : MessageTarget {
  std::vector<std::string> events;
  std::string body;
  HeadPtr head;
  std::optional<base::Error> error;
  bool ended = false;
  std::function<void()> then_head;
  std::function<void()> then_data;
  std::function<void()> then_end;

  void on_interim(HeadPtr interim) override { events.push_back("interim " + to_text(*interim)); }
  void on_head(HeadPtr received, BodyLength length) override {
    events.push_back("head " + to_text(*received) + " body=" + to_text(length));
    head = std::move(received);
    if (then_head) then_head();
  }
  void on_data(worker::Slice data) override {
    body += data.bytes();
    if (!events.empty() && events.back().starts_with("data ")) {
      events.back() = "data " + body;
    } else {
      events.push_back("data " + body);
    }
    if (then_data) then_data();
  }
  void on_trailers(HeadPtr trailers) override {
    events.push_back("trailers " + to_text(*trailers));
  }
  void on_end() override {
    events.push_back("end");
    ended = true;
    if (then_end) then_end();
  }
  void on_reset(const base::Error& reason) override {
    events.push_back("reset " + reason.text);
    error = reason;
  }
  void on_writable() override { events.push_back("writable"); }
};

// Takes requests; answers each at its end when `answer` is set, and refusals with an empty body.
struct ScriptedServer final : ServerTarget {
  std::vector<std::unique_ptr<RecordingTarget>> requests;
  MessageStream* stream = nullptr;
  std::vector<int> refused;
  std::string refused_text;
  std::string refused_head;
  int session_ends = 0;
  std::function<void(RecordingTarget&)> prepare;
  bool answer = false;

  RecordingTarget& last() { return *requests.back(); }
  MessageTarget& on_request(MessageStream& opened) override {
    stream = &opened;
    requests.push_back(std::make_unique<RecordingTarget>());
    if (answer) requests.back()->then_end = [this] { reply(200, "ok"); };
    if (prepare) prepare(last());
    return last();
  }
  void on_bad_request(MessageStream& opened, int status, const base::Error& error,
                      const Head* head) override {
    refused.push_back(status);
    refused_text = error.text;
    refused_head = head != nullptr ? to_text(*head) : "";
    stream = &opened;
    reply(status, "");
  }
  void on_session_end() override { ++session_ends; }

  void reply(int status, std::string_view body) {
    Head head;
    head.set_status(status);
    stream->send_head(head, BodyLength::known(body.size()));
    if (body.empty()) return;
    stream->send_data(worker::Slice::borrowed(body));
    stream->send_end();
  }
};

struct ServerRig {
  Memory memory;
  ScriptedWire wire;
  ScriptedServer server;
  std::unique_ptr<ServerSession> session = make_h1_server(memory.context(), wire, server);

  // Every event of every request, one line each, and refusals.
  std::string story() const {
    std::string out;
    for (const auto& request : server.requests) {
      for (const std::string& event : request->events) out += event + "\n";
    }
    for (const int status : server.refused) out += "refused " + std::to_string(status) + "\n";
    return out;
  }
};

struct ScriptedClient final : ClientTarget {
  int streams_over = 0;
  int session_ends = 0;
  void on_stream_over() override { ++streams_over; }
  void on_session_end() override { ++session_ends; }
};

struct ClientRig {
  Memory memory;
  ScriptedWire wire;
  ScriptedClient client;
  RecordingTarget target;
  std::unique_ptr<ClientSession> session = make_h1_client(memory.context(), wire, client);
  MessageStream* stream = nullptr;

  void send(std::string_view method, BodyLength length = BodyLength::none(),
            std::string_view upgrade = "") {
    stream = &session->open(target);
    Head head;
    head.set_method(method);
    head.set_target("/");
    head.set_authority("up");
    if (!upgrade.empty()) head.add("Upgrade", upgrade);
    stream->send_head(head, length);
  }
  std::string story() const {
    std::string out;
    for (const std::string& event : target.events) out += event + "\n";
    return out;
  }
};

}  // namespace weir::codec
