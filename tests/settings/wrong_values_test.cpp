#define BOOST_TEST_DYN_LINK
#include "folder.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

// A wrong file stops the start, and the message leads to the line.
namespace credlease::settings {
namespace {

struct Wrong {
    std::string toml;
    int line;
    std::string key;
};

constexpr std::string_view engine = "[[engine]]\nname = \"flows\"\nuid = 1\nworkspaces = [\"*\"]\n";
constexpr std::string_view worker = "[[worker]]\nname = \"etl\"\nuid = 2\n";

/// One wrong value each, in line 2 of its table.
const std::vector<std::pair<std::string, std::vector<std::string>>> wrong_values = {
    {"sockets.lease_mode", {"0660", "\"660\"", "\"0868\"", "\"01777\"", "\"rw-\"", "\"\""}},
    {"sockets.admin_mode", {"true", "\"06 0\""}},
    {"sockets.lease_group", {"\"no-such-group\"", "-1", "4294967295", "true", "[1]"}},
    {"sockets.admin_group", {"\"no-such-group\"", "1.5"}},
    {"seal.method", {"\"keyfile\"", "\"systemd-credential\"", "1"}},
    {"seal.key_file", {"\"root.key\"", "\"\"", "1"}},
    {"memory.arena", {"\"swap\"", "true"}},
    {"memory.size", {"\"4MB\"", "\"3MiB\"", "\"128KiB\"", "\"2GiB\"", "4194304", "\"-4MiB\"", "\"0B\"", "\"MiB\""}},
    {"access.operators", {"\"root\"", "[\"no-such-user\"]", "[true]", "[-1]", "[4294967295]", "[\"4294967295\"]"}},
    {"access.users", {"[]", "\"alice\""}},
    {"leases.default_ttl", {"900", "\"15\"", "\"0s\"", "\"11000d\"", "\"2h\"", "\"-1m\""}},
    {"leases.max_ttl", {"\"2 h\"", "\"25h\""}},
    {"leases.max_total", {"\"\"", "1.5"}},
    {"leases.per_principal", {"0", "-1", "100000001", "\"10\""}},
    {"audit.durability", {"\"fsync\"", "false"}},
    {"audit.head_file", {"\"head\"", "1"}},
    {"audit.keep", {"\"0s\"", "400"}},
    {"audit.max_size", {"\"2000GiB\"", "\"lots\"", "\"1099511627776GiB\""}},
    {"limits.connections_per_uid", {"0", "\"5\""}},
    {"limits.requests_per_second", {"-1", "0.5"}},
    {"limits.listeners_per_uid", {"0", "[]"}},
    {"catalog.dir", {"\"services.d\"", "1"}},
    {"rotation.every", {"\"0s\"", "\"sometimes\"", "90"}},
    {"rotation.keep_versions", {"0", "1001", "\"3\""}},
    {"outbound.timeout", {"\"0s\"", "20"}},
    {"outbound.ca_file", {"\"ca.pem\"", "true"}},
    {"outbound.allow_private", {"\"true\"", "1"}},
    {"outbound.allowed_hosts", {"\"a\"", "[\"a b\"]", "[\"\"]", "[1]", "[\"http://a\"]"}},
    {"outbound.callback",
     {"\"0.0.0.0:7466\"", "\"127.0.0.1\"", "\"127.0.0.1:0\"", "\"127.0.0.1:65536\"", "\"localhost:1\"", "\"[::2]:1\"",
      "7466"}},
    {"outbound.public_url",
     {"\"http://a.example\"", "\"https://\"", "\"https://a/?b\"", "\"https://u@a/\"", "\"https://a b\""}},
    {"outbound.redirect_uris",
     {"[\"http://a.example/cb\"]", "[\"https://a/#f\"]", "[\"ftp://a\"]", "[\"http://localhostile/\"]",
      "\"https://a\""}},
    {"store.engine", {"\"etcd\"", "true"}},
    {"log.level", {"\"trace\"", "2"}},
    {"log.format", {"\"xml\"", "true"}},
};

const std::vector<Wrong> wrong_rules = {
    {"engine = 1\n", 1, "engine"},
    {"[engine]\nname = \"flows\"\n", 1, "engine"},
    {"[[engine]]\nuid = 1\nworkspaces = [\"*\"]\n", 1, "engine.name"},
    {"[[engine]]\nname = \"flows\"\nworkspaces = [\"*\"]\n", 1, "engine.uid"},
    {"[[engine]]\nname = \"flows\"\nuid = 1\n", 1, "engine.workspaces"},
    {"[[engine]]\nname = \"a b\"\nuid = 1\nworkspaces = [\"*\"]\n", 2, "engine.name"},
    {"[[engine]]\nname = \"flows\"\nuid = \"no-such-user\"\nworkspaces = [\"*\"]\n", 3, "engine.uid"},
    {"[[engine]]\nname = \"flows\"\nuid = 1\nworkspaces = []\n", 4, "engine.workspaces"},
    {"[[engine]]\nname = \"flows\"\nuid = 1\nworkspaces = [\"*\", \"acme\"]\n", 4, "engine.workspaces"},
    {"[[engine]]\nname = \"flows\"\nuid = 1\nworkspaces = \"acme\"\n", 4, "engine.workspaces"},
    {std::string(engine) + "max_role = \"owner\"\n", 5, "engine.max_role"},
    {std::string(engine) + "unit = \"a b.service\"\n", 5, "engine.unit"},
    {std::string(engine) + "directory = \"\"\n", 5, "engine.directory"},
    {std::string(engine) + "exe = \"/bin/sh\"\n", 5, "engine.exe"},
    {std::string(engine) + std::string(engine), 6, "engine.name"},
    {"[[worker]]\nuid = 2\n", 1, "worker.name"},
    {"[[worker]]\nname = \"etl\"\n", 1, "worker.uid"},
    {std::string(worker) + "unit = \"etl@[0-9.service\"\n", 4, "worker.unit"},
    {std::string(worker) + "unit = \"\"\n", 4, "worker.unit"},
    {std::string(worker) + "exe = \"worker\"\n", 4, "worker.exe"},
    {std::string(worker) + "exe_sha256 = \"00\"\n", 4, "worker.exe_sha256"},
    {std::string(worker) + "exe_sha256 = \"" + std::string(64, 'g') + "\"\n", 4, "worker.exe_sha256"},
    {std::string(worker) + "workspace = \"*\"\n", 4, "worker.workspace"},
    {std::string(worker) + "user = \"alice\"\n", 4, "worker.user"},
    {std::string(worker) + "credentials = [\"Acme prod\"]\n", 4, "worker.credentials"},
    {std::string(worker) + "credentials = []\n", 4, "worker.credentials"},
    {std::string(worker) + "services = [\"Open AI\"]\n", 4, "worker.services"},
    {std::string(worker) + "services = []\n", 4, "worker.services"},
    {std::string(worker) + "fields = [\"API-KEY\"]\n", 4, "worker.fields"},
    {std::string(worker) + "max_ttl = \"0s\"\n", 4, "worker.max_ttl"},
    {std::string(worker) + "max_role = \"editor\"\n", 4, "worker.max_role"},
    {std::string(worker) + "\n" + std::string(worker), 6, "worker.name"},
};

const std::vector<Wrong> wrong_files = {
    {"[leases]\nmax_tll = \"1h\"\n", 2, "leases.max_tll, did you mean max_ttl?"},
    {"[leases]\nlongest = \"1h\"\n", 2, "leases.longest"},
    {std::string(worker) + "servces = [\"openai\"]\n", 4, "worker.servces, did you mean services?"},
    {"\n[leese]\n", 2, "leese, did you mean leases?"},
    {"level = \"info\"\n", 1, "level"},
    {"log = \"info\"\n", 1, "log"},
    {"[[log]]\nlevel = \"info\"\n", 1, "log"},
    {"[log]\nlevel = \"info\"\n\nlevle = \"info\"\n", 4, "log.levle, did you mean level?"},
    {"[access]\nusers = { alice = \"user:local/alice\" }\n", 2, "access.users.alice"},
    {"[access.users]\n0 = \"alice\"\n", 2, "access.users.0"},
    {"[access.users]\nroot = \"user:local/a\"\n0 = \"user:local/b\"\n", 3, "access.users.0"},
};

void check_refused(const result::Result<Settings>& settings, const std::string& about, const std::string& toml) {
    BOOST_TEST_CONTEXT(toml) {
        BOOST_REQUIRE(!settings.has_value());
        BOOST_TEST((settings.error().code == result::ErrorCode::configuration));
        BOOST_TEST(settings.error().about.text() == about);
        BOOST_TEST(!settings.error().sentence.view().empty());
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(wrong_value_promises, Folder)

BOOST_AUTO_TEST_CASE(a_wrong_value_is_refused_with_its_line_and_key) {
    for (const auto& [name, values] : wrong_values) {
        const auto dot = name.find('.');
        for (const auto& value : values) {
            const auto toml = "[" + name.substr(0, dot) + "]\n" + name.substr(dot + 1) + " = " + value + "\n";
            const auto octal = value == "0660"; // TOML itself has no such number
            if (!octal) check_refused(read(toml), config_file().string() + ":2: " + name, toml);
            if (octal) BOOST_TEST(!read(toml).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_rule_is_refused_with_its_line_and_key) {
    for (const auto& wrong : wrong_rules) {
        const auto about = config_file().string() + ":" + std::to_string(wrong.line) + ": " + wrong.key;
        check_refused(read(wrong.toml), about, wrong.toml);
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_with_its_line_and_the_one_that_was_meant) {
    for (const auto& wrong : wrong_files) {
        const auto about = config_file().string() + ":" + std::to_string(wrong.line) + ": " + wrong.key;
        check_refused(read(wrong.toml), about, wrong.toml);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_toml_is_refused_with_its_line) {
    const auto settings = read("[log]\nlevel = \"info\n");
    BOOST_REQUIRE(!settings.has_value());
    BOOST_TEST(settings.error().about.text().starts_with(config_file().string() + ":2: "));
    BOOST_TEST(!read("[log]\nlevel = \"info\"\nlevel = \"debug\"\n").has_value());
}

BOOST_AUTO_TEST_CASE(a_systemd_credential_is_refused_in_so_many_words) {
    const auto settings = read("[seal]\nmethod = \"systemd-credential\"\n");
    BOOST_REQUIRE(!settings.has_value());
    BOOST_TEST(settings.error().sentence.view() == "Sealing by a systemd credential is not in this version.");
    BOOST_TEST(!settings.error().next_step.view().empty());
}

BOOST_AUTO_TEST_CASE(a_root_key_in_the_data_folder_is_refused) {
    const auto key = (path() / "state/credlease/root.key").string();
    const auto toml = "\n[seal]\nkey_file = \"" + key + "\"\n";
    check_refused(read(toml), config_file().string() + ":2: seal", toml);
    BOOST_TEST(read("[seal]\nkey_file = \"" + (path() / "state/credlease-key").string() + "\"\n").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_of_more_than_a_mebibyte_is_refused) {
    BOOST_TEST(!read("#" + std::string(std::size_t{1} << 20, 'x')).has_value());
    BOOST_TEST(read("#" + std::string((std::size_t{1} << 20) - 1, 'x')).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
