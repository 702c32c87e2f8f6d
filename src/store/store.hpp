// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/clock.hpp"
#include "model/outcome.hpp"

namespace offshoot::store {

/// An object as it was read.
struct Object {
  std::string bytes{};
  std::string version{};   ///< changes with every write (an ETag); what a conditional write compares with
  io::Instant modified{};  ///< by the store's clock
  io::Instant seen{};      ///< when it was read, by the store's clock
};

/// An object as a listing has it.
struct Listed {
  std::string key{};
  std::uint64_t size = 0;
  io::Instant modified{};
  bool operator==(const Listed&) const = default;
};

/// How an object is to be kept. A folder keeps only its bytes.
struct PutOptions {
  std::string content_type{};           ///< empty = by the key's ending
  std::optional<std::string> sha256{};  ///< of the file, in hex digits, where it is known already
};

/// How a conditional write ended. Not written: somebody else was there first, and nothing was changed.
struct Written {
  bool written = false;
  std::string version{};  ///< of what was written
};

/// A link that works without credentials, and how long it does.
struct Link {
  std::string url{};                     ///< holds a signature: for people only, never for a log
  std::optional<io::Instant> expires{};  ///< absent: it does not
};

/// Where runs and states are kept. Keys are '/'-separated; each part is made of A-Za-z0-9._- and is neither "." nor
/// ".." (requirement G5); anything else is refused before it reaches a disk or the network. May be used by several
/// threads at once. Every write is whole or not there: no reader ever sees a part of an object.
///
/// Layout: `<repository id>/{runs/<date>/<run>, state/<key>, branches, locks}`, the same in every kind of store.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// The object; absent when there is none. Bytes that do not match the checksum kept with them are an error.
  virtual Result<std::optional<Object>> read(const std::string& key) = 0;
  /// Copies the object into `file`, which is written whole or not at all. False: there is no such object.
  virtual Result<bool> fetch(const std::string& key, const std::filesystem::path& file) = 0;
  /// Writes an object; an older one of that key is replaced.
  virtual Result<void> put(const std::string& key, std::string_view bytes, const PutOptions& options) = 0;
  /// The same from a file. An object of that key with the same content is left as it is.
  virtual Result<void> put_file(const std::string& key, const std::filesystem::path& file,
                                const PutOptions& options) = 0;
  /// Writes only while the object's version still is `version`; absent = while there is no such object. For leases
  /// and pointers: keys that are written in no other way.
  virtual Result<Written> put_if(const std::string& key, std::string_view bytes,
                                 const std::optional<std::string>& version) = 0;
  /// What begins with `prefix`, sorted by key.
  virtual Result<std::vector<Listed>> list_objects(const std::string& prefix) = 0;
  /// Removes an object; an absent one is no error.
  virtual Result<void> remove(const std::string& key) = 0;
  /// Removes what interrupted writes of more than `older` ago have left behind, and says how many there were.
  virtual Result<int> sweep(std::chrono::seconds older) = 0;
  /// A link to an object, as long-lived as it can be up to `valid`.
  virtual Result<Link> link(const std::string& key, std::chrono::seconds valid) = 0;
  /// Where a person finds the object: a path or an s3:// URL.
  [[nodiscard]] virtual std::string location(const std::string& key) const = 0;
  /// Whether other machines see what is written here: what leases that mean something need.
  [[nodiscard]] virtual bool shared() const = 0;

  /// The object's bytes; absent when there is none.
  Result<std::optional<std::string>> get(const std::string& key);
  Result<void> put(const std::string& key, std::string_view bytes) { return put(key, bytes, PutOptions{}); }
  /// Keys that begin with `prefix`, sorted.
  Result<std::vector<std::string>> list(const std::string& prefix);
};

/// Whether `key` is well formed, as the class says.
bool is_key(std::string_view key);

/// The media type for a key by its ending; "application/octet-stream" where it is not known.
std::string media_type_of(std::string_view key);

}  // namespace offshoot::store
