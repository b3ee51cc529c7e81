#include "common/process/stack_log.h"

#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/process/signal_text.h"

// What runs in a signal handler here uses only system calls, lock-free atomics, memory that was
// there before, and backtrace(), whose library log_stacks_at_death() has loaded.

namespace weir::process {
namespace {

constexpr std::size_t kMostModules = 64;
constexpr int kMostFrames = 64;
constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::int64_t kPatience = kNanos / 5;  // for the threads, before the watchdog's SIGKILL
constexpr std::array<int, 5> kCrashes{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};

struct Module {
  std::array<char, 48> name{};
  std::uintptr_t base = 0, begin = 0, end = 0;
};

struct Slot {
  std::array<char, 24> name{};
  std::atomic<bool> taken{false};
  std::atomic<pid_t> thread{0};      // 0: it has not begun
  std::atomic<std::int64_t> due{0};  // monotonic, ns; 0: nothing is
  std::atomic<bool> shown{false};
};

std::array<Slot, WatchedThread::kMost> slots;
std::array<Module, kMostModules> modules;  // of the program and its libraries; constant once set
std::size_t module_count = 0;
std::array<char, 32> component_name{};
std::array<char, 2 * 20 + 1> build_id{};
std::atomic<bool> dying{false};

int show_signal() { return SIGRTMIN + 5; }

pid_t own_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

std::int64_t nanos(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNanos + now.tv_nsec;
}

template <std::size_t N>
void copy_text(std::string_view text, std::array<char, N>& out) {
  out[text.copy(out.data(), N - 1)] = '\0';
}

// --- the modules ---

void take_build_id(std::uintptr_t notes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto padded = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
  for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(notes + at);
    const std::size_t content = at + sizeof *note + padded(note->n_namesz);
    if (note->n_type == NT_GNU_BUILD_ID && content + note->n_descsz <= size) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(notes + content);
      for (std::size_t i = 0; i < std::min<std::size_t>(note->n_descsz, 20); ++i) {
        build_id[2 * i] = kDigits[bytes[i] >> 4];
        build_id[2 * i + 1] = kDigits[bytes[i] & 15];
      }
      return;
    }
    at = content + padded(note->n_descsz);
  }
}

// The program comes first, without a name.
int take_module(dl_phdr_info* info, std::size_t, void*) {
  if (module_count == kMostModules) return 1;
  Module& out = modules[module_count];
  out.base = info->dlpi_addr;
  out.begin = ~std::uintptr_t{0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_NOTE && module_count == 0) take_build_id(begin, part.p_memsz);
    if (part.p_type != PT_LOAD) continue;
    out.begin = std::min(out.begin, begin);
    out.end = std::max(out.end, begin + part.p_memsz);
  }
  std::array<char, 512> path{};
  std::string_view name(info->dlpi_name);
  if (module_count == 0) {
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
    name = {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  copy_text(name.substr(name.rfind('/') + 1), out.name);
  ++module_count;
  return 0;
}

// --- in a signal handler ---

std::uintptr_t interrupted_at(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#else
  (void)machine;
  return 0;
#endif
}

void add_frame(SignalText& line, std::uintptr_t address) {
  for (std::size_t i = 0; i < module_count; ++i) {
    const Module& module = modules[i];
    if (address < module.begin || address >= module.end) continue;
    line.add(module.name.data()).add("+").add_hex(address - module.base);
    return;
  }
  line.add_hex(address);
}

// From where the signal came in. A caller's frame is its return address: the byte before belongs
// to the call.
void add_frames(SignalText& line, const void* context) {
  std::array<void*, kMostFrames> frames{};
  const int count = backtrace(frames.data(), kMostFrames);
  const std::uintptr_t top = interrupted_at(context);
  int first = 0;
  while (first < count && reinterpret_cast<std::uintptr_t>(frames[first]) != top) ++first;
  add_frame(line, top);
  for (int i = first == count ? 0 : first + 1; i < count; ++i) {
    line.add(" ");
    add_frame(line, reinterpret_cast<std::uintptr_t>(frames[i]) - 1);
  }
}

void write_stack(const Slot* slot, int signal_number, const void* context) {
  SignalText line;
  line.add("{\"time\":\"").add_time(nanos(CLOCK_REALTIME));
  line.add("\",\"level\":\"error\",\"component\":\"").add(component_name.data());
  line.add("\",\"message\":\"stack of a thread\",\"thread\":\"");
  line.add(slot == nullptr ? "unnamed" : slot->name.data()).add("\",\"tid\":");
  line.add_number(own_thread()).add(",\"signal\":").add_number(signal_number);
  const std::int64_t due = slot == nullptr ? 0 : slot->due.load();
  line.add(",\"late\":").add(due != 0 && nanos(CLOCK_MONOTONIC) > due ? "true" : "false");
  line.add(",\"build_id\":\"").add(build_id.data()).add("\",\"frames\":\"");
  add_frames(line, context);
  line.end("\"}\n");
  const ssize_t ignored = write(STDERR_FILENO, line.data(), line.size());
  (void)ignored;
}

Slot* own_slot() {
  const pid_t self = own_thread();
  const auto found = std::find_if(slots.begin(), slots.end(),
                                  [self](const Slot& slot) { return slot.thread == self; });
  return found == slots.end() ? nullptr : found;
}

void show(int, siginfo_t*, void* context) {
  const int kept = errno;
  if (Slot* const slot = own_slot()) {
    write_stack(slot, SIGABRT, context);
    slot->shown = true;
  }
  errno = kept;
}

bool all_shown() {
  return std::all_of(slots.begin(), slots.end(),
                     [](const Slot& slot) { return slot.thread == 0 || slot.shown; });
}

void show_all(const void* context) {
  const pid_t self = own_thread();
  for (Slot& slot : slots) {
    const pid_t thread = slot.thread;
    if (thread != 0 && thread != self) syscall(SYS_tgkill, getpid(), thread, show_signal());
  }
  Slot* const own = own_slot();
  write_stack(own, SIGABRT, context);
  if (own != nullptr) own->shown = true;
  const std::int64_t until = nanos(CLOCK_MONOTONIC) + kPatience;
  const timespec nap{0, 1'000'000};
  while (!all_shown() && nanos(CLOCK_MONOTONIC) < until) nanosleep(&nap, nullptr);
}

void on_death(int number, siginfo_t* info, void* context) {
  const timespec second{1, 0};
  // Another thread dies already, and the process with it.
  if (dying.exchange(true)) nanosleep(&second, nullptr);
  const bool from_outside = info->si_code == SI_USER && info->si_pid != getpid();
  if (number == SIGABRT && from_outside) {
    show_all(context);
  } else {
    write_stack(own_slot(), number, context);
  }
  // The signal stands again and does what it does by default once this returns.
  signal(number, SIG_DFL);
  syscall(SYS_tgkill, getpid(), own_thread(), number);
}

void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
  sigfillset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

void log_stacks_at_death(std::string_view component) {
  copy_text(component, component_name);
  dl_iterate_phdr(take_module, nullptr);
  std::array<void*, 4> frames{};
  backtrace(frames.data(), static_cast<int>(frames.size()));
  handle(show_signal(), show, SA_RESTART);
  handle(SIGABRT, on_death, 0);
  // Sanitizers report crashes by themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (const int number : kCrashes) handle(number, on_death, 0);
#endif
}

WatchedThread::WatchedThread(std::string_view name) : slot_(0) {
  while (slot_ < kMost && slots[slot_].taken.exchange(true)) ++slot_;
  if (slot_ < kMost) copy_text(name, slots[slot_].name);
}

WatchedThread::~WatchedThread() {
  if (slot_ == kMost) return;
  Slot& slot = slots[slot_];
  slot.thread = 0;
  slot.due = 0;
  slot.taken = false;
}

void WatchedThread::enter() {
  if (slot_ < kMost) slots[slot_].thread = own_thread();
}

void WatchedThread::ask(std::chrono::milliseconds within) {
  if (slot_ < kMost) slots[slot_].due = nanos(CLOCK_MONOTONIC) + within.count() * 1'000'000;
}

void WatchedThread::answered() {
  if (slot_ < kMost) slots[slot_].due = 0;
}

}  // namespace weir::process
