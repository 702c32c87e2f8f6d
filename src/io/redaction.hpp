// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <ostream>
#include <shared_mutex>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::io {

/// Values that may stand in nothing that leaves this process (requirement C2). It is filled at the start, and later
/// with credentials that are got on the way; all that writes reads it: streams, the store, files for people, requests
/// to GitHub. May be used by several threads at once.
class Redaction {
 public:
  /// Adds a secret and the forms that it may take on its way: base64 at each of its three offsets, percent-encoded,
  /// as a JSON string, in hex digits. Of a value of several lines each line counts as well. What is shorter than four
  /// bytes is no secret: it would be found everywhere.
  void add(std::string_view secret);

  [[nodiscard]] bool empty() const;
  /// The secrets themselves, a line each, as GitHub's runner is told to mask them (requirement C1).
  [[nodiscard]] std::vector<std::string> lines() const;

  /// `text` with each form of each secret replaced by "***".
  [[nodiscard]] std::string clean(std::string_view text) const;

 private:
  void add_value(std::string_view secret);
  void add_form(std::string form);
  std::unique_ptr<std::shared_mutex> mutex_ = std::make_unique<std::shared_mutex>();  ///< guards the rest
  std::map<std::string, std::vector<std::string>, std::less<>> forms_{};  ///< by their first four bytes, longest first
  std::array<bool, 256> begins_{};                                        ///< first bytes of forms
  std::vector<std::string> lines_{};
};

/// A stream that takes secrets out of what is written to another. It holds a line back until its end, or until it is
/// flushed, so that no secret slips through in two halves.
class RedactingStream final : public std::ostream {
 public:
  RedactingStream(std::ostream& to, const Redaction& redaction);
  RedactingStream(const RedactingStream&) = delete;
  RedactingStream& operator=(const RedactingStream&) = delete;
  ~RedactingStream() override;

 private:
  class Buffer final : public std::streambuf {
   public:
    Buffer(std::ostream& to, const Redaction& redaction) : to_(to), redaction_(redaction) {}
    void pass_on();

   protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int sync() override;

   private:
    std::ostream& to_;
    const Redaction& redaction_;
    std::string held_{};
  };
  Buffer buffer_;
};

}  // namespace offshoot::io
