#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <random>

namespace credlease::tests {

/// How often a test kills, and by which chance: CREDLEASE_KILL_CYCLES and CREDLEASE_KILL_SEED.
class Rounds {
  public:
    explicit Rounds(int usual = 60)
        : count_(number_of("CREDLEASE_KILL_CYCLES", usual)),
          seed_(unsigned(number_of("CREDLEASE_KILL_SEED", int(std::random_device()() >> 1)))) {
        BOOST_TEST_MESSAGE("seed " << seed_);
    }

    [[nodiscard]] int count() const { return count_; }
    [[nodiscard]] unsigned seed() const { return seed_; }

    /// A round that fails says how to have it again.
    template <class Round> void each(Round round) const {
        for (int i = 0; i < count_; ++i) {
            BOOST_TEST_CONTEXT("seed " << seed_ << ", round " << i) { round(); }
        }
    }

  private:
    static int number_of(const char* variable, int otherwise) {
        const char* given = std::getenv(variable);
        return given != nullptr ? std::atoi(given) : otherwise;
    }

    int count_;
    unsigned seed_;
};

} // namespace credlease::tests
