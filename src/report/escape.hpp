// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// The only ways by which text of the project gets into a comment or onto a terminal.
namespace offshoot::report {

/// Valid UTF-8 without control characters: bytes that are not UTF-8 become U+FFFD, ANSI sequences and the other C0 and
/// C1 controls go (newline and tab stay, CR and CRLF become newline), and what is invisible or turns the direction of
/// writing is shown, as "\u{202e}".
std::string clean(std::string_view raw);

/// clean(), on one line, at most `limit` bytes; what was cut shows as "…".
std::string one_line(std::string_view raw, std::size_t limit = 300);

/// The first lines and bytes of clean(raw) that fit; `cut` gets how many lines were left out. Never cuts a character.
std::string first_lines(std::string_view raw, std::size_t lines, std::size_t bytes, std::size_t& cut);

/// Markdown (and the inside of HTML) that shows the text as it is: no mention, link, reference, emphasis or tag.
std::string text(std::string_view raw, std::size_t limit = 300);

/// A code span. Not for tables.
std::string code(std::string_view raw, std::size_t limit = 200);

/// A code span that may stand in a table's cell.
std::string cell_code(std::string_view raw, std::size_t limit = 200);

/// A fenced block that holds the text, ending with a newline. No line of it begins as a bot's command does ("/merge").
std::string fenced(std::string_view cleaned, std::string_view language);

/// The inside of a quoted Mermaid label.
std::string mermaid_label(std::string_view raw, std::size_t limit = 40);

/// One line for a terminal or a log, at most `limit` bytes.
std::string terminal_line(std::string_view raw, std::size_t limit = 300);

/// The whole of an output that goes to a log, without workflow commands of GitHub's runner: a zero-width space stands
/// inside each "##[" and before each "::" that begins a line.
std::string without_commands(std::string_view output);

/// A JSON text without them: it means the same, with "##[" written as "#\u0023[".
std::string json_without_commands(std::string json);

/// How many columns the text takes on a terminal; ANSI colours take none.
std::size_t columns(std::string_view utf8);

/// The first columns of a text that has no ANSI sequences, with "…" where it was cut.
std::string first_columns(std::string_view utf8, std::size_t limit);

/// An absolute http(s) URL that may be written into markdown as the target of a link: empty unless `url` is one.
std::string link_target(std::string_view url);

/// A path with all but the unreserved characters and '/' percent-encoded.
std::string url_path(std::string_view path);

}  // namespace offshoot::report
