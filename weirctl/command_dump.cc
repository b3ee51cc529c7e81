#include <cstdio>

#include "weirctl/command.h"
#include "weirctl/unix_socket.h"

namespace weir::weirctl {
namespace {

class DumpCommand final : public Command {
 public:
  void add_flags(base::Flags& flags) override {
    flags.add("dump-socket", dump_socket_, "dump socket of the live dataplane")
        .offers({base::Flags::kFile});
  }
  int run() override {
    const auto dump = fetch_dump(dump_socket_);
    if (!dump.ok()) return complain(dump.error().text);
    std::puts(dump.value().to_pretty_string().c_str());
    return 0;
  }

 private:
  std::string dump_socket_ = kDumpSocket;
};

}  // namespace

std::unique_ptr<Command> make_dump(const Invocation&) { return std::make_unique<DumpCommand>(); }

}  // namespace weir::weirctl
