#pragma once

#include "support/oauth/provider.hpp"

#include <fstream>
#include <map>
#include <set>
#include <string>

namespace credlease::tests {

/// What the provider's log says about the refresh tokens of a daemon that is killed again and again. It checks, as it
/// reads, that no spent token is used but once in a life of the daemon, and only where its answer was lost by a kill.
class KillLedger {
  public:
    explicit KillLedger(const Provider& provider) : log_(provider.folder() / "log.jsonl") {}

    /// The daemon has died, and nothing of it is on its way any more.
    void next_life() {
        read();
        ++life_;
    }
    /// Takes in what was written since the last time.
    void read();
    /// Whether the grant's last successor was never used, nor its parent's answer seen by the life that asked for it.
    [[nodiscard]] bool has_lost_an_answer(const std::string& provider, const std::string& grant) const;

    [[nodiscard]] std::size_t refreshes() const { return refreshes_; }
    [[nodiscard]] std::size_t uses_of_spent() const { return uses_of_spent_; }
    /// Tokens that were asked for again in a later life.
    [[nodiscard]] std::size_t unanswered() const { return unanswered_; }

  private:
    struct Token {
        std::size_t first_used_in = 0; ///< life
        std::size_t last_used_in = 0;
        std::string grant{};
        std::string next{}; ///< its successor; empty: it was not rotated
    };
    void take(const Provider::Line& line);

    std::ifstream log_;
    std::string rest_; ///< a line whose end is still to come
    std::size_t life_ = 1;
    std::map<std::string, Token> tokens_;        ///< by hash, as soon as they were used
    std::map<std::string, std::string> last_of_; ///< by provider and grant: the token that was used last
    std::size_t refreshes_ = 0, uses_of_spent_ = 0, unanswered_ = 0;
};

} // namespace credlease::tests
