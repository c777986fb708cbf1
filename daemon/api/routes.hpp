#pragma once

#include "api/reply.hpp"
#include "api/request.hpp"

#include <functional>
#include <string_view>
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

/// Finds the row of a request: fixed paths by one look-up, without an allocation.
class Routes {
  public:
    explicit Routes(std::vector<Route> rows);

    /// Calls the row's handler, or answers `not_found`, `method_not_allowed` (with an Allow header), or, where `sealed`
    /// and the row is not for that, `sealed`.
    void dispatch(const Request& request, Responder responder, bool sealed) const;
    [[nodiscard]] const std::vector<Route>& rows() const { return rows_; }

  private:
    std::vector<Route> rows_;
};

} // namespace credlease::api
