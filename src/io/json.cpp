// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace offshoot::io {

namespace {

constexpr std::size_t max_depth = 256;  // requirement G1

/// Counts brackets outside strings, so that depth is refused before any parser sees the text.
bool deeper_than(std::string_view text, std::size_t limit) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Builds the value and watches for keys that stand there twice. nlohmann's own parser with a callback would look at
/// all earlier members of an object at the end of each: quadratic where a manifest's worth of them stands in one.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const auto [member, added] = open_.back()->get_ref<nlohmann::json::object_t&>().emplace(name, nullptr);
    if (!added) duplicate_ = name;
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& exception) override {
    error_ = exception.what();
    return false;
  }

  nlohmann::json take() { return std::move(root_); }
  [[nodiscard]] const std::string& duplicate() const { return duplicate_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  nlohmann::json& place(nlohmann::json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return open_.back()->back();
    }
    return *member_ = std::move(value);
  }
  bool add(nlohmann::json value) {
    place(std::move(value));
    return true;
  }
  bool open(nlohmann::json empty) {
    open_.push_back(&place(std::move(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  nlohmann::json root_;
  std::vector<nlohmann::json*> open_;  ///< none of them grows while one behind it is open, so that they stay in place
  nlohmann::json* member_ = nullptr;   ///< the value of the newest key
  std::string duplicate_;
  std::string error_;
};

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::string_view doing) {
  if (deeper_than(text, max_depth)) {
    return failed(ExitStatus::usage, std::string(doing), fmt::format("it is nested deeper than {} levels", max_depth));
  }
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return failed(ExitStatus::usage, std::string(doing), fmt::format("it is not JSON: {}", builder.error()));
  }
  if (!builder.duplicate().empty()) {
    return failed(ExitStatus::usage, std::string(doing),
                  fmt::format("the key '{}' stands there twice", builder.duplicate()));
  }
  return builder.take();
}

std::string to_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace offshoot::io
