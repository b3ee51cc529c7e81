#include "controller/kubernetes/folder_watch.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace weir::kubernetes {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kReadsPerWake = 64;  // the rest comes with the next wake
constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

bool is_manifest_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  return !name.starts_with('.') &&
         (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

FolderWatch::FolderWatch(loop::Loop& loop, std::string root, FolderWatchTarget& target)
    : loop_(loop),
      root_(std::move(root)),
      target_(target),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (inotify_.valid()) token_ = loop_.add(inotify_.get(), *this, EPOLLIN);
}

FolderWatch::~FolderWatch() { loop_.remove(token_); }

base::Result<std::vector<std::string>> FolderWatch::scan() {
  std::vector<std::string> files;
  const auto walked = walk("", 0, files);
  if (!walked) return walked.error();
  std::sort(files.begin(), files.end());
  return files;
}

base::Result<void> FolderWatch::walk(const std::string& folder, int depth,
                                     std::vector<std::string>& files) {
  const std::string path = folder.empty() ? root_ : root_ + "/" + folder;
  // The watch comes before the reading: what is made in between is then seen twice, never missed.
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), kMask);
  if (watch < 0 && (errno == ENOSPC || errno == EBADF))
    return base::system_error("watch folder " + path + " (sysctl fs.inotify.max_user_watches)",
                              errno);
  if (watch < 0) return base::system_error("watch folder " + path, errno);
  folders_[watch] = folder;
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));
  if (dir == nullptr) return base::system_error("read folder " + path, errno);
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    struct stat facts{};
    if (::stat((path + "/" + name).c_str(), &facts) != 0) continue;
    if (S_ISREG(facts.st_mode) && is_manifest_name(name)) files.push_back(join(folder, name));
    if (!S_ISDIR(facts.st_mode) || depth >= kMaxDepth) continue;
    const auto below = walk(join(folder, name), depth + 1, files);
    // A folder below that vanished or may not be read hides only itself.
    if (!below && below.error().text.find("sysctl") != std::string::npos) return below.error();
  }
  return {};
}

void FolderWatch::on_io(std::uint32_t) {
  FolderChanges changes;
  moved_away_.clear();
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kReadsPerWake; ++i) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      take(*event, changes);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  for (auto& [cookie, path] : moved_away_) changes.renamed_away.push_back(std::move(path));
  target_.on_changes(changes);
}

void FolderWatch::take(const inotify_event& event, FolderChanges& out) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    out.rescan = true;
    return;
  }
  const auto folder = folders_.find(event.wd);
  if (folder == folders_.end()) return;
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 && folder->second.empty())
    out.rescan = true;
  if ((event.mask & IN_IGNORED) != 0) {
    folders_.erase(folder);
    return;
  }
  if (event.len == 0) return;
  const std::string name = event.name;
  if (name == "..data") out.rescan = true;
  if (name.starts_with('.')) return;
  const std::string path = join(folder->second, name);
  if ((event.mask & IN_ISDIR) != 0) return take_folder(path, event.mask, out);
  if (is_manifest_name(name)) return take_file(path, event, out);
  // A link to a folder carries no IN_ISDIR.
  struct stat facts{};
  if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 && is_link(path) &&
      ::stat((root_ + "/" + path).c_str(), &facts) == 0 && S_ISDIR(facts.st_mode))
    take_folder(path, IN_CREATE, out);
}

void FolderWatch::take_folder(const std::string& path, std::uint32_t mask, FolderChanges& out) {
  if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
    // One more level of depth than the parts of the path would be exact; the bound needs no
    // exactness.
    const auto depth = static_cast<int>(std::count(path.begin(), path.end(), '/')) + 1;
    if (depth > kMaxDepth) return;
    if (!walk(path, depth, out.changed)) out.rescan = true;
    return;
  }
  if ((mask & IN_MOVED_FROM) != 0) {
    // The kernel keeps the watches of a folder that moved away, under a path that is no longer
    // true.
    std::vector<int> stale;
    for (const auto& [watch, folder] : folders_) {
      if (folder == path || folder.starts_with(path + "/")) stale.push_back(watch);
    }
    for (const int watch : stale) {
      ::inotify_rm_watch(inotify_.get(), watch);
      folders_.erase(watch);
    }
  }
  out.deleted.push_back(path);
}

void FolderWatch::take_file(const std::string& path, const inotify_event& event,
                            FolderChanges& out) {
  if ((event.mask & IN_DELETE) != 0) out.deleted.push_back(path);
  if ((event.mask & IN_MOVED_FROM) != 0) moved_away_[event.cookie] = path;
  if ((event.mask & IN_MOVED_TO) != 0) {
    const auto from = moved_away_.find(event.cookie);
    if (from != moved_away_.end()) {
      out.moved.push_back(std::move(from->second));
      moved_away_.erase(from);
    }
  }
  // A new file is read when its writer closes it; a link has no writer.
  const bool linked = (event.mask & IN_CREATE) != 0 && is_link(path);
  if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0 || linked) out.changed.push_back(path);
}

bool FolderWatch::is_link(const std::string& path) const {
  struct stat facts{};
  if (::lstat((root_ + "/" + path).c_str(), &facts) != 0) return false;
  return S_ISLNK(facts.st_mode) || (S_ISREG(facts.st_mode) && facts.st_nlink > 1);
}

}  // namespace weir::kubernetes
