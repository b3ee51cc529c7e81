#include "controller/kubernetes/folder_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/base/log.h"

namespace weir::kubernetes {
namespace {

constexpr std::chrono::milliseconds kSlice{20};
constexpr std::chrono::milliseconds kRetryFolder{1000};
constexpr std::size_t kMaxFileBytes = 64 * 1024 * 1024;

base::Result<std::string> read_whole(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return base::system_error("open", errno);
  struct stat facts{};
  if (::fstat(fd.get(), &facts) != 0) return base::system_error("stat", errno);
  if (!S_ISREG(facts.st_mode)) return base::invalid("not a regular file");
  if (static_cast<std::size_t>(facts.st_size) > kMaxFileBytes)
    return base::invalid("more than 64 MiB");
  std::string out;
  out.resize(static_cast<std::size_t>(facts.st_size) + 1);
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(fd.get(), out.data() + size, out.size() - size);
    if (got < 0) return base::system_error("read", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  out.resize(size);
  return out;
}

bool exists(const std::string& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0;
}

}  // namespace

FolderSource::FolderSource(loop::Loop& loop, std::string folder, FolderGrace grace)
    : loop_(loop),
      grace_(grace),
      watch_(loop, std::move(folder), *this),
      gone_timer_(loop.timers(), [this] { run_gone(); }),
      retry_timer_(loop.timers(), [this] { rescan(); }),
      last_contact_(loop.now()) {}

FolderSource::~FolderSource() { loop_.flush_cancel(*this); }

void FolderSource::start(const std::vector<KindDescriptor>& kinds, SourceTarget& target) {
  kinds_ = &kinds;
  table_ = KindTable(kinds);
  target_ = &target;
  index_ = std::make_unique<FolderIndex>(target);
  loop_.flush_later(*this);
}

void FolderSource::flush() {
  if (!started_) {
    started_ = true;
    rescan();
  }
  load_slice();
  if (!loaded_ && to_load_.empty() && !folder_lost_) {
    loaded_ = true;
    for (const KindDescriptor& kind : *kinds_) target_->on_synced(kind);
  }
  if (loaded_) answer_wants();
  if (!to_load_.empty()) loop_.flush_later(*this);
}

void FolderSource::rescan() {
  auto found = watch_.scan();
  folder_lost_ = !found.ok();
  tell_problem(watch_.root(), found.ok() ? "" : found.error().text);
  if (!found) {
    // What was there stays: a folder that is away is no order to remove everything.
    retry_timer_.arm(loop_.now() + kRetryFolder);
    return;
  }
  last_contact_ = loop_.now();
  const std::vector<std::string>& files = found.value();
  for (const std::string& path : index_->paths()) {
    if (!std::binary_search(files.begin(), files.end(), path)) schedule_gone(path, grace_.deleted);
  }
  to_load_.assign(files.begin(), files.end());
  arm_gone_timer();
  loop_.flush_later(*this);
}

void FolderSource::load_slice() {
  const base::TimePoint end = loop_.clock().now() + kSlice;
  while (!to_load_.empty() && loop_.clock().now() < end) {
    const std::string path = std::move(to_load_.front());
    to_load_.pop_front();
    load_file(path);
  }
  index_->settle();
}

void FolderSource::on_changes(const FolderChanges& changes) {
  if (!started_) return;
  last_contact_ = loop_.now();
  std::vector<std::string> changed = changes.changed;
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  for (const std::string& path : changed) load_file(path);
  for (const std::string& path : changes.moved) {
    if (!exists(watch_.root() + "/" + path)) remove_file(path);
  }
  for (const std::string& path : changes.deleted) {
    for (const std::string& file : index_->files_below(path)) {
      if (!exists(watch_.root() + "/" + file)) schedule_gone(file, grace_.deleted);
    }
  }
  for (const std::string& path : changes.renamed_away) {
    if (index_->has_file(path)) schedule_gone(path, grace_.renamed_away);
  }
  arm_gone_timer();
  index_->settle();
  if (changes.rescan) rescan();
}

void FolderSource::load_file(const std::string& path) {
  auto text = read_whole(watch_.root() + "/" + path);
  if (!text) {
    if (!exists(watch_.root() + "/" + path)) return schedule_gone(path, grace_.deleted);
    return tell_problem(path, path + ": " + text.error().text);
  }
  gone_.erase(path);
  auto file = parse_manifest(text.value(), path.ends_with(".json"), table_);
  if (!file) {
    const std::string& reason = file.error().text;  // "line 12: …"
    const std::size_t colon = reason.find(": ");
    const bool lined = reason.starts_with("line ") && colon != std::string::npos;
    return tell_problem(path, lined ? path + ":" + reason.substr(5) : path + ": " + reason);
  }
  take_file(path, std::move(file).value());
}

void FolderSource::take_file(const std::string& path, ManifestFile file) {
  std::unordered_set<std::string> keep;
  std::string text;
  for (const ManifestFile::Problem& problem : file.problems) {
    if (!problem.key.empty()) keep.insert(problem.key);
    text += (text.empty() ? "" : "; ") + path + ":" + std::to_string(problem.line) + ": " +
            problem.reason;
  }
  // An object twice in one file: the first one counts, as between files.
  std::unordered_set<std::string> seen;
  std::vector<ManifestObject> objects;
  for (ManifestObject& object : file.objects) {
    if (seen.insert(object.key()).second) {
      objects.push_back(std::move(object));
      continue;
    }
    text += (text.empty() ? "" : "; ") + path + ":" + std::to_string(object.line) + ": " +
            object.key() + " stands twice in this file; the first one counts";
  }
  for (const std::string& kind : file.unknown_kinds) {
    if (unknown_kinds_.size() < 1000 && unknown_kinds_.insert(kind).second)
      base::log_debug("kind is not used", {{"kind", kind}, {"file", path}});
  }
  index_->put_file(path, std::move(objects), keep);
  tell_problem(path, std::move(text));
}

void FolderSource::remove_file(const std::string& path) {
  gone_.erase(path);
  index_->remove_file(path);
  tell_problem(path, "");
}

void FolderSource::schedule_gone(const std::string& path, std::chrono::milliseconds grace) {
  gone_.emplace(path, loop_.now() + grace);
}

void FolderSource::arm_gone_timer() {
  if (gone_.empty()) return;
  base::TimePoint next = base::TimePoint::max();
  for (const auto& [path, when] : gone_) next = std::min(next, when);
  gone_timer_.arm(next);
}

void FolderSource::run_gone() {
  const std::map<std::string, base::TimePoint> gone = std::exchange(gone_, {});
  for (const auto& [path, when] : gone) {
    if (when > loop_.now()) {
      gone_.emplace(path, when);
    } else if (exists(watch_.root() + "/" + path)) {
      // Its writer has not closed it yet, or it came back by a rescan; the read decides.
      load_file(path);
    } else {
      remove_file(path);
    }
  }
  arm_gone_timer();
  index_->settle();
}

void FolderSource::tell_problem(const std::string& object, std::string text) {
  const auto told = problems_.find(object);
  if (told == problems_.end() ? text.empty() : told->second == text) return;
  target_->on_problem(nullptr, object, base::invalid(text));
  if (text.empty()) {
    problems_.erase(object);
  } else {
    problems_[object] = std::move(text);
  }
}

void FolderSource::want(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  index_->want(kind, ns, name);
  wants_.push_back({&kind, std::string(ns), std::string(name)});
  loop_.flush_later(*this);
}

void FolderSource::unwant(const KindDescriptor& kind, std::string_view ns, std::string_view name) {
  index_->unwant(kind, ns, name);
}

void FolderSource::answer_wants() {
  const std::vector<Wanted> wants = std::exchange(wants_, {});
  for (const Wanted& one : wants) index_->look(*one.kind, one.ns, one.name);
}

double FolderSource::seconds_since_contact() const {
  if (!folder_lost_) return 0;
  return std::chrono::duration<double>(loop_.now() - last_contact_).count();
}

}  // namespace weir::kubernetes
