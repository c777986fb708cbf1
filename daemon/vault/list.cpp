#include "vault/scope_index.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <tuple>

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

class Matcher {
  public:
    explicit Matcher(const Filter& filter) : filter_(filter) {
        if (vocabulary::is_clean_utf8(filter.text))
            text_ = vocabulary::folded(filter.text);
        else
            matches_nothing_ = true;
    }

    [[nodiscard]] bool matches(const Stored& entry) const {
        const vocabulary::Credential& credential = entry.credential;
        const auto is_asked_for = [](const auto& asked, const auto& value) { return asked.empty() || asked == value; };
        if (matches_nothing_ || !is_asked_for(filter_.auth, credential.auth)) return false;
        if (filter_.scope && *filter_.scope != credential.scope) return false;
        if (filter_.status && *filter_.status != effective_status(credential, filter_.now)) return false;
        const auto& services = filter_.services;
        if (!services.empty() && std::ranges::find(services, credential.service.text()) == services.end()) return false;
        if (filter_.keep && !filter_.keep(credential)) return false;
        return text_.empty() || holds(entry.folded);
    }

  private:
    /// memmem(3) is linear whatever is asked for; `contains` takes four times as long where a search nearly matches.
    [[nodiscard]] bool holds(std::string_view text) const {
        return ::memmem(text.data(), text.size(), text_.data(), text_.size()) != nullptr;
    }

    const Filter& filter_;
    std::string text_;
    bool matches_nothing_ = false;
};

struct Row {
    std::string key;
    const Entry* entry = nullptr;

    [[nodiscard]] auto place() const { return std::tie(key, entry->credential.id); }
    bool operator<(const Row& other) const { return place() < other.place(); }
};

/// The first rows in order, never more than are asked for.
class FirstRows {
  public:
    explicit FirstRows(std::size_t limit) : limit_(limit) {}

    void offer(Row row) {
        if (limit_ == 0) return;
        if (rows_.size() == limit_) {
            if (!(row < rows_.front())) return;
            std::ranges::pop_heap(rows_, std::less<>{});
            rows_.pop_back();
        }
        rows_.push_back(std::move(row));
        std::ranges::push_heap(rows_, std::less<>{});
    }

    [[nodiscard]] std::vector<const Entry*> take() {
        std::ranges::sort_heap(rows_, std::less<>{});
        std::vector<const Entry*> entries;
        for (const Row& row : rows_) entries.push_back(row.entry);
        return entries;
    }

  private:
    std::size_t limit_;
    std::vector<Row> rows_; ///< a heap, the last on top
};

} // namespace

std::string Vault::sort_key(const Entry& entry, Sort sort) {
    switch (sort) {
    case Sort::name:
        return vocabulary::folded(entry.credential.name);
    case Sort::created_at:
        return key_of(entry.credential.created_at);
    case Sort::updated_at:
        return key_of(entry.credential.updated_at);
    case Sort::last_used_at:
        return entry.last_used_at ? key_of(*entry.last_used_at) : std::string{};
    }
    std::unreachable();
}

void Vault::visit(std::span<const Scope> scopes, const std::function<void(const Entry&)>& show) const {
    state_->visit(scopes, show);
}

std::vector<const Entry*> Vault::list(std::span<const Scope> scopes, const Filter& filter, Sort sort,
                                      const std::optional<Position>& after, std::size_t limit) const {
    const Matcher matcher(filter);
    FirstRows first(limit);
    state_->visit(scopes, [&](const Stored& entry) {
        if (!matcher.matches(entry)) return;
        const bool by_name = sort == Sort::name;
        Row row{.key = by_name ? std::string(folded_name(entry)) : sort_key(entry, sort), .entry = &entry};
        if (!after || std::tie(after->sort_key, after->id) < row.place()) first.offer(std::move(row));
    });
    return first.take();
}

} // namespace credlease::vault
