// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>
#include <string>
#include <system_error>

#include "dbt/jinja.hpp"

namespace offshoot::app {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return result;
}

/// The login's password in "scheme://name:password@host"; empty where there is none.
std::string_view password_in(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  auto login = url.substr(scheme + 3);
  login = login.substr(0, std::min(login.find_first_of("/?#"), login.size()));
  const auto at = login.rfind('@');
  if (at == std::string_view::npos) return {};
  const auto colon = login.substr(0, at).find(':');
  return colon == std::string_view::npos ? std::string_view() : login.substr(colon + 1, at - colon - 1);
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  const auto is_hex = [](char c) {
    return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// A switch or the path of a file is no secret, whatever its variable is called.
bool is_plain(std::string_view value) {
  constexpr std::array<std::string_view, 8> words{"TRUE", "FALSE",    "NONE",  "NULL",
                                                  "AUTO", "PASSWORD", "TOKEN", "SECRET"};
  if (std::ranges::find(words, upper(value)) != words.end()) return true;
  std::error_code error;
  return value.starts_with('/') && value.size() < 4096 && value.find('\n') == std::string_view::npos &&
         std::filesystem::exists(std::string(value), error);
}

void add_value(std::string_view value, io::Redaction& secrets) {
  if (!is_plain(value)) secrets.add(value);
}

void add_password_of_url(std::string_view value, io::Redaction& secrets) {
  const auto password = password_in(value);
  secrets.add(password);
  if (const auto decoded = percent_decoded(password); decoded != password) secrets.add(decoded);
}

}  // namespace

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 14> words{
      "TOKEN",  "SECRET",     "PASSWORD",   "PASSWD", "PASSPHRASE",   "PRIVATE_KEY",       "API_KEY",
      "APIKEY", "ACCESS_KEY", "CREDENTIAL", "DSN",    "KEYFILE_JSON", "CONNECTION_STRING", "ENCRYPTION_KEY"};
  constexpr std::array<std::string_view, 6> not_secret{
      "PGPASSFILE", "TOKEN_URI", "TOKEN_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "OAUTH_TOKEN_URI", "TOKEN_ENDPOINT"};
  const std::string text = upper(name);
  if (std::ranges::find(not_secret, text) != not_secret.end()) return false;
  const auto ends = [&](std::string_view word) { return text == word || text.ends_with("_" + std::string(word)); };
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string::npos; }) ||
         text == "PASS" || text.ends_with("_PASS") || (ends("PWD") && text != "PWD") || ends("PSK");
}

void add_secrets(const io::Environment& environment, io::Redaction& secrets) {
  for (const auto& [name, value] : environment) {
    if (name == "OLDPWD" || name == "PWD") continue;
    if (names_a_secret(name)) add_value(value, secrets);
    add_password_of_url(value, secrets);
  }
}

void add_secrets_of_profile(const nlohmann::ordered_json& document, const io::Environment& environment,
                            io::Redaction& secrets) {
  if (document.is_object()) {
    for (const auto& [key, value] : document.items()) {
      if (!value.is_string()) {
        add_secrets_of_profile(value, environment, secrets);
        continue;
      }
      const auto text = value.get<std::string>();
      const auto rendered = dbt::render_env_vars(text, environment).value_or(text);
      const bool secret = names_a_secret(key) || upper(key) == "PASS" || upper(key) == "PWD";
      if (secret && !dbt::has_jinja(rendered)) add_value(rendered, secrets);
      add_password_of_url(rendered, secrets);
    }
  } else if (document.is_array()) {
    for (const auto& item : document) add_secrets_of_profile(item, environment, secrets);
  }
}

void mask(std::span<const std::string> lines, std::ostream& commands) {
  for (const auto& line : lines) {
    commands << "::add-mask::";
    for (const char c : line) {
      // The runner reads %25, %0D and %0A back.
      if (c == '%') {
        commands << "%25";
      } else {
        commands << c;
      }
    }
    commands << '\n';
  }
  commands << std::flush;
}

}  // namespace offshoot::app
