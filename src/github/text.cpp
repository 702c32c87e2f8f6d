// SPDX-License-Identifier: Apache-2.0
#include "github/text.hpp"

#include "io/json.hpp"

namespace offshoot::github {

std::string cut(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return std::string(utf8);
  constexpr std::string_view ellipsis = "…";
  if (limit < ellipsis.size()) return {};
  std::size_t end = limit - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xC0U) == 0x80U) --end;
  return std::string(utf8.substr(0, end)) + std::string(ellipsis);
}

std::string as_utf8(std::string_view bytes) {
  const nlohmann::json text = std::string(bytes);
  return nlohmann::json::parse(io::to_line(text)).get<std::string>();
}

}  // namespace offshoot::github
