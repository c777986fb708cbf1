#pragma once

#include "catalog/service.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::catalog {

/// All services: the built-in entries (compiled in from daemon/catalog/services/*.json), each replaced whole by the
/// operator's entry of the same id. Immutable; a reload makes a new one.
class Catalog {
  public:
    /// `overlay` need not exist. `configuration` names the file, and the member that the schema does not allow.
    [[nodiscard]] static result::Result<std::shared_ptr<const Catalog>> load(const std::filesystem::path& overlay);

    [[nodiscard]] const Service* find(std::string_view id) const;
    [[nodiscard]] const std::map<std::string, Service, std::less<>>& all() const { return services_; }

  private:
    std::map<std::string, Service, std::less<>> services_;
};

/// Reads and checks one entry (`service.schema.json`, and what that cannot say). `configuration` names the file and the
/// first member that is wrong ("acme.json: auth[0].fields[2].type").
[[nodiscard]] result::Result<Service> read_service(std::string_view json, std::string_view file_name);
/// The schema itself, as installed.
[[nodiscard]] std::string_view schema_json();

} // namespace credlease::catalog
