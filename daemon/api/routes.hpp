#pragma once

#include "api/reply.hpp"
#include "api/request.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace credlease::api {

/// Path parts that a route's `{…}` matched, percent-decoded, in order.
using Parts = std::vector<std::string>;

/// One row of the route table.
struct Route {
    Method method;
    std::string_view pattern; ///< "/v1/leases/{id}/renew"
    bool on_lease = false;    ///< served on lease.sock too (admin.sock serves all)
    bool while_sealed = false;
    std::function<void(const Request&, const Parts&, Responder)> handle;
};

/// What a request gets that cannot be served while the broker is sealed.
[[nodiscard]] result::Error sealed();

/// Finds the row of a request: fixed paths by one look-up, without an allocation; they win over patterns.
class Routes {
  public:
    explicit Routes(std::vector<Route> rows);
    Routes(const Routes&) = delete;
    Routes& operator=(const Routes&) = delete;

    /// Calls the row's handler, or answers `not_found`, `method_not_allowed` (with an Allow header), or, where `sealed`
    /// and the row is not for that, `sealed`.
    void dispatch(const Request& request, Responder responder, bool sealed) const;
    [[nodiscard]] const std::vector<Route>& rows() const { return rows_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view path) const { return std::hash<std::string_view>{}(path); }
    };
    using RowsOfPath = std::vector<const Route*>;
    struct Pattern {
        std::vector<std::string_view> segments; ///< "{…}" matches anything but nothing
        RowsOfPath rows;
    };

    [[nodiscard]] const RowsOfPath* find(std::string_view path, Parts& parts) const;
    void add(const Route& row);

    std::vector<Route> rows_;
    std::unordered_map<std::string, RowsOfPath, Hash, std::equal_to<>> fixed_;
    std::vector<Pattern> patterns_;
};

} // namespace credlease::api
