#include "controller/kubernetes/exec_plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/fd.h"
#include "common/base/text.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::size_t kMostOutput = 1024 * 1024;
constexpr std::string_view kGroup = "client.authentication.k8s.io/";

// NAME=VALUE lines: ours, then the plugin's own, then what the protocol adds; later ones win.
std::vector<std::string> environment_of(const ExecPlugin& plugin) {
  Json spec = Json::object();
  spec.set("interactive", false);
  if (!plugin.cluster.is_null()) spec.set("cluster", plugin.cluster);
  Json request = Json::object();
  request.set("apiVersion", plugin.api_version);
  request.set("kind", "ExecCredential");
  request.set("spec", std::move(spec));
  auto added = plugin.env;
  added.emplace_back("KUBERNETES_EXEC_INFO", request.to_string());
  std::vector<std::string> out;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text = *one;
    const std::string_view name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : added) replaced = replaced || key == name;
    if (!replaced) out.emplace_back(text);
  }
  for (const auto& [key, value] : added) {
    std::string line = key;
    line += '=';
    line += value;
    out.push_back(std::move(line));
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// A child in a process group of its own. Invariant: it has been reaped when the object is gone.
class Child {
 public:
  // 0, or errno. output: its standard output.
  int start(const ExecPlugin& plugin, const base::UniqueFd& output) {
    std::vector<std::string> words{plugin.command};
    words.insert(words.end(), plugin.args.begin(), plugin.args.end());
    std::vector<std::string> environment = environment_of(plugin);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output.get(), 1);
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&how, &none);
    const int error = ::posix_spawnp(&pid_, plugin.command.c_str(), &files, &how,
                                     pointers(words).data(), pointers(environment).data());
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) pid_ = -1;
    return error;
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    wait();
  }
  // The status of waitpid().
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

base::Error failed(const ExecPlugin& plugin, base::ErrorKind kind, const std::string& what) {
  return {kind, base::Origin::kConfig, false, plugin.where + ": " + plugin.command + ": " + what};
}

// All that it prints until it closes its output.
base::Result<std::string> read_all(const ExecPlugin& plugin, int fd,
                                   std::chrono::steady_clock::time_point end) {
  std::string out;
  std::array<char, 16'384> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                          end - std::chrono::steady_clock::now())
                          .count();
    pollfd ready{fd, POLLIN, 0};
    const int got = left <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed(plugin, base::ErrorKind::kTimeout, "gave no credential in time");
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(size));
    if (out.size() > kMostOutput)
      return failed(plugin, base::ErrorKind::kInvalid, "printed more than 1 MiB");
  }
}

base::Result<ExecCredential> read_credential(const ExecPlugin& plugin, const std::string& text) {
  const auto bad = [&plugin](const std::string& what) {
    return failed(plugin, base::ErrorKind::kInvalid, what);
  };
  const auto json = Json::parse(text);
  if (!json.ok()) return bad("printed no JSON: " + json.error().text);
  if (json.value()["kind"].as_string() != "ExecCredential")
    return bad("printed kind '" + json.value()["kind"].as_string() + "', accepted: ExecCredential");
  if (json.value()["apiVersion"].as_string() != plugin.api_version)
    return bad("printed apiVersion '" + json.value()["apiVersion"].as_string() + "', asked for '" +
               plugin.api_version + "'");
  const Json& status = json.value()["status"];
  ExecCredential out;
  out.token = status["token"].as_string();
  out.client_cert_pem = status["clientCertificateData"].as_string();
  out.client_key_pem = status["clientKeyData"].as_string();
  if (out.client_cert_pem.empty() != out.client_key_pem.empty())
    return bad("status.clientCertificateData and status.clientKeyData belong together");
  if (out.token.empty() && out.client_cert_pem.empty())
    return bad("status has neither token nor clientCertificateData");
  if (out.token.find_first_of("\r\n") != std::string::npos)
    return bad("status.token has a line end");
  if (const std::string& expires = status["expirationTimestamp"].as_string(); !expires.empty()) {
    out.expires = base::parse_rfc3339(expires);
    if (!out.expires)
      return bad("status.expirationTimestamp '" + expires + "': accepted: RFC 3339");
  }
  return out;
}

}  // namespace

base::Result<ExecPlugin> read_exec_plugin(const Json& exec, const std::string& where,
                                          const std::string& folder) {
  const auto wrong = [&where](const std::string& what) { return base::invalid(where + what); };
  ExecPlugin out;
  out.where = where;
  out.command = exec["command"].as_string();
  if (out.command.empty()) return wrong(".command is empty");
  if (out.command.find('/') != std::string::npos && out.command.front() != '/')
    out.command.insert(0, folder.empty() ? "./" : folder);
  out.api_version = exec["apiVersion"].as_string();
  if (out.api_version != std::string(kGroup) + "v1" &&
      out.api_version != std::string(kGroup) + "v1beta1")
    return wrong(".apiVersion '" + out.api_version +
                 "': accepted: client.authentication.k8s.io/v1 or v1beta1");
  const std::string& mode = exec["interactiveMode"].as_string();
  if (mode == "Always")
    return wrong(
        ".interactiveMode Always: this program never hands its terminal to a plugin; accepted: "
        "Never or IfAvailable");
  if (!mode.empty() && mode != "Never" && mode != "IfAvailable")
    return wrong(".interactiveMode '" + mode + "': accepted: Never or IfAvailable");
  for (const Json& arg : exec["args"].items()) out.args.push_back(arg.as_string());
  for (const Json& one : exec["env"].items())
    out.env.emplace_back(one["name"].as_string(), one["value"].as_string());
  out.install_hint = exec["installHint"].as_string();
  return out;
}

base::Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin,
                                             std::chrono::milliseconds patience) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::system_error("pipe", errno);
  const base::UniqueFd read_end(ends[0]);
  base::UniqueFd write_end(ends[1]);
  Child child;
  if (const int error = child.start(plugin, write_end); error != 0) {
    const std::string hint = plugin.install_hint.empty() ? "" : "\n" + plugin.install_hint;
    return failed(plugin, base::ErrorKind::kSystem, std::strerror(error) + hint);
  }
  write_end = base::UniqueFd();
  auto text = read_all(plugin, read_end.get(), std::chrono::steady_clock::now() + patience);
  if (!text.ok()) return std::move(text).error();
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return failed(plugin, base::ErrorKind::kInvalid,
                  WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                    : "ended by a signal");
  return read_credential(plugin, text.value());
}

}  // namespace weir::kubernetes
