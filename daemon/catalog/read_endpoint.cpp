#include "catalog/read_endpoint.hpp"

#include "catalog/url.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

constexpr std::string_view scheme = "https://";

/// One URL as it may come to look, and what decides its host.
class Sample {
  public:
    explicit Sample(const OAuthFields& fields) : fields_(fields) {}

    /// False: a field does not fit where it stands.
    bool add(const Template::Part& part) {
        const bool is_in_host = !is_behind_host();
        if (part.fields.empty()) {
            text_ += part.literal;
            if (is_in_host) last_of_host_ = std::string_view(part.literal).substr(0, part.literal.find('/'));
            return true;
        }
        if (part.fields.size() != 1) return false;
        const Field& field = fields_[part.fields.front()];
        if (!fits(part, field, is_in_host)) return false;
        text_ += field.format == Format::url ? "https://sample.example" : "sample";
        if (!is_in_host) return true;
        in_host_.push_back(&field);
        last_of_host_ = {};
        return true;
    }

    [[nodiscard]] bool is_https() const { return text_.starts_with(scheme) && find_host(text_); }
    [[nodiscard]] bool are_destinations() const { return std::ranges::all_of(in_host_, &Field::destination); }
    /// Unless the entry lists what the host may be, or has its end: ".salesforce.com".
    [[nodiscard]] bool has_chosen_host() const {
        const bool is_open = std::ranges::any_of(in_host_, [](const Field* field) { return field->choices.empty(); });
        const bool has_end = last_of_host_.starts_with('.') && std::ranges::count(last_of_host_, '.') >= 2;
        return is_open && !has_end;
    }

  private:
    [[nodiscard]] bool is_behind_host() const { return text_.find('/', scheme.size()) != text_.npos; }

    [[nodiscard]] bool fits(const Template::Part& part, const Field& field, bool is_in_host) const {
        if (part.encoder == Encoder::urlencode) return !is_in_host;
        if (part.encoder != Encoder::none) return false;
        return field.format == Format::host || (field.format == Format::url && text_.empty());
    }

    const OAuthFields& fields_;
    std::string text_;
    std::string last_of_host_;
    std::vector<const Field*> in_host_;
};

} // namespace

std::optional<Endpoint> read_endpoint(const EntryNode& node, std::string_view member, const OAuthFields& fields) {
    auto placed = fields.placed(node, member);
    if (!placed) return std::nullopt;
    Sample sample(fields);
    if (!std::ranges::all_of(placed->parts, [&](const Template::Part& part) { return sample.add(part); })) {
        node.refuse(member, "A field in it is the URL's beginning (format url), a part of its host (format host), or "
                            "urlencoded behind the host.");
    } else if (!sample.is_https()) {
        node.refuse(member, "It must be an https URL without a user, query or fragment.");
    } else if (!sample.are_destinations()) {
        node.refuse(member, "A field in its host must be a destination.");
    }
    return Endpoint{.url = std::move(*placed), .has_chosen_host = sample.has_chosen_host()};
}

} // namespace credlease::catalog
