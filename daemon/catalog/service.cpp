#include "catalog/service.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace credlease::catalog {

std::optional<std::size_t> AuthType::find_field(std::string_view wanted) const {
    const auto found = std::ranges::find(fields, wanted, &Field::name);
    if (found == fields.end()) return std::nullopt;
    return static_cast<std::size_t>(found - fields.begin());
}

std::uint32_t AuthType::order_of(std::uint32_t mask) const {
    const auto named = static_cast<std::size_t>(std::bit_width(mask));
    return named == 0 || named > fields.size() ? 0 : fields[named - 1].order;
}

const AuthType* Service::find_auth(std::string_view wanted) const {
    const auto found = std::ranges::find(auth_types, wanted, &AuthType::name);
    return found == auth_types.end() ? nullptr : &*found;
}

std::string_view name_of(vocabulary::FieldType type) {
    using enum vocabulary::FieldType;
    switch (type) {
    case string:
        return "string";
    case text:
        return "text";
    case integer:
        return "integer";
    case boolean:
        return "boolean";
    case list:
        return "list";
    case map:
        return "map";
    }
    std::unreachable();
}

} // namespace credlease::catalog
