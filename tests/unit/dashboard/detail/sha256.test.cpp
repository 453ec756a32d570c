#include <fusebox/dashboard/detail/sha256.hpp>

#include <string>

#include "catch.hpp"

using fusebox::detail::csp_hash;

TEST_CASE("H71 hashes are those of FIPS 180-4, in base64", "[H71]") {
  CHECK(csp_hash("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
  CHECK(csp_hash("abc") == "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
  CHECK(csp_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "'sha256-JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE='");
  CHECK(csp_hash(std::string(1'000'000, 'a')) == "'sha256-zcduXJkU+5KBocfihNc+Z/GAmkiklyAOBG05zMcRLNA='");
}
