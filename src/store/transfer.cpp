// SPDX-License-Identifier: Apache-2.0
#include "store/transfer.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace offshoot::store {

namespace {

/// Does `work(0)` to `work(count - 1)` in a few threads; the first failure ends it.
Result<void> in_parallel(std::size_t count, std::size_t at_once, const std::stop_token& stop,
                         const std::function<Result<void>(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Failed> failure;  // guarded by mutex
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(at_once, count); ++i) {
      workers.emplace_back([&] {
        for (std::size_t n = next++; n < count && !stop.stop_requested(); n = next++) {
          auto done = work(n);
          if (done) continue;
          next = count;
          const std::lock_guard lock(mutex);
          if (!failure) failure = std::move(done.error());
          return;
        }
      });
    }
  }
  if (failure) return tl::unexpected(std::move(*failure));
  if (stop.stop_requested()) return failed(ExitStatus::interrupted, "speaking with the store", "interrupted");
  return {};
}

}  // namespace

Result<void> put_files(Store& store, const std::vector<Transfer>& files, const std::stop_token& stop,
                       std::size_t at_once) {
  return in_parallel(files.size(), at_once, stop,
                     [&](std::size_t n) { return store.put_file(files[n].key, files[n].file, files[n].options); });
}

Result<bool> fetch_files(Store& store, const std::vector<Transfer>& files, std::size_t at_once) {
  std::atomic<bool> all = true;
  auto fetched = in_parallel(files.size(), at_once, {}, [&](std::size_t n) -> Result<void> {
    auto there = store.fetch(files[n].key, files[n].file);
    if (!there) return tl::unexpected(std::move(there.error()));
    if (!*there) all = false;
    return {};
  });
  if (!fetched) return tl::unexpected(std::move(fetched.error()));
  return all.load();
}

Result<std::vector<std::optional<std::string>>> get_all(Store& store, const std::vector<std::string>& keys,
                                                        std::size_t at_once) {
  std::vector<std::optional<std::string>> bytes(keys.size());
  auto read = in_parallel(keys.size(), at_once, {}, [&](std::size_t n) -> Result<void> {
    auto one = store.get(keys[n]);
    if (!one) return tl::unexpected(std::move(one.error()));
    bytes[n] = std::move(*one);
    return {};
  });
  if (!read) return tl::unexpected(std::move(read.error()));
  return bytes;
}

Result<void> remove_all(Store& store, const std::vector<std::string>& keys, std::size_t at_once) {
  return in_parallel(keys.size(), at_once, {}, [&](std::size_t n) { return store.remove(keys[n]); });
}

}  // namespace offshoot::store
