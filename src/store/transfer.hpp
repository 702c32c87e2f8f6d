// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace offshoot::store {

/// An object, and the file that it comes from or goes into.
struct Transfer {
  std::string key{};
  std::filesystem::path file{};
  PutOptions options{};
};

/// How many objects are on their way at once.
inline constexpr std::size_t transfers_at_once = 8;

/// Writes all of them, several at once. After the first failure, or once `stop` is asked for, no more are begun.
Result<void> put_files(Store& store, const std::vector<Transfer>& files, const std::stop_token& stop = {},
                       std::size_t at_once = transfers_at_once);

/// Copies objects into the files, several at once. False: one of them is not there.
Result<bool> fetch_files(Store& store, const std::vector<Transfer>& files, std::size_t at_once = transfers_at_once);

/// Reads objects, several at once, in the order of `keys`; absent where there is none.
Result<std::vector<std::optional<std::string>>> get_all(Store& store, const std::vector<std::string>& keys,
                                                        std::size_t at_once = transfers_at_once);

/// Removes objects, several at once.
Result<void> remove_all(Store& store, const std::vector<std::string>& keys, std::size_t at_once = transfers_at_once);

}  // namespace offshoot::store
