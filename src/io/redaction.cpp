// SPDX-License-Identifier: Apache-2.0
#include "io/redaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace offshoot::io {

namespace {

constexpr std::size_t shortest = 4;       // of a secret
constexpr std::size_t shortest_form = 6;  // of a base64 piece: shorter ones stand in any text
constexpr std::size_t longest_held = 64U << 10;

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  unsigned value = 0;
  int bits = 0;
  for (const char c : bytes) {
    value = (value << 8U) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += digits[(value >> (static_cast<unsigned>(bits) - 6U)) & 63U];
  }
  return text;  // the last, partly filled digit is left out
}

/// What stays the same of the secret's base64, whatever stands before and behind it.
std::string base64_at(std::string_view secret, std::size_t offset) {
  const std::string text = base64(std::string(offset, '\0') + std::string(secret));
  const std::size_t spoilt = offset == 0 ? 0 : offset + 1;  // digits that hold bits of what stands before
  return text.size() > spoilt ? text.substr(spoilt) : std::string();
}

template <class Format>
std::string each_byte(std::string_view bytes, Format format) {
  std::string text;
  for (const char c : bytes) text += format(static_cast<unsigned char>(c));
  return text;
}

bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text, bool upper) {
  return each_byte(text, [&](unsigned char c) {
    if (is_unreserved(c)) return std::string(1, static_cast<char>(c));
    return upper ? fmt::format("%{:02X}", c) : fmt::format("%{:02x}", c);
  });
}

std::string in_json(std::string_view text) {
  const std::string quoted = to_line(nlohmann::json(std::string(text)));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

void Redaction::add_form(std::string form) {
  if (form.size() < shortest) return;
  auto& same = forms_[form.substr(0, shortest)];
  if (std::ranges::find(same, form) != same.end()) return;
  begins_.at(static_cast<unsigned char>(form.front())) = true;
  same.push_back(std::move(form));
  std::ranges::sort(same, [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

bool Redaction::empty() const {
  const std::shared_lock lock(*mutex_);
  return forms_.empty();
}

std::vector<std::string> Redaction::lines() const {
  const std::shared_lock lock(*mutex_);
  return lines_;
}

void Redaction::add(std::string_view secret) {
  const std::unique_lock lock(*mutex_);
  add_value(secret);
}

void Redaction::add_value(std::string_view secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.remove_suffix(1);
  if (secret.size() < shortest) return;
  add_form(std::string(secret));
  add_form(in_json(secret));
  add_form(percent_encoded(secret, true));
  add_form(percent_encoded(secret, false));
  add_form(each_byte(secret, [](unsigned char c) { return fmt::format("{:02x}", c); }));
  add_form(each_byte(secret, [](unsigned char c) { return fmt::format("{:02X}", c); }));
  for (const std::size_t offset : {0U, 1U, 2U}) {
    std::string form = base64_at(secret, offset);
    if (form.size() < shortest_form) continue;
    std::string for_urls = form;
    std::ranges::replace(for_urls, '+', '-');
    std::ranges::replace(for_urls, '/', '_');
    add_form(std::move(form));
    add_form(std::move(for_urls));
  }
  const auto end_of_line = secret.find_first_of("\r\n");
  if (end_of_line == std::string_view::npos) {
    if (std::ranges::find(lines_, secret) == lines_.end()) lines_.emplace_back(secret);
    return;
  }
  while (!secret.empty()) {
    const auto end = std::min(secret.find_first_of("\r\n"), secret.size());
    add_value(secret.substr(0, end));
    secret.remove_prefix(std::min(end + 1, secret.size()));
  }
}

std::string Redaction::clean(std::string_view text) const {
  const std::shared_lock lock(*mutex_);
  std::string result;
  result.reserve(text.size());
  std::size_t copied = 0;
  for (std::size_t at = 0; at + shortest <= text.size();) {
    if (!begins_.at(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    const auto candidates = forms_.find(text.substr(at, shortest));
    const auto rest = text.substr(at);
    const std::string* found = nullptr;
    if (candidates != forms_.end()) {
      const auto form =
          std::ranges::find_if(candidates->second, [&](const auto& one) { return rest.starts_with(one); });
      if (form != candidates->second.end()) found = &*form;
    }
    if (found == nullptr) {
      ++at;
      continue;
    }
    result += text.substr(copied, at - copied);
    result += "***";
    at += found->size();
    copied = at;
  }
  result += text.substr(copied);
  return result;
}

RedactingStream::RedactingStream(std::ostream& to, const Redaction& redaction)
    : std::ostream(nullptr), buffer_(to, redaction) {
  rdbuf(&buffer_);
}

RedactingStream::~RedactingStream() { buffer_.pass_on(); }

void RedactingStream::Buffer::pass_on() {
  to_ << redaction_.clean(held_) << std::flush;
  held_.clear();
}

std::streambuf::int_type RedactingStream::Buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  xsputn(&byte, 1);
  return c;
}

std::streamsize RedactingStream::Buffer::xsputn(const char* text, std::streamsize size) {
  held_.append(text, static_cast<std::size_t>(size));
  const auto newline = held_.rfind('\n');
  if (newline != std::string::npos) {
    to_ << redaction_.clean(std::string_view(held_).substr(0, newline + 1));
    held_.erase(0, newline + 1);
  }
  if (held_.size() > longest_held) pass_on();
  return size;
}

int RedactingStream::Buffer::sync() {
  pass_on();
  return to_ ? 0 : -1;
}

}  // namespace offshoot::io
