#pragma once

#include "oauth/values.hpp"

namespace credlease::oauth {

/// The secrets of one exchange: what a provider's words must not repeat (guarantee 3).
using Secrets = std::vector<secret::SecretBuffer>;

/// Named values in their order; a name that comes again replaces the earlier value. All values lie in the arena. A
/// failure (the arena is full) is kept and comes out where they are written.
class Parameters {
  public:
    explicit Parameters(secret::Arena& arena) : arena_(arena) {}

    void set(std::string_view name, std::string_view value);
    void set(std::string_view name, const secret::SecretBuffer& value); ///< a secret
    /// What the entry says; one that needs a field that is not set is left out.
    void set(const std::vector<catalog::Parameter>& parameters, const Values& values);

    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool empty() const { return items_.empty(); }

    [[nodiscard]] result::Result<secret::SecretBuffer> as_form() const; ///< application/x-www-form-urlencoded
    [[nodiscard]] result::Result<secret::SecretBuffer> as_json() const; ///< one object of strings
    /// `url` with the parameters in its query.
    [[nodiscard]] result::Result<secret::SecretBuffer> behind(std::string_view url) const;
    /// The values that are secret; what is left is empty.
    [[nodiscard]] Secrets take_secrets();

  private:
    struct Item {
        std::string name;
        secret::SecretBuffer value;
        bool is_secret = false;
    };
    void put(std::string_view name, result::Result<secret::SecretBuffer> value, bool is_secret);
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] result::Result<secret::SecretBuffer> write_form(std::string_view before) const;

    secret::Arena& arena_;
    std::vector<Item> items_;
    std::optional<result::Error> failure_;
};

} // namespace credlease::oauth
