#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <map>

namespace credlease::broker {

/// Values that many have in common: each is kept once, for as long as somebody holds it, who pays a pointer for it. It
/// outlives whoever holds some.
template <class Value> class Interned {
    struct Kept {
        Interned& all;
        const Value* value = nullptr; ///< its key
        std::size_t holders = 0;

        friend void intrusive_ptr_add_ref(Kept* kept) { ++kept->holders; }
        friend void intrusive_ptr_release(Kept* kept) {
            if (--kept->holders == 0) kept->all.kept_.erase(kept->all.kept_.find(*kept->value));
        }
    };

  public:
    Interned() = default;
    Interned(const Interned&) = delete;
    Interned& operator=(const Interned&) = delete;

    class Held {
      public:
        Held() = default;
        explicit operator bool() const { return kept_ != nullptr; }
        const Value& operator*() const { return *kept_->value; }
        const Value* operator->() const { return kept_->value; }

      private:
        friend class Interned;
        explicit Held(Kept& kept) : kept_(&kept) {}
        boost::intrusive_ptr<Kept> kept_;
    };

    [[nodiscard]] Held hold(const Value& value) {
        const auto [at, is_new] = kept_.try_emplace(value, *this);
        at->second.value = &at->first;
        return Held(at->second);
    }

  private:
    std::map<Value, Kept> kept_;
};

} // namespace credlease::broker
