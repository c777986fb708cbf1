#include "cli/choices.hpp"

#include "cli/invocation.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

namespace credlease::cli {
namespace {

/// What other programs call it: a name that is only spelled alike would mislead.
struct Synonym {
    std::string_view word, name;
};
constexpr std::array<Synonym, 6> synonyms = {
    {{"get", "show"}, {"create", "add"}, {"update", "edit"}, {"ls", "list"}, {"rm", "delete"}, {"remove", "delete"}}};

/// Levenshtein's distance.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

/// Empty where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& names) {
    const auto synonym = std::ranges::find(synonyms, word, &Synonym::word);
    if (synonym != synonyms.end() && std::ranges::find(names, synonym->name) != names.end()) {
        return std::string(synonym->name);
    }
    constexpr std::size_t most = 2;
    std::string found;
    std::size_t least = std::min(most + 1, word.size());
    for (const std::string& name : names) {
        if (const auto far = distance(word, name); far < least) {
            least = far;
            found = name;
        }
    }
    return found;
}

} // namespace

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
    const std::string name = nearest(word, names);
    return name.empty() ? "" : " Did you mean \"" + name + "\"?";
}

bool is_like_a_name(const std::string& word) {
    constexpr std::size_t longest = 20;
    return word.size() <= longest &&
           std::ranges::all_of(word, [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); });
}

Result<void> check_choice(const std::string& what, const std::string& given, const std::vector<std::string>& choices) {
    if (given.empty() || std::ranges::find(choices, given) != choices.end()) return {};
    std::string all;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        all += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + choices[i];
    }
    return usage("There is no " + what + " \"" + given + "\"." + did_you_mean(given, choices), "It is " + all + ".");
}

} // namespace credlease::cli
