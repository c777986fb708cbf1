#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace credlease::vault {
namespace {

BOOST_FIXTURE_TEST_CASE(a_credential_costs_less_than_1200_bytes_of_memory, House) {
    constexpr std::size_t count = 4'000;
    const Entry& model =
        create("http-bearer", "model", workspace("acme"),
               R"({"token":"sk-0123456789012345678901234567890123456789","base_url":"https://api.example.com/v1"})");
    const std::string sealed = disk.records.at({store::Table::versions, version_key(model.credential.id, 1)}).value;
    vocabulary::Credential credential = model.credential;
    const auto before = mallinfo2().uordblks;
    for (std::size_t i = 0; i < count; ++i) {
        credential.id = vocabulary::CredentialId(ids.next(i));
        credential.name = name_of("Production key of team " + std::to_string(i));
        const std::string key = credential_key(credential.id);
        BOOST_TEST_REQUIRE(vault
                               ->accept({.table = store::Table::credentials,
                                         .key = key,
                                         .revision = 1,
                                         .value = write_credential(credential)})
                               .has_value());
        BOOST_TEST_REQUIRE(vault
                               ->accept({.table = store::Table::versions,
                                         .key = version_key(credential.id, 1),
                                         .revision = 1,
                                         .value = sealed})
                               .has_value());
    }
    const std::size_t each = (mallinfo2().uordblks - before) / count;
    BOOST_TEST_MESSAGE(each << " bytes a credential");
    BOOST_TEST(vault->size() == count + 1);
    BOOST_TEST(each < 1200u); // 100,000 credentials within 150 MB, the daemon's own 25 MB included
}

} // namespace
} // namespace credlease::vault

#endif
