#include "settings/settings.hpp"

#include <CLI/CLI.hpp>

namespace credlease::settings {
namespace {

/// The flags, bound to where their values go.
class Reader {
  public:
    Reader() : app_("Hands out leases of stored credentials over Unix sockets.", "credleased") {
        app_.set_help_flag();
        app_.add_flag("--system", flags_.system,
                      "Be the system's broker: /etc, /var/lib and /run instead of the user's places");
        add_path("--config", config_, "FILE", "The config file");
        add_path("--data-dir", data_dir_, "DIR", "Where the store and the journal lie");
        add_path("--runtime-dir", runtime_dir_, "DIR", "Where the sockets lie");
        app_.add_flag("--check-config", flags_.check_config,
                      "Say whether the config file is right, and what is weak in it");
        app_.add_flag("--version", flags_.version, "Print the version");
        app_.add_flag("-h,--help", flags_.help, "Print this");
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    [[nodiscard]] std::string usage() const { return app_.help(); }

    [[nodiscard]] Flags read(int count, const char* const* arguments) {
        app_.parse(count, arguments);
        flags_.config = given(config_);
        flags_.data_dir = given(data_dir_);
        flags_.runtime_dir = given(runtime_dir_);
        return flags_;
    }

  private:
    void add_path(const std::string& flag, std::string& into, const std::string& kind, const std::string& says) {
        app_.add_option(flag, into, says)->type_name(kind)->check([](const std::string& text) {
            return text.empty() ? std::string("a path is expected") : std::string();
        });
    }
    static std::optional<std::filesystem::path> given(const std::string& text) {
        return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
    }

    CLI::App app_;
    Flags flags_;
    std::string config_, data_dir_, runtime_dir_;
};

} // namespace

result::Result<Flags> read_flags(int count, const char* const* arguments) {
    Reader reader;
    try {
        return reader.read(count, arguments);
    } catch (const CLI::ParseError& failure) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The command line is not understood.",
                               .next_step = "See `credleased --help`.",
                               .about = result::PublicText::of(failure.what())});
    }
}

std::string usage() { return Reader().usage(); }

} // namespace credlease::settings
