#include "vault/scope_index.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <tuple>
#include <unordered_set>

namespace credlease::vault {
namespace {

using vocabulary::Scope;

/// Milliseconds since 1970 in a fixed width: they sort as text, and the text needs no allocation.
std::string key_of(vocabulary::Time time) {
    constexpr std::size_t width = 15;
    std::array<char, 24> digits{};
    const auto milliseconds = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), milliseconds).ptr;
    const auto size = static_cast<std::size_t>(end - digits.data());
    std::string key(width - std::min(width, size), '0');
    return key.append(digits.data(), size);
}

std::string sort_key(const Stored& entry, Sort sort) {
    switch (sort) {
    case Sort::name:
        return std::string(folded_name(entry));
    case Sort::created_at:
        return key_of(entry.credential.created_at);
    case Sort::updated_at:
        return key_of(entry.credential.updated_at);
    case Sort::last_used_at:
        return entry.last_used_at ? key_of(*entry.last_used_at) : std::string{};
    }
    std::unreachable();
}

/// What is found, by what it is looked up with later: meanwhile it may go.
struct Row {
    std::string key;
    vocabulary::CredentialId id;
    std::size_t scope = 0; ///< index in the walk's scopes

    [[nodiscard]] auto place() const { return std::tie(key, id); }
    bool operator<(const Row& other) const { return place() < other.place(); }
};

/// The first rows in order, never more than are asked for, and each id once.
class FirstRows {
  public:
    explicit FirstRows(std::size_t limit) : limit_(limit) {}

    void offer(Row row) {
        if (ids_.contains(row.id)) return;
        if (rows_.size() == limit_) {
            has_more_ = true;
            if (limit_ == 0 || !(row < rows_.front())) return;
            std::ranges::pop_heap(rows_, std::less<>{});
            ids_.erase(rows_.back().id);
            rows_.pop_back();
        }
        ids_.insert(row.id);
        rows_.push_back(std::move(row));
        std::ranges::push_heap(rows_, std::less<>{});
    }

    [[nodiscard]] std::vector<Row> sorted() const {
        auto rows = rows_;
        std::ranges::sort_heap(rows, std::less<>{});
        return rows;
    }
    [[nodiscard]] bool has_more() const { return has_more_; }

  private:
    std::size_t limit_;
    std::vector<Row> rows_; ///< a heap, the last on top
    std::unordered_set<vocabulary::CredentialId> ids_;
    bool has_more_ = false; ///< one did not fit
};

} // namespace

struct Listing::State {
    Walk walk;
    Filter filter;
    Sort sort;
    std::optional<Position> after;
    std::string text{}; ///< that is searched for, case-folded
    bool matches_nothing = false;
    FirstRows first;

    [[nodiscard]] bool matches(const Stored& entry) const {
        const vocabulary::Credential& credential = entry.credential;
        const auto is_asked_for = [](const auto& asked, const auto& value) { return asked.empty() || asked == value; };
        if (matches_nothing || !is_asked_for(filter.auth, credential.auth)) return false;
        if (filter.scope && *filter.scope != credential.scope) return false;
        if (filter.status && *filter.status != effective_status(credential, filter.now)) return false;
        const auto& services = filter.services;
        if (!services.empty() && std::ranges::find(services, credential.service.text()) == services.end()) return false;
        if (filter.keep && !filter.keep(credential)) return false;
        return text.empty() || holds(entry.folded);
    }
    /// memmem(3) is linear whatever is asked for; `contains` takes four times as long where a search nearly matches.
    [[nodiscard]] bool holds(std::string_view all) const {
        return ::memmem(all.data(), all.size(), text.data(), text.size()) != nullptr;
    }
    void look_at(const Stored& entry) {
        if (!matches(entry)) return;
        Row row{.key = sort_key(entry, sort), .id = entry.credential.id, .scope = walk.scope};
        if (!after || std::tie(after->sort_key, after->id) < row.place()) first.offer(std::move(row));
    }
};

Listing::Listing(std::vector<Scope> scopes, Filter filter, Sort sort, std::optional<Position> after, std::size_t limit)
    : state_(std::make_unique<State>(State{.walk = {.scopes = std::move(scopes)},
                                           .filter = std::move(filter),
                                           .sort = sort,
                                           .after = std::move(after),
                                           .first = FirstRows(limit)})) {
    const auto& text = state_->filter.text;
    state_->matches_nothing = !vocabulary::is_clean_utf8(text);
    if (!state_->matches_nothing) state_->text = vocabulary::folded(text);
}
Listing::Listing(Listing&&) noexcept = default;
Listing& Listing::operator=(Listing&&) noexcept = default;
Listing::~Listing() = default;

bool Vault::list_on(Listing& listing) const {
    auto& made = *listing.state_;
    return state_->walk_on(made.walk, [&made](const Stored& entry) { made.look_at(entry); });
}

Vault::Page Vault::page_of(const Listing& listing) {
    const auto& made = *listing.state_;
    Page page;
    const auto rows = made.first.sorted();
    for (const Row& row : rows) page.places.push_back({.scope = made.walk.scopes[row.scope], .id = row.id});
    if (made.first.has_more() && !rows.empty()) {
        page.next = Position{.sort_key = rows.back().key, .id = rows.back().id};
    }
    return page;
}

} // namespace credlease::vault
