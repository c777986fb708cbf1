#pragma once

#include "leases/slab.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace credlease::leases {

/// Rows of a slab found by hash, chained through their own `Member`. Linear hashing (Litwin, 1980): it grows by
/// splitting one bucket at a time, so that no insert waits for a rehash; it needs no tombstones, so that inserting and
/// erasing for ever allocates nothing.
template <class Row, Slot Row::* Member = &Row::chain, auto HashOf = &Row::hash> class Chains {
  public:
    template <class Matches> [[nodiscard]] Slot find(const Slab<Row>& rows, std::uint64_t hash, Matches matches) const {
        if (size_ == 0) return none;
        Slot slot = first_of(bucket_of(hash));
        while (slot != none && !matches(rows[slot])) slot = rows[slot].*Member;
        return slot;
    }
    /// Every row of that hash's bucket, the latest first.
    template <class Visit> void visit(const Slab<Row>& rows, std::uint64_t hash, const Visit& visit_row) const {
        if (size_ == 0) return;
        for (Slot slot = first_of(bucket_of(hash)); slot != none; slot = rows[slot].*Member) visit_row(slot);
    }
    void insert(Slab<Row>& rows, Slot slot) {
        if (size_ == buckets_) add_bucket(rows);
        ++size_;
        push(rows, slot);
    }
    void erase(Slab<Row>& rows, Slot slot) {
        Slot* link = &first_of(bucket_of(std::invoke(HashOf, rows[slot])));
        while (*link != slot) link = &(rows[*link].*Member);
        *link = rows[slot].*Member;
        --size_;
    }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    static constexpr std::size_t chunk_buckets = 256;
    using Chunk = std::array<Slot, chunk_buckets>;

    [[nodiscard]] Slot& first_of(std::size_t bucket) {
        return (*chunks_[bucket / chunk_buckets])[bucket % chunk_buckets];
    }
    [[nodiscard]] const Slot& first_of(std::size_t bucket) const {
        return (*chunks_[bucket / chunk_buckets])[bucket % chunk_buckets];
    }
    [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const {
        const std::size_t bucket = hash & (2 * base_ - 1);
        return bucket < buckets_ ? bucket : bucket & (base_ - 1);
    }
    void push(Slab<Row>& rows, Slot slot) {
        Slot& first = first_of(bucket_of(std::invoke(HashOf, rows[slot])));
        rows[slot].*Member = first;
        first = slot;
    }
    void add_bucket(Slab<Row>& rows) {
        if (buckets_ % chunk_buckets == 0) {
            chunks_.push_back(std::make_unique<Chunk>());
            chunks_.back()->fill(none);
        }
        if (buckets_ == 2 * base_) base_ = buckets_;
        ++buckets_;
        if (buckets_ == 1) return;
        Slot slot = std::exchange(first_of(buckets_ - 1 - base_), none); // the bucket that is split
        while (slot != none) {
            const Slot next = rows[slot].*Member;
            push(rows, slot);
            slot = next;
        }
    }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::size_t base_ = 1; ///< a power of two, at most buckets_, more than half of it
    std::size_t buckets_ = 0;
    std::size_t size_ = 0;
};

/// Nodes found by their key, each once. Node has `key`, `chain` and `static hash_of(key)`.
template <class Node> class Registry {
  public:
    using Key = decltype(Node::key);

    [[nodiscard]] Slot find(const Key& key) const {
        return chains_.find(nodes_, Node::hash_of(key), [&](const Node& node) { return node.key == key; });
    }
    [[nodiscard]] Slot find_or_add(const Key& key) {
        Slot slot = find(key);
        if (slot != none) return slot;
        slot = nodes_.take();
        nodes_[slot].key = key;
        chains_.insert(nodes_, slot);
        return slot;
    }
    void remove(Slot slot) {
        chains_.erase(nodes_, slot);
        nodes_.give_back(slot);
    }
    [[nodiscard]] Node& operator[](Slot slot) { return nodes_[slot]; }
    [[nodiscard]] const Node& operator[](Slot slot) const { return nodes_[slot]; }

  private:
    static std::uint64_t hash(const Node& node) { return Node::hash_of(node.key); }

    Slab<Node> nodes_;
    Chains<Node, &Node::chain, &Registry::hash> chains_;
};

} // namespace credlease::leases
