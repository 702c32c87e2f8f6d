// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/files.hpp"
#include "store/aws_files.hpp"
#include "store/folder_store.hpp"
#include "store/runs.hpp"
#include "store/s3_client.hpp"
#include "store/s3_xml.hpp"
#include "store/sigv4.hpp"

namespace offshoot::store {
namespace {

// The examples of AWS's documentation of Signature Version 4 for S3.
const Credentials example{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", std::nullopt, ""};
const char* const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

io::Instant day_of_the_examples() {
  io::Instant at;
  EXPECT_TRUE(io::parse_rfc3339("2013-05-24T00:00:00Z", at));
  return at;
}

std::string signature_of(const Signable& request) {
  const auto headers = signed_headers(request, {"us-east-1", "s3", day_of_the_examples()}, example);
  const std::string value = *io::header(headers, "authorization");
  return value.substr(value.rfind('=') + 1);
}

TEST(SigV4, J1_EqualsThePublishedExamples) {
  const std::string host = "examplebucket.s3.amazonaws.com";
  EXPECT_EQ(signature_of({"GET", host, "/test.txt", {}, {{"Range", "bytes=0-9"}}, nothing}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signature_of({"PUT",
                          host,
                          "/test%24file.text",
                          {},
                          {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature_of({"GET", host, "/", {{"lifecycle", ""}}, {}, nothing}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_of({"GET", host, "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, nothing}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, J1_EqualsThePublishedLink) {
  const std::string query = presigned_query({"GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, {}, ""},
                                            {"us-east-1", "s3", day_of_the_examples()}, example, 86400);
  EXPECT_TRUE(query.ends_with("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << query;
}

TEST(SigV4, EncodesAndSorts) {
  EXPECT_EQ(uri_encoded("a b/ä~-._+", true), "a%20b/%C3%A4~-._%2B");
  EXPECT_EQ(uri_encoded("a/b", false), "a%2Fb");
  EXPECT_EQ(query_text({{"b", "2"}, {"a", "x y"}, {"a", "/"}}), "a=%2F&a=x%20y&b=2");
  EXPECT_EQ(base64_of(bytes_of_hex("00ff10")), "AP8Q");
  EXPECT_EQ(bytes_of_hex("0g"), "");
}

TEST(S3Xml, ReadsErrorsOfSeveralServers) {
  const auto aws = parse_s3_error(
      "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message>"
      "<Region>eu-west-1</Region></Error>");
  ASSERT_TRUE(aws);
  EXPECT_EQ(aws->region, "eu-west-1");
  const auto other = parse_s3_error(
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'a' is wrong; expecting "
      "'us-east-1'</Message></Error>");
  EXPECT_EQ(other->region, "us-east-1");
  const auto sts = parse_s3_error(
      "<ErrorResponse xmlns=\"x\"><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
  EXPECT_EQ(sts->code, "AccessDenied");
  EXPECT_FALSE(parse_s3_error("<ListBucketResult/>"));
  EXPECT_FALSE(parse_s3_error(""));
  EXPECT_FALSE(parse_s3_error("<Error"));
}

TEST(S3Xml, G3_SurvivesAnything) {
  EXPECT_FALSE(parse_listing("", "d"));
  EXPECT_FALSE(parse_listing("<html>", "d"));
  EXPECT_FALSE(parse_listing(std::string(9 << 20, 'x'), "d"));
  EXPECT_FALSE(parse_listing("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "d"));
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_listing(deep, "d"));
  EXPECT_FALSE(parse_s3_error("<Error>" + deep));
  EXPECT_FALSE(parse_sts("<a/>", "d"));
  const auto page = parse_listing(
      "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Fb+%ZZ%</Key><Size>12</Size>"
      "<LastModified>2026-11-25T13:03:23.123Z</LastModified></Contents></ListBucketResult>",
      "d");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.at(0).key, "a/b %ZZ%");
  EXPECT_EQ(page->objects.at(0).size, 12U);
  EXPECT_EQ(io::rfc3339(page->objects.at(0).modified), "2026-11-25T13:03:23Z");
}

TEST(S3Settings, AreReadFromAddressEnvironmentAndProfile) {
  const AwsProfiles profiles{{"ci", {{"region", "eu-north-1"}, {"endpoint_url", "https://s3.acme.example/"}}}};
  const auto of_profile = s3_settings("s3://bucket/a/b/", {{"AWS_PROFILE", "ci"}}, profiles);
  ASSERT_TRUE(of_profile);
  EXPECT_EQ(of_profile->bucket, "bucket");
  EXPECT_EQ(of_profile->prefix, "a/b");
  EXPECT_EQ(of_profile->region, "eu-north-1");
  EXPECT_EQ(of_profile->endpoint, "https://s3.acme.example");
  EXPECT_TRUE(of_profile->path_style);
  const auto of_aws = s3_settings("s3://bucket", {{"AWS_REGION", "eu-west-1"}}, {});
  EXPECT_FALSE(of_aws->path_style);
  EXPECT_EQ(of_aws->prefix, "");
  EXPECT_TRUE(s3_settings("s3://with.dots/x", {}, {})->path_style);
  EXPECT_FALSE(s3_settings("s3://bucket", {{"AWS_ENDPOINT_URL", "ftp://x"}}, {}));
  EXPECT_FALSE(s3_settings("s3://bucket/../x", {}, {}));
  EXPECT_FALSE(s3_settings("s3://bucket", {{"OFFSHOOT_S3_ADDRESSING", "maybe"}}, {}));
  EXPECT_FALSE(s3_settings("s3://bucket", {{"OFFSHOOT_S3_TAGS", "=x"}}, {}));
}

TEST(AwsFiles, BothFilesMakeAProfile) {
  const auto folder = io::TemporaryFolder::make("aws");
  ASSERT_TRUE(io::write_file(folder->path() / ".aws/config",
                             "# comment\n[default]\nregion=a\n[profile ci]\r\nregion = eu-west-1 # here\n"
                             "s3 =\n  addressing_style = path\nrole_arn = r\n[sso-session x]\nregion = no\n"));
  ASSERT_TRUE(io::write_file(folder->path() / ".aws/credentials",
                             "[ci]\naws_access_key_id=AK\naws_secret_access_key = s=e+c/r#t\nregion = z\n"));
  const auto profiles = read_aws_profiles({{"HOME", folder->path().string()}});
  ASSERT_TRUE(profiles);
  EXPECT_EQ(value_in(*profiles, "ci", "region"), "z");
  EXPECT_EQ(value_in(*profiles, "ci", "role_arn"), "r");
  EXPECT_EQ(value_in(*profiles, "ci", "aws_secret_access_key"), "s=e+c/r#t");
  EXPECT_EQ(value_in(*profiles, "ci", "addressing_style"), "");
  EXPECT_EQ(value_in(*profiles, "default", "region"), "a");
  EXPECT_EQ(profiles->size(), 2U);
  EXPECT_TRUE(read_aws_profiles({})->empty());
}

class RunsTest : public testing::Test {
 protected:
  io::TemporaryFolder folder_ = *io::TemporaryFolder::make("runs");
  FolderStore store_{folder_.path() / "store"};

  Result<void> keep(const std::string& id, const std::string& started, const std::string& text) {
    const auto file = folder_.path() / "run.json";
    if (auto written = io::write_file(file, text); !written) return written;
    return keep_run(store_, run_folder("1", started, id), {.id = id, .started = started, .command = "check"},
                    {{"run.json", file}});
  }
};

TEST_F(RunsTest, J5_OnlyRunsWithAnIndexAreSeen) {
  ASSERT_TRUE(keep("20261121T000000Z-a-1", "2026-11-21T00:00:00Z", "a"));
  ASSERT_TRUE(keep("20261122T000000Z-b-1", "2026-11-22T00:00:00Z", "b"));
  ASSERT_TRUE(store_.put("1/runs/2026-11-23/20261123T000000Z-c-1/run.json", "cut short"));
  const auto runs = newest_runs(store_, "1", 10);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_EQ(runs->at(0).id, "20261122T000000Z-b-1");
  EXPECT_EQ(newest_runs(store_, "1", 1)->size(), 1U);
  EXPECT_EQ((*find_run(store_, "1", "last"))->index.id, "20261122T000000Z-b-1");
  EXPECT_EQ((*find_run(store_, "1", "20261121"))->index.id, "20261121T000000Z-a-1");
  EXPECT_FALSE(find_run(store_, "1", "202611"));
  EXPECT_FALSE(*find_run(store_, "1", "20261123"));
  EXPECT_FALSE(*find_run(store_, "2", "last"));
}

TEST_F(RunsTest, J5_NoRunIsWrittenOverAnother) {
  ASSERT_TRUE(keep("20261121T000000Z-a-1", "2026-11-21T00:00:00Z", "a"));
  EXPECT_TRUE(keep("20261121T000000Z-a-1", "2026-11-21T00:00:00Z", "a"));
  const auto other = keep("20261121T000000Z-a-1", "2026-11-21T00:00:00Z", "b");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().why, "another run of this id is kept there");
}

TEST_F(RunsTest, J7_AFileThatChangedIsNotBelieved) {
  ASSERT_TRUE(keep("20261121T000000Z-a-1", "2026-11-21T00:00:00Z", "a"));
  const auto run = *find_run(store_, "1", "last");
  EXPECT_EQ(file_of(store_, *run, "run.json"), "a");
  EXPECT_FALSE(file_of(store_, *run, "other"));
  ASSERT_TRUE(store_.put(run->folder + "/run.json", "x"));
  EXPECT_FALSE(file_of(store_, *run, "run.json"));
}

TEST_F(RunsTest, OldRunsAndStatesArePruned) {
  ASSERT_TRUE(keep("20200101T000000Z-a-1", "2020-01-01T00:00:00Z", "a"));
  ASSERT_TRUE(store_.put("1/runs/2020-01-02/20200102T000000Z-b-1/run.json", "without index"));
  ASSERT_TRUE(store_.put("1/state/base/k/manifest.json", "m"));
  ASSERT_TRUE(store_.put("1/state/production/prod/manifest.json", "m"));
  ASSERT_TRUE(store_.put("2/state/base/k/manifest.json", "m"));
  const io::Instant tomorrow = io::now() + std::chrono::hours(24);
  EXPECT_EQ(prune(store_, "1", io::now() - std::chrono::hours(24), false)->objects, 0U) << "all was written just now";
  const auto would = prune(store_, "1", tomorrow, true);
  ASSERT_TRUE(would);
  EXPECT_EQ(would->runs, 2U);
  EXPECT_EQ(would->objects, 4U);
  ASSERT_TRUE(prune(store_, "1", tomorrow, false));
  EXPECT_EQ(*store_.list(""),
            (std::vector<std::string>{"1/state/production/prod/manifest.json", "2/state/base/k/manifest.json"}));
}

}  // namespace
}  // namespace offshoot::store
