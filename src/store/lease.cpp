// SPDX-License-Identifier: Apache-2.0
#include "store/lease.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "io/json.hpp"
#include "io/own_process.hpp"

namespace offshoot::store {

namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// A lease as it lies in the store.
struct Kept {
  std::uint64_t number = 0;
  bool free = false;
  std::string nonce{};
  seconds ttl{0};
  Holder holder{};
  std::string process{};  ///< the holder's, see io::own_process; empty = not known
};

std::string to_text(const Kept& kept) {
  return io::to_line(nlohmann::ordered_json{{"version", 1},
                                            {"number", kept.number},
                                            {"free", kept.free},
                                            {"nonce", kept.nonce},
                                            {"ttl", kept.ttl.count()},
                                            {"run", kept.holder.run},
                                            {"who", kept.holder.who},
                                            {"run_url", kept.holder.run_url},
                                            {"process", kept.process}}) +
         "\n";
}

Result<Kept> parse(const std::string& bytes, const std::string& where) {
  const std::string doing = "reading the lease " + where;
  const auto json = io::parse_json(bytes, doing);
  if (!json) return tl::unexpected(json.error());
  try {
    return Kept{json->at("number").get<std::uint64_t>(),
                json->at("free").get<bool>(),
                json->at("nonce").get<std::string>(),
                seconds(std::clamp<std::int64_t>(json->at("ttl").get<std::int64_t>(), 1, 86'400)),
                {json->at("run").get<std::string>(), json->at("who").get<std::string>(),
                 json->at("run_url").get<std::string>()},
                json->value("process", "")};
  } catch (const nlohmann::json::exception&) {
    return failed(ExitStatus::could_not_run, doing, "it is not a lease of offshoot's",
                  "remove it if nothing is running");
  }
}

std::string new_nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

Failed taken_by(const std::string& doing, const Holder& holder) {
  return {ExitStatus::locked,
          doing,
          fmt::format("{} ({}) has it now", holder.who, holder.run_url.empty() ? holder.run : holder.run_url),
          "",
          {}};
}

/// The store's clock counts whole seconds, in two places; so much is granted to a holder on top of its time.
constexpr seconds grace{2};

}  // namespace

std::string Lease::text(bool free) const {
  return to_text({number_, free, nonce_, request_.ttl, request_.holder, io::own_process()});
}

Result<std::variant<std::unique_ptr<Lease>, LeaseTaken>> Lease::take(Store& store, const LeaseRequest& request) {
  using Answer = std::variant<std::unique_ptr<Lease>, LeaseTaken>;
  std::unique_ptr<Lease> lease(new Lease(store, request));
  lease->nonce_ = new_nonce();
  while (true) {
    const auto sent = steady_clock::now();
    const auto object = store.read(request.key);
    if (!object) return tl::unexpected(object.error());
    std::optional<std::string> before;
    lease->number_ = 1;
    if (*object) {
      const auto kept = parse((*object)->bytes, request.key);
      if (!kept) return tl::unexpected(kept.error());
      if (kept->nonce == lease->nonce_) {  // ours: a write whose answer got lost
        lease->number_ = kept->number;
        lease->version_ = (*object)->version;
        lease->until_ = sent + request.ttl - std::min(request.ttl, (*object)->seen - (*object)->modified + seconds(1));
        lease->released_ = false;
        return Answer(std::move(lease));
      }
      const seconds left = (*object)->modified + kept->ttl + grace - (*object)->seen;
      // Elsewhere than in a folder a machine may be another's copy, which looks the same and runs other processes.
      const bool ended = !store.shared() && io::has_surely_ended(kept->process);
      if (!kept->free && !ended && left > seconds(0)) return Answer(LeaseTaken{kept->holder, kept->number, left});
      lease->number_ = kept->number + 1;
      before = (*object)->version;
    }
    const auto begun = steady_clock::now();
    const auto written = store.put_if(request.key, lease->text(false), before);
    if (!written) return tl::unexpected(written.error());
    if (!written->written) continue;  // somebody was quicker: look who
    lease->version_ = written->version;
    lease->until_ = begun + request.ttl;
    lease->released_ = false;
    return Answer(std::move(lease));
  }
}

Lease::~Lease() {
  if (keeper_.joinable()) {
    keeper_.request_stop();
    keeper_.join();
  }
  release();
}

bool Lease::held() const {
  const std::lock_guard lock(mutex_);
  return !released_ && steady_clock::now() < until_;
}

Result<void> Lease::renew() {
  const std::lock_guard lock(mutex_);
  return renew_locked(false);
}

Result<void> Lease::renew_locked(bool free) {
  const std::string doing = "renewing the lease " + request_.key;
  if (released_) return failed(ExitStatus::locked, doing, "it was given back, or is another's");
  constexpr int tries = 3;
  for (int n = 0; n < tries; ++n) {
    const auto begun = steady_clock::now();
    const auto written = store_.put_if(request_.key, text(free), version_);
    if (!written) return tl::unexpected(written.error());
    if (written->written) {
      version_ = written->version;
      until_ = begun + request_.ttl;
      released_ = free;
      return {};
    }
    // Either it is another's, or our own write arrived and its answer did not.
    const auto object = store_.read(request_.key);
    if (!object) return tl::unexpected(object.error());
    if (!*object) break;
    const auto kept = parse((*object)->bytes, request_.key);
    if (!kept) return tl::unexpected(kept.error());
    if (kept->nonce != nonce_) {
      released_ = true;
      return tl::unexpected(taken_by(doing, kept->holder));
    }
    released_ = kept->free;
    if (released_) return {};
    version_ = (*object)->version;
  }
  released_ = true;
  return failed(ExitStatus::locked, doing, "it was removed from the store");
}

void Lease::keep(std::function<void(const Failed&)> lost) {
  keeper_ = std::jthread([this, lost = std::move(lost)](const std::stop_token& stop) {
    const auto third = std::chrono::duration_cast<std::chrono::milliseconds>(request_.ttl) / 3;
    auto next = third;
    while (io::real_pauses().wait(next, stop)) {
      const auto renewed = renew();
      next = renewed ? third : std::min<std::chrono::milliseconds>(third, seconds(5));
      if (renewed) continue;
      if (renewed.error().status == ExitStatus::locked || !held()) return lost(renewed.error());
    }
  });
}

Result<void> Lease::release() {
  const std::lock_guard lock(mutex_);
  if (released_) return {};
  auto given_back = renew_locked(true);
  released_ = true;
  return given_back;
}

Result<Written> Lease::write(const std::string& key, std::string_view bytes, const std::optional<std::string>& before) {
  if (auto renewed = renew(); !renewed) return tl::unexpected(renewed.error());
  auto written = store_.put_if(key, bytes, before);
  if (!written || written->written) return written;
  const auto now = store_.read(key);
  if (now && *now && (*now)->bytes == bytes)
    return Written{true, (*now)->version};  // the answer got lost, not the write
  return failed(ExitStatus::locked, "writing " + key, "another run has written it since it was read");
}

Result<std::unique_ptr<Lease>> take_patiently(Store& store, const LeaseRequest& request, seconds patience,
                                              io::Pauses& pauses, const std::stop_token& stop,
                                              const std::function<void(const LeaseTaken&)>& waiting) {
  const auto begun = pauses.now();
  std::uint64_t waited_for = 0;
  while (true) {
    auto answer = Lease::take(store, request);
    if (!answer) return tl::unexpected(answer.error());
    if (auto* lease = std::get_if<std::unique_ptr<Lease>>(&*answer)) return std::move(*lease);
    const auto& taken = std::get<LeaseTaken>(*answer);
    if (waited_for != taken.number && waiting) waiting(taken);
    waited_for = taken.number;
    const std::string doing = "waiting for the lease " + request.key;
    if (pauses.now() - begun >= patience) {
      Failed failure = taken_by(doing, taken.holder);
      failure.hint = "wait for it to end and run this again, or raise deploy.lock";
      return tl::unexpected(std::move(failure));
    }
    const auto pause = std::clamp<std::chrono::milliseconds>(taken.for_another, seconds(1), seconds(5));
    if (!pauses.wait(pause, stop)) return failed(ExitStatus::interrupted, doing, "interrupted");
  }
}

}  // namespace offshoot::store
