// SPDX-License-Identifier: Apache-2.0
#include "store/s3_xml.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <pugixml.hpp>

namespace offshoot::store {

namespace {

/// Takes an XML document apart. pugixml knows no entities but the five of XML and reads no DTD; it is not recursive.
Result<pugi::xml_node> load(pugi::xml_document& document, std::string_view xml, const std::string& doing,
                            const char* root) {
  constexpr std::size_t largest = 8U << 20;
  if (xml.size() > largest) return failed(ExitStatus::could_not_run, doing, "the answer is longer than 8 MiB");
  const auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  const pugi::xml_node node = document.child(root);
  if (!parsed || !node) {
    return failed(ExitStatus::could_not_run, doing, fmt::format("the answer is not a <{}> of S3", root),
                  "see whether the endpoint speaks S3");
  }
  return node;
}

/// encoding-type=url: %XX and '+'.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const std::string digits(text.substr(i + 1, 2));
      char* end = nullptr;
      const long value = std::strtol(digits.c_str(), &end, 16);
      if (end == digits.c_str() + 2) {
        result += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    result += text[i] == '+' ? ' ' : text[i];
  }
  return result;
}

std::string text_of(pugi::xml_node node, const char* name) { return node.child_value(name); }

}  // namespace

std::optional<io::Instant> parse_xml_time(std::string_view text) {
  std::string plain(text.substr(0, 19));
  plain += 'Z';
  io::Instant instant;
  if (text.size() < 20 || !io::parse_rfc3339(plain, instant)) return std::nullopt;
  return instant;
}

std::optional<S3Error> parse_s3_error(std::string_view xml) {
  if (xml.find("<Error") == std::string_view::npos) return std::nullopt;
  pugi::xml_document document;
  constexpr std::size_t largest = 64U << 10;
  if (xml.size() > largest || !document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  pugi::xml_node error = document.child("Error");
  if (!error) error = document.child("ErrorResponse").child("Error");
  if (!error) return std::nullopt;
  S3Error result{text_of(error, "Code"), text_of(error, "Message"), text_of(error, "Region")};
  // Some servers name the region in the message only: "expecting 'us-east-1'".
  constexpr std::string_view expecting = "expecting '";
  if (const auto at = result.message.find(expecting); result.region.empty() && at != std::string::npos) {
    const auto begin = at + expecting.size();
    result.region = result.message.substr(begin, result.message.find('\'', begin) - begin);
  }
  return result;
}

Result<Page> parse_listing(std::string_view xml, const std::string& doing) {
  pugi::xml_document document;
  const auto root = load(document, xml, doing, "ListBucketResult");
  if (!root) return tl::unexpected(root.error());
  Page page;
  const bool encoded = text_of(*root, "EncodingType") == "url";
  for (const auto node : root->children("Contents")) {
    const std::string key = text_of(node, "Key");
    page.objects.push_back({encoded ? decoded(key) : key, std::strtoull(node.child_value("Size"), nullptr, 10),
                            parse_xml_time(text_of(node, "LastModified")).value_or(io::Instant{})});
  }
  if (text_of(*root, "IsTruncated") == "true") {
    page.next = text_of(*root, "NextContinuationToken");
    if (page.next.empty()) return failed(ExitStatus::could_not_run, doing, "the listing was cut without its rest");
  }
  return page;
}

Result<Uploads> parse_uploads(std::string_view xml, const std::string& doing) {
  pugi::xml_document document;
  const auto root = load(document, xml, doing, "ListMultipartUploadsResult");
  if (!root) return tl::unexpected(root.error());
  Uploads result;
  for (const auto node : root->children("Upload")) {
    result.uploads.push_back({text_of(node, "Key"), text_of(node, "UploadId"),
                              parse_xml_time(text_of(node, "Initiated")).value_or(io::Instant{})});
  }
  if (text_of(*root, "IsTruncated") == "true") {
    result.next_key = text_of(*root, "NextKeyMarker");
    result.next_id = text_of(*root, "NextUploadIdMarker");
  }
  return result;
}

Result<std::string> parse_upload_id(std::string_view xml, const std::string& doing) {
  pugi::xml_document document;
  const auto root = load(document, xml, doing, "InitiateMultipartUploadResult");
  if (!root) return tl::unexpected(root.error());
  std::string id = text_of(*root, "UploadId");
  if (id.empty()) return failed(ExitStatus::could_not_run, doing, "the answer holds no upload id");
  return id;
}

std::string completion_xml(const std::vector<Part>& parts) {
  std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // An ETag is quoted hex digits and a dash; '"' may stand in XML text as it is.
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag><ChecksumSHA256>{}</ChecksumSHA256></Part>",
                       i + 1, parts[i].etag, parts[i].sha256);
  }
  return xml + "</CompleteMultipartUpload>";
}

Result<Credentials> parse_sts(std::string_view xml, const std::string& doing) {
  pugi::xml_document document;
  constexpr std::size_t largest = 1U << 20;
  if (xml.size() > largest || !document.load_buffer(xml.data(), xml.size())) {
    return failed(ExitStatus::could_not_run, doing, "the answer is not one of STS");
  }
  const pugi::xml_node node =
      document.find_node([](const pugi::xml_node& one) { return std::strcmp(one.name(), "Credentials") == 0; });
  Credentials credentials{text_of(node, "AccessKeyId"), text_of(node, "SecretAccessKey"), text_of(node, "SessionToken"),
                          parse_xml_time(text_of(node, "Expiration")), ""};
  if (credentials.access_key.empty() || credentials.secret.empty()) {
    return failed(ExitStatus::could_not_run, doing, "the answer holds no credentials");
  }
  return credentials;
}

}  // namespace offshoot::store
