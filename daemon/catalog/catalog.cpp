#include "catalog/catalog.hpp"

#include "catalog/embedded.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace credlease::catalog {
namespace {

constexpr std::string_view schema_name = "service.schema.json";
constexpr std::size_t entry_most = 256 * 1024; // bytes

using Services = std::map<std::string, Service, std::less<>>;
namespace fs = std::filesystem;

result::Failure refuse_file(result::StaticText sentence, result::StaticText next_step, const fs::path& path) {
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = sentence,
                           .next_step = next_step,
                           .about = result::PublicText::of(path.native())});
}

result::Result<> add(std::string_view text, std::string_view file_name, Services& services) {
    auto service = read_service(text, file_name);
    if (!service) return result::refuse(std::move(service.error()));
    std::string id = service->id.text();
    services.insert_or_assign(std::move(id), std::move(*service));
    return {};
}

result::Result<> add_file(const fs::path& path, Services& services) {
    std::ifstream file(path, std::ios::binary);
    std::string text(entry_most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (!file.eof() && file.good()) {
        return refuse_file("A catalog entry is larger than 256 KiB.", "Make it smaller.", path);
    }
    if (file.bad() || !file.eof()) {
        return refuse_file("A catalog entry could not be read.", "Let the broker's account read it.", path);
    }
    return add(text, path.filename().native(), services);
}

/// The folder's ID.json files by name, so that the same folder always gives the same answer.
result::Result<std::vector<fs::path>> entries_in(const fs::path& folder) {
    std::vector<fs::path> found;
    if (folder.empty()) return found;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (at->path().extension() == ".json") found.push_back(at->path());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return refuse_file("The folder of catalog entries could not be read.", "Let the broker's account read it.",
                           folder);
    }
    std::ranges::sort(found);
    return found;
}

} // namespace

result::Result<std::shared_ptr<const Catalog>> Catalog::load(const fs::path& overlay) {
    auto made = std::make_shared<Catalog>();
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name == schema_name) continue;
        if (auto added = add(file.text, file.name, made->services_); !added) {
            return result::refuse(std::move(added.error()));
        }
    }
    auto paths = entries_in(overlay);
    if (!paths) return result::refuse(std::move(paths.error()));
    for (const fs::path& path : *paths) {
        if (auto added = add_file(path, made->services_); !added) return result::refuse(std::move(added.error()));
    }
    return made;
}

const Service* Catalog::find(std::string_view id) const {
    const auto found = services_.find(id);
    return found == services_.end() ? nullptr : &found->second;
}

std::string_view schema_json() { return std::ranges::find(embedded_files(), schema_name, &EmbeddedFile::name)->text; }

} // namespace credlease::catalog
