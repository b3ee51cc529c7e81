#pragma once

// What the publish tests share: a real store, engine and Ingress translator fed with JSON objects,
// and a dataplane that follows a script on a real Unix socket.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "common/base/log.h"
#include "common/wire/messages.h"
#include "controller/ingress/translator.h"
#include "controller/publish/session.h"

namespace weir::publish {

inline base::Json ingress_json(const std::string& name, const std::string& host,
                               const std::string& service) {
  auto json = base::Json::parse(
      R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"namespace":"shop","name":")" +
      name + R"(","resourceVersion":")" +
      std::to_string(std::hash<std::string>{}(name + host + service)) +
      R"("},"spec":{"ingressClassName":"weir","rules":[{"host":")" + host +
      R"(","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":")" +
      service + R"(","port":{"number":80}}}}]}}]}})");
  return json.value();
}

inline base::Json class_json() {
  return base::Json::
      parse(R"({"kind":"IngressClass","metadata":{"name":"weir","resourceVersion":"1"},"spec":{"controller":"weir.ingress/controller"}})")
          .value();
}

inline ingress::Config test_config() {
  ingress::Config config;
  config.http_binds = {model::Bind{"127.0.0.1", 8080}};
  config.allow_loopback_endpoints = true;
  return config;
}

// The controller's side without a source: objects go in by hand.
class World {
 public:
  World() : translator_(test_config()), engine_(store_, {&translator_}) {
    engine_.mark_all_dirty();
    put(store::Kind::kIngressClass, class_json());
  }
  translate::Engine::Changes put(store::Kind kind, const base::Json& json) {
    engine_.touch(store_.put(store::row(kind).parse(json).value()));
    return run();
  }
  translate::Engine::Changes remove(store::Kind kind, const std::string& name) {
    engine_.touch(store_.remove(store::ObjectKey{kind, "shop", name}));
    return run();
  }
  const translate::Engine& engine() const { return engine_; }

 private:
  translate::Engine::Changes run() {
    translate::Engine::Changes changes;
    while (engine_.dirty())
      engine_.run(base::system_clock(), base::system_clock().now() + std::chrono::seconds(1),
                  changes);
    return changes;
  }
  store::Store store_;
  ingress::IngressTranslator translator_;
  translate::Engine engine_;
};

// The dataplane's end of the socket, driven by the test: accepts, says what it is told to say, and
// keeps the frames it got.
class ScriptedDataplane {
 public:
  ScriptedDataplane() {
    folder_ = std::filesystem::temp_directory_path() /
              ("weir-publish-" + std::to_string(::getpid()) + "-" + std::to_string(++count()));
    std::filesystem::create_directories(folder_);
    listener_ = base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    WEIR_CHECK(
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    WEIR_CHECK(::listen(listener_.get(), 4) == 0);
  }
  ~ScriptedDataplane() { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "control.sock").string(); }
  // True when a controller has dialled since the last call.
  bool accept() {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return false;
    peer_ = std::move(fd);
    reader_ = {};
    frames.clear();
    return true;
  }
  void hang_up() { peer_.reset(); }
  void hello(const wire::Hello& message) { send(wire::to_frame(wire::FrameType::kHello, message)); }
  void send(const wire::Frame& frame) {
    std::string out;
    WEIR_CHECK(wire::append_frame(frame, out).ok());
    send_bytes(out);
  }
  void send_bytes(const std::string& bytes) {
    WEIR_CHECK(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size()));
  }
  void ack(std::uint64_t version) {
    wire::Ack message;
    message.version = version;
    send(wire::to_frame(wire::FrameType::kAck, message));
  }
  // Reads what has come. False when the controller has closed.
  bool receive() {
    char buffer[65536];
    for (ssize_t got; (got = ::recv(peer_.get(), buffer, sizeof buffer, 0)) >= 0;) {
      if (got == 0) return false;
      reader_.add(std::string_view(buffer, static_cast<std::size_t>(got)));
    }
    for (;;) {
      auto frame = reader_.next();
      WEIR_CHECK(frame.ok());
      if (!frame.value().has_value()) return true;
      frames.push_back(std::move(*frame.value()));
    }
  }
  // "begin upsert:listener http … remove:route … commit" of the frames so far.
  std::string summary() const {
    std::string out;
    for (const wire::Frame& frame : frames) {
      if (!out.empty()) out += " ";
      if (frame.type == wire::FrameType::kBegin) out += "begin";
      if (frame.type == wire::FrameType::kCommit) out += "commit";
      if (frame.type == wire::FrameType::kKeysWanted) out += "keys-wanted";
      if (frame.type == wire::FrameType::kUpsert) {
        const auto message = wire::from_frame<wire::Upsert>(frame).value();
        out += "+" + model::ResourceKey{message.type, message.name}.to_string();
      }
      if (frame.type == wire::FrameType::kRemove) {
        const auto message = wire::from_frame<wire::Remove>(frame).value();
        out += "-" + model::ResourceKey{message.type, message.name}.to_string();
      }
    }
    return out;
  }
  bool has(wire::FrameType type) const {
    return std::any_of(frames.begin(), frames.end(),
                       [type](const wire::Frame& frame) { return frame.type == type; });
  }
  std::uint64_t version() const {
    for (const wire::Frame& frame : frames) {
      if (frame.type == wire::FrameType::kBegin)
        return wire::from_frame<wire::Begin>(frame).value().version;
    }
    return 0;
  }

  std::vector<wire::Frame> frames;

 private:
  static int& count() {
    static int value = 0;
    return value;
  }
  std::filesystem::path folder_;
  base::UniqueFd listener_;
  base::UniqueFd peer_;
  wire::FrameReader reader_;
};

}  // namespace weir::publish
