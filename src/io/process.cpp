// SPDX-License-Identifier: Apache-2.0
#include "io/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

namespace offshoot::io {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds interrupt_grace{4000};  // requirement K2: SIGINT, then SIGTERM after 4 s, SIGKILL 1 s later
constexpr milliseconds terminate_grace{1000};

/// One end of a pipe, or a file; closed when it goes.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return failed(ExitStatus::could_not_run, "making a pipe", std::generic_category().message(errno));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

/// Which of our descriptors the child gets, as which number.
struct Inherit {
  int ours;
  int theirs;
};

/// What runs between fork and exec: only async-signal-safe calls, nothing allocated.
[[noreturn]] void become_child(const char* program, char* const* argv, char* const* envp, const char* folder,
                               const std::vector<Inherit>& inherit, int report, pid_t parent) {
  ::setpgid(0, 0);
  struct sigaction reset{};
  reset.sa_handler = SIG_DFL;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2}) {
    ::sigaction(number, &reset, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // A runner that is killed must not leave a dbt behind. The check closes the race with a parent already gone.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);

  // First out of the way of the low numbers, then to the wanted ones.
  std::array<int, 8> high{};
  for (std::size_t i = 0; i < inherit.size(); ++i) high.at(i) = ::fcntl(inherit[i].ours, F_DUPFD_CLOEXEC, 100);
  const int report_high = ::fcntl(report, F_DUPFD_CLOEXEC, 100);
  bool ready = report_high >= 0 && (folder == nullptr || ::chdir(folder) == 0);
  for (std::size_t i = 0; ready && i < inherit.size(); ++i) {
    ready = high.at(i) >= 0 && ::dup2(high.at(i), inherit[i].theirs) >= 0;
  }
  if (ready) ::execve(program, argv, envp);
  const int number = errno;
  [[maybe_unused]] const auto n = ::write(report_high, &number, sizeof number);
  ::_exit(127);
}

Result<pid_t> spawn(const Command& command, const std::vector<Inherit>& inherit) {
  const std::string name = command.argv.empty() ? "" : command.argv.front();
  const std::string doing = "starting " + name;
  const auto program = find_program(name, command.environment);
  if (!program) {
    return failed(ExitStatus::could_not_run, doing, "there is no such program", "check PATH, or give its whole path");
  }
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables;
  for (const auto& [key, value] : command.environment) {
    variables.push_back(key);
    variables.back() += '=';
    variables.back() += value;
  }
  const auto argv = pointers(arguments);
  const auto envp = pointers(variables);
  const std::string program_path = program->string();
  const std::string folder = command.folder.string();
  auto report = make_pipe();
  if (!report) return tl::unexpected(report.error());

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return failed(ExitStatus::could_not_run, doing, std::generic_category().message(errno));
  if (child == 0) {
    become_child(program_path.c_str(), argv.data(), envp.data(), folder.empty() ? nullptr : folder.c_str(), inherit,
                 report->write.get(), parent);
  }
  ::setpgid(child, child);  // in both, so that it holds whoever comes first
  report->write.close();
  int number = 0;
  ssize_t n = 0;
  do {
    n = ::read(report->read.get(), &number, sizeof number);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof number) {
    ::waitpid(child, nullptr, 0);
    return failed(ExitStatus::could_not_run, doing, std::generic_category().message(number));
  }
  return child;
}

/// Reads what is there; false at the end of the stream.
bool drain(const Fd& fd, std::string& into, std::size_t keep) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  const auto room = keep - std::min(keep, into.size());
  into.append(buffer.data(), std::min(static_cast<std::size_t>(n), room));
  return n > 0;
}

Exit as_exit(int status) {
  Exit exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.status = WEXITSTATUS(status);
  }
  return exit;
}

/// Ends a group step by step: SIGINT so that dbt cancels its queries, then SIGTERM, then SIGKILL.
class Escalation {
 public:
  [[nodiscard]] bool begun() const { return step_ > 0; }
  /// Sends what is due by now. To be called every now and then once ending has been asked for.
  void advance(pid_t group) {
    const auto now = Clock::now();
    if (step_ == 0) {
      send(group, SIGINT, now + interrupt_grace);
    } else if (now >= next_ && step_ == 1) {
      send(group, SIGTERM, now + terminate_grace);
    } else if (now >= next_ && step_ == 2) {
      send(group, SIGKILL, now + terminate_grace);
    }
  }

 private:
  void send(pid_t group, int number, Clock::time_point next) {
    ::kill(-group, number);
    next_ = next;
    ++step_;
  }
  int step_ = 0;
  Clock::time_point next_{};
};

}  // namespace

std::optional<fs::path> find_program(std::string_view program, const Environment& environment) {
  if (program.empty()) return std::nullopt;
  const auto executable = [](const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string_view::npos) {
    const fs::path path(program);
    return executable(path) ? std::optional(path) : std::nullopt;
  }
  const auto path = environment.find("PATH");
  std::string_view rest = path == environment.end() ? "/usr/local/bin:/usr/bin:/bin" : std::string_view(path->second);
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    if (folder.empty() || folder.front() != '/') continue;  // a relative folder on PATH would be the checkout's
    if (fs::path candidate = fs::path(folder) / program; executable(candidate)) return candidate;
  }
  return std::nullopt;
}

Result<Output> run(const Command& command, const RunOptions& options) {
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out) return tl::unexpected(out.error());
  if (!err) return tl::unexpected(err.error());
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto child = spawn(command, {{null.get(), 0}, {out->write.get(), 1}, {err->write.get(), 2}});
  if (!child) return tl::unexpected(child.error());
  out->write.close();
  err->write.close();

  Output output;
  Escalation ending;
  bool out_open = true;
  bool err_open = true;
  int status = 0;
  bool ended = false;
  const auto deadline = Clock::now() + options.limit;
  // A grandchild may hold the pipes open after the child's end: then what has come within a second is all there is.
  Clock::time_point last_words{};
  while (!ended || ((out_open || err_open) && Clock::now() < last_words)) {
    std::array<pollfd, 2> fds{pollfd{out_open ? out->read.get() : -1, POLLIN, 0},
                              pollfd{err_open ? err->read.get() : -1, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), out_open || err_open ? 50 : 2);
    if (fds[0].revents != 0) out_open = drain(out->read, output.out, options.keep);
    if (fds[1].revents != 0) err_open = drain(err->read, output.err, options.keep);
    if (!ended && ::waitpid(*child, &status, WNOHANG) == *child) {
      ended = true;
      last_words = Clock::now() + std::chrono::seconds(1);
    }
    if (ended) continue;
    output.exit.cancelled = output.exit.cancelled || options.stop.stop_requested();
    output.exit.timed_out = output.exit.timed_out || (!output.exit.cancelled && Clock::now() >= deadline);
    if (output.exit.cancelled || output.exit.timed_out) ending.advance(*child);
  }
  if (ending.begun()) ::kill(-*child, SIGKILL);  // what is left of its group
  const Exit exit = as_exit(status);
  output.exit.status = exit.status;
  output.exit.signal = exit.signal;
  return output;
}

struct LineChild::State {
  pid_t pid = -1;
  Fd to;
  Fd from;
  std::string buffer;
  std::size_t scanned = 0;
  bool closed = false;
  std::optional<Exit> exit;
};

Result<LineChild> LineChild::start(const Command& command, const fs::path& log) {
  auto to = make_pipe();
  auto from = make_pipe();
  if (!to) return tl::unexpected(to.error());
  if (!from) return tl::unexpected(from.error());
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd words(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!words.is_open()) {
    return failed(ExitStatus::could_not_run, "writing " + log.string(), std::generic_category().message(errno));
  }
  const auto child = spawn(
      command, {{null.get(), 0}, {words.get(), 1}, {words.get(), 2}, {to->read.get(), 3}, {from->write.get(), 4}});
  if (!child) return tl::unexpected(child.error());
  auto state = std::make_unique<State>();
  state->pid = *child;
  state->to = std::move(to->write);
  state->from = std::move(from->read);
  return LineChild(std::move(state));
}

LineChild::LineChild(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineChild::LineChild(LineChild&& other) noexcept = default;
LineChild& LineChild::operator=(LineChild&& other) noexcept = default;

LineChild::~LineChild() {
  if (!state_) return;
  state_->to.close();
  if (!wait_for_end(milliseconds(2000))) {
    signal(SIGTERM);
    if (!wait_for_end(terminate_grace)) signal(SIGKILL);
    wait_for_end(terminate_grace);
  }
}

bool LineChild::send(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t n = ::write(state_->to.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<std::string> LineChild::receive(milliseconds wait, const std::stop_token& stop) {
  const auto deadline = Clock::now() + wait;
  while (true) {
    const auto newline = state_->buffer.find('\n', state_->scanned);
    if (newline != std::string::npos) {
      std::string line = state_->buffer.substr(0, newline);
      state_->buffer.erase(0, newline + 1);
      state_->scanned = 0;
      return line;
    }
    state_->scanned = state_->buffer.size();
    if (state_->closed || stop.stop_requested()) return std::nullopt;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() < 0) return std::nullopt;
    pollfd fd{state_->from.get(), POLLIN, 0};
    ::poll(&fd, 1, static_cast<int>(std::clamp<long>(left.count(), 1, 50)));
    if (fd.revents != 0) {
      state_->closed = !drain(state_->from, state_->buffer, std::string::npos);
    }
  }
}

bool LineChild::ended() const { return state_->closed; }

void LineChild::signal(int number) {
  if (!state_->exit) ::kill(-state_->pid, number);
}

std::optional<Exit> LineChild::wait_for_end(milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  while (!state_->exit) {
    int status = 0;
    if (::waitpid(state_->pid, &status, WNOHANG) == state_->pid) {
      state_->exit = as_exit(status);
      break;
    }
    if (Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return state_->exit;
}

}  // namespace offshoot::io
