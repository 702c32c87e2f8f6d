// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <variant>

namespace offshoot {

/// The exit statuses of every command. Their numbers are a promise to scripts.
enum class ExitStatus : int {
  passed = 0,         ///< nothing to complain of
  findings = 1,       ///< a model, test or lint finding that the settings call a failure
  usage = 2,          ///< usage or settings
  could_not_run = 3,  ///< warehouse, network or store, after retries
  locked = 4,         ///< locked, or superseded by a newer run
  refused = 5,        ///< refused for safety
  interrupted = 130,  ///< SIGINT
  terminated = 143,   ///< SIGTERM
};

/// A place in a file. `line` and `column` count from 1; 0 = not known.
struct Place {
  std::string file{};
  int line = 0;
  int column = 0;
  bool operator==(const Place&) const = default;
};

/// Why something stopped, in a form that a person can act on: "<doing>: <why>", then the hint.
/// Messages are lowercase, values quoted, never "failed to".
struct Failed {
  ExitStatus status = ExitStatus::could_not_run;
  std::string doing{};  ///< what was being done: "reading offshoot.yml"
  std::string why{};    ///< why it stopped: "unknown key 'brnach'"
  std::string hint{};   ///< what to do next; may be empty
  std::optional<Place> place{};
  bool operator==(const Failed&) const = default;
};

/// A value, or why there is none.
template <class T>
using Result = tl::expected<T, Failed>;

inline tl::unexpected<Failed> failed(ExitStatus status, std::string doing, std::string why, std::string hint = {}) {
  return tl::unexpected<Failed>(Failed{status, std::move(doing), std::move(why), std::move(hint), {}});
}

/// A stage that did not run, and why. Whoever skips says why, there.
struct Skipped {
  std::string because{};
  bool operator==(const Skipped&) const = default;
};

/// How a stage ended: finished with a value (which may hold findings), skipped, or failed.
template <class T>
class Outcome {
 public:
  Outcome() : state_(Skipped{"not reached"}) {}
  Outcome(T value) : state_(std::move(value)) {}            // NOLINT(google-explicit-constructor): reads as a return
  Outcome(Skipped skipped) : state_(std::move(skipped)) {}  // NOLINT(google-explicit-constructor)
  Outcome(Failed failure) : state_(std::move(failure)) {}   // NOLINT(google-explicit-constructor)
  Outcome(Result<T> result)                                 // NOLINT(google-explicit-constructor)
      : state_(result ? State(std::move(*result)) : State(std::move(result.error()))) {}

  [[nodiscard]] const T* finished() const { return std::get_if<T>(&state_); }
  [[nodiscard]] T* finished() { return std::get_if<T>(&state_); }
  [[nodiscard]] const Skipped* skipped() const { return std::get_if<Skipped>(&state_); }
  [[nodiscard]] const Failed* failure() const { return std::get_if<Failed>(&state_); }
  bool operator==(const Outcome&) const = default;

 private:
  using State = std::variant<T, Skipped, Failed>;
  State state_;
};

}  // namespace offshoot
