#include "dataplane/supervisor/supervisor.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "common/base/ip.h"
#include "dataplane/supervisor/channel.h"

// The program plays three parts: the tests, the supervisor ("--supervise CONTROL PORT SILENCE_MS"),
// and a small worker process ("--worker PORT") that answers each connection with its pid and obeys
// the first byte it is sent.

namespace weir::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_asked{false};

// First bytes: 'p' answers the pid; 'c' crashes; 'h' hangs without a sign of life; 'u' asks for a
// bind that is in use and answers the error; 'k' answers whether a control socket came; 'r' gives
// the bind up.
void obey(Channel& channel, int client, const std::string& port) {
  char command = 0;
  if (recv(client, &command, 1, 0) != 1) return;
  std::string answer = std::to_string(getpid());
  if (command == 'c') raise(SIGSEGV);
  while (command == 'h') pause();
  if (command == 'u') {
    const int taken = socket(AF_INET, SOCK_STREAM, 0);
    const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
    sockaddr_in name{};
    socklen_t size = sizeof name;
    if (bind(taken, any.data(), any.size()) != 0 || listen(taken, 1) != 0) return;
    getsockname(taken, reinterpret_cast<sockaddr*>(&name), &size);
    answer = channel.listen({"127.0.0.1", ntohs(name.sin_port)}, 1).error().text;
  }
  if (command == 'k') {
    const auto control = channel.control_socket();
    answer = control.ok() && control.value().valid() ? "control" : "none";
  }
  if (command == 'r') {
    const auto bind_port = static_cast<std::uint16_t>(std::stoi(port));
    answer = channel.unlisten({"127.0.0.1", bind_port}).ok() ? "unlistened" : "refused";
  }
  send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
}

int run_worker_stub(const std::string& port) {
  signal(SIGTERM, [](int) { stop_asked = true; });
  signal(SIGABRT, SIG_DFL);
  Channel channel(base::UniqueFd(std::stoi(getenv("WEIR_SUPERVISOR_FD"))));
  auto sockets = channel.listen({"127.0.0.1", static_cast<std::uint16_t>(std::stoi(port))}, 2);
  if (!sockets.ok()) return 3;
  pollfd waits[2] = {{sockets.value()[0].get(), POLLIN, 0}, {sockets.value()[1].get(), POLLIN, 0}};
  while (!stop_asked) {
    channel.alive();
    if (poll(waits, 2, 50) <= 0) continue;
    for (const pollfd& wait : waits) {
      if ((wait.revents & POLLIN) == 0) continue;
      const base::UniqueFd client(accept4(wait.fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (client.valid()) obey(channel, client.get(), port);
    }
  }
  return 7;
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    // A port that was free a moment ago.
    const base::UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
    EXPECT_EQ(bind(probe.get(), any.data(), any.size()), 0);
    sockaddr_in name{};
    socklen_t size = sizeof name;
    getsockname(probe.get(), reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    control_ = testing::TempDir() + "weir_control_" + std::to_string(getpid());
  }
  ~SupervisorTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      wait_end();
    }
  }

  void start(milliseconds silence = seconds(5)) {
    const std::string port = std::to_string(port_);
    const std::string millis = std::to_string(silence.count());
    std::string program = "/proc/self/exe";
    std::string part = "--supervise";
    char* arguments[] = {program.data(),
                         part.data(),
                         control_.data(),
                         const_cast<char*>(port.c_str()),
                         const_cast<char*>(millis.c_str()),
                         nullptr};
    ASSERT_EQ(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, environ), 0);
    for (int i = 0; i < 500 && ask('p').empty(); ++i) std::this_thread::sleep_for(milliseconds(10));
  }
  // The supervisor's exit code; bounded.
  int wait_end() {
    int status = 0;
    for (int i = 0; i < 1000; ++i) {
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return -1;
  }

  base::UniqueFd dial(bool& refused) const {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval bound{8, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    const auto to = base::SocketAddress::parse("127.0.0.1", port_).value();
    refused = connect(fd.get(), to.data(), to.size()) != 0;
    return fd;
  }
  // Sends a command; the whole answer, empty when there is none.
  std::string ask(char command) const {
    bool refused = false;
    const base::UniqueFd fd = dial(refused);
    if (refused || send(fd.get(), &command, 1, MSG_NOSIGNAL) != 1) return "";
    std::string out;
    char buffer[256];
    for (ssize_t got = 1; (got = recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }

  std::uint16_t port_ = 0;
  std::string control_;
  pid_t pid_ = -1;
};

TEST_F(SupervisorTest, ACrashedWorkerIsStartedAgainAndNobodyIsRefused) {
  start();
  const std::string first = ask('p');
  ASSERT_FALSE(first.empty());
  std::atomic<bool> over{false};
  std::atomic<int> connects{0};
  std::atomic<int> refusals{0};
  std::atomic<int> answers{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] {
      while (!over) {
        bool refused = false;
        const base::UniqueFd fd = dial(refused);
        ++connects;
        if (refused) {
          ++refusals;
          continue;
        }
        char buffer[32];
        if (send(fd.get(), "p", 1, MSG_NOSIGNAL) == 1 &&
            recv(fd.get(), buffer, sizeof buffer, 0) > 0) {
          ++answers;
        }
      }
    });
  }
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(ask('c'), "");
  const auto crashed = Clock::now();
  const std::string second = ask('p');
  const auto back = Clock::now() - crashed;
  std::this_thread::sleep_for(milliseconds(100));
  over = true;
  for (std::thread& client : clients) client.join();
  EXPECT_FALSE(second.empty());
  EXPECT_NE(first, second);
  EXPECT_EQ(refusals, 0) << "of " << connects;
  EXPECT_GT(answers, 10);
  EXPECT_LT(back, milliseconds(1'000)) << "200 ms on a quiet machine";
  RecordProperty(
      "back_us",
      static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(back).count()));
  EXPECT_LE(connects - answers, 6) << "only what the crashed process had in its hands";
}

TEST_F(SupervisorTest, ASilentWorkerIsAbortedAndReplaced) {
  start(milliseconds(600));
  const std::string first = ask('p');
  const auto start_time = Clock::now();
  EXPECT_EQ(ask('h'), "");  // ends when the process is killed
  const auto took = Clock::now() - start_time;
  EXPECT_GE(took, milliseconds(400));
  EXPECT_LT(took, seconds(5));
  const std::string second = ask('p');
  EXPECT_FALSE(second.empty());
  EXPECT_NE(first, second);
}

TEST_F(SupervisorTest, SigtermIsPassedOnAndTheWorkersExitCodeIsOurs) {
  start();
  EXPECT_EQ(access(control_.c_str(), F_OK), 0);
  kill(pid_, SIGTERM);
  EXPECT_EQ(wait_end(), 7);
  EXPECT_NE(access(control_.c_str(), F_OK), 0) << "the socket file goes";
}

TEST_F(SupervisorTest, TheWorkerIsToldWhyABindIsRefused) {
  start();
  const std::string answer = ask('u');
  EXPECT_TRUE(answer.starts_with("listen 127.0.0.1:")) << answer;
  EXPECT_TRUE(answer.ends_with(": Address already in use")) << answer;
}

TEST_F(SupervisorTest, TheControlSocketOutlivesACrash) {
  start();
  EXPECT_EQ(ask('k'), "control");
  ask('c');
  EXPECT_EQ(ask('k'), "control");
  const base::UniqueFd dialed(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control_.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(connect(dialed.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

TEST_F(SupervisorTest, AnUnlistenedBindIsClosedOnceTheWorkerLetsGo) {
  start();
  EXPECT_EQ(ask('r'), "unlistened");
  EXPECT_FALSE(ask('p').empty()) << "the worker still holds its sockets";
}

TEST_F(SupervisorTest, AControlSocketInUseEndsAtOnce) {
  start();
  const pid_t first = pid_;
  const std::string port = std::to_string(port_);
  std::string program = "/proc/self/exe";
  std::string part = "--supervise";
  std::string millis = "5000";
  char* arguments[] = {program.data(),  part.data(),
                       control_.data(), const_cast<char*>(port.c_str()),
                       millis.data(),   nullptr};
  ASSERT_EQ(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  EXPECT_EQ(wait_end(), 1);
  pid_ = first;
}

}  // namespace

int play_a_part(int count, char** words) {
  const std::string part = count > 1 ? words[1] : "";
  if (part == "--worker" && count == 3) return run_worker_stub(words[2]);
  if (part != "--supervise" || count != 5) return -1;
  SupervisorOptions options;
  options.worker_command = {"/proc/self/exe", "--worker", words[3]};
  options.control_socket = words[2];
  options.longest_silence = milliseconds(std::stoi(words[4]));
  return run_supervisor(options);
}

}  // namespace weir::supervisor

int main(int count, char** words) {
  if (const int code = weir::supervisor::play_a_part(count, words); code >= 0) return code;
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
